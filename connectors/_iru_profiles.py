"""What the profiles on a device say about iCloud Backup and VPN.

Prism lists every installed profile with the types of its payloads, not with their values; values can be read of the
tenant's own custom profiles alone (Iru API collection, "Installed profiles" and "List custom profiles", read
2026-11-22). So a device without any profile of that type is known to be free, one with a custom profile is judged by
that, and one whose restrictions Iru made up itself stays unknown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors import _rows, _wire
from connectors._iru_record import identity
from connectors._profile import RESTRICTIONS, Profile, read_profile
from fleet.model.fact import ABSENT, Fact, Gap

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


_ANY_VPN = "com.apple.vpn"


def custom_profiles(rows: Iterable[object]) -> dict[str, Profile]:
    """Those that can be read, by every identifier under which a device may list them."""
    found: dict[str, Profile] = {}
    for row in rows:
        xml = _rows.field(row, "profile")
        profile = read_profile(xml.encode(errors="replace")) if isinstance(xml, str) else None
        if profile is not None:
            names = (_wire.text(_rows.field(row, "mdm_identifier")), profile.identifier)
            found |= {name: profile for name in names if not isinstance(name, Gap)}
    return found


def _listed(value: object) -> list[object]:
    try:
        return _rows.rows(value)
    except ValueError:
        return []


def judged(
    installed: Iterable[object], custom: Mapping[str, Profile]
) -> dict[str, tuple[Fact[bool], Fact[bool]]]:
    """Per device: whether iCloud Backup is forbidden, and whether a VPN turns itself on.

    Args:
        installed: every row of Prism's installed profiles.
        custom: what those of the tenant's own do.
    """
    found: dict[str, tuple[Fact[bool], Fact[bool]]] = {}
    for row in installed:
        device = identity(row)
        if device is not None:
            restricted, vpn = found.get(device, (False, False))
            this_restricts, this_vpn = _of_one(row, custom)
            found[device] = (_either(restricted, this_restricts), _either(vpn, this_vpn))
    return found


def _of_one(row: object, custom: Mapping[str, Profile]) -> tuple[Fact[bool], Fact[bool]]:
    name = _wire.text(_rows.field(row, "payload_identifier"))
    own = None if isinstance(name, Gap) else custom.get(name)
    if own is not None:
        return own.forbids_backup, own.makes_vpn
    kinds = _kinds(_rows.field(row, "profile_data"))
    return _free_of(RESTRICTIONS, kinds), _free_of(_ANY_VPN, kinds)


def _kinds(payloads: object) -> tuple[str, ...]:
    kinds = _wire.names([_rows.field(payload, "type") for payload in _listed(payloads)])
    return () if isinstance(kinds, Gap) else kinds


def _free_of(kind: str, kinds: tuple[str, ...]) -> Fact[bool]:
    """False where the payloads are known and none is of that kind; what one of that kind holds is not said."""
    return False if kinds and not any(one.startswith(kind) for one in kinds) else ABSENT


def _either(one: Fact[bool], other: Fact[bool]) -> Fact[bool]:
    if one is True or other is True:
        return True
    return ABSENT if isinstance(one, Gap) or isinstance(other, Gap) else False
