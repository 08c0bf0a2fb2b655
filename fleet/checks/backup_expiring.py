"""The last iCloud backup is so old that Apple will delete it soon, or may have done so."""

from __future__ import annotations

from datetime import datetime, timedelta

from fleet.checks._check import Case, Check
from fleet.model.fact import Never, need
from fleet.model.finding import CLEAR, Basis, Found, Severity, Verdict, stamp

DELETED_AFTER = timedelta(days=180)


def judge(case: Case) -> Verdict:
    """Found by the backup's age now, not when it was reported: Apple's clock runs on meanwhile."""
    last = need(case.device.last_cloud_backup_at)
    if isinstance(last, Never):
        return CLEAR
    age = case.now - last
    if age <= timedelta(days=case.policy.backup_expiring_days):
        return CLEAR
    gone = age > DELETED_AFTER
    outlook = (
        "Apple may have deleted it"
        if gone
        else f"Apple deletes it {_when(days_until_deletion(last, case.now))}"
    )
    return Found(
        Severity.CRITICAL if gone else Severity.HIGH,
        f"The last iCloud backup is more than {age.days} days old; {outlook}.",
        {"last_cloud_backup_at": stamp(last), "backup_age_days": age.days},
    )


def days_until_deletion(last: datetime, now: datetime) -> int:
    """Whole days until Apple deletes a backup made at `last`, if no other is made; 0 where it may be gone already."""
    return max((last + DELETED_AFTER - now).days, 0)


def _when(days: int) -> str:
    return f"in {days} {'day' if days == 1 else 'days'}" if days else "today"


CHECK = Check(
    id="backup-expiring",
    title="The iCloud backup is about to be deleted",
    rule=(
        "Found (high) when the last backup is more than {backup_expiring_days} days old, critical when it is"
        " more than 180 days old and Apple may have deleted it."
    ),
    clears="It ends when the device reports a backup that is at most {backup_expiring_days} days old.",
    basis=Basis.OBSERVED,
    problem="backup",
    reads=frozenset({"last_cloud_backup_at"}),
    fixes=("local-backup", "wifi-and-power"),
    judge=judge,
    source="iCloud User Guide, What is iCloud Backup?, read 2026-11-22",
    judged_at_as_of=True,
)
