"""A profile forbids iCloud Backup: the organisation's own policy is why the device has none."""

from __future__ import annotations

from fleet.checks._check import Case, Check
from fleet.model.fact import need
from fleet.model.finding import CLEAR, Basis, Found, Severity, Verdict


def judge(case: Case) -> Verdict:
    """Found where the restriction is in force, whatever the switch on the device says."""
    if not need(case.device.backup_restricted):
        return CLEAR
    return Found(Severity.HIGH, "A management profile forbids iCloud Backup.", {"backup_restricted": True})


CHECK = Check(
    id="backup-restricted",
    title="iCloud Backup is forbidden by a profile",
    rule="Found (high) when a management profile forbids iCloud Backup.",
    clears="It ends when the device reports that no profile forbids iCloud Backup any more.",
    basis=Basis.OBSERVED,
    problem="backup",
    reads=frozenset({"backup_restricted"}),
    fixes=("lift-restriction", "enable-backup"),
    judge=judge,
    source="Apple device management, com.apple.applicationaccess allowCloudBackup, read 2026-11-22",
)
