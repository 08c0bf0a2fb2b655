"""What one walk of a list without a snapshot has brought, and whether the list came whole.

Devices that come or go meanwhile shift rows between pages: one may come twice, another slip through. The totals that
pages state tell; a list that did not stand still is walked once more, with a new tally.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fleet.model.device import DeviceRecord, Rejected

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_MOST_WALKS = 2


@dataclass(slots=True)
class Tally:
    """Counts the pages of one walk.

    Attributes:
        rows: rows so far, of any kind.
        seen: the ids of the devices.
        rejected: rows without an identity; told at the end, so that a second walk does not tell them twice.
        lost: places of rows that the server could not give.
        totals: every total that a page stated, the latest last.
    """

    rows: int = 0
    seen: set[str] = field(default_factory=set[str])
    rejected: list[Rejected] = field(default_factory=list[Rejected])
    lost: list[str] = field(default_factory=list[str])
    totals: list[int] = field(default_factory=list[int])

    def add(self, rows: Iterable[DeviceRecord | Rejected], total: int | None) -> list[DeviceRecord]:
        """Count one page in; the records that are new in this walk."""
        self.totals += [] if total is None else [total]
        records: list[DeviceRecord] = []
        for row in rows:
            self.rows += 1
            if isinstance(row, Rejected):
                self.rejected.append(row)
            elif row.native_id not in self.seen:
                self.seen.add(row.native_id)
                records.append(row)
        return records

    @property
    def expected(self) -> int | None:
        """How many devices the list says it has, by its latest page."""
        return self.totals[-1] if self.totals else None

    @property
    def reached(self) -> bool:
        """True when as many devices came as the list says it has; a list that says too few goes on all the same."""
        return self.expected is not None and self._count >= self.expected

    @property
    def settled(self) -> bool:
        """True when the list stood still and came whole."""
        return not self.totals or set(self.totals) == {self._count}

    @property
    def _count(self) -> int:
        return len(self.seen) + len(self.rejected) + len(self.lost)


def walks() -> Iterator[Tally]:
    """A tally for each walk through a list: the first, and a second where that one did not settle."""
    for _ in range(_MOST_WALKS):
        tally = Tally()
        yield tally
        if tally.settled:
            return
