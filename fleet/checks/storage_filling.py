"""The device's storage will be full within a month if it goes on as it did."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import combinations
from statistics import quantiles
from typing import TYPE_CHECKING

from fleet.checks import storage_full
from fleet.checks._check import Case, Check, Reading
from fleet.model.fact import need
from fleet.model.finding import CLEAR, Basis, Found, Severity, Undetermined, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

WINDOW = timedelta(days=45)
SPAN = timedelta(days=7)
READINGS = 7
FULL_WITHIN_DAYS = 30.0
FILLED_AT_HALF_PACE_DAYS = 2 * FULL_WITHIN_DAYS
THIN = Undetermined((("available_bytes", "too_few_readings"),))
_DAY = timedelta(days=1)


def judge(case: Case) -> Verdict:
    """Found by the median pace between any two recent readings (Theil-Sen): one odd day cannot bend it.

    With more than half of the storage free the history is not asked: that much in a month would be one event,
    not a pace, and the history costs a query. Nor is it where a glance at a few past nights shows no fall.
    """
    free, capacity = need(case.device.available_bytes), need(case.device.capacity_bytes)
    if free > capacity:
        return storage_full.CONTRADICTION
    if (
        not case.falling
        or 2 * free > capacity
        or storage_full.shortage(free, capacity, case.policy) is not None
    ):
        return CLEAR
    points = _points(case.readings(), case.now)
    if len(points) < READINGS or points[-1][0] - points[0][0] < SPAN:
        return THIN
    return _by_pace(free, points)


def _points(readings: Sequence[Reading], now: datetime) -> list[tuple[datetime, int]]:
    """The last known value of each day within the window, oldest first."""
    by_day = {
        reading.observed_at.date(): (reading.observed_at, reading.available_bytes)
        for reading in sorted(readings, key=lambda reading: reading.observed_at)
        if reading.available_bytes is not None and now - WINDOW <= reading.observed_at <= now
    }
    return list(by_day.values())


def _by_pace(free: int, points: Sequence[tuple[datetime, int]]) -> Verdict:
    paces = [(first - later) / ((then - at) / _DAY) for (at, first), (then, later) in combinations(points, 2)]
    careful, likely, _ = quantiles(paces, n=4, method="inclusive")
    # The careful quarter of the paces must agree at half the speed, or the curve is mere noise.
    if likely <= 0 or free > likely * FULL_WITHIN_DAYS or free > careful * FILLED_AT_HALF_PACE_DAYS:
        return CLEAR
    return _found(free, likely, len(points))


def _found(free: int, pace: float, readings: int) -> Found:
    days = int(free / pace)
    return Found(
        Severity.LOW,
        f"At its recent pace the device's storage is full in about {days} days.",
        {
            "free_gb": round(free / storage_full.GB, 3),
            "gb_per_day": round(pace / storage_full.GB, 3),
            "days_left": days,
            "readings": readings,
        },
    )


CHECK = Check(
    id="storage-filling",
    title="The device's storage fills up",
    rule=(
        "Found (low) when the storage, not yet under {storage_warn_percent_free} %, would be full within 30 "
        "days at the pace of at least seven days' readings of the last 45 days."
    ),
    basis=Basis.INFERRED,
    reads=frozenset({"capacity_bytes", "available_bytes"}),
    fixes=("free-device-storage",),
    judge=judge,
    source="Our own rule: median of pairwise slopes (Theil-Sen), so that single readings do not raise it",
)
