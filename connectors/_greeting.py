"""A server's answer to a stranger: its clock and its certificate, before any credential is shown to it."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, cast

import httpx

from connectors._deadline import within

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Greeting:
    """What the head of an answer tells; None where it does not.

    Attributes:
        date: the server's clock.
        certificate_ends: when its certificate runs out; None without TLS.
    """

    date: datetime | None
    certificate_ends: datetime | None


def greeting(transport: httpx.BaseTransport, origin: httpx.URL, seconds: float) -> Greeting | None:
    """How the server at `origin` answers whoever asks for nothing; None if it does not within `seconds`."""
    request = httpx.Request("GET", origin, headers={"User-Agent": "fleetkeep", "Connection": "close"})
    try:
        with within(seconds):
            answer = transport.handle_request(request)
    except (httpx.HTTPError, httpx.InvalidURL, OSError):
        return None
    try:
        return Greeting(_date(answer.headers.get("date", "")), _certificate_ends(answer.extensions))
    finally:
        answer.close()


def _date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return None
    return date.replace(tzinfo=date.tzinfo or UTC).astimezone(UTC)


def _certificate_ends(extensions: Mapping[str, Any]) -> datetime | None:
    stream = extensions.get("network_stream")
    secured = stream and stream.get_extra_info("ssl_object")
    certificate = cast("dict[str, Any]", secured.getpeercert() or {}) if secured else {}
    ends = certificate.get("notAfter")
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(ends), UTC) if isinstance(ends, str) else None
