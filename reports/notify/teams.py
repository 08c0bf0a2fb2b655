"""Microsoft Teams, by the Workflows template "Post to a channel when a webhook request is received".

Office 365 connectors and their message cards are retired; a workflow takes a message with one Adaptive Card (Microsoft
Learn, "Create and send messages" and "Post a workflow when a webhook request is received", read 2026-11-22). What other
people wrote stands in `TextRun`s, in which no Markdown is read (schema explorer, TextRun). A message has 28 KB at most.
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

_COLORS = {"critical": "Attention", "high": "Attention", "medium": "Warning"}


class TeamsSettings(AudienceSettings):
    """Keys of a Teams workflow.

    Attributes:
        url: the address that the workflow's trigger shows.
    """

    url: SecretStr


def _send(settings: TeamsSettings, message: Message, outside: Outside) -> None:
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "msteams": {"width": "Full"},
        "body": list(_body(message)),
        "actions": [{"type": "Action.OpenUrl", "title": "Open the report", "url": message.report_url}]
        if message.report_url
        else [],
    }
    attachment = {
        "contentType": "application/vnd.microsoft.card.adaptive",
        "contentUrl": None,
        "content": card,
    }
    body = {"type": "message", "attachments": [attachment]}
    _post.send(settings, settings.url, outside, body=json.dumps(body).encode())


def _body(message: Message) -> Iterator[dict[str, object]]:
    yield _block(_run(message.headline, size="Large", weight="Bolder"))
    for remark in message.remarks:
        yield _block(_run(remark))
    for entry in message.entries:
        color = _COLORS.get(entry.severity, "Default")
        head = _run(f"{entry.change} · {entry.severity} ", color=color, weight="Bolder")
        yield _block(
            head, _run(" · ".join((entry.title, *entry.where))), _run(f"\n{entry.summary}", isSubtle=True)
        )
    if message.more:
        yield _block(_run(f"… {message.more}"))
    for source in message.incomplete[:10]:
        yield _block(_run(source.line, color="Warning"))
    foot = " · ".join(part for part in (plain(message.title), message.night, message.fleet) if part)
    yield _block(_run(foot, isSubtle=True, size="Small"))


def _block(*runs: dict[str, object]) -> dict[str, object]:
    return {"type": "RichTextBlock", "inlines": list(runs)}


def _run(text: str, **looks: object) -> dict[str, object]:
    # `{{DATE(…)}}` is the one thing that is read in any text of a card.
    return {"type": "TextRun", "text": text.replace("{{", "{ {"), **looks}


CHANNEL = Channel(
    kind="teams",
    settings=TeamsSettings,
    send=_send,
    example='url = { env = "TEAMS_WORKFLOW_URL" }   # of a workflow "when a webhook request is received"\n',
)
