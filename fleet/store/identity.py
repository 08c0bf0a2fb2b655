"""Whose record it is: each record of each source belongs to one device, by serial, else by UDID, never by name.

A device's key is the fingerprint of the identity that it was first seen by. It never changes, whatever the device is
called later and whichever source comes or goes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from fleet.lifecycle import fingerprint
from fleet.model.identity import identity
from fleet.store import tables as t
from fleet.store.among import rows_among
from fleet.store.insert import insert_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy.engine import Connection

    from fleet.model.device import DeviceRecord
    from fleet.store.tables import Row


def introduce(connection: Connection, source_id: int, strangers: Sequence[DeviceRecord]) -> None:
    """Enter records that their source never showed before, each as one of the device that it belongs to."""
    devices = _identify(connection, source_id, strangers)
    insert_rows(
        connection,
        t.source_device,
        ("source_id", "native_id", "device_id"),
        [(source_id, record.native_id, devices[record.native_id]) for record in strangers],
    )


def reidentify(connection: Connection, changed: Sequence[tuple[DeviceRecord, Row]]) -> None:
    """A record whose serial or UDID became known or changed is attached to the device that it now belongs to.

    Args:
        changed: records, each with what was known of it: `id`, `device_id`, `digest`, `serial` and `udid`.
    """
    for record, known in changed:
        now = (identity(record.serial), identity(record.udid))
        before = tuple(value and identity(value) for value in (known.serial, known.udid))
        if known.digest is not None and any(now) and now != before:
            _reattach(connection, record, known)


def _identify(connection: Connection, source_id: int, records: Sequence[DeviceRecord]) -> dict[str, int]:
    """The device of each record by native id: by serial, else by UDID, else one of its own. Never by name."""
    serials = {record.native_id: identity(record.serial) for record in records}
    udids = {record.native_id: identity(record.udid) for record in records}
    index = _Index(connection, set(serials.values()), set(udids.values()))
    made: dict[str, tuple[str, str | None, str | None]] = {}
    for record in records:
        serial, udid = serials[record.native_id], udids[record.native_id]
        if index.find(serial, udid) is None:
            key = _key(serial, udid, source_id, record.native_id)
            made.setdefault(key, (key, serial, udid))
    if made:
        existing = index.keys_of(connection, made)
        fresh = [row for row in made.values() if row[0] not in existing]
        if fresh:
            insert_rows(connection, t.device, ("key", "serial", "udid"), fresh)
        index.learn(connection, set(made))
    found = {
        record.native_id: index.find(serials[record.native_id], udids[record.native_id])
        or index.by_key[_key(serials[record.native_id], udids[record.native_id], source_id, record.native_id)]
        for record in records
    }
    _teach(
        connection, index, {(found[native_id], serials[native_id], udids[native_id]) for native_id in found}
    )
    return found


def _teach(connection: Connection, index: _Index, said: set[tuple[int, str | None, str | None]]) -> None:
    """A device that was found by half of its identity learns the other half, for the sources to come."""
    learned = [
        {"known": device_id, "new_serial": serial, "new_udid": udid}
        for device_id, serial, udid in said
        if index.lacks(device_id, serial, udid)
    ]
    if learned:
        connection.execute(_LEARN, learned)


_LEARN = (
    t.device.update()
    .where(t.device.c.id == sa.bindparam("known"))
    .values(
        serial=sa.func.coalesce(t.device.c.serial, sa.bindparam("new_serial", type_=sa.String)),
        udid=sa.func.coalesce(t.device.c.udid, sa.bindparam("new_udid", type_=sa.String)),
    )
)


def _key(serial: str | None, udid: str | None, source_id: int, native_id: str) -> str:
    if serial:
        return fingerprint("serial", serial)
    if udid:
        return fingerprint("udid", udid)
    return fingerprint("record", str(source_id), native_id)


class _Index:
    """The devices that a page's serials and UDIDs may belong to."""

    def __init__(self, connection: Connection, serials: set[str | None], udids: set[str | None]) -> None:
        self.by_key: dict[str, int] = {}
        self._by_serial: dict[str, int] = {}
        self._by_udid: dict[str, tuple[int, str | None]] = {}
        self._identities: dict[int, tuple[str | None, str | None]] = {}
        self._take(connection, t.device.c.serial, {serial for serial in serials if serial})
        self._take(connection, t.device.c.udid, {udid for udid in udids if udid})

    def find(self, serial: str | None, udid: str | None) -> int | None:
        """The device of that serial; else that of the UDID, unless both have serials and these differ."""
        if serial and (found := self._by_serial.get(serial)):
            return found
        if udid and (other := self._by_udid.get(udid)) and not (serial and other[1]):
            return other[0]
        return None

    def lacks(self, device_id: int, serial: str | None, udid: str | None) -> bool:
        """True if the device is not known by that serial or UDID yet, and no other one is."""
        own_serial, own_udid = self._identities[device_id]
        return bool((serial and not own_serial) or (udid and not own_udid and udid not in self._by_udid))

    def keys_of(self, connection: Connection, keys: Iterable[str]) -> set[str]:
        """Which of `keys` exist already."""
        return {row.key for row in rows_among(connection, _KEYS, t.device.c.key, list(keys))}

    def learn(self, connection: Connection, keys: set[str]) -> None:
        """Take in devices that have just been made."""
        self._take(connection, t.device.c.key, keys)

    def _take(self, connection: Connection, column: sa.Column[Any], wanted: set[str]) -> None:
        for number, key, serial, udid in rows_among(connection, _DEVICES, column, wanted) if wanted else ():
            self.by_key[key] = number
            self._identities[number] = (serial, udid)
            if serial:
                self._by_serial[serial] = number
            if udid:
                self._by_udid[udid] = (number, serial)


_DEVICES = sa.select(t.device.c.id, t.device.c.key, t.device.c.serial, t.device.c.udid)
_KEYS = sa.select(t.device.c.key)


def _reattach(connection: Connection, record: DeviceRecord, known: Row) -> None:
    serial, udid = identity(record.serial), identity(record.udid)
    target = _Index(connection, {serial}, {udid}).find(serial, udid)
    current = connection.execute(sa.select(t.device).where(t.device.c.id == known.device_id)).one()
    if target is None and (current.serial is None or serial in {None, current.serial}):
        named = {"serial": current.serial or serial, "udid": udid or current.udid}
        connection.execute(t.device.update().where(t.device.c.id == current.id).values(named))
    elif target != current.id:
        device_id = target or _identify(connection, 0, [record])[record.native_id]
        connection.execute(
            t.source_device.update().where(t.source_device.c.id == known.id).values(device_id=device_id)
        )
