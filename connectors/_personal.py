"""What Apple keeps from an MDM of a device under User Enrolment: it is not missing there, it may not be seen.

Source: Apple device management schema, `DeviceInformation` and `Restrictions`, read 2026-11-22.
"""

from __future__ import annotations

from dataclasses import replace

from fleet.model.device import DeviceRecord, Enrollment
from fleet.model.fact import ABSENT, NOT_PERMITTED, NOT_REPORTED

_HIDDEN = ("backup_enabled", "last_cloud_backup_at", "backup_restricted", "account_active", "lost_mode")
# A vendor may know these from elsewhere.
_IDENTIFIERS = ("serial", "udid")


def personal(record: DeviceRecord) -> DeviceRecord:
    """`record` as it may be believed: under User Enrolment a vendor's false or empty value is only a default."""
    if record.enrollment is not Enrollment.USER:
        return record
    hidden = [signal for signal in _HIDDEN if getattr(record, signal) is not NOT_REPORTED]
    missing = [signal for signal in _IDENTIFIERS if getattr(record, signal) is ABSENT]
    return replace(record, **dict.fromkeys((*hidden, *missing), NOT_PERMITTED))
