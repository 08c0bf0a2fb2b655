"""When a false of Jamf School is more than a default, for it writes one of whatever it was never told.

Apple keeps backup and account of a device under User Enrolment from the MDM, and Jamf School has no word for that
enrolment (public recordings of Jamf School, Apple device management schema, read 2026-11-22).
"""

from __future__ import annotations

from datetime import datetime, tzinfo

from connectors import _wire
from connectors._jamf_school_dates import moment
from connectors._rows import field, has
from fleet.model.device import Enrollment, Platform
from fleet.model.fact import ABSENT, NEVER, Fact, Gap, Never

HANDHELD = {Platform.IOS, Platform.IPADOS, Platform.VISIONOS}


def switch(value: object) -> Fact[bool]:
    """A boolean, which Jamf School also writes as 0 and 1, as a number or as text."""
    if value == "":
        return ABSENT
    if isinstance(value, int | str) and str(value) in {"0", "1"}:
        return str(value) == "1"
    return _wire.flag(value)


def false_counts(
    platform: Fact[Platform], capacity: Fact[int], supervised: Fact[bool], enrollment: Fact[Enrollment]
) -> bool:
    """True of a handheld that answered an inventory and cannot be under User Enrolment.

    A device under User Enrolment is neither supervised nor enrolled automatically.
    """
    answered = platform in HANDHELD and not isinstance(capacity, Gap)
    return answered and (supervised is True or enrollment is Enrollment.AUTOMATED)


def backup_of(row: object, zone: tzinfo, *, counts: bool) -> tuple[Fact[bool], Fact[datetime | Never]]:
    """Whether backup is on, and the latest one; an earlier backup also proves that the device tells."""
    enabled = switch(field(row, "iCloudBackupEnabled"))
    latest = moment(field(row, "iCloudBackupLatest"), zone)
    counts = counts or isinstance(latest, datetime)
    if enabled is False and not counts:
        return ABSENT, latest
    asked = has(row, "iCloudBackupLatest") and (enabled is True or counts)
    return enabled, NEVER if latest is ABSENT and asked else latest


def account_of(row: object, *, counts: bool) -> Fact[bool]:
    """Whether an account is signed in to the store."""
    active = switch(field(row, "iTunesStoreLoggedIn"))
    return ABSENT if active is False and not counts else active
