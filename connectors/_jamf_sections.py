"""Which sections of Jamf Pro's device list came: one that no device has was ignored by the server, or is forbidden."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from connectors import _rows
from fleet.model.device import DeviceRecord, Platform, Rejected
from fleet.model.run import Trouble

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@dataclass(slots=True)
class Sections:
    """Takes note of what devices carry.

    Attributes:
        asked_for: the sections, with their keys in a row.
        phones: iPhones and iPads among the devices; these have every section.
        carried: sections that at least one of them carried.
    """

    asked_for: Mapping[str, str]
    phones: int = 0
    carried: set[str] = field(default_factory=set[str])

    def note(self, row: object, record: DeviceRecord | Rejected) -> None:
        """Take note of one row and what was read of it."""
        if isinstance(record, DeviceRecord) and record.platform in {Platform.IOS, Platform.IPADOS}:
            self.phones += 1
            if len(self.carried) < len(self.asked_for):
                carried = (name for name, key in self.asked_for.items() if _rows.field(row, key) is not None)
                self.carried.update(carried)

    def troubles(self) -> Iterator[Trouble]:
        """What the report should say of sections that never came."""
        missing = [name for name in self.asked_for if name not in self.carried]
        if self.phones and missing:
            yield Trouble(
                "sections_missing",
                f"Jamf Pro gave no {', '.join(missing)} for any device: check the API role's privileges, "
                "and for a proxy that merges repeated parameters",
                self.phones,
            )
