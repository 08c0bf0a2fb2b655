"""The device's store account is not active, which goes with an Apple Account that is not signed in."""

from __future__ import annotations

from fleet.checks._check import Case, Check
from fleet.model.fact import need
from fleet.model.finding import CLEAR, Basis, Found, Severity, Verdict


def judge(case: Case) -> Verdict:
    """Found where no store account is active; the iCloud sign-in itself cannot be seen."""
    if need(case.device.account_active):
        return CLEAR
    return Found(Severity.LOW, "No active Apple store account is signed in.", {"account_active": False})


CHECK = Check(
    id="account-inactive",
    title="The Apple Account is not active",
    rule="Found (low) when the device reports that its store account is not active.",
    clears="It ends when the device reports that its account is active.",
    basis=Basis.INFERRED,
    reads=frozenset({"account_active"}),
    fixes=("local-backup", "sign-out-and-in"),
    judge=judge,
    source="Apple device management, DeviceInformation iTunesStoreAccountIsActive, read 2026-11-22",
)
