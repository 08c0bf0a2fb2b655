"""The way to a PostgreSQL server: whether somebody on it could read along, or answer in its place."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from fleet.cli.examine.line import Level, Line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def transit(url: str, env: Mapping[str, str]) -> Iterator[Line]:
    """A line about the encryption of a connection that leaves this machine.

    What `sslmode` means is libpq's, "SSL Support" of PostgreSQL's manual (read 2026-11-22): without one it is `prefer`,
    and `require` takes any certificate unless `sslrootcert` names an authority.
    """
    asked = parse_qs(urlsplit(url).query)
    away = [host for host in _hosts(url, asked, env) if not _is_here(host)]
    if not away:
        return
    mode = _said(asked, env, "sslmode") or "prefer"
    proven = mode.startswith("verify-") or (mode == "require" and _said(asked, env, "sslrootcert"))
    if proven:
        yield Line(Level.OK, "database", f"encrypted, and the server is proven (sslmode={mode})")
        return
    harm = "answer in its place" if mode == "require" else "read along, or answer in its place"
    yield Line(
        Level.WARNING,
        "database",
        f"whoever is on the way to {away[0]} may {harm} (sslmode={mode}); add sslmode=verify-full to [database] url, "
        "and sslrootcert=FILE with its authority",
    )


def _hosts(url: str, asked: Mapping[str, list[str]], env: Mapping[str, str]) -> list[str]:
    """Every server that may be asked; none for a socket of this machine that libpq knows by itself."""
    several = (one.rpartition(":")[0] or one for one in asked.get("host", ()))
    named = [urlsplit(url).hostname or "", *several, *asked.get("hostaddr", ())]
    return [host for host in named if host] or [host for host in [env.get("PGHOST", "")] if host]


def _is_here(host: str) -> bool:
    """A socket's folder, or an address of this machine alone."""
    if host.startswith(("/", "@")) or host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _said(asked: Mapping[str, list[str]], env: Mapping[str, str], key: str) -> str:
    """A parameter of libpq's: in the URL, else in the environment."""
    return asked.get(key, [""])[-1] or env.get(f"PG{key.upper()}", "")
