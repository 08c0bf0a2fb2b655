"""iCloud Backup is on, and yet the device never made one."""

from __future__ import annotations

from datetime import datetime, timedelta

from fleet.checks._check import Case, Check
from fleet.model.fact import Gap, need
from fleet.model.finding import CLEAR, Basis, Found, Severity, Verdict


def judge(case: Case) -> Verdict:
    """Found where backup is on, none was ever made, and the device had time for it since its enrolment."""
    device = case.device
    if device.backup_enabled is False or isinstance(device.last_cloud_backup_at, datetime):
        return CLEAR
    need(device.backup_enabled)
    need(device.last_cloud_backup_at)
    enrolled = device.enrolled_at
    if isinstance(enrolled, Gap):
        return _found(None)
    age = case.age_of(enrolled, signal="last_cloud_backup_at")
    return _found(age.days) if age > timedelta(days=case.policy.backup_warn_days) else CLEAR


def _found(days: int | None) -> Found:
    since = "" if days is None else f", {days} days after enrolment"
    evidence = {"backup_enabled": True, "last_cloud_backup_at": "never", "enrolled_days": days}
    return Found(Severity.HIGH, f"iCloud Backup is on but has never completed{since}.", evidence)


CHECK = Check(
    id="backup-never",
    title="No iCloud backup was ever made",
    rule=(
        "Found (high) when iCloud Backup is on, no backup was ever made, and the device had been enrolled "
        "for more than {backup_warn_days} days when it reported."
    ),
    clears="It ends when the device reports its first backup.",
    basis=Basis.INFERRED,
    problem="backup",
    reads=frozenset({"backup_enabled", "last_cloud_backup_at", "enrolled_at"}),
    fixes=("wifi-and-power", "system-status", "free-icloud-storage"),
    judge=judge,
    source="Apple device management, DeviceInformation LastCloudBackupDate, read 2026-11-22",
    assumes={"enrolled_at": "that the device was enrolled long ago"},
)
