"""Every channel by the word that `[[notify]] kind` uses for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reports.notify import mail, ping, slack, teams, webhook

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reports.notify._channel import Channel

CHANNELS: Mapping[str, Channel[Any]] = {
    one.kind: one for one in (mail.CHANNEL, slack.CHANNEL, teams.CHANNEL, webhook.CHANNEL, ping.CHANNEL)
}
