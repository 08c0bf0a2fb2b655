"""Whose record it is: each record of each source belongs to one device, by serial, else by UDID, never by name.

A device's key is the fingerprint of the identity that it was first seen by. It never changes, whatever the device is
called later and whichever source comes or goes. Nor does a record ever change its device, so that past nights stay as
they were. When a source shows that two devices are one, the younger is merged into the older from that collection on.
When a vendor's id begins to tell of another phone, that is another record: the one before is no longer listed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from fleet.model.fingerprint import fingerprint
from fleet.model.identity import identity
from fleet.store import tables as t
from fleet.store.advisory import take_turn
from fleet.store.insert import insert_rows
from fleet.store.register import Register, Told

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.engine import Connection

    from fleet.model.device import DeviceRecord
    from fleet.store.register import Known
    from fleet.store.tables import Row


@dataclass(frozen=True, slots=True)
class Identifier:
    """Tells whose a source's records are, for one collection of it."""

    connection: Connection
    source_id: int
    collection_id: int

    def introduce(self, strangers: Sequence[DeviceRecord]) -> None:
        """Enter records that the source never showed before, each as one of the device that it belongs to."""
        if strangers:
            take_turn(self.connection)
            told = [_told(record) for record in strangers]
            register = Register(self.connection, told)
            devices = self._assigned(register, strangers, told)
            register.write(self.collection_id)
            self._enter(strangers, devices)

    def reidentify(self, changed: Sequence[tuple[DeviceRecord, Row]]) -> set[str]:
        """Follow records whose serial or UDID became known or changed.

        Args:
            changed: records, each with what was known of it: `id`, `device_id`, `serial` and `udid`.

        Returns:
            The vendor's ids that tell of another device from now on, and so stand for other records.
        """
        moved = [
            (record, known, told) for record, known in changed if _otherwise(told := _told(record), known)
        ]
        if not moved:
            return set()
        take_turn(self.connection)
        register = Register(
            self.connection, [told for _, _, told in moved], {known.device_id for _, known, _ in moved}
        )
        others = [
            (record, known, told)
            for record, known, told in moved
            if not register.follow(register.by_id[known.device_id].last, told)
        ]
        records = [record for record, _, _ in others]
        devices = self._assigned(register, records, [told for _, _, told in others])
        register.write(self.collection_id)
        for (record, known, _), device in zip(others, devices, strict=True):
            self._replace(record, known.id, device)
        return {record.native_id for record in records}

    def _assigned(
        self, register: Register, records: Sequence[DeviceRecord], told: Sequence[Told]
    ) -> list[Known]:
        """The device of each record; what is not known yet is made."""
        devices: dict[int, Known] = {}
        # The best known first, so that a page gives the same devices in any order of its rows.
        for place in sorted(range(len(records)), key=lambda place: _order(told[place])):
            owner = register.owner(told[place])
            devices[place] = owner or register.make(self._key(told[place], records[place]), told[place])
        register.number()
        for place, device in devices.items():
            register.settle(device.last, told[place])
        return [devices[place] for place in range(len(records))]

    def _key(self, told: Told, record: DeviceRecord) -> str:
        if told.serial:
            return fingerprint("serial", told.serial)
        if told.udid:
            return fingerprint("udid", told.udid)
        return fingerprint("record", str(self.source_id), record.native_id)

    def _enter(self, records: Sequence[DeviceRecord], devices: Sequence[Known]) -> None:
        insert_rows(
            self.connection,
            t.source_device,
            ("source_id", "native_id", "device_id"),
            [
                (self.source_id, record.native_id, device.last.id)
                for record, device in zip(records, devices, strict=True)
            ],
        )

    def _replace(self, record: DeviceRecord, number: int, device: Known) -> None:
        """Let the vendor's id stand for a record of another device; one that had been so before stands again."""
        self.connection.execute(_STANDS_NO_MORE, {"number": number})
        again = {"source": self.source_id, "native": record.native_id, "device": device.last.id}
        if not self.connection.execute(_STANDS_AGAIN, again).rowcount:
            self._enter([record], [device])


_STANDS_NO_MORE = (
    t.source_device.update().where(t.source_device.c.id == sa.bindparam("number")).values(current=False)
)
_STANDS_AGAIN = (
    t.source_device.update()
    .where(
        t.source_device.c.source_id == sa.bindparam("source"),
        t.source_device.c.native_id == sa.bindparam("native"),
        t.source_device.c.device_id == sa.bindparam("device"),
    )
    .values(current=True)
)


def _told(record: DeviceRecord) -> Told:
    return Told(identity(record.serial), identity(record.udid))


def _otherwise(told: Told, known: Row) -> bool:
    """True where a record has another serial or UDID than before; one that lost both says nothing new."""
    return any(told) and told != tuple(said and identity(said) for said in (known.serial, known.udid))


def _order(told: Told) -> tuple[bool, bool, str, str]:
    return not told.serial, not told.udid, told.serial or "", told.udid or ""
