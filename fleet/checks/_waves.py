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
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fleet.checks._chance import log_binomial_tail, log_hypergeometric_tail
from fleet.checks._stops import KINDS_OF_FACTOR, Factor, Kind, Stops, half_day_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

MANY = 8
ONE_IN = 3
TIMES_ELSEWHERE = 2
CHANCE = 1e-6
LOOKBACK_HALF_DAYS = 360  # Apple deletes a backup after 180 days without use: older ones tell nothing
AROUND_HALF_DAYS = 28
ORDINARY_DAYS_AT_ONCE = 7
MOST_A_NIGHT = 20
NEARLY_ALL = 0.9
_DAY = 2
_NEAR = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Wave:
    """Devices that stopped on one day, as counted tonight.

    Attributes:
        factor: what they have in common; None if it is nothing but the day.
        half_day: the first of the two half days.
        devices: those with the factor that stopped then, `of` all those with it.
        elsewhere: those without it that stopped then, `elsewhere_of` all those without it.
        shared: what at least nine in ten of them have in common besides, and at most half of the others have.
        sources: whose facts these are.
        undated: devices with the factor whose backup stopped at a time that is not known.
        log_chance: natural logarithm of the bound on the chance, before Bonferroni; 0 where nothing was asked.
    """

    factor: Factor | None
    half_day: int
    devices: int
    of: int
    elsewhere: int
    elsewhere_of: int
    shared: tuple[Factor, ...]
    sources: tuple[str, ...]
    undated: int
    log_chance: float = 0.0


def new_waves(stops: Stops, at: datetime, known: Iterable[tuple[Factor | None, int]]) -> Iterator[Wave]:
    """What stands out tonight and is not explained by the waves that are known, the least likely first.

    Args:
        at: the clock of the run.
        known: factor and first half day of each wave that had been found before, ended or not; None for the factor
            explains all that stopped on that day.
    """
    search = _Search(stops, half_day_of(at))
    for factor, half_day in known:
        search.explain(factor, half_day)
    for _ in range(MOST_A_NIGHT):
        found = search.most_striking()
        if found is None:
            return
        yield measured(stops, found.factor, found.half_day, found.log_chance)
        search.explain(found.factor, found.half_day)


def measured(stops: Stops, factor: Factor | None, half_day: int, log_chance: float = 0.0) -> Wave:
    """A wave in tonight's numbers."""
    then = _merged(stops.at, half_day)
    members = {kind: number for kind, number in then.items() if factor is None or factor in kind}
    devices, of = sum(members.values()), stops.judged if factor is None else stops.having.get(factor, 0)
    parts: Counter[Factor] = Counter()
    for kind, number in members.items():
        parts.update(dict.fromkeys(kind, number))
    return Wave(
        factor=factor,
        half_day=half_day,
        devices=devices,
        of=of,
        elsewhere=sum(then.values()) - devices,
        elsewhere_of=stops.judged - of,
        shared=tuple(_shared(stops, parts, factor, devices)),
        sources=tuple(sorted(value for kind, value in parts if kind == "source")),
        undated=stops.undated.get(factor, 0) if factor else sum(stops.undated.values()),
        log_chance=log_chance,
    )


def _shared(stops: Stops, parts: Counter[Factor], factor: Factor | None, devices: int) -> Iterator[Factor]:
    for other in sorted(parts, key=_rank):
        others = stops.having[other] - parts[other]
        if (
            other != factor
            and parts[other] >= NEARLY_ALL * devices
            and others <= (stops.judged - devices) / 2
        ):
            yield other


@dataclass(frozen=True, slots=True)
class _Candidate:
    log_chance: float
    factor: Factor | None
    half_day: int
    devices: int


