"""The page's vocabulary: every code that a reader meets, in plain words. Python and script read the same tables."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TypeVar

T = TypeVar("T")

STATUSES = {
    "at_risk": ("▲", "At risk", "has a problem of medium severity or worse"),
    "unknown": ("?", "Unknown", "cannot be judged"),
    "protected": ("✓", "Protected", "backed up recently"),
    "not_applicable": ("○", "Not applicable", "not judged: no personal iCloud Backup to expect"),
}
OUTCOMES = {
    "complete": ("✓", "Complete", "every device of the source is accounted for"),
    "partial": (
        "▲",
        "Partial",
        "only some devices were read; the others stand as last known, nothing of theirs resolves",
    ),
    "failed": ("✕", "Failed", "nothing was read; its devices stand as last known"),
}
SEVERITIES = {
    "critical": ("◆", "Critical"),
    "high": ("▲", "High"),
    "medium": ("■", "Medium"),
    "low": ("●", "Low"),
    "info": ("○", "Info"),
}
STATES = {
    "new": "New tonight",
    "open": "Open",
    "reopened": "Reopened",
    "waived": "Waived",
    "resolved": "Resolved",
    "gone": "Device gone",
}
BASES = {
    "observed": "Observed: the device reported the problem itself.",
    "inferred": "Inferred: concluded from neighbouring facts.",
}
AUDIENCES = {"user": "the person with the device", "admin": "an administrator"}
STANDINGS = {
    "read": "read in its latest collection",
    "unread": "not read in its latest collection, from which nothing follows",
    "absent": "no longer listed by it",
    "superseded": "an older record, replaced by a newer enrolment of the same device; it does not count",
}
REASONS = {
    "not_reported": "never reported by this kind of source",
    "not_permitted": "hidden from the credential, or by this kind of enrolment",
    "absent": "missing from this device's record",
    "unreadable": "there, but not in a form that we understand",
    "stale_data": "the facts are too old to prove that all is well",
    "never_collected": "the device was never read",
    "not_collected": "no source read the device in its latest collection",
    "waived": "the problem that decides is waived",
    "backup_problem": "a minor backup problem keeps it from counting as protected",
    "user_enrollment": "it is enrolled by its owner (User Enrolment)",
    "shared_ipad": "it is a Shared iPad",
    "platform": "it is neither an iPhone nor an iPad",
    "not_managed": "it is not managed",
    "unknown_model": "the model is not in the catalogue",
    "too_few_readings": "there are too few past observations",
    "apple_outage": "Apple reports trouble with iCloud Backup, or did so until two days ago: it may back up by itself",
    "device_gone": "the device left the fleet",
    "superseded": "its device turned out to be this one, which has findings of its own",
    "gone": "no longer listed by any source",
    "no_backup_yet": "it is too new to have made a backup",
    "waiver_expired": "its waiver ended while the problem stands",
}
CATALOGUE = {
    "": "knows model and system",
    "model": "does not know the model",
    "release": "is behind the system",
}
SIGNALS = {
    "serial": "Serial number",
    "udid": "UDID",
    "name": "Name",
    "asset_tag": "Asset tag",
    "model_identifier": "Model identifier",
    "model_name": "Model",
    "platform": "Platform",
    "os_version": "System version",
    "os_build": "System build",
    "managed": "Managed",
    "supervised": "Supervised",
    "enrollment": "Enrolment",
    "ownership": "Ownership",
    "shared_ipad": "Shared iPad",
    "capacity_bytes": "Storage",
    "available_bytes": "Free storage",
    "backup_enabled": "iCloud Backup switched on",
    "last_cloud_backup_at": "Last iCloud backup",
    "last_local_backup_at": "Last backup to a computer",
    "backup_restricted": "iCloud Backup forbidden by a profile",
    "inventory_at": "Last inventory",
    "checkin_at": "Last check-in",
    "enrolled_at": "Enrolled",
    "battery_percent": "Battery",
    "roaming": "Roaming",
    "account_active": "Apple Account signed in",
    "lost_mode": "Lost Mode",
    "vpn_configured": "Always-on or on-demand VPN",
    "pending_os_version": "System waiting to be installed",
    "user_name": "User",
    "user_email": "User's e-mail",
    "department": "Department",
    "site": "Site",
    "groups": "Groups",
}
EVIDENCE = {
    "also": "Holds as well",
    "backup_age_days": "Age of the backup in days",
    "battery_percent": "Battery in percent",
    "catalog_date": "Catalogue as of",
    "confidence_percent": "That sure, in percent",
    "current_majors": "Current major systems",
    "days": "Days since a newer one came out",
    "days_left": "Days until full",
    "days_left_at_least": "Days until full, at least",
    "days_left_at_most": "Days until full, at most",
    "days_without_backup": "Days without backup when it reported",
    "days_until_deletion": "Days until Apple deletes the last backup",
    "download_gb": "Whole download of the update, in GB",
    "download_gb_least": "Free storage that the update wants at least, in GB",
    "enrolled_days": "Days since enrolment",
    "exploited": "Newer ones that close holes used in attacks",
    "free_gb": "Free, in GB",
    "free_percent": "Free, in percent",
    "gb_per_day": "Pace, in GB a day",
    "icloud_plan_gb": "iCloud plan, in GB",
    "icloud_plan_known": "The plan is known, not assumed",
    "installed": "Installed system",
    "last_major": "Last major system of this model",
    "minimum": "Needed for iCloud Backup",
    "newest": "Newest for this model",
    "newest_exploited": "The newest closes holes used in attacks",
    "newest_since": "Newest out since",
    "observed_at": "Last heard of",
    "readings": "Observations",
    "rule": "Why it counts as outdated",
    "silent_days": "Days of silence",
    "since": "Newer one out since",
    "used_gb": "In use on the device, in GB",
}
EVIDENCE_VALUES = {
    "rule": {
        "patch": "a patch of it has been out for too long",
        "exploited": "its holes are used in attacks",
        "major": "its major version is no longer allowed",
    }
}
STRENGTHS = {
    "explains": "Explains it: while it holds, no backup can be made.",
    "likely": "Likely.",
    "possible": "Possible: many devices with good backups have this too.",
    "unseen": "Nobody can see it; trying tells.",
}
UNEXPLAINED = "No visible cause"
VERDICTS = {
    "at_risk": "This device would lose data if it broke tonight.",
    "at_risk_otherwise": "No backup problem is known of this device; something else puts it at risk",
    "protected": "This device has a recent backup, and the report of it is fresh.",
    "unknown": "Whether this device is backed up cannot be said",
    "not_applicable": "This device is not judged",
}


def evidence(name: str) -> str:
    """What a value of evidence is called: `Days without backup`."""
    return EVIDENCE.get(name) or SIGNALS.get(name) or name.replace("_", " ").capitalize()


def evidence_value(name: str, value: T) -> T | str:
    """A value of evidence in words, where it is a code of ours."""
    return EVIDENCE_VALUES.get(name, {}).get(value, value) if isinstance(value, str) else value


def reason(code: str | None) -> str:
    """The clause for a reason code; a code from a newer part of the program is shown as it is."""
    return REASONS.get(code or "", (code or "no reason given").replace("_", " "))


def count(number: int, noun: str) -> str:
    """`1 device`, `8,412 devices`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def major(number: str) -> str:
    """`26.x`, or that the system is not known."""
    return f"{number}.x" if number.isdigit() else "not known"


def moment(at: datetime | None, now: datetime) -> str:
    """`2026-11-22 02:00 UTC (9 days ago)`, seen from `now`; `never` for None."""
    return "never" if at is None else f"{at:%Y-%m-%d %H:%M} UTC ({age(now - at)})"


def age(distance: timedelta) -> str:
    """`9 days ago`, in the largest unit of which there are two, from minutes to days; `just then` under two minutes."""
    minutes = int(abs(distance.total_seconds()) // 60)
    for size, unit in ((1440, "day"), (60, "hour"), (1, "minute")):
        if minutes >= 2 * size:
            return f"{minutes // size:,} {unit}s " + ("ago" if distance > timedelta(0) else "later")
    return "just then"
