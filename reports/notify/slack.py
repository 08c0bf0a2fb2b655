"""Slack, by an incoming webhook.

What other people wrote stands in `plain_text` objects, in which Slack reads no markup, mentions or emoji; only the
link is `mrkdwn`. A header has up to 150 characters, a text 3,000, a message 50 blocks (docs.slack.dev, Block Kit, read
2026-11-22).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pydantic import SecretStr

from reports.notify import _post
from reports.notify._channel import AudienceSettings, Channel
from reports.notify._message import plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reports.notify._channel import Outside
    from reports.notify._message import Message

LONGEST_HEADER = 150
LONGEST_TEXT = 3000


class SlackSettings(AudienceSettings):
    """Keys of a Slack webhook.

    Attributes:
        url: the address of an incoming webhook.
    """

    url: SecretStr


def _send(settings: SlackSettings, message: Message, outside: Outside) -> None:
    body = {
        "text": _escaped(message.subject),
        "blocks": list(_blocks(message)),
        "unfurl_links": False,
        "unfurl_media": False,
    }
    _post.send(settings, settings.url, outside, body=json.dumps(body).encode())


def _blocks(message: Message) -> Iterator[dict[str, object]]:
    yield {"type": "header", "text": _text(message.headline, LONGEST_HEADER)}
    for remark in message.remarks:
        yield _section(remark)
    for entry in message.entries:
        yield _section(f"{entry.change}: {entry.line}\n{entry.summary}")
    if message.more:
        yield _section(f"… {message.more}")
    for source in message.incomplete[:10]:
        yield _section(source.line)
    foot = " · ".join(part for part in (plain(message.title), message.night, message.fleet) if part)
    yield {"type": "context", "elements": [_text(foot)]}
    if message.report_url:
        address = _escaped(message.report_url.replace("|", "%7C"))
        link = {"type": "mrkdwn", "text": f"<{address}|Open the report>"}
        yield {"type": "section", "text": link}


def _section(text: str) -> dict[str, object]:
    return {"type": "section", "text": _text(text)}


def _text(text: str, longest: int = LONGEST_TEXT) -> dict[str, object]:
    return {"type": "plain_text", "text": text[:longest], "emoji": False}


def _escaped(text: str) -> str:
    """The three characters that Slack reads as control (docs.slack.dev, formatting message text, read 2026-11-22)."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


CHANNEL = Channel(
    kind="slack",
    settings=SlackSettings,
    send=_send,
    example='url = { env = "SLACK_WEBHOOK_URL" }   # of an incoming webhook; the address is a secret\n',
)
