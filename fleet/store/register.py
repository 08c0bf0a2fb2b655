"""The devices that a page's records may belong to, and what the page teaches of them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa

from fleet.store import tables as t
from fleet.store.among import rows_among
from fleet.store.insert import insert_rows

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from sqlalchemy.engine import Connection


class Told(NamedTuple):
    """What a record says of its identity, as identities are compared."""

    serial: str | None
    udid: str | None


@dataclass(slots=True, eq=False)
class Known:
    """A device; `id` is 0 until it is written, `into` the older one that it turned out to be."""

    id: int
    key: str
    serial: str | None
    udid: str | None
    into: Known | None = None

    @property
    def last(self) -> Known:
        """The device that it is by now."""
        return self if self.into is None else self.into.last


class Register:
    """Devices by serial number and UDID, as far as a page asks for them; written to, and then kept, by `write`.

    Args:
        told: what the page's records say.
        device_ids: devices that are wanted besides, by their numbers.

    Attributes:
        by_id: each device by its number.
    """

    def __init__(
        self, connection: Connection, told: Iterable[Told], device_ids: Collection[int] = ()
    ) -> None:
        self.by_id: dict[int, Known] = {}
        self._connection = connection
        self._by_serial: dict[str, Known] = {}
        self._by_udid: defaultdict[str, list[Known]] = defaultdict(list)
        self._made: dict[str, Known] = {}
        self._learned: dict[int, Known] = {}
        self._merged: list[Known] = []
        every = list(told)
        self._load(t.device.c.serial, {one.serial for one in every if one.serial})
        self._load(t.device.c.udid, {one.udid for one in every if one.udid})
        self._load(t.device.c.id, set(device_ids) - self.by_id.keys())

    def owner(self, told: Told) -> Known | None:
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

    def make(self, key: str, told: Told) -> Known:
        """A new device, which `number` gives its number."""
        made = self._made.get(key)
        if made is None:
            made = self._made[key] = Known(0, key, *told)
            self._enlist(made)
        return made

    def number(self) -> None:
        """Write the devices that were made; one whose key was there already is that one."""
        if not self._made:
            return
        rows = [(made.key, made.serial, made.udid) for made in self._made.values()]
        insert_rows(self._connection, t.device, ("key", "serial", "udid"), rows, unless_known="key")
        self._load(t.device.c.key, list(self._made))

    def follow(self, device: Known, told: Told) -> bool:
        """Let a device go on under what its record says now; False where that is another device."""
        owner = self.owner(told)
        if owner is not device and (_contradicts(device, told) or (owner and _strangers(device, owner))):
            return False
        if owner and owner is not device:
            device = self._merge(device, owner)
        self.settle(device, told)
        return True

    def settle(self, device: Known, told: Told) -> None:
        """The device learns what its record says, and turns out to be the one that was known by its UDID alone."""
        if told == (device.serial, device.udid) and (not told.udid or len(self._by_udid[told.udid]) == 1):
            return  # as for nearly all of them: nothing to learn, and nobody else claims the UDID
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

    def _claimants(self, udid: str | None) -> list[Known]:
        known = self._by_udid[udid] if udid else ()
        return list(dict.fromkeys(one.last for one in known))

    def _learn(self, device: Known, told: Told) -> None:
        if (told.serial and not device.serial) or (told.udid and not device.udid):
            device.serial, device.udid = device.serial or told.serial, device.udid or told.udid
            self._learned[device.id] = device
            self._enlist(device)

    def _merge(self, one: Known, other: Known) -> Known:
        older, younger = sorted((one, other), key=lambda known: known.id)
        younger.into = older
        self._merged.append(younger)
        self._learn(older, Told(younger.serial, younger.udid))
        return older

    def _enlist(self, device: Known) -> None:
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
            made = self._made.pop(row.key, None)
            if row.id not in self.by_id:
                known = self.by_id[row.id] = made or Known(row.id, row.key, None, None)
                known.id, known.serial, known.udid = row.id, row.serial, row.udid
            elif made:
                made.into = self.by_id[row.id]
        self._load(t.device.c.id, {row.survivor_id for row in found if row.survivor_id} - self.by_id.keys())
        for row in found:
            known = self.by_id[row.id]
            known.into = self.by_id[row.survivor_id] if row.survivor_id else None
            self._enlist(known)


_DEVICES = sa.select(t.device, t.device_merge.c.into_device_id.label("survivor_id")).select_from(
    t.device.outerjoin(t.device_merge, t.device_merge.c.device_id == t.device.c.id)
)
_LEARN = (
    t.device.update()
    .where(t.device.c.id == sa.bindparam("known"))
    .values(
        serial=sa.bindparam("new_serial", type_=sa.String), udid=sa.bindparam("new_udid", type_=sa.String)
    )
)


def _contradicts(device: Known, told: Told) -> bool:
    """True where a record cannot be of that device any more: another serial, or another UDID and no serial."""
    if told.serial and device.serial:
        return told.serial != device.serial
    return bool(told.udid and device.udid and told.udid != device.udid)


def _strangers(one: Known, other: Known) -> bool:
    """True for two devices whose serials are known, and so are not one."""
    return bool(one.serial and other.serial and one.serial != other.serial)
