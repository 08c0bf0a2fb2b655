"""One HTTP request to an address that is a secret: sent, judged by its status, and never quoted."""

from __future__ import annotations

import re
import ssl
from http import HTTPStatus
from ipaddress import ip_address
from typing import TYPE_CHECKING

import httpx

from fleet.errors import Undelivered, cause_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import SecretStr

    from reports.notify._channel import ChannelSettings, Outside

JSON = {"Content-Type": "application/json; charset=utf-8"}
_HOST = re.compile(rb"[A-Za-z0-9.:_-]+")
_WORTH_WAITING = frozenset({408, 425, 429, 500, 502, 503, 504})
_REFUSALS = {
    400: "does not take the message; check that url is of this kind of channel",
    401: "refuses it: the webhook is switched off, or wants a login",
    403: "refuses it: the webhook is switched off, or forbidden",
    404: "does not know the address any more; make a new webhook",
    410: "does not know the address any more; make a new webhook",
    413: "finds the message too large",
}


def send(
    settings: ChannelSettings,
    url: SecretStr,
    outside: Outside,
    *,
    body: bytes | None,
    headers: Mapping[str, str] = JSON,
    method: str = "POST",
) -> None:
    """Send one request; any 2xx is success, and its body is not read.

    Raises:
        Undelivered: there was no such answer. No message names the address: to know it is to be allowed to post.
    """
    address = _address(url)
    own = {"User-Agent": outside.user_agent, **headers}
    try:
        transport = outside.transport(address, settings)
        with (
            httpx.Client(transport=transport, timeout=settings.timeout_seconds, trust_env=False) as client,
            client.stream(method, address, content=body, headers=own) as response,
        ):
            status, wait = response.status_code, _wait(response)
    except (httpx.LocalProtocolError, UnicodeEncodeError):
        raise Undelivered("url holds a character that HTTP cannot carry", again=False) from None
    except httpx.TransportError as error:
        raise _unreached(error, settings.timeout_seconds) from None  # the error's own words name the address
    if not HTTPStatus(200) <= status < HTTPStatus.MULTIPLE_CHOICES:
        raise Undelivered(_refusal(status), again=status in _WORTH_WAITING, wait=wait)


def _address(url: SecretStr) -> httpx.URL:
    try:
        address = httpx.URL(url.get_secret_value().strip())
    except httpx.InvalidURL:
        raise Undelivered("url leads to something that is no address", again=False) from None
    if address.scheme != "https" and not (address.scheme == "http" and _is_loopback(address.host)):
        raise Undelivered("url should lead to an address that starts with https://", again=False)
    if not _HOST.fullmatch(address.raw_host):
        raise Undelivered("url leads to an address without a proper host", again=False)
    return address


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _refusal(status: int) -> str:
    if status < HTTPStatus.BAD_REQUEST:
        return f"the other side points elsewhere ({status}), which is not followed; put the final address into url"
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return f"the other side has trouble of its own ({status})"
    if status in _WORTH_WAITING:
        return f"the other side asks for patience ({status})"
    return f"the other side {_REFUSALS.get(status, 'refuses it')} ({status})"


def _wait(response: httpx.Response) -> float:
    """The seconds of a Retry-After; 0 where there is none, or a date."""
    asked = response.headers.get("retry-after", "")
    return float(asked) if asked.isascii() and asked.isdigit() else 0


def _unreached(error: httpx.TransportError, seconds: float) -> Undelivered:
    if cause_of(error, ssl.SSLCertVerificationError):
        return Undelivered(
            "the other side's certificate cannot be verified; name its CA bundle in verify", again=False
        )
    match error:
        case httpx.ProxyError():
            said = "the proxy refuses; check HTTPS_PROXY and NO_PROXY"
        case httpx.TimeoutException():
            said = f"no answer within {seconds:g} s"
        case httpx.ConnectError():
            said = "the other side cannot be reached; check url, DNS and firewall"
        case httpx.UnsupportedProtocol():
            return Undelivered("url should lead to an address that starts with https://", again=False)
        case _:
            said = "the connection broke off"
    return Undelivered(said, again=True)