class _Search:
    """The stops that nothing explains yet."""

    def __init__(self, stops: Stops, today: int) -> None:
        self._stops = stops
        self._left: dict[int, dict[Kind, int]] = {
            half_day: dict(kinds)
            for half_day, kinds in stops.at.items()
            if today - LOOKBACK_HALF_DAYS <= half_day <= today
        }
        self._explained: list[tuple[Factor, int]] = []
        busy = sum(sum(_merged(self._left, day).values()) >= MANY for day in self._days())
        factors = sum(number >= MANY for number in stops.having.values())
        self._limit = math.log(CHANCE / max(busy * factors, 1))
        self._limit_of_days = math.log(CHANCE / LOOKBACK_HALF_DAYS)

    def explain(self, factor: Factor | None, half_day: int) -> None:
        """Take out what this wave explains: the stops of its devices that day, the day before and the day after."""
        for near in range(half_day - _NEAR, half_day + _DAY + _NEAR):
            kinds = self._left.get(near, {})
            self._left[near] = {
                kind: number for kind, number in kinds.items() if factor and factor not in kind
            }
        if factor:
            self._explained.append((factor, half_day))

    def most_striking(self) -> _Candidate | None:
        """The least likely of all that cannot be chance; a calendar day where that shows nearly as much."""
        found = min(self._candidates(), key=_order, default=None)
        if found is None or found.half_day % 2 == 0:
            return found
        days = (self._at(found.half_day + shift, found.factor) for shift in (-1, 1))
        whole = [day for day in days if day and day.devices >= NEARLY_ALL * found.devices]
        return min(whole, key=_order, default=found)

    def _candidates(self) -> Iterator[_Candidate]:
        """Of every day what its factors show, or else what the day itself does."""
        for half_day in self._days():
            then = _merged(self._left, half_day)
            if sum(then.values()) >= MANY:
                of_factors = list(self._of_factors(half_day, then))
                yield from of_factors
                if not of_factors and (day := self._of_day(half_day, then)):
                    yield day

    def _days(self) -> list[int]:
        return sorted({day - shift for day in self._left for shift in (0, 1)})

    def _at(self, half_day: int, factor: Factor | None) -> _Candidate | None:
        then = _merged(self._left, half_day)
        if factor is None:
            return self._of_day(half_day, then)
        return next((one for one in self._of_factors(half_day, then) if one.factor == factor), None)

    def _of_factors(self, half_day: int, then: dict[Kind, int]) -> Iterator[_Candidate]:
        stopped, judged = sum(then.values()), self._unexplained(half_day)
        counts: dict[Factor, int] = {}
        for kind, number in then.items():
            for factor in kind:
                counts[factor] = counts.get(factor, 0) + number
        for factor, devices in counts.items():
            of = self._stops.having[factor]
            if _matters(devices, of, stopped, judged):
                log_chance = log_hypergeometric_tail(devices, of, stopped, judged)
                if log_chance <= self._limit:
                    yield _Candidate(log_chance, factor, half_day, devices)

    def _of_day(self, half_day: int, then: dict[Kind, int]) -> _Candidate | None:
        stopped, judged = sum(then.values()), self._unexplained(half_day)
        ordinary = ORDINARY_DAYS_AT_ONCE * self._a_day_around(half_day) / judged
        if stopped < MANY or not ordinary * judged < stopped <= judged <= ONE_IN * stopped:
            return None
        log_chance = log_binomial_tail(stopped, judged, ordinary)
        return _Candidate(log_chance, None, half_day, stopped) if log_chance <= self._limit_of_days else None

    def _unexplained(self, half_day: int) -> int:
        """The devices that no wave near that day explains."""
        explained = {factor for factor, day in self._explained if abs(day - half_day) <= _NEAR}
        return max(self._stops.judged - sum(self._stops.having[factor] for factor in explained), 1)

    def _a_day_around(self, half_day: int) -> float:
        """Stops a day in the two weeks before and after, the day itself and its neighbours apart; never nought."""
        newest = max(self._left)
        around = [
            day
            for day in range(half_day - AROUND_HALF_DAYS, min(half_day + _DAY + AROUND_HALF_DAYS, newest + 1))
            if not half_day - _NEAR <= day < half_day + _DAY + _NEAR
        ]
        stopped = sum(number for day in around for number in self._left.get(day, {}).values())
        return (stopped + 1) * _DAY / len(around)


def _matters(k: int, n: int, stopped: int, judged: int) -> bool:
    """Enough devices, enough of those with the factor, and enough more than elsewhere; and there is an elsewhere."""
    well_elsewhere = judged - stopped - (n - k)
    return (
        k >= MANY
        and ONE_IN * k >= n
        and judged > n
        and well_elsewhere >= 0
        and k * (judged - n) >= TIMES_ELSEWHERE * (stopped - k) * n
    )


def _merged(at: dict[int, dict[Kind, int]], half_day: int) -> dict[Kind, int]:
    """All that stopped within the day that begins with this half day."""
    first, second = at.get(half_day, {}), at.get(half_day + 1, {})
    if not first or not second:
        return first or second
    return {kind: first.get(kind, 0) + second.get(kind, 0) for kind in (*first, *second)}


def _order(one: _Candidate) -> tuple[bool, float, tuple[int, str], int, int]:
    """A factor explains more than the day does; then the least likely; the rest decides between equals."""
    return one.factor is None, round(one.log_chance, 6), _rank(one.factor), one.half_day % 2, one.half_day


def _rank(factor: Factor | None) -> tuple[int, str]:
    return (KINDS_OF_FACTOR.index(factor[0]), factor[1]) if factor else (len(KINDS_OF_FACTOR), "")
