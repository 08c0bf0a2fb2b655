"""Addresses in the settings: https, or http on this machine, and never with a user or a password in them."""

from __future__ import annotations

import ipaddress
from urllib.parse import SplitResult, urlsplit

from fleet.toml_table import shown

WEB = ("http", "https")


def address_fault(value: str) -> str | None:
    parts = split(value)
    if parts is None or parts.scheme not in WEB or not parts.hostname:
        return f"found {shown(value)}; should be an address that starts with https:// and a host"
    if "@" in parts.netloc:
        return "carries a user or a password; take them out, they have keys of their own"
    if parts.scheme == "http" and not _is_loopback(parts.hostname):
        return "found http://; should be https:// (http:// is for localhost, 127.0.0.1 and [::1] only)"
    return None


def split(value: str) -> SplitResult | None:
    try:
        parts = urlsplit(value)
        _ = parts.port  # raises where it is no number
    except ValueError:
        return None
    return parts if value.isprintable() and " " not in value else None


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
