"""What the profiles on a device say about iCloud Backup and VPN.

Prism lists every installed profile with the types of its payloads, not with their values; values can be read of the
tenant's own custom profiles alone (Iru API collection, "Installed profiles" and "List custom profiles", read
2026-11-22). So a device without any profile of that type is known to be free, one with a custom profile is judged by
that, and one whose restrictions Iru made up itself stays unknown.
"""

from __future__ import annotations

import plistlib
from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.parsers.expat import ExpatError

from connectors import _rows, _wire
from connectors._iru_record import identity
from fleet.model.fact import ABSENT, Fact, Gap

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_RESTRICTIONS = "com.apple.applicationaccess"
_VPN = "com.apple.vpn"
# Serves single apps and never the backup.
_VPN_OF_APPS = "com.apple.vpn.managed.applayer"
_NO_PROFILE = (ValueError, LookupError, TypeError, AttributeError, OverflowError, ExpatError, RecursionError)


@dataclass(frozen=True, slots=True)
class CustomProfile:
    """What one profile of the tenant's own does."""

    forbids_backup: bool
    starts_vpn: bool


def custom_profiles(rows: Iterable[object]) -> dict[str, CustomProfile]:
    """Those that can be read, by every identifier under which a device may list them."""
    found: dict[str, CustomProfile] = {}
    for row in rows:
        content = _content(_rows.field(row, "profile"))
        if content is not None:
            names = (
                _wire.text(_rows.field(row, "mdm_identifier")),
                _wire.text(content.get("PayloadIdentifier")),
            )
            found |= {name: _judged(content) for name in names if not isinstance(name, Gap)}
    return found


def _content(xml: object) -> Mapping[str, object] | None:
    if not isinstance(xml, str):
        return None
    try:
        # Entities are refused by the library, so a small text stays small.
        return _rows.mapping(plistlib.loads(xml.encode(), fmt=plistlib.FMT_XML))
    except _NO_PROFILE:
        return None


def _judged(content: Mapping[str, object]) -> CustomProfile:
    payloads = list(_payloads(content))
    return CustomProfile(
        forbids_backup=any(
            payload.get("PayloadType") == _RESTRICTIONS and payload.get("allowCloudBackup") is False
            for payload in payloads
        ),
        starts_vpn=any(_starts_itself(payload) for payload in payloads),
    )


def _payloads(content: Mapping[str, object]) -> Iterator[Mapping[str, object]]:
    sections = map(_rows.mapping, _listed(content.get("PayloadContent")))
    return (section for section in sections if section is not None)


def _listed(value: object) -> list[object]:
    try:
        return _rows.rows(value)
    except ValueError:
        return []


def _starts_itself(payload: Mapping[str, object]) -> bool:
    kind = str(payload.get("PayloadType"))
    if not kind.startswith(_VPN) or kind == _VPN_OF_APPS:
        return False
    sections = [payload, *filter(None, map(_rows.mapping, payload.values()))]
    return payload.get("VPNType") == "AlwaysOn" or any(
        section.get("OnDemandEnabled") == 1 for section in sections
    )


def judged(
    installed: Iterable[object], custom: Mapping[str, CustomProfile]
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


def _of_one(row: object, custom: Mapping[str, CustomProfile]) -> tuple[Fact[bool], Fact[bool]]:
    name = _wire.text(_rows.field(row, "payload_identifier"))
    own = None if isinstance(name, Gap) else custom.get(name)
    if own is not None:
        return own.forbids_backup, own.starts_vpn
    kinds = _kinds(_rows.field(row, "profile_data"))
    return _free_of(_RESTRICTIONS, kinds), _free_of(_VPN, kinds)


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
