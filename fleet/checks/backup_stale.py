"""The last iCloud backup was too old when the device reported it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from fleet.checks._check import Case, Check
from fleet.model.fact import Never, need
from fleet.model.finding import CLEAR, Basis, Found, Severity, Verdict, stamp

if TYPE_CHECKING:
    from fleet.model.policy import Policy


def judge(case: Case) -> Verdict:
    """Found by the age of the backup at the observation: a silent device is not blamed for its silence."""
    last = need(case.device.last_cloud_backup_at)
    if isinstance(last, Never):
        return CLEAR
    age = case.age_of(last, signal="last_cloud_backup_at")
    severity = _severity(age, case.policy)
    return CLEAR if severity is None else _found(severity, last, age)


def _severity(age: timedelta, policy: Policy) -> Severity | None:
    if age <= timedelta(days=policy.backup_warn_days):
        return None
    if age <= timedelta(days=policy.backup_high_days):
        return Severity.MEDIUM
    return Severity.HIGH if age <= timedelta(days=policy.backup_critical_days) else Severity.CRITICAL


def _found(severity: Severity, last: datetime, age: timedelta) -> Found:
    return Found(
        severity,
        f"The last iCloud backup was more than {age.days} days old when the device reported.",
        {"last_cloud_backup_at": stamp(last), "days_without_backup": age.days},
    )


CHECK = Check(
    id="backup-stale",
    title="The last iCloud backup is too old",
    rule=(
        "Found when the last backup was older than {backup_warn_days} days (medium), {backup_high_days} days"
        " (high) or {backup_critical_days} days (critical) at the time the device reported."
    ),
    clears="It ends when the device reports a backup that is at most {backup_warn_days} days old.",
    basis=Basis.OBSERVED,
    problem="backup",
    reads=frozenset({"last_cloud_backup_at"}),
    fixes=("wifi-and-power", "system-status", "free-icloud-storage"),
    judge=judge,
    source="Apple Platform Deployment, Back up and restore managed devices, read 2026-11-22",
)
