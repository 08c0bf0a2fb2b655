"""Any other program, by a signed POST of JSON, schema `fleetkeep.notification/1`.

Signed as Standard Webhooks 1.0 has it (standardwebhooks.com, read 2026-11-22): `webhook-id` is the same for every try
of one message, `webhook-timestamp` the moment of the try in seconds since 1970, and `webhook-signature` is `v1,` and
the Base64 of the HMAC-SHA256 over `id.timestamp.body`. The key is the secret's own bytes, or, decoded, the Base64 that
follows `whsec_` in it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from typing import TYPE_CHECKING

from pydantic import SecretStr

from fleet.errors import Undelivered
from reports._plain import zulu
from reports.notify import _post
from reports.notify._channel import AudienceSettings, Channel

if TYPE_CHECKING:
    from reports.notify._channel import Outside
    from reports.notify._message import Entry, Message

SCHEMA = "fleetkeep.notification/1"
_ENCODED = "whsec_"


class WebhookSettings(AudienceSettings):
    """Keys of a generic webhook.

    Attributes:
        url: the address to post to.
        secret: signs what is sent.
    """

    url: SecretStr
    secret: SecretStr


def _send(settings: WebhookSettings, message: Message, outside: Outside) -> None:
    body = json.dumps(_plain(message), ensure_ascii=False, separators=(",", ":")).encode()
    identity = f"{message.id}-{settings.name}"
    stamp = str(int(outside.now().timestamp()))
    signed = hmac.new(_key(settings.secret), f"{identity}.{stamp}.".encode() + body, hashlib.sha256)
    headers = {
        "webhook-id": identity,
        "webhook-timestamp": stamp,
        "webhook-signature": f"v1,{base64.b64encode(signed.digest()).decode()}",
    }
    _post.send(settings, settings.url, outside, body=body, headers={**_post.JSON, **headers})


def _key(secret: SecretStr) -> bytes:
    text = secret.get_secret_value()
    if not text.startswith(_ENCODED):
        return text.encode()
    try:
        return base64.b64decode(text.removeprefix(_ENCODED), validate=True)
    except binascii.Error:
        raise Undelivered("secret starts with whsec_, and what follows is not Base64", again=False) from None


def _plain(message: Message) -> dict[str, object]:
    return {
        "schema": SCHEMA,
        "title": message.title,
        "headline": message.headline,
        "run": message.run_id,
        "as_of": zulu(message.about) if message.about else None,
        "ok": message.ok,
        "hold": message.hold,
        "counts": dict(message.counts),
        "findings": [_finding(entry) for entry in message.entries],
        "omitted": message.omitted,
        "incomplete": [
            {"source": one.name, "outcome": one.outcome, "why": one.why} for one in message.incomplete
        ],
        "remarks": list(message.remarks),
        "report_url": message.report_url,
    }


def _finding(entry: Entry) -> dict[str, object]:
    return {
        "key": entry.key,
        "change": entry.change,
        "check": entry.check,
        "severity": entry.severity,
        "title": entry.title,
        "device": " · ".join(entry.where) or None,
        "summary": entry.summary,
        "url": entry.url,
    }


CHANNEL = Channel(
    kind="webhook",
    settings=WebhookSettings,
    send=_send,
    example=(
        'url = { env = "WEBHOOK_URL" }         # takes a POST of JSON; the address is a secret\n'
        'secret = { env = "WEBHOOK_SECRET" }   # signs it: Standard Webhooks, HMAC-SHA256\n'
    ),
)
