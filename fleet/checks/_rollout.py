"""Waves that come with a rollout: each device stopped right before a change of its own, on whatever day that came.

A new system or profile reaches a fleet over days or weeks. What it breaks stops nowhere on one day, but with each
device in turn. So the stops of devices with that factor are held against the days on which these came to it: how many
made their last backup within three days before? They are compared with all others that stopped in the same time, by the
same tail and the same minimum as on one day. Few factors change at all, so few are asked, and only those whose devices
stopped oftener than others are looked up.
"""

from __future__ import annotations

import math
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING

from fleet.checks._chance import log_hypergeometric_tail
from fleet.checks._one_day import CHANCE
from fleet.checks._stops import Factor, Kind, Stops, half_day_of
from fleet.checks._wave import DAY, MANY, Place, Wave, matters, measured, recent, take_out

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime

CHANGING = ("restriction", "os_version")
WITHIN = timedelta(days=3)
MOST_OF_THEM = 2 / 3


def after_changes(
    stops: Stops, at: datetime, known: Iterable[Place], came_to: Callable[[Factor], Iterable[datetime]]
) -> Iterator[Wave]:
    """The waves that follow a rollout, and that no known wave explains.

    Args:
        at: the clock of the run.
        known: the places of waves that had been found before, ended or not.
        came_to: the last backup of each device that came to a factor within three days after it; costs a query.
    """
    left = recent(stops, half_day_of(at))
    for place in known:
        take_out(left, place)
    asked = [one for one in stops.having if one[0] in CHANGING and stops.having[one] >= MANY]
    for factor in sorted(asked):
        members = {day: _with(factor, kinds) for day, kinds in left.items()}
        stopped = sum(sum(kinds.values()) for kinds in left.values())
        if not matters(sum(members.values()), stops.having[factor], stopped, stops.judged):
            continue
        place, with_it = _place(factor, members, came_to(factor))
        chance = _log_chance(stops, left, place, with_it) if place else 0.0
        if place and chance <= math.log(CHANCE / len(asked)):
            yield measured(stops, place, chance)


def grown(stops: Stops, place: Place) -> Place:
    """The same rollout, to the last device with its factor that stopped."""
    days = [day for day, kinds in stops.at.items() if _with(place.factor, kinds)]
    end = max((*days, place.half_day + place.half_days - 1)) + 1
    return Place(factor=place.factor, half_day=place.half_day, half_days=end - place.half_day)


def _with(factor: Factor | None, kinds: dict[Kind, int]) -> int:
    return sum(number for kind, number in kinds.items() if factor in kind)


def _place(
    factor: Factor, members: dict[int, int], last_backups: Iterable[datetime]
) -> tuple[Place | None, int]:
    """When those stopped that had just come to the factor, and how many they are."""
    came = Counter(half_day_of(last) for last in last_backups)
    both = {day: number for day in members if (number := min(members[day], came[day]))}
    if sum(both.values()) < MANY:
        return None, 0
    length = max(max(both) + 1 - min(both), DAY + 1)
    return Place(factor=factor, half_day=min(both), half_days=length), sum(both.values())


def _log_chance(stops: Stops, left: dict[int, dict[Kind, int]], place: Place, with_it: int) -> float:
    """That of as many by accident; nought where it does not matter, or where most stopped without a change."""
    time = range(place.half_day, place.half_day + place.half_days)
    members = sum(_with(place.factor, left.get(day, {})) for day in time)
    elsewhere = sum(sum(left.get(day, {}).values()) for day in time) - members
    of = stops.having[place.factor] if place.factor else 0
    if with_it < MOST_OF_THEM * members or not matters(with_it, of, with_it + elsewhere, stops.judged):
        return 0.0
    return log_hypergeometric_tail(with_it, of, with_it + elsewhere, stops.judged)
