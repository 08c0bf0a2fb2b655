"""Reading the fleet as one run judges it: device after device, each with what every source last said of it."""

from __future__ import annotations

import heapq
import json
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from fleet.model.device import DeviceRecord, Enrollment, Ownership, Platform, Sighting, Standing
from fleet.model.fact import GAPS, NEVER, Gap, Never, Reason
from fleet.store import tables as t
from fleet.store.merged import NONE_MERGED
from fleet.store.tables import FAST, SLOW

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy.engine import Connection

    from fleet.store.merged import Merged

_NAMES = (*SLOW, *FAST)
_FIRST = 7
"""Columns before the signals in `_SIGHTINGS`."""
_ENUMS = tuple(
    (_NAMES.index(name), kind)
    for name, kind in (("platform", Platform), ("enrollment", Enrollment), ("ownership", Ownership))
)
_GROUPS = _NAMES.index("groups")


@dataclass(frozen=True, slots=True)
class Sighted:
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
    moments = {
        row.id: row.as_of for row in connection.execute(sa.select(t.collection.c.id, t.collection.c.as_of))
    }
    gaps = _GapSets(connection)
    for (device_id, key), group in groupby(_rows(connection, run_id, merged, among), key=_device):
        several = list(group)
        yield Sighted(
            device_id,
            key,
            [
                _sighting(row, source_names[row[3]], moments, gaps, removed=row[3] in removed)
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
    row: Sequence[Any], source: str, moments: Mapping[int, datetime], gaps: _GapSets, *, removed: bool
) -> Sighting:
    values = list(row[_FIRST:-2])
    for index, kind in _ENUMS:
        if values[index] is not None:
            values[index] = kind(values[index])
    if values[_GROUPS] is not None:
        values[_GROUPS] = tuple(json.loads(values[_GROUPS]))
    signals = dict(zip(_NAMES, values, strict=True))
    signals.update(gaps[row[6]])
    record = DeviceRecord(native_id=row[4], **signals)
    last_seen_at = moments[row[5]]
    return Sighting(
        source=source,
        record=record,
        observed_at=record.observed_at(last_seen_at),
        last_seen_at=last_seen_at,
        standing=_standing(absent=removed or row[-1] is not None, read=row[5] == row[-2]),
    )


def _standing(*, absent: bool, read: bool) -> Standing:
    if absent:
        return Standing.ABSENT
    return Standing.READ if read else Standing.UNREAD


class _GapSets:
    """The gaps that a gap set's number stands for, read once each."""

    def __init__(self, connection: Connection) -> None:
        self._known = {
            row.id: dict(_gap(pair) for pair in row.reasons.split())
            for row in connection.execute(sa.select(t.gap_set))
        }

    def __getitem__(self, gap_set_id: int) -> dict[str, Gap | Never]:
        return self._known[gap_set_id]


def _gap(pair: str) -> tuple[str, Gap | Never]:
    signal, reason = pair.split("=")
    return signal, NEVER if reason == "never" else GAPS[Reason(reason)]


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
        *(t.record.c[name] for name in SLOW),
        *(t.reading.c[name] for name in FAST),
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
