"""A list without a snapshot that is read at once and whole, before anything is done about its rows.

It moves while it is walked: a row that leaves moves all later ones up, and one of them slips through. So a list that
brought fewer rows than it promised is walked once more.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_WALKS = 2


@dataclass(frozen=True, slots=True)
class Chunk:
    """One page: its rows, how many the list says it has, and the link to the next page."""

    rows: list[object]
    total: int | None
    following: str | None


@dataclass(frozen=True, slots=True)
class WholeList:
    """Every row once, with the place that it stood in, and how many the list says it has."""

    rows: list[tuple[str, object]]
    total: int | None


def read_whole(walk: Callable[[], Iterable[Chunk]], identity: Callable[[object], str | None]) -> WholeList:
    """The list that `walk` walks from its beginning; rows are told apart by their `identity`.

    Rows without one are those of the latest walk, so that a second walk does not tell them twice.
    """
    known: dict[str, tuple[str, object]] = {}
    nameless: list[tuple[str, object]] = []
    total: int | None = None
    for _ in range(_WALKS):
        nameless, place = [], 0
        for chunk in walk():
            total = total if chunk.total is None else chunk.total
            for row in chunk.rows:
                place += 1
                key, found = identity(row), (f"row {place}", row)
                if key is None:
                    nameless.append(found)
                else:
                    known.setdefault(key, found)
        if total is None or len(known) + len(nameless) >= total:
            break
    return WholeList([*known.values(), *nameless], total)
