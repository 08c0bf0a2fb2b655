"""The device has not reported for too long."""

from __future__ import annotations

from datetime import timedelta

from fleet.checks._check import Case, Check
from fleet.model.fact import Gap, need
from fleet.model.finding import CLEAR, Basis, Found, Severity, Undetermined, Verdict, stamp

LONG_SILENT = timedelta(days=30)
NOT_COLLECTED = Undetermined((("checkin_at", "not_collected"),))


def judge(case: Case) -> Verdict:
    """Found by the age of the newest observation; a device not read tonight is not called silent."""
    if not case.seen:
        return NOT_COLLECTED
    device = case.device
    if isinstance(device.inventory_at, Gap):
        need(device.checkin_at)
    age = case.now - device.observed_at
    if age <= timedelta(days=case.policy.silent_days):
        return CLEAR
    return Found(
        Severity.MEDIUM if age > LONG_SILENT else Severity.LOW,
        f"The device has not reported for {age.days} days.",
        {"observed_at": stamp(device.observed_at), "silent_days": age.days},
    )


CHECK = Check(
    id="silent-device",
    title="The device does not report",
    rule=(
        "Found when the device last reported more than {silent_days} days ago (low) or more than 30 days ago "
        "(medium)."
    ),
    clears="It ends when the device reports again.",
    basis=Basis.OBSERVED,
    reads=frozenset({"inventory_at", "checkin_at"}),
    fixes=("check-in",),
    judge=judge,
    source="Apple device management, inactive devices, third-party copy, read 2026-11-22",
    judged_at_as_of=True,
    assumes={"inventory_at": "that the check-in is the newest sign of life"},
)
