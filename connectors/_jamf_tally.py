"""What one walk of Jamf Pro's device list has brought so far, and whether the list came whole."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from connectors import _rows
from fleet.model.device import DeviceRecord, Platform, Rejected
from fleet.model.run import Trouble

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from connectors._jamf_page import Haul

Read = Callable[[object, str], DeviceRecord | Rejected]
"""From a row and the place where it stands to its record."""


@dataclass(slots=True)
class Tally:
    """Counts the pages of one walk, and makes their rows to records.

    Attributes:
        sections: those asked for, with their keys in a row.
        rejected: rows without an identity; told at the end, so that a second walk does not tell them twice.
        lost: places of rows that the server could not read.
        totals: every total that a page stated, the latest last.
        phones: iPhones and iPads among the devices; these have every section.
        carried: sections that at least one of them carried.
    """

    read: Read
    sections: Mapping[str, str]
    seen: set[str] = field(default_factory=set[str])
    rejected: list[Rejected] = field(default_factory=list[Rejected])
    lost: list[str] = field(default_factory=list[str])
    totals: list[int] = field(default_factory=list[int])
    phones: int = 0
    carried: set[str] = field(default_factory=set[str])

    def add(self, haul: Haul) -> list[DeviceRecord]:
        """Count one page in; the records that are new in this walk."""
        self.lost.extend(haul.lost)
        if haul.total is not None:
            self.totals.append(haul.total)
        return [
            record for place, row in enumerate(haul.rows, haul.first_row) for record in self._new(row, place)
        ]

    def _new(self, row: object, place: int) -> Iterator[DeviceRecord]:
        record = self.read(row, f"row {place}")
        if isinstance(record, Rejected):
            self.rejected.append(record)
        elif record.native_id not in self.seen:
            self.seen.add(record.native_id)
            self._note_sections(row, record)
            yield record

    def _note_sections(self, row: object, record: DeviceRecord) -> None:
        if record.platform in {Platform.IOS, Platform.IPADOS}:
            self.phones += 1
            if len(self.carried) < len(self.sections):
                self.carried.update(
                    name for name, key in self.sections.items() if _rows.field(row, key) is not None
                )

    @property
    def total(self) -> int | None:
        """How many devices the list says it has, by its latest page."""
        return self.totals[-1] if self.totals else None

    @property
    def done(self) -> bool:
        """True when as many rows came as the list says it has."""
        return self.total is not None and self._count >= self.total

    @property
    def settled(self) -> bool:
        """True when the list stood still and came whole."""
        return not self.totals or (self._count == self.total and len(set(self.totals)) == 1)

    @property
    def _count(self) -> int:
        return len(self.seen) + len(self.rejected) + len(self.lost)

    def missing_sections(self) -> Iterator[Trouble]:
        """A section that no device had although it was asked for: ignored by the server, or forbidden."""
        missing = [name for name in self.sections if name not in self.carried]
        if self.phones and missing:
            yield Trouble(
                "sections_missing",
                f"Jamf Pro gave no {', '.join(missing)} for any device: check the API role's privileges, "
                "and for a proxy that merges repeated parameters",
                self.phones,
            )
