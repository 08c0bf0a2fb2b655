"""What a wave is, and how one is counted: devices that stopped backing up together, against all others."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fleet.checks._stops import KINDS_OF_FACTOR, Factor, Kind, Stops

if TYPE_CHECKING:
    from collections.abc import Iterator

MANY = 8
ONE_IN = 3
TIMES_ELSEWHERE = 2
NEARLY_ALL = 0.9
LOOKBACK_HALF_DAYS = 360  # Apple deletes a backup after 180 days without use: older ones tell nothing
DAY = 2
NEAR = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What the devices of a wave have in common, and when they stopped.

    Attributes:
        factor: None if it is nothing but the day.
        half_day: the first half day of the time in which they stopped.
        half_days: how many there are: two, a day; more where each stopped right before a change of its own.
    """

    factor: Factor | None
    half_day: int
    half_days: int = DAY

    @property
    def after_changes(self) -> bool:
        """True where what they share came to each of them on a day of its own."""
        return self.half_days > DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class Wave:
    """Devices that stopped together, as counted tonight.

    Attributes:
        devices: those with the factor that stopped then, `of` all those with it.
        elsewhere: those without it that stopped then, `elsewhere_of` all those without it.
        shared: what at least nine in ten of them have in common besides, and at most half of the others have.
        sources: whose facts these are.
        undated: devices with the factor whose backup stopped at a time that is not known.
        log_chance: natural logarithm of the bound on the chance, before Bonferroni; 0 where nothing was asked.
    """

    place: Place
    devices: int
    of: int
    elsewhere: int
    elsewhere_of: int
    shared: tuple[Factor, ...]
    sources: tuple[str, ...]
    undated: int
    log_chance: float = 0.0


def measured(stops: Stops, place: Place, log_chance: float = 0.0) -> Wave:
    """A wave in tonight's numbers."""
    factor, then = place.factor, merged(stops.at, place.half_day, place.half_days)
    members = {kind: number for kind, number in then.items() if factor is None or factor in kind}
    devices, of = sum(members.values()), stops.judged if factor is None else stops.having.get(factor, 0)
    parts: Counter[Factor] = Counter()
    for kind, number in members.items():
        parts.update(dict.fromkeys(kind, number))
    return Wave(
        place=place,
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
    for other in sorted(parts, key=rank):
        others = stops.having[other] - parts[other]
        if (
            other != factor
            and parts[other] >= NEARLY_ALL * devices
            and others <= (stops.judged - devices) / 2
        ):
            yield other


def matters(k: int, n: int, stopped: int, judged: int) -> bool:
    """Enough devices, enough of those with the factor, and enough more than elsewhere; and there is an elsewhere."""
    well_elsewhere = judged - stopped - (n - k)
    return (
        k >= MANY
        and ONE_IN * k >= n
        and judged > n
        and well_elsewhere >= 0
        and k * (judged - n) >= TIMES_ELSEWHERE * (stopped - k) * n
    )


def merged(at: dict[int, dict[Kind, int]], half_day: int, half_days: int = DAY) -> dict[Kind, int]:
    """All that stopped within the day, or the longer time, that begins with this half day."""
    busy = [at[day] for day in range(half_day, half_day + half_days) if at.get(day)]
    if len(busy) == 1:
        return busy[0]
    together: dict[Kind, int] = {}
    for kinds in busy:
        for kind, number in kinds.items():
            together[kind] = together.get(kind, 0) + number
    return together


def recent(stops: Stops, today: int) -> dict[int, dict[Kind, int]]:
    """The stops that tell anything, to take explained ones out of."""
    return {
        half_day: dict(kinds)
        for half_day, kinds in stops.at.items()
        if today - LOOKBACK_HALF_DAYS <= half_day <= today
    }


def take_out(left: dict[int, dict[Kind, int]], place: Place) -> None:
    """Take out the stops that a wave explains: those of its devices then, the day before and the day after."""
    factor = place.factor
    for half_day in near(place):
        kinds = left.get(half_day, {})
        left[half_day] = {kind: number for kind, number in kinds.items() if factor and factor not in kind}


def near(place: Place) -> range:
    """The half days in which what stops with the factor counts as the wave's: its own, a day before and a day after."""
    return range(place.half_day - NEAR, place.half_day + place.half_days + NEAR)


def rank(factor: Factor | None) -> tuple[int, str]:
    """The order of factors, the likelier cause first."""
    return (KINDS_OF_FACTOR.index(factor[0]), factor[1]) if factor else (len(KINDS_OF_FACTOR), "")
