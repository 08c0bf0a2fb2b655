"""One run while it is being judged: what it reads, and the one transaction that all it finds is written in."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fleet.store import changes, findings, history, members, naming, runs
from fleet.store.findings import FindingWriter
from fleet.store.life import life_of
from fleet.store.merged import merged_at

if TYPE_CHECKING:
    from collections.abc import Collection, Generator, Iterator, Sequence
    from datetime import datetime, timedelta

    from sqlalchemy.engine import Connection

    from fleet.model.finding import Severity
    from fleet.model.memory import Memory
    from fleet.model.run import Totals
    from fleet.store.database import Database
    from fleet.store.history import Sighted
    from fleet.store.ledger import Basis
    from fleet.store.life import Life
    from fleet.store.merged import Merged


@dataclass(frozen=True, slots=True)
class OpenRun:
    """Devices and memories to read, in the order of device keys; findings to keep.

    Nothing is written before `finish`, and nothing at all where the run is only made again.
    """

    run_id: int
    previous_id: int | None
    _reading: Connection
    _names: dict[int, str]
    _removed: frozenset[int]
    _merged: Merged
    _writer: FindingWriter | None

    def named(self, name: str) -> frozenset[int]:
        """The numbers of the devices of that serial number, UDID, key or finding, as this run counts them."""
        return self._merged.older(naming.named(self._reading, name))

    def members(self, split_by: str, name: str) -> list[int]:
        """The numbers, in the order of keys, of the devices that may belong to the slice: a record says so."""
        return members.members(self._reading, self.run_id, self._merged, split_by, name)

    def life(self, among: Collection[int], *, chained: bool) -> Life:
        """What the nights up to this run knew of one device.

        Args:
            among: its number, as `named` finds it.
            chained: this run kept findings; else they are followed up to the run before.
        """
        return life_of(
            self._reading,
            self.run_id,
            self._names,
            self._merged.whole(among),
            last_chained=self.run_id if chained else self.previous_id,
        )

    def standing(self) -> Iterator[tuple[int, str, Memory]]:
        """Every finding that stood when this run was over, with number and key of its device, in the order of keys."""
        return findings.standing(self._reading, self.run_id)

    def counted(self) -> list[tuple[str, Severity, int]]:
        """How many findings of devices stood when this run was over, by check and severity."""
        return findings.counted(self._reading, self.run_id)

    def devices(self, *, among: Collection[int] | None = None) -> Iterator[Sighted]:
        """Every device that the run's collections tell of, streamed."""
        return history.sighted(
            self._reading, self.run_id, self._names, self._removed, self._merged, among=among
        )

    def memories(self, *, among: Collection[int] | None = None) -> Iterator[tuple[str, Memory, bool]]:
        """Every finding that the previous run remembered, with the key of its device.

        The third value is True for a finding of a device that turned out to be that one.
        """
        return findings.remembered(self._reading, self.previous_id, self._merged, among=among)

    def incidents(self) -> dict[str, Memory]:
        """Every fleet-wide finding that the previous run remembered, by its problem."""
        return findings.remembered_incidents(self._reading, self.previous_id)

    def last_backups_before(self, signal: str, value: str | bool, *, within: timedelta) -> list[datetime]:
        """The last backup of each device that came to this value of a slow signal at most so long after it."""
        return changes.last_backups_before(
            self._reading, self.run_id, self._removed, signal, value, within=within
        )

    def keep(self, device_id: int | None, before: Memory | None, after: Memory) -> None:
        """Remember what became of a finding; `device_id` is None for a fleet-wide one."""
        if self._writer:
            self._writer.keep(device_id, before, after)

    def finish(self, *, finished_at: datetime, hold: bool, totals: Totals, incomplete: bool = False) -> None:
        """Make the run and all that it kept count, together."""
        if self._writer:
            self._writer.flush()
            runs.finish_run(
                self._writer.connection,
                self.run_id,
                finished_at=finished_at,
                hold=hold,
                totals=totals,
                incomplete=incomplete,
            )
            self._writer.connection.commit()


@contextmanager
def open_run(
    database: Database, run_id: int, previous_id: int | None, basis: Sequence[Basis], *, write: bool
) -> Generator[OpenRun]:
    """Open a begun run for its pass over the fleet; leaving without `finish` undoes what was kept.

    Args:
        write: False to make a past run again.
    """
    names = {one.source_id: one.report.name for one in basis}
    removed = frozenset(one.source_id for one in basis if one.removed)
    with database.engine.connect() as reading, database.engine.connect() as writing:
        writer = FindingWriter(writing, run_id) if write else None
        yield OpenRun(run_id, previous_id, reading, names, removed, merged_at(reading, run_id), writer)
