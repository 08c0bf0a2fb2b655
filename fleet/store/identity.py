"""Whose record it is: each record of each source belongs to one device, by serial, else by UDID, never by name.

A device's key is the fingerprint of the identity that it was first seen by. It never changes, whatever the device is
called later and whichever source comes or goes. Nor does a record ever change its device, so that past nights stay as
they were. When a source shows that two devices are one, the younger is merged into the older from that collection on.
When a vendor's id begins to tell of another phone, that is another record: the one before is no longer listed.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa

from fleet.lifecycle import fingerprint
from fleet.model.identity import identity
from fleet.store import tables as t
from fleet.store.among import rows_among
from fleet.store.insert import insert_rows

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from sqlalchemy.engine import Connection

    from fleet.model.device import DeviceRecord
    from fleet.store.tables import Row


@dataclass(frozen=True, slots=True)
class Identifier:
    """Tells whose a source's records are, for one collection of it."""

    connection: Connection
    source_id: int
    collection_id: int

    def introduce(self, strangers: Sequence[DeviceRecord]) -> None:
        """Enter records that the source never showed before, each as one of the device that it belongs to."""
        if not strangers:
            return
        register = _Register(self.connection, [_told(record) for record in strangers])
        devices = self._assigned(register, strangers)
        register.write(self.collection_id)
        self._enter(strangers, [device.last.id for device in devices])

    def reidentify(self, changed: Sequence[tuple[DeviceRecord, Row]]) -> set[str]:
        """Follow records whose serial or UDID became known or changed.

        Args:
            changed: records, each with what was known of it: `id`, `device_id`, `serial` and `udid`.

        Returns:
            The vendor's ids that tell of another device from now on, and so stand for other records.
        """
        moved = [(record, known) for record, known in changed if _says_otherwise(record, known)]
        if not moved:
            return set()
        register = _Register(
            self.connection, [_told(record) for record, _ in moved], {known.device_id for _, known in moved}
        )
        others: list[tuple[DeviceRecord, Row]] = []
        for record, known in moved:
            if not register.follow(register.by_id[known.device_id].last, _told(record)):
                others.append((record, known))
        devices = self._assigned(register, [record for record, _ in others])
        register.write(self.collection_id)
        self._replace(others, [device.last.id for device in devices])
        return {record.native_id for record, _ in others}

    def _assigned(self, register: _Register, records: Sequence[DeviceRecord]) -> list[_Known]:
        """The device of each record; what is not known yet is made."""
        # The best known first, so that a page gives the same devices in any order of its rows.
        found: dict[str, _Known] = {}
        for record in sorted(records, key=lambda record: _order(_told(record))):
            told = _told(record)
            key = _key(told, self.source_id, record.native_id)
            found[record.native_id] = register.owner(told) or register.make(key, told)
        register.number()
        for record in records:
            register.settle(found[record.native_id].last, _told(record))
        return [found[record.native_id] for record in records]

    def _enter(self, records: Sequence[DeviceRecord], device_ids: Sequence[int]) -> None:
        insert_rows(
            self.connection,
            t.source_device,
            ("source_id", "native_id", "device_id"),
            [
                (self.source_id, record.native_id, device_id)
                for record, device_id in zip(records, device_ids, strict=True)
            ],
        )

    def _replace(self, others: Sequence[tuple[DeviceRecord, Row]], device_ids: Sequence[int]) -> None:
        """Let the vendor's ids stand for records of other devices; one that had been so before stands again."""
        for (record, known), device_id in zip(others, device_ids, strict=True):
            self.connection.execute(_OF_ID, {"number": known.id, "stands": False})
            again = {"source": self.source_id, "native": record.native_id, "device": device_id}
            if not self.connection.execute(_STANDS_AGAIN, again).rowcount:
                self._enter([record], [device_id])


