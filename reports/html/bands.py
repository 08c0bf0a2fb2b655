"""Distributions over the fleet: counted from the page's own columns, so that a count and its list always agree.

A band reaches from the edge below it (not included) to its own (included), as thresholds do: an age that equals one
is not yet over it. The bands of free storage lie the other way round: what equals an edge is not under it.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

_DAY = 1440  # minutes
_NEVER = 1


class Bands(NamedTuple):
    """One distribution.

    Attributes:
        title: what is distributed.
        edges: days, or percent.
        names: per band its word in a link and its label, the last one for what is not known; those between the
            edges come first.
    """

    title: str
    edges: tuple[int, ...]
    names: tuple[tuple[str, str], ...]


AGE = Bands(
    "Age of the facts",
    (1, 3, 7, 14, 30),
    (
        ("1", "up to 1 day"),
        ("3", "1 to 3 days"),
        ("7", "3 to 7 days"),
        ("14", "7 to 14 days"),
        ("30", "14 to 30 days"),
        ("older", "over 30 days"),
    ),
)
BACKUP = Bands(
    "Last iCloud backup",
    (1, 7, 14, 30, 150),
    (
        ("1", "up to 1 day ago"),
        ("7", "1 to 7 days ago"),
        ("14", "7 to 14 days ago"),
        ("30", "14 to 30 days ago"),
        ("150", "30 to 150 days ago"),
        ("older", "over 150 days ago"),
        ("never", "never"),
        ("unknown", "not known"),
    ),
)
STORAGE = Bands(
    "Free storage",
    (5, 10, 25, 50),
    (
        ("5", "under 5 %"),
        ("10", "5 to 10 %"),
        ("25", "10 to 25 %"),
        ("50", "25 to 50 %"),
        ("more", "50 % and more"),
        ("unknown", "not known"),
    ),
)
EVERY = {"age": AGE, "backup": BACKUP, "storage": STORAGE}


def ages(observed: Iterable[int], as_of: int) -> Counter[int]:
    """Devices by the band of their facts' age; all in minutes since 1970."""
    edges = [day * _DAY for day in AGE.edges]
    counts: Counter[int] = Counter()
    for moment, devices in Counter(observed).items():
        counts[bisect_left(edges, as_of - moment)] += devices
    return counts


def backups(observed: Iterable[int], codes: Iterable[int], as_of: int) -> Counter[int]:
    """Devices by the band of their last backup; `codes` as `moments.distance` makes them."""
    edges = [day * _DAY for day in BACKUP.edges]
    never, unknown = len(edges) + 1, len(edges) + 2
    counts: Counter[int] = Counter()
    for (moment, code), devices in Counter(zip(observed, codes, strict=True)).items():
        if code <= _NEVER:
            counts[never if code else unknown] += devices
        else:
            folded = code - 2
            away = -(folded + 1) // 2 if folded % 2 else folded // 2
            counts[bisect_left(edges, as_of - moment - away)] += devices
    return counts


def storage(capacities: Iterable[int], free: Iterable[int]) -> Counter[int]:
    """Devices by the band of their free share; both in steps and one more, 0 where it is not known."""
    counts: Counter[int] = Counter()
    for (size, room), devices in Counter(zip(capacities, free, strict=True)).items():
        counts[_room(size - 1, room - 1)] += devices
    return counts


def _room(size: int, room: int) -> int:
    if size <= 0 or not 0 <= room <= size:
        return len(STORAGE.edges) + 1
    return bisect_right(STORAGE.edges, 100 * room / size)
