"""How one host of Fleet came under management, whose it is, and which of its identifiers are real.

Words: Fleet's REST API reference and its source, read 2026-11-22.
"""

from __future__ import annotations

from dataclasses import dataclass

from connectors import _wire
from connectors._rows import field
from fleet.model.device import Enrollment, Ownership, Platform
from fleet.model.fact import ABSENT, NOT_PERMITTED, Fact, Gap


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether and how a host is managed, and whose it is."""

    managed: Fact[bool]
    enrollment: Fact[Enrollment] = ABSENT
    ownership: Fact[Ownership] = ABSENT


_BY_PROFILE = Standing(managed=True, enrollment=Enrollment.DEVICE, ownership=Ownership.PERSONAL)
_BY_ACCOUNT = Standing(managed=True, enrollment=Enrollment.USER, ownership=Ownership.PERSONAL)
_AUTOMATIC = Standing(managed=True, enrollment=Enrollment.AUTOMATED, ownership=Ownership.ORGANISATION)
_STANDINGS = {
    "on (automatic)": _AUTOMATIC,
    "on (company-owned)": _AUTOMATIC,
    # By hand says how it was enrolled, not whose it is.
    "on (manual)": Standing(managed=True, enrollment=Enrollment.DEVICE),
    "on (manual - personal)": _BY_PROFILE,
    "on (personal)": _BY_ACCOUNT,
    "pending": Standing(managed=False),
    "off": Standing(managed=False),
}


def standing_of(host: object) -> Standing:
    """What the host's `enrollment_status` says, and where that is not clear its serial number."""
    standing = _wire.word(field(field(host, "mdm"), "enrollment_status"), _STANDINGS)
    if isinstance(standing, Gap):
        return Standing(standing, standing, standing)
    # Some releases use this word for User Enrolment too, which alone has no serial number to tell (fleetdm/fleet
    # issue 50868, read 2026-11-22).
    return _BY_ACCOUNT if standing is _BY_PROFILE and _without_serial(host) else standing


def _without_serial(host: object) -> bool:
    """True where an enrolment id stands in place of a serial number, or nothing."""
    serial = _wire.text(field(host, "hardware_serial"))
    return serial is ABSENT or (not isinstance(serial, Gap) and serial == _wire.text(field(host, "uuid")))


def identifiers(host: object, platform: Fact[Platform], standing: Standing) -> tuple[Fact[str], Fact[str]]:
    """Serial number and UDID of an Apple device; copies of a virtual machine may share theirs."""
    if platform in {Platform.OTHER, Platform.ANDROID}:
        return ABSENT, ABSENT
    serial = _wire.text(field(host, "hardware_serial"))
    if standing.enrollment is Enrollment.USER or (serial is not ABSENT and _without_serial(host)):
        return NOT_PERMITTED, NOT_PERMITTED
    return serial, _wire.first_known(_wire.text(field(host, "udid")), _wire.text(field(host, "uuid")))
