"""The way to a vendor's server: addresses that we take, whom we trust, and the proxy between."""

from __future__ import annotations

import re
import ssl
import urllib.request
from functools import cache
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from connectors._deadline import DeadlineTransport
from fleet.errors import SettingsError

if TYPE_CHECKING:
    from connectors._connector import SourceSettings

_HOST = re.compile(rb"[A-Za-z0-9.:_-]+")


def origin_url(value: str) -> str:
    """`value` without a slash at its end; raises ValueError unless it is https (or http for a loopback)."""
    try:
        url = httpx.URL(value)
    except httpx.InvalidURL:
        raise ValueError("is not a URL") from None
    if url.userinfo:
        raise ValueError("must not carry a user name or password")
    if not _HOST.fullmatch(url.raw_host) or url.scheme not in {"https", "http"} or url.query or url.fragment:
        raise ValueError("must look like https://host, with nothing after the path")
    if url.scheme == "http" and not _loopback(url.host):
        raise ValueError("must begin with https:// (http:// is for this machine only)")
    return value.rstrip("/")


def _loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def network(settings: SourceSettings, base: httpx.URL, connections: int) -> httpx.BaseTransport:
    """The way to `base` as the settings have it; raises `SettingsError` for a CA bundle that cannot be used."""
    limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections)
    return DeadlineTransport(verify=_trust(settings), proxy=proxy_for(base), limits=limits)


def _trust(settings: SourceSettings) -> ssl.SSLContext:
    if settings.verify is False:
        raise SettingsError(
            f"source {settings.name}: verify = false is not offered; name a CA bundle instead"
        )
    if settings.verify is True:
        return _usual_trust()
    try:
        return ssl.create_default_context(cafile=Path(settings.verify))
    except OSError:
        raise SettingsError(f"source {settings.name}: verify names no readable CA bundle (PEM)") from None


@cache
def _usual_trust() -> ssl.SSLContext:
    """The usual authorities, read once: that takes longer than to read a small fleet, and sources may be thousands."""
    return httpx.create_ssl_context()


def proxy_for(url: httpx.URL) -> str | None:
    """The proxy that HTTP(S)_PROXY or ALL_PROXY name for `url`, heeding NO_PROXY."""
    proxies = urllib.request.getproxies()
    if urllib.request.proxy_bypass(url.host):
        return None
    proxy = proxies.get(url.scheme) or proxies.get("all")
    return proxy if proxy is None or "://" in proxy else f"http://{proxy}"
