"""Days on which more devices made their last backup than chance explains, and what those devices have in common.

Asked is every day (24 hours that begin at midnight or noon, UTC) and every factor that devices can share (a
restriction, a system version, a site, a group, a model, a source): of the `n` devices with this factor `k` stopped on
this day. Would chance do that?

- Against the rest of the fleet: had the `K` stops of that day fallen on the `N` devices of the fleet blindly, the
  number among the `n` would be hypergeometric; its tail is the chance of `k` or more. Days on which much stops
  everywhere (weekends, holidays) are in `K` and need no model of their own.
- Where no factor stands out, the day itself may: against the fleet's own days in the two weeks around it, seven of
  whose stops on one day would still be ordinary; the tail is that of a binomial.
- Chance is what stays below one in a million a night over all that was asked (Bonferroni). For the factors that is
  every day on which enough stopped, times every factor that enough devices have: neither depends on who stopped.
- What is significant has to matter too: at least eight devices, a third of those with the factor, and twice the share
  that stopped elsewhere.

What a found wave explains is taken out before the next is looked for, so that a model that is common at one site is
not named beside the site.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fleet.checks._chance import log_binomial_tail, log_hypergeometric_tail
from fleet.checks._stops import Factor, Kind, Stops, half_day_of
from fleet.checks._wave import (
    DAY,
    LOOKBACK_HALF_DAYS,
    MANY,
    NEAR,
    NEARLY_ALL,
    ONE_IN,
    Place,
    Wave,
    matters,
    measured,
    merged,
    near,
    rank,
    recent,
    take_out,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

CHANCE = 1e-6
AROUND_HALF_DAYS = 28
ORDINARY_DAYS_AT_ONCE = 7
MOST_A_NIGHT = 20


def of_one_day(stops: Stops, at: datetime, known: Iterable[Place]) -> Iterator[Wave]:
    """What stands out tonight and is not explained by the waves that are known, the least likely first.

    Args:
        at: the clock of the run.
        known: the places of waves that had been found before, ended or not; one without a factor explains all that
            stopped then.
    """
    search = _Search(stops, half_day_of(at))
    for place in known:
        search.explain(place)
    for _ in range(MOST_A_NIGHT):
        found = search.most_striking()
        if found is None:
            return
        yield measured(stops, found.place, found.log_chance)
        search.explain(found.place)


@dataclass(frozen=True, slots=True)
class _Candidate:
    log_chance: float
    place: Place
    devices: int


class _Search:
    """The stops that nothing explains yet."""

    def __init__(self, stops: Stops, today: int) -> None:
        self._stops = stops
        self._left = recent(stops, today)
        self._explained: list[Place] = []
        busy = sum(sum(merged(self._left, day).values()) >= MANY for day in self._days())
        factors = sum(number >= MANY for number in stops.having.values())
        self._limit = math.log(CHANCE / max(busy * factors, 1))
        self._limit_of_days = math.log(CHANCE / LOOKBACK_HALF_DAYS)

    def explain(self, place: Place) -> None:
        """Take out what this wave explains."""
        take_out(self._left, place)
        if place.factor:
            self._explained.append(place)

    def most_striking(self) -> _Candidate | None:
        """The least likely of all that cannot be chance; a calendar day where that shows nearly as much."""
        found = min(self._candidates(), key=_order, default=None)
        if found is None or found.place.half_day % 2 == 0:
            return found
        days = (self._at(found.place.half_day + shift, found.place.factor) for shift in (-1, 1))
        whole = [day for day in days if day and day.devices >= NEARLY_ALL * found.devices]
        return min(whole, key=_order, default=found)

    def _candidates(self) -> Iterator[_Candidate]:
        """Of every day what its factors show, or else what the day itself does."""
        for half_day in self._days():
            then = merged(self._left, half_day)
            if sum(then.values()) >= MANY:
                of_factors = list(self._of_factors(half_day, then))
                yield from of_factors
                if not of_factors and (day := self._of_day(half_day, then)):
                    yield day

    def _days(self) -> list[int]:
        return sorted({day - shift for day in self._left for shift in (0, 1)})

    def _at(self, half_day: int, factor: Factor | None) -> _Candidate | None:
        then = merged(self._left, half_day)
        if factor is None:
            return self._of_day(half_day, then)
        return next((one for one in self._of_factors(half_day, then) if one.place.factor == factor), None)

    def _of_factors(self, half_day: int, then: dict[Kind, int]) -> Iterator[_Candidate]:
        stopped, judged = sum(then.values()), self._unexplained(half_day)
        counts: dict[Factor, int] = {}
        for kind, number in then.items():
            for factor in kind:
                counts[factor] = counts.get(factor, 0) + number
        for factor, devices in counts.items():
            of = self._stops.having[factor]
            if matters(devices, of, stopped, judged):
                log_chance = log_hypergeometric_tail(devices, of, stopped, judged)
                if log_chance <= self._limit:
                    yield _Candidate(log_chance, Place(factor=factor, half_day=half_day), devices)

    def _of_day(self, half_day: int, then: dict[Kind, int]) -> _Candidate | None:
        stopped, judged = sum(then.values()), self._unexplained(half_day)
        ordinary = ORDINARY_DAYS_AT_ONCE * self._a_day_around(half_day) / judged
        if stopped < MANY or not ordinary * judged < stopped <= judged <= ONE_IN * stopped:
            return None
        log_chance = log_binomial_tail(stopped, judged, ordinary)
        if log_chance > self._limit_of_days:
            return None
        return _Candidate(log_chance, Place(factor=None, half_day=half_day), stopped)

    def _unexplained(self, half_day: int) -> int:
        """The devices that no wave near that day explains."""
        explained = {one.factor for one in self._explained if half_day in near(one)}
        return max(self._stops.judged - sum(self._stops.having[one] for one in explained if one), 1)

    def _a_day_around(self, half_day: int) -> float:
        """Stops a day in the two weeks before and after, the day itself and its neighbours apart; never nought."""
        newest = max(self._left)
        around = [
            day
            for day in range(half_day - AROUND_HALF_DAYS, min(half_day + DAY + AROUND_HALF_DAYS, newest + 1))
            if not half_day - NEAR <= day < half_day + DAY + NEAR
        ]
        stopped = sum(number for day in around for number in self._left.get(day, {}).values())
        return (stopped + 1) * DAY / len(around)


def _order(one: _Candidate) -> tuple[bool, float, tuple[int, str], int, int]:
    """A factor explains more than the day does; then the least likely; the rest decides between equals."""
    factor, day = one.place.factor, one.place.half_day
    return factor is None, round(one.log_chance, 6), rank(factor), day % 2, day
