"""Finding a device by what a person has of it: a serial number, a UDID, or a fingerprint from a report or ticket."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from fleet.model.identity import identity
from fleet.store import tables as t

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.engine import Connection


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
