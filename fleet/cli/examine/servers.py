"""The way to a source's servers: the proxy between, how long the certificate holds, whether the clocks agree."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import httpx

from connectors._greeting import Greeting, greeting
from connectors._network import network, proxy_for
from fleet.cli.examine.line import Level, Line
from fleet.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from connectors._connector import SourceSettings

ADDRESSES = ("url", "login_url", "token_url")
SECONDS = 10.0
CLOCK_WARNING = timedelta(seconds=60)
CLOCK_ERROR = timedelta(minutes=5)
"""Signed assertions and tokens are good for minutes; a clock further off has logins refused."""
CERTIFICATE_DAYS = 14


def servers(settings: SourceSettings, what: str, now: Callable[[], datetime]) -> Iterator[Line]:
    """A line for each server of the source that answers; one that does not is the login's to tell."""
    for origin in _origins(settings):
        try:
            transport = network(settings, origin, 1)
        except SettingsError as error:
            yield Line(Level.ERROR, what, str(error))
            return
        with transport:
            met = greeting(transport, origin, SECONDS)
        if met is not None:
            yield from met_lines(met, origin.host, what, now(), via=proxied(origin))


def met_lines(met: Greeting, host: str, what: str, now: datetime, *, via: str = "") -> Iterator[Line]:
    """What an answer tells, each that is not well on a line of its own."""
    troubles = [line for line in (_clock(met, host, what, now), _certificate(met, host, what, now)) if line]
    yield from troubles
    if not troubles:
        until = f", certificate until {met.certificate_ends:%Y-%m-%d}" if met.certificate_ends else ""
        agree = ", clocks agree" if met.date else ""
        yield Line(Level.OK, what, f"{host} answers{via}{until}{agree}")


def _clock(met: Greeting, host: str, what: str, now: datetime) -> Line | None:
    if met.date is None or abs(met.date - now) <= CLOCK_WARNING:
        return None
    apart = round(abs(met.date - now).total_seconds())
    level = Level.ERROR if abs(met.date - now) > CLOCK_ERROR else Level.WARNING
    ahead = "behind" if met.date > now else "ahead of"
    return Line(
        level, what, f"this clock is {apart:,} seconds {ahead} {host}'s; set it by a time server (NTP)"
    )


def _certificate(met: Greeting, host: str, what: str, now: datetime) -> Line | None:
    if met.certificate_ends is None or met.certificate_ends - now > timedelta(days=CERTIFICATE_DAYS):
        return None
    said = f"the certificate of {host} ends on {met.certificate_ends:%Y-%m-%d}; tell who runs that server"
    return Line(Level.WARNING, what, said)


def _origins(settings: SourceSettings) -> list[httpx.URL]:
    """Every server that the settings name, once."""
    urls = [getattr(settings, name, None) for name in ADDRESSES]
    found = [httpx.URL(url) for url in urls if isinstance(url, str)]
    web = [url for url in found if url.scheme in {"http", "https"} and url.host]
    return list(dict.fromkeys(url.copy_with(path="/", query=None, fragment=None) for url in web))


def proxied(origin: httpx.URL) -> str:
    """The proxy on the way, as the end of a sentence; nothing where there is none."""
    proxy = proxy_for(origin)
    if proxy is None:
        return ""
    # Host and port alone: what stands before them may be a password.
    parts = httpx.URL(proxy)
    return f" by the proxy {parts.host}:{parts.port}" if parts.port else f" by the proxy {parts.host}"
