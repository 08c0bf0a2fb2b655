"""The device's storage will be full within a month if it goes on as it did."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import combinations, pairwise
from math import ceil, floor, sqrt
from statistics import fmean, median
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
CONFIDENCE_PERCENT = 90
THIN = Undetermined((("available_bytes", "too_few_readings"),))
_NORMAL_QUANTILE = 1.6449  # of a two-sided interval of 90 %
_MOST_LIKE_ITSELF = 0.95
_DAY = timedelta(days=1)


def judge(case: Case) -> Verdict:
    """Found by the median pace between any two recent readings (Theil-Sen): one odd day cannot bend it.

    With more than half of the storage free the history is not asked: that much in a month would be one event,
    not a pace, and the history costs a query. Nor is it where a glance at a few past nights shows no fall.
    """
    free, capacity = need(case.device.available_bytes), need(case.device.capacity_bytes)
    if storage_full.contradictory(free, capacity):
        return storage_full.CONTRADICTION
    if (
        not case.falling
        or 2 * free > capacity
        or storage_full.shortage(free, capacity, case.policy) is not None
    ):
        return CLEAR
    points = _points(case.readings(), case.now)
    if len(points) < READINGS or points[-1][0] - points[0][0] < SPAN / _DAY:
        return THIN
    return _by_pace(free, points)


def _points(readings: Sequence[Reading], now: datetime) -> list[tuple[float, int]]:
    """The last known value of each day within the window, oldest first, at its age in days before `now`, negated."""
    by_day = {
        reading.observed_at.date(): ((reading.observed_at - now) / _DAY, reading.available_bytes)
        for reading in sorted(readings, key=lambda reading: reading.observed_at)
        if reading.available_bytes is not None and now - WINDOW <= reading.observed_at <= now
    }
    return list(by_day.values())


@dataclass(frozen=True, slots=True)
class _Pace:
    """How many bytes a day are used up: the likely pace, and the slowest and fastest that the readings allow."""

    likely: float
    slowest: float
    fastest: float


def _by_pace(free: int, points: Sequence[tuple[float, int]]) -> Verdict:
    pace = _pace(points)
    # Even the slowest pace must get there at half the speed, or the curve is mere noise.
    if free > pace.likely * FULL_WITHIN_DAYS or free > pace.slowest * FILLED_AT_HALF_PACE_DAYS:
        return CLEAR
    return _found(free, pace, len(points))


def _pace(points: Sequence[tuple[float, int]]) -> _Pace:
    """Theil-Sen's slope with Sen's interval, widened where a day's reading is like the day's before.

    Sen's interval takes readings for independent. Free space is not: what was downloaded stays. So its variance is
    that of as many readings as would be independent, by the correlation of neighbours (first order).
    """
    count = len(points)
    paces = sorted((first - later) / (at - then) for (then, first), (at, later) in combinations(points, 2))
    likely = median(paces)
    variance = count * (count - 1) * (2 * count + 5) / 18
    reach = _NORMAL_QUANTILE * sqrt(variance * _dependence([free + likely * at for at, free in points]))
    return _Pace(
        likely=likely,
        slowest=paces[max(floor((len(paces) - reach) / 2) - 1, 0)],
        fastest=paces[min(ceil((len(paces) + reach) / 2), len(paces) - 1)],
    )


def _dependence(rests: Sequence[float]) -> float:
    """How many readings are worth one that is independent, from what the pace leaves unexplained of each."""
    middle = fmean(rests)
    rests = [rest - middle for rest in rests]
    spread = sum(rest * rest for rest in rests)
    alike = sum(one * other for one, other in pairwise(rests)) / spread if spread else 0.0
    alike = min(max(alike, 0.0), _MOST_LIKE_ITSELF)
    return (1 + alike) / (1 - alike)


def _found(free: int, pace: _Pace, readings: int) -> Found:
    days, least, most = int(free / pace.likely), int(free / pace.fastest), ceil(free / pace.slowest)
    return Found(
        Severity.LOW,
        f"At its recent pace the device's storage is full in about {days} days"
        f" ({least} to {most} at {CONFIDENCE_PERCENT} % confidence).",
        {
            "free_gb": round(free / storage_full.GB, 3),
            "gb_per_day": round(pace.likely / storage_full.GB, 3),
            "days_left": days,
            "days_left_at_least": least,
            "days_left_at_most": most,
            "confidence_percent": CONFIDENCE_PERCENT,
            "readings": readings,
        },
    )


CHECK = Check(
    id="storage-filling",
    title="The device's storage fills up",
    rule=(
        "Found (low) when the storage, not yet under {storage_warn_percent_free} %, would be full within 30 "
        "days at the pace of at least seven days' readings of the last 45 days, and within 60 days at the slowest "
        "pace that these readings allow at 90 % confidence."
    ),
    clears="It ends when the readings no longer point to a full storage within 30 days.",
    basis=Basis.INFERRED,
    reads=frozenset({"capacity_bytes", "available_bytes"}),
    fixes=("free-device-storage",),
    judge=judge,
    source=(
        "Our own rule: median of pairwise slopes and its interval (Theil 1950, Sen 1968), so that single readings do "
        "not raise it"
    ),
)
