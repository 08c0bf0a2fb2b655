"""iCloud Backup is switched off on the device."""

from __future__ import annotations

from fleet.checks._check import Case, Check
from fleet.model.fact import need
from fleet.model.finding import CLEAR, Basis, Found, Severity, Verdict


def judge(case: Case) -> Verdict:
    """Found where a source for which false means off says false."""
    if need(case.device.backup_enabled):
        return CLEAR
    return Found(Severity.HIGH, "iCloud Backup is switched off.", {"backup_enabled": False})


CHECK = Check(
    id="backup-disabled",
    title="iCloud Backup is off",
    rule="Found (high) when the device reports that iCloud Backup is switched off.",
    clears="It ends when the device reports that iCloud Backup is on.",
    basis=Basis.OBSERVED,
    problem="backup",
    reads=frozenset({"backup_enabled"}),
    fixes=("enable-backup", "allow-managed-icloud"),
    judge=judge,
    source="Apple device management, DeviceInformation IsCloudBackupEnabled, read 2026-11-22",
)
