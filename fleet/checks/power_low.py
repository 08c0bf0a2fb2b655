"""A device with a backup problem that is never seen with a charged battery."""

from __future__ import annotations

from fleet.checks._check import Case, Check
from fleet.model.fact import need
from fleet.model.finding import CLEAR, Basis, Found, Severity, Undetermined, Verdict

LOW_PERCENT = 20
READINGS = 5
THIN = Undetermined((("battery_percent", "too_few_readings"),))


def judge(case: Case) -> Verdict:
    """Found where the battery was under 20 % at each of the last five observations."""
    now = need(case.device.battery_percent)
    if now >= LOW_PERCENT:
        return CLEAR
    levels = [reading.battery_percent for reading in case.readings()][-READINGS:]
    if any(level is not None and level >= LOW_PERCENT for level in levels):
        return CLEAR
    if len(levels) < READINGS or None in levels:
        return THIN
    return Found(
        Severity.LOW,
        f"The battery was under {LOW_PERCENT} % at each of the last {READINGS} observations.",
        {"battery_percent": now, "readings": READINGS},
    )


CHECK = Check(
    id="power-low",
    title="The battery is always low",
    rule=(
        "Found (low) on a device with a backup problem when its battery was under 20 % at each of the last "
        "five observations: automatic backups need power."
    ),
    clears=(
        "It ends with the backup problem, or when the device is once seen with 20 % of its battery or more."
    ),
    basis=Basis.INFERRED,
    reads=frozenset({"battery_percent"}),
    fixes=("wifi-and-power", "power-and-data-modes"),
    judge=judge,
    source="iCloud User Guide, What is iCloud Backup?, read 2026-11-22",
    beside_backup=True,
)
