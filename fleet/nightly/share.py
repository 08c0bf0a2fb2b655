"""A process's part of a run that several share: its own sources, those of the dead, and perhaps the report.

Each process reads the sources of its shard. When it is through, it waits for whoever reads others, and takes over what
a dead process leaves. So a run comes to its end as long as one of those lives that take part in it, and whoever sees
that everything is read evaluates and reports: one of them alone, and once, because the database has no room for a
second evaluation of a shared run. A shard of which nothing was begun may yet come; it is waited for as long as the
process is told to, and then read like that of a dead one. Without patience the processes end, and whoever reads what is
missing later reports.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from fleet.store import leftovers, shared_runs
from fleet.store.advisory import stable_hash

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from fleet.store.advisory import Leases
    from fleet.store.database import Database
    from fleet.store.shared_runs import SharedRun, Standing

T = TypeVar("T")
log = logging.getLogger(__name__)
_LOOK_SECONDS = 5.0
"""How often somebody who waits looks whether a shard has come."""


@dataclass(frozen=True, slots=True)
class Shard:
    """A share of the sources: that of `number`, counted from 1, out of `count`."""

    number: int = 1
    count: int = 1

    def of(self, name: str) -> int:
        """The number of the shard that a source belongs to, the same everywhere and for ever."""
        return stable_hash(name) % self.count + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What one process does in a shared run.

    Attributes:
        sources: all that the run reads.
        offered: those of them that this process can read.
        patience: seconds to wait for shards that have not come, before their sources are read too; 0 leaves these be.
        sleep: lets seconds go by.
    """

    database: Database
    shared: SharedRun
    leases: Leases
    sources: Sequence[str]
    offered: Sequence[str]
    shard: Shard
    patience: float
    sleep: Callable[[float], None]

    def read(self, collect: Callable[[Sequence[str]], None]) -> None:
        """Have the sources of the own share read, and then what others leave behind; waits for those who live."""
        self._read([name for name in self.offered if self.shard.of(name) == self.shard.number], collect)
        self._take_over(collect)
        waited = 0.0
        while self.missing() and waited < self.patience:
            pause = min(_LOOK_SECONDS, self.patience - waited)
            self.sleep(pause)
            waited += pause
            self._take_over(collect)
        if self.patience and (missing := self.missing()):
            self._read([name for name in self.offered if name in missing], collect)
            self._take_over(collect)

    def missing(self) -> list[str]:
        """The sources of the run that nobody has read yet."""
        read = self._standing().read
        return [name for name in self.sources if name not in read]

    def conclude(
        self, judge: Callable[[], T], again: Callable[[int], T], now: Callable[[], datetime]
    ) -> T | None:
        """Evaluate and report the run whose sources are all read; None if that is done.

        Args:
            judge: evaluates and reports.
            again: reports the evaluation of that number, whose process died before it had.
        """
        with self.leases.judging():
            standing = self._standing()
            if standing.reported:
                return None
            leftovers.discard_unfinished_runs(self.database)
            made = judge() if standing.run_id is None else again(standing.run_id)
            shared_runs.reported(self.database, self.shared, now())
            return made

    def _take_over(self, collect: Callable[[Sequence[str]], None]) -> None:
        while left := self._left():
            log.info("waiting for whoever reads %(source)s", {"source": left[0]})
            self.leases.wait_for(left[0])
            self._read(left, collect)

    def _read(self, names: Sequence[str], collect: Callable[[Sequence[str]], None]) -> None:
        taken = self.leases.take(names)
        read = self._standing().read
        if to_read := [name for name in taken if name not in read]:
            if leftovers.discard_unfinished_of(self.database, to_read):
                log.warning("what a process had begun and did not end is read anew")
            collect(to_read)
        self.leases.give_back(taken)

    def _left(self) -> list[str]:
        """Sources that are not read, of shards that came: their reader is at work, or dead."""
        standing = self._standing()
        came = {self.shard.of(name) for name in standing.read | standing.begun}
        return [name for name in self.offered if name not in standing.read and self.shard.of(name) in came]

    def _standing(self) -> Standing:
        return shared_runs.standing(self.database, self.shared)
