"""How a device came under management, and what Apple keeps from an MDM of one under User Enrolment.

Source: Apple device management schema, `DeviceInformation` and `Restrictions`, read 2026-11-22.
"""

from __future__ import annotations

from dataclasses import replace

from fleet.model.device import DeviceRecord, Enrollment
from fleet.model.fact import ABSENT, NOT_PERMITTED, NOT_REPORTED, UNREADABLE, Fact

_HIDDEN = ("backup_enabled", "last_cloud_backup_at", "backup_restricted", "account_active", "lost_mode")
# A vendor may know these from elsewhere.
_IDENTIFIERS = ("serial", "udid")


def enrolled(*, by_user: Fact[bool], automated: Fact[bool]) -> Fact[Enrollment]:
    """The way that Apple's two answers tell: only where both were answered is it neither.

    Args:
        by_user: whether it is a User Enrolment; `ABSENT` from a vendor that does not say.
        automated: whether the device came by Automated Device Enrolment.
    """
    if by_user is True:
        return Enrollment.USER
    if automated is True:
        return Enrollment.AUTOMATED
    if by_user is False and automated is False:
        return Enrollment.DEVICE
    return UNREADABLE if UNREADABLE in (by_user, automated) else ABSENT


def personal(record: DeviceRecord) -> DeviceRecord:
    """`record` as it may be believed: under User Enrolment a vendor's false or empty value is only a default.

    What Apple hides is then not missing: it may not be seen.
    """
    if record.enrollment is not Enrollment.USER:
        return record
    hidden = [signal for signal in _HIDDEN if getattr(record, signal) is not NOT_REPORTED]
    missing = [signal for signal in _IDENTIFIERS if getattr(record, signal) is ABSENT]
    return replace(record, **dict.fromkeys((*hidden, *missing), NOT_PERMITTED))