_OF_ID = (
    t.source_device.update()
    .where(t.source_device.c.id == sa.bindparam("number"))
    .values(current=sa.bindparam("stands"))
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


class _Told(NamedTuple):
    """What a record says of its identity, as identities are compared."""

    serial: str | None
    udid: str | None


def _told(record: DeviceRecord) -> _Told:
    return _Told(identity(record.serial), identity(record.udid))


def _says_otherwise(record: DeviceRecord, known: Row) -> bool:
    """True where a record has another serial or UDID than before; one that lost both says nothing new."""
    now = _told(record)
    return any(now) and now != tuple(said and identity(said) for said in (known.serial, known.udid))


def _order(told: _Told) -> tuple[bool, bool, str, str]:
    return not told.serial, not told.udid, told.serial or "", told.udid or ""


def _key(told: _Told, source_id: int, native_id: str) -> str:
    if told.serial:
        return fingerprint("serial", told.serial)
    if told.udid:
        return fingerprint("udid", told.udid)
    return fingerprint("record", str(source_id), native_id)


@dataclass(slots=True, eq=False)
class _Known:
    """A device; `id` is 0 until it is written, `into` the older one that it turned out to be."""

    id: int
    key: str
    serial: str | None
    udid: str | None
    into: _Known | None = None

    @property
    def last(self) -> _Known:
        """The device that it is by now."""
        return self if self.into is None else self.into.last


class _Register:
    """The devices that a page's records may belong to, and what the page teaches of them."""

    def __init__(
        self, connection: Connection, told: Iterable[_Told], device_ids: Collection[int] = ()
    ) -> None:
        self.by_id: dict[int, _Known] = {}
        self._connection = connection
        self._by_serial: dict[str, _Known] = {}
        self._by_udid: defaultdict[str, list[_Known]] = defaultdict(list)
        self._made: dict[str, _Known] = {}
        self._learned: dict[int, _Known] = {}
        self._merged: list[_Known] = []
        every = list(told)
        self._load(t.device.c.serial, {one.serial for one in every if one.serial})
        self._load(t.device.c.udid, {one.udid for one in every if one.udid})
        self._load(t.device.c.id, set(device_ids) - self.by_id.keys())

    def owner(self, told: _Told) -> _Known | None:
        """The device of that serial; else that of the UDID, if it is the only one and no other serial is known.

        A UDID that phones of several serials claim identifies none of them.
        """
        if told.serial and (found := self._by_serial.get(told.serial)):
            return found.last
        claimants = self._claimants(told.udid)
        if len(claimants) > 1 and not told.serial:
            claimants = [one for one in claimants if not one.serial]
        if len(claimants) != 1 or (told.serial and claimants[0].serial):
            return None
        return claimants[0]

    def make(self, key: str, told: _Told) -> _Known:
        """A new device, which `number` gives its number."""
        made = self._made.get(key)
        if made is None:
            made = self._made[key] = _Known(0, key, *told)
            self._enlist(made)
        return made

    def number(self) -> None:
        """Write the devices that were made; one whose key was there already is that one."""
        if not self._made:
            return
        self._load(t.device.c.key, list(self._made))
        for known in list(self.by_id.values()):
            if known.key in self._made:
                self._made.pop(known.key).into = known
        fresh = [(made.key, made.serial, made.udid) for made in self._made.values()]
        if fresh:
            insert_rows(self._connection, t.device, ("key", "serial", "udid"), fresh)
        for row in rows_among(self._connection, _IDS_OF_KEYS, t.device.c.key, list(self._made)):
            made = self._made[row.key]
            made.id, self.by_id[row.id] = row.id, made

    def follow(self, device: _Known, told: _Told) -> bool:
        """Let a device go on under what its record says now; False where that is another device."""
        owner = self.owner(told)
        if owner is not device and (_contradicts(device, told) or (owner and _strangers(device, owner))):
            return False
        if owner and owner is not device:
            device = self._merge(device, owner)
        self.settle(device, told)
        return True

    def settle(self, device: _Known, told: _Told) -> None:
        """The device learns what its record says, and turns out to be the one that was known by its UDID alone."""
        others = [one for one in self._claimants(told.udid) if one is not device]
        self._learn(device, told)
        if len(others) == 1 and not _strangers(device, others[0]):
            self._merge(device, others[0])

    def write(self, collection_id: int) -> None:
        """Keep what was learned and merged."""
        if self._learned:
            rows = [
                {"known": one.id, "new_serial": one.serial, "new_udid": one.udid}
                for one in self._learned.values()
            ]
            self._connection.execute(_LEARN, rows)
        if self._merged:
            rows = [
                {"device_id": one.id, "into_device_id": one.last.id, "collection_id": collection_id}
                for one in self._merged
            ]
            self._connection.execute(t.device_merge.insert(), rows)

    def _claimants(self, udid: str | None) -> list[_Known]:
        known = self._by_udid[udid] if udid else ()
        return list(dict.fromkeys(one.last for one in known))

    def _learn(self, device: _Known, told: _Told) -> None:
        if (told.serial and not device.serial) or (told.udid and not device.udid):
            device.serial, device.udid = device.serial or told.serial, device.udid or told.udid
            self._learned[device.id] = device
            self._enlist(device)

    def _merge(self, one: _Known, other: _Known) -> _Known:
        older, younger = sorted((one, other), key=lambda known: known.id)
        younger.into = older
        self._merged.append(younger)
        self._learn(older, _Told(younger.serial, younger.udid))
        return older

    def _enlist(self, device: _Known) -> None:
        if device.serial:
            self._by_serial[device.serial] = device
        if device.udid and device not in self._by_udid[device.udid]:
            self._by_udid[device.udid].append(device)

    def _load(self, column: sa.Column[Any], wanted: Collection[Any]) -> None:
        """Take in devices, and those that they were merged into."""
        if not wanted:
            return
        found = rows_among(self._connection, _DEVICES, column, wanted)
        for row in found:
            if row.id not in self.by_id:
                self.by_id[row.id] = _Known(row.id, row.key, row.serial, row.udid)
        self._load(t.device.c.id, {row.survivor_id for row in found if row.survivor_id} - self.by_id.keys())
        for row in found:
            known = self.by_id[row.id]
            known.into = self.by_id[row.survivor_id] if row.survivor_id else None
            self._enlist(known)


_DEVICES = sa.select(t.device, t.device_merge.c.into_device_id.label("survivor_id")).select_from(
    t.device.outerjoin(t.device_merge, t.device_merge.c.device_id == t.device.c.id)
)
_IDS_OF_KEYS = sa.select(t.device.c.key, t.device.c.id)
_LEARN = (
    t.device.update()
    .where(t.device.c.id == sa.bindparam("known"))
    .values(
        serial=sa.bindparam("new_serial", type_=sa.String), udid=sa.bindparam("new_udid", type_=sa.String)
    )
)


def _contradicts(device: _Known, told: _Told) -> bool:
    """True where a record cannot be of that device any more: another serial, or another UDID and no serial."""
    if told.serial and device.serial:
        return told.serial != device.serial
    return bool(told.udid and device.udid and told.udid != device.udid)


def _strangers(one: _Known, other: _Known) -> bool:
    """True for two devices whose serials are known, and so are not one."""
    return bool(one.serial and other.serial and one.serial != other.serial)
