"""A dead man's switch: an address that hears from every run, so that a monitor misses the run that never came."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import SecretStr

from reports.notify import _post
from reports.notify._channel import Channel, ChannelSettings

if TYPE_CHECKING:
    from reports.notify._channel import Outside
    from reports.notify._message import Message


class PingSettings(ChannelSettings):
    """Keys of a monitor.

    Attributes:
        url: is asked after every run that read at least one source and left its report.
        failure_url: is asked after every other; without it, the monitor hears nothing then.
        method: `POST` sends the headline along; it holds counts and no names.
    """

    url: SecretStr
    failure_url: SecretStr | None = None
    method: Literal["GET", "POST"] = "GET"


def _send(settings: PingSettings, message: Message, outside: Outside) -> None:
    url = settings.url if message.ok else settings.failure_url
    if url is None:
        return
    body = message.headline.encode() if settings.method == "POST" else None
    headers = {"Content-Type": "text/plain; charset=utf-8"} if body else {}
    _post.send(settings, url, outside, body=body, headers=headers, method=settings.method)


CHANNEL = Channel(
    kind="ping",
    settings=PingSettings,
    send=_send,
    example=(
        'url = { env = "PING_URL" }            # asked after every good run: a monitor misses the one that never came\n'
        'failure_url = { env = "PING_FAILURE_URL" }\n'
    ),
)
