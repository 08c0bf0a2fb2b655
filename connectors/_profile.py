"""What a configuration profile does to the backups of the device that carries it.

Payload types and keys: Apple device management schema (Restrictions, VPN), read 2026-11-22.
"""

from __future__ import annotations

import plistlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar
from xml.parsers.expat import ExpatError

from connectors import _rows, _wire
from fleet.model.fact import ABSENT

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from fleet.model.fact import Fact

K = TypeVar("K")

RESTRICTIONS = "com.apple.applicationaccess"
# A VPN of single apps has a type of its own, and never serves the backup.
VPN = "com.apple.vpn.managed"
# The parser lets out whatever its own code stumbles over, a misshapen date as an AttributeError.
_NO_PLIST = (
    ExpatError,
    ValueError,
    LookupError,
    AttributeError,
    TypeError,
    OverflowError,
    RecursionError,
)


@dataclass(frozen=True, slots=True)
class Profile:
    """One profile.

    Attributes:
        identifier: the name under which a device lists it.
        forbids_backup: a payload keeps the device from iCloud Backup.
        makes_vpn: a payload sets up a VPN that is always on or on demand.
    """

    identifier: Fact[str]
    forbids_backup: bool
    makes_vpn: bool


@dataclass(slots=True)
class Bearers(Generic[K]):
    """By what a device is known to carry a profile that forbids iCloud Backup, and by what one that makes a VPN."""

    forbidding: set[K] = field(default_factory=set[K])
    tunnelling: set[K] = field(default_factory=set[K])

    def note(self, profile: Profile, bearers: Iterable[K]) -> None:
        """Take note of what a profile does to those that carry it."""
        if profile.forbids_backup:
            self.forbidding.update(bearers)
        if profile.makes_vpn:
            self.tunnelling.update(bearers)

    def backup_restricted(self, known_by: Iterable[K]) -> Fact[bool]:
        """True where one of those profiles forbids it; else nothing is proven."""
        return ABSENT if self.forbidding.isdisjoint(known_by) else True

    def vpn_configured(self, known_by: Iterable[K]) -> Fact[bool]:
        """True where one of those profiles makes one; else nothing is proven."""
        return ABSENT if self.tunnelling.isdisjoint(known_by) else True


def read_profile(body: bytes) -> Profile | None:
    """The profile in a mobileconfig, signed or not; None where none can be read, as of an encrypted one."""
    # A signature is wrapped around the text, and a DOCTYPE is better not read.
    begin, end = body.find(b"<plist"), body.rfind(b"</plist>")
    try:
        profile = read_plist(body[max(begin, 0) : end + len(b"</plist>")])
        payloads = _rows.rows(profile.get("PayloadContent"))
    except ValueError:
        return None
    return Profile(
        identifier=_wire.text(profile.get("PayloadIdentifier")),
        forbids_backup=any(map(_forbids_backup, payloads)),
        makes_vpn=any(map(_makes_vpn, payloads)),
    )


def read_pasted(text: str) -> Profile | None:
    """The same of payloads that were pasted into a console, with or without the profile around them."""
    if "<plist" not in text:
        text = f"<plist><dict><key>PayloadContent</key><array>{text}</array></dict></plist>"
    return read_profile(text.encode(errors="replace"))


def read_plist(text: bytes) -> Mapping[str, object]:
    """The dictionary in an XML property list; raises ValueError where there is none.

    Entities are refused by the library, so a small text stays small.
    """
    try:
        value: object = plistlib.loads(text, fmt=plistlib.FMT_XML)
    except _NO_PLIST:
        raise ValueError("no property list") from None
    found = _rows.mapping(value)
    if found is None:
        raise ValueError("no dictionary")
    return found


def _forbids_backup(payload: object) -> bool:
    restricts = _rows.field(payload, "PayloadType") == RESTRICTIONS
    return restricts and _rows.field(payload, "allowCloudBackup") is False


def _makes_vpn(payload: object) -> bool:
    if _rows.field(payload, "PayloadType") != VPN:
        return False
    # On demand stands in the section of the protocol: VPN, IPSec, IKEv2, …
    sections = [payload, *(_rows.mapping(payload) or {}).values()]
    on_demand = any(_rows.field(section, "OnDemandEnabled") == 1 for section in sections)
    return on_demand or _rows.field(payload, "VPNType") == "AlwaysOn"
