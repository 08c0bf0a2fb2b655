"""Finding a device by what a person has of it: a serial number, a UDID, or a fingerprint from a report or ticket."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from fleet.model.identity import identity
from fleet.store import tables as t

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from sqlalchemy.engine import Connection

    from fleet.store.database import Database


def named(connection: Connection, name: str) -> frozenset[int]:
    """The store's numbers of the devices that go by `name`, in any spelling; empty if there is none.

    A serial number that one device is known by is not taken for another's UDID.
    """
    for query in _queries(name):
        found: frozenset[int] = frozenset(connection.execute(query).scalars())
        if found:
            return found
    return frozenset()


def _queries(name: str) -> Iterator[sa.Select[*tuple[Any, ...]]]:
    if number := identity(name):
        yield sa.select(t.device.c.id).where(t.device.c.serial == number)
        yield sa.select(t.device.c.id).where(t.device.c.udid == number)
    fingerprint = name.strip().lower()
    yield sa.select(t.device.c.id).where(t.device.c.key == fingerprint)
    yield sa.select(t.finding.c.device_id).where(
        t.finding.c.external_id == fingerprint, t.finding.c.device_id.is_not(None)
    )


def first_seen(database: Database, name: str) -> datetime | None:
    """The first night on which the device that goes by `name` was read, as far as is still known; None for no such."""
    with database.engine.connect() as connection:
        found = named(connection, name)
        first = (
            sa.select(sa.func.min(t.collection.c.as_of))
            .join(t.record, t.record.c.from_collection_id == t.collection.c.id)
            .join(t.source_device, t.source_device.c.id == t.record.c.source_device_id)
            .where(t.source_device.c.device_id.in_(found))
        )
        return connection.scalar(first) if found else None


def nearest(database: Database, name: str, *, most: int = 3) -> list[str]:
    """Serial numbers that `name` may be a slip of: a part of one, O for 0, two that changed places, one too many."""
    number = identity(name) or ""
    if len(number) < _LEAST:
        return []
    with database.engine.connect() as connection:
        query = sa.select(t.device.c.serial).where(t.device.c.serial.is_not(None))
        serials = connection.execution_options(yield_per=10_000).execute(query).scalars()
        near = ((slip, serial) for serial in serials if (slip := _slip(number, serial)) is not None)
        return [serial for _, serial in heapq.nsmallest(most, near)]


_LEAST = 4
_LOOKS = str.maketrans("OI", "01")  # letters that Apple leaves out of serial numbers for these digits


def _slip(said: str, serial: str) -> int | None:
    """How far off `said` is: 0 looks the same, 1 is a part, 2 is one slip of the fingers; None is another number."""
    part = said in serial
    length = len(said)
    said, serial = said.translate(_LOOKS), serial.translate(_LOOKS)
    if said == serial:
        return 0
    if part:
        return 1
    if abs(length - len(serial)) > 1:
        return None
    return 2 if _one_slip(said, serial) else None


def _one_slip(said: str, serial: str) -> bool:
    """One character is wrong, missing or too many, or two neighbours changed places."""
    at = next((at for at, (one, other) in enumerate(zip(said, serial, strict=False)) if one != other), -1)
    if said[at + 1 :] == serial[at + 1 :] or said[at:] == serial[at + 1 :] or said[at + 1 :] == serial[at:]:
        return True
    return said[at + 2 :] == serial[at + 2 :] and said[at : at + 2] == serial[at : at + 2][::-1]
