"""What happened to one device, told from what each night knew: changes of signals, listings, turns of findings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fleet.model.device import SIGNALS
from fleet.model.fact import Gap, Never

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from fleet.model.memory import Memory
    from fleet.store.life import Life, Night

READ_NIGHTLY = (
    "inventory_at",
    "checkin_at",
    "last_cloud_backup_at",
    "last_local_backup_at",
    "available_bytes",
    "battery_percent",
)
"""Signals that change by themselves: a new value is no event, but that there is one, or none any more, is."""


@dataclass(frozen=True, slots=True)
class Change:
    """A source said something else of a signal than the night before."""

    at: datetime
    source: str
    signal: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Listing:
    """A source began or ceased to list the device: `first`, `new_record`, `gone`, `again`, or `merged`.

    Attributes:
        key: of the device that turned out to be this one, where it was merged.
    """

    at: datetime
    source: str
    what: str
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """A finding turned into what it was from that run on; `before` is None where it was new."""

    at: datetime
    run_id: int
    before: Memory | None
    finding: Memory


def changes(life: Life) -> Iterator[Change]:
    """What each record said differently from one night to the next, in the order of nights."""
    last: dict[int, Night] = {}
    for night in life.nights:
        before = last.get(night.record_id)
        last[night.record_id] = night
        if before is not None:
            for signal in SIGNALS:
                old, new = getattr(before.record, signal), getattr(night.record, signal)
                if old != new and _tells(signal, old, new):
                    yield Change(night.at, night.source, signal, old, new)


def _tells(signal: str, old: object, new: object) -> bool:
    return signal not in READ_NIGHTLY or isinstance(old, Gap | Never) or isinstance(new, Gap | Never)


def listings(life: Life) -> Iterator[Listing]:
    """When each source listed the device, and when it did not."""
    records: set[int] = set()
    sources: set[str] = set()
    for night in life.nights:
        if night.record_id not in records:
            yield Listing(night.at, night.source, "new_record" if night.source in sources else "first")
            records.add(night.record_id)
            sources.add(night.source)
    for absence in life.absences:
        yield Listing(absence.since, absence.source, "gone")
        if absence.until is not None:
            yield Listing(absence.until, absence.source, "again")
    for merger in life.mergers:
        yield Listing(merger.at, merger.source, "merged", merger.key)


def turns(life: Life) -> Iterator[Turn]:
    """What became of each finding, run by run."""
    last: dict[str, Memory] = {}
    for version in life.versions:
        memory = version.finding
        yield Turn(version.at, version.run_id, last.get(memory.external_id), memory)
        last[memory.external_id] = memory
