"""Which devices may belong to a slice of the fleet: those of which any source's record says so."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import sqlalchemy as sa

from fleet.store import tables as t
from fleet.store.among import rows_among

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from fleet.store.merged import Merged


def members(connection: Connection, run_id: int, merged: Merged, split_by: str, name: str) -> list[int]:
    """The numbers of the devices, in the order of their keys, that the run's records put into the slice.

    Args:
        split_by: `site`, `group` or `source`.
        name: the slice's.
    """
    at = t.run_source.c.collection_id
    valid = sa.and_(
        t.record.c.source_device_id == t.source_device.c.id,
        t.record.c.from_collection_id <= at,
        sa.or_(t.record.c.to_collection_id.is_(None), t.record.c.to_collection_id > at),
    )
    query = (
        sa.select(t.source_device.c.device_id)
        .distinct()
        .select_from(t.run_source)
        .join(t.source, t.source.c.id == t.run_source.c.source_id)
        .join(t.source_device, t.source_device.c.source_id == t.run_source.c.source_id)
        .join(t.record, valid)
        .where(t.run_source.c.run_id == run_id, _says(split_by, name))
    )
    devices = merged.older(frozenset(connection.scalars(query)))
    keyed = rows_among(connection, _KEYS, t.device.c.id, devices)
    return [row.id for row in sorted(keyed, key=lambda row: row.key)]


def _says(split_by: str, name: str) -> sa.ColumnElement[bool]:
    match split_by:
        case "site":
            return t.record.c.site == name
        case "group":
            # As it stands in the list of names; a name within another has no quotes around it.
            return t.record.c.groups.contains(json.dumps(name), autoescape=True)
        case _:
            return t.source.c.name == name


_KEYS = sa.select(t.device.c.id, t.device.c.key)
