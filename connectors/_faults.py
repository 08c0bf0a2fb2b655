"""Why a request found no answer: the library's error as one clear sentence, and how often to try again."""

from __future__ import annotations

import socket
import ssl

import httpx

from fleet.errors import Unreachable, cause_of

UNSENDABLE = (httpx.LocalProtocolError, UnicodeEncodeError)
"""What a request raises that cannot even be written down, as with a line break in a header."""

_ALWAYS, _SELDOM, _ONCE = 8, 3, 1

# OpenSSL's verify codes (openssl-verification-options(1), read 2026-11-23).
_CERTIFICATE = {
    9: "is not valid yet: check the clock of this machine",
    10: "has expired: renew it there",
    18: "is self-signed: name its CA bundle in verify",
    19: "comes from a CA of its own: name its CA bundle in verify",
    20: "comes from an unknown CA: name its CA bundle in verify",
    62: "is for another host name: check url",
    64: "is for another address: check url",
}


def fault_of(error: httpx.TransportError, host: str, timeout_seconds: float) -> tuple[int, Unreachable]:
    """How many tries such a failure is worth in all, and the error to raise after the last.

    Resets are worth as many as trouble of the server; a failed connection and a deadline, a few; what a
    repetition cannot mend (certificates, protocols), one.
    """
    tries, why = _diagnosis(error, timeout_seconds)
    return tries, Unreachable(f"{host} {why}")


def _diagnosis(error: httpx.TransportError, timeout_seconds: float) -> tuple[int, str]:
    match error:
        case httpx.ProxyError():
            return (
                _SELDOM,
                "cannot be reached: the proxy refuses or is not there; check HTTPS_PROXY and NO_PROXY",
            )
        case httpx.ConnectTimeout():
            return (
                _SELDOM,
                f"does not take the connection within {timeout_seconds:g} s: check url and firewall",
            )
        case httpx.ConnectError():
            return _connection(error)
        case httpx.TimeoutException():
            return (
                _SELDOM,
                f"gave no whole answer in {timeout_seconds:g} s: lower page_size or raise timeout_seconds",
            )
        case httpx.UnsupportedProtocol():
            return _ONCE, "was named by an address that is neither http nor https"
        case _:
            return _ALWAYS, "broke the connection off in mid-answer"


def _connection(error: httpx.ConnectError) -> tuple[int, str]:
    if refusal := cause_of(error, ssl.SSLCertVerificationError):
        flaw = _CERTIFICATE.get(refusal.verify_code, "cannot be verified: name its CA bundle in verify")
        return _ONCE, f"cannot be trusted: its certificate {flaw}"
    if (tls := cause_of(error, ssl.SSLError)) and not isinstance(tls, ssl.SSLEOFError):
        return (
            _ONCE,
            f"speaks no TLS that we accept ({_reason(tls)}): TLS 1.2 is needed; check url and port",
        )
    if cause_of(error, socket.gaierror):
        return _SELDOM, "is not known by that name: check url and DNS"
    if cause_of(error, ConnectionRefusedError):
        return _SELDOM, "refuses the connection: check url, port and firewall"
    return _SELDOM, "cannot be reached: check url, network and firewall"


def _reason(error: ssl.SSLError) -> str:
    return (error.reason or "no reason given").lower().replace("_", " ")
