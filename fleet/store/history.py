"""Reading the fleet as one run judges it: device after device, each with what every source last said of it."""

from __future__ import annotations

import heapq
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa

from fleet.model.device import Sighting, Standing
from fleet.store import tables as t
from fleet.store.merged import NONE_MERGED
from fleet.store.records import COLUMNS, Records

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy.engine import Connection

    from fleet.store.merged import Merged

_FIRST = 7
"""Columns before the signals in `_SIGHTINGS`."""


class Sighted(NamedTuple):
    """One device as a run sees it.

    Attributes:
        record_ids: the store's own numbers of its records, for asking after past readings.
    """

    device_id: int
    key: str
    sightings: list[Sighting]
    record_ids: tuple[int, ...]


def sighted(
    connection: Connection,
    run_id: int,
    source_names: Mapping[int, str],
    removed: Collection[int] = (),
    merged: Merged = NONE_MERGED,
    *,
    among: Collection[int] | None = None,
) -> Iterator[Sighted]:
    """Every device that a run's collections tell of, in the order of keys, streamed.

    Args:
        source_names: names by the store's number of the source.
        removed: numbers of sources that are configured no more; what they list counts as absent.
        merged: the devices that count as others.
        among: only these devices, by the store's numbers, and those that count as one of them.
    """
    c = t.collection.c
    collections = connection.execute(sa.select(c.id, c.as_of, c.full_id)).all()
    moments = {row.id: row.as_of for row in collections}
    begun = {row.id: row.full_id or row.id for row in collections}
    records = Records(connection)
    for (device_id, key), group in groupby(_rows(connection, run_id, merged, among), key=_device):
        several = list(group)
        yield Sighted(
            device_id,
            key,
            [
                _sighting(row, source_names[row[3]], moments, begun, records, removed=row[3] in removed)
                for row in several
            ],
            tuple(row[2] for row in several),
        )


def _rows(
    connection: Connection, run_id: int, merged: Merged, among: Collection[int] | None
) -> Iterator[Sequence[Any]]:
    """The rows of records in the order of the keys of the devices that they count for."""
    query = _SIGHTINGS if among is None else _SIGHTINGS.where(t.device.c.id.in_(among))
    rows = connection.execution_options(yield_per=1000).execute(query, {"run": run_id})
    if not merged.into:
        return iter(rows)
    older = (row for row in rows if row[0] not in merged.into)
    return heapq.merge(older, merged.rows(connection, _SIGHTINGS, {"run": run_id}, among), key=itemgetter(1))


def _device(row: Sequence[Any]) -> tuple[int, str]:
    return row[0], row[1]


def _sighting(
    row: Sequence[Any],
    source: str,
    moments: Mapping[int, datetime],
    begun: Mapping[int, int],
    records: Records,
    *,
    removed: bool,
) -> Sighting:
    # An increment that came out at the source's own number vouches for what its full walk and those between read.
    record = records.of(row[4], row[6], row[_FIRST:-2])
    last_seen_at = moments[row[5]]
    return Sighting(
        source=source,
        record=record,
        observed_at=record.observed_at(last_seen_at),
        last_seen_at=last_seen_at,
        standing=_standing(absent=removed or row[-1] is not None, read=row[5] >= begun[row[-2]]),
    )


def _standing(*, absent: bool, read: bool) -> Standing:
    if absent:
        return Standing.ABSENT
    return Standing.READ if read else Standing.UNREAD


_earlier = t.collection.alias("earlier")
_had = t.reading.alias("had")
_LAST_READ = (
    sa.select(_earlier.c.id)
    .where(
        _earlier.c.source_id == t.run_source.c.source_id,
        _earlier.c.id <= t.run_source.c.collection_id,
        # Said in so many words: left to itself the innermost query would range over all devices.
        sa.exists()
        .where(_had.c.collection_id == _earlier.c.id, _had.c.source_device_id == t.source_device.c.id)
        .correlate(_earlier, t.source_device),
    )
    .order_by(_earlier.c.id.desc())
    .limit(1)
    .correlate(t.run_source, t.source_device)
    .scalar_subquery()
)


def _valid(from_column: sa.Column[int], to_column: sa.Column[int]) -> sa.ColumnElement[bool]:
    at = t.run_source.c.collection_id
    return sa.and_(from_column <= at, sa.or_(to_column.is_(None), to_column > at))


_SIGHTINGS = (
    sa.select(
        t.device.c.id,
        t.device.c.key,
        t.source_device.c.id,
        t.source_device.c.source_id,
        t.source_device.c.native_id,
        t.reading.c.collection_id,
        t.record.c.gap_set_id,
        *COLUMNS,
        t.run_source.c.collection_id,
        t.absence.c.from_collection_id,
    )
    .select_from(
        t.device.join(t.source_device)
        .join(
            t.run_source,
            sa.and_(
                t.run_source.c.run_id == sa.bindparam("run"),
                t.run_source.c.source_id == t.source_device.c.source_id,
            ),
        )
        .join(
            t.record,
            sa.and_(
                t.record.c.source_device_id == t.source_device.c.id,
                _valid(t.record.c.from_collection_id, t.record.c.to_collection_id),
            ),
        )
        .outerjoin(
            t.absence,
            sa.and_(
                t.absence.c.source_device_id == t.source_device.c.id,
                _valid(t.absence.c.from_collection_id, t.absence.c.to_collection_id),
            ),
        )
        .join(
            t.reading,
            sa.and_(
                t.reading.c.source_device_id == t.source_device.c.id,
                t.reading.c.collection_id == sa.func.coalesce(t.absence.c.last_collection_id, _LAST_READ),
            ),
        )
    )
    .order_by(t.device.c.key, t.source_device.c.id)
)
