"""How a monitor is to see us: are the reports of last night there, whole and young enough?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from fleet.model.run import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from fleet.store.freshness import RunMark, SourceMark


class Standing(StrEnum):
    """In one word, the best first."""

    FRESH = "fresh"
    INCOMPLETE = "incomplete"
    STALE = "stale"
    NEVER = "never"


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What there is to judge by.

    Attributes:
        newest: the newest finished run, and the newest complete one.
        sources: by name, of those that were ever read.
        broken: why the last run came to no report, if it did not.
    """

    newest: RunMark | None
    complete: RunMark | None
    sources: Mapping[str, SourceMark]
    broken: str | None


@dataclass(frozen=True, slots=True)
class Judged:
    """The word, and the sentences that say why it is not `fresh`."""

    standing: Standing
    reasons: tuple[str, ...]


def judged(known: Known, names: Sequence[str], *, now: datetime, max_age: timedelta) -> Judged:
    """How things stand at `now`; `names` are the sources that are to be read every night."""
    if known.newest is None:
        return Judged(Standing.NEVER, (known.broken or "no run has ended yet",))
    stale = [*_ahead(known, now), *_stale(known, names, now - max_age)]
    if stale:
        return Judged(Standing.STALE, (*_broken(known), *stale))
    incomplete = (*_broken(known), *_incomplete(known.newest))
    return Judged(Standing.INCOMPLETE if incomplete else Standing.FRESH, incomplete)


def _ahead(known: Known, now: datetime) -> list[str]:
    """A run of a wrong clock would count as fresh for as long as that clock was ahead."""
    if known.newest is None or known.newest.as_of <= now + _CLOCKS_DIFFER:
        return []
    return [f"the last run is dated {known.newest.as_of:%Y-%m-%d}, which is still to come: check the clocks"]


_CLOCKS_DIFFER = timedelta(hours=24)


def _stale(known: Known, names: Sequence[str], oldest: datetime) -> list[str]:
    reasons: list[str] = []
    if known.complete is None:
        reasons.append("no run has been complete yet")
    elif known.complete.as_of < oldest:
        reasons.append("the last complete run is too old")
    for name in names:
        source = known.sources.get(name)
        if source is None or source.complete_at is None:
            reasons.append(f"{name} has never been read completely")
        elif source.complete_at < oldest:
            reasons.append(f"{name} has not been read completely for too long")
    return reasons


def _broken(known: Known) -> list[str]:
    return [f"the last run broke: {known.broken}"] if known.broken else []


def _incomplete(newest: RunMark) -> list[str]:
    reasons = [] if newest.outcome is Outcome.COMPLETE else [f"the last run was {newest.outcome}"]
    return [*reasons, "ticket actions are held"] if newest.hold else reasons
