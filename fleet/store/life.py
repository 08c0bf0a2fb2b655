"""What is remembered of single devices over all nights up to a run: readings, absences, findings, mergers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from fleet.store import findings
from fleet.store import tables as t
from fleet.store.records import COLUMNS, Records

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    from sqlalchemy.engine import Connection

    from fleet.model.device import DeviceRecord
    from fleet.model.memory import Memory


@dataclass(frozen=True, slots=True)
class Night:
    """What one collection read of one of the device's records.

    Attributes:
        at: `as_of` of the collection.
        record_id: the store's number of the record; a device has one per enrolment in a source.
    """

    at: datetime
    source: str
    record_id: int
    record: DeviceRecord


@dataclass(frozen=True, slots=True)
class Absence:
    """A time during which complete collections did not contain a record.

    Attributes:
        until: the collection that showed it again; None where none has.
    """

    since: datetime
    until: datetime | None
    source: str
    record_id: int


@dataclass(frozen=True, slots=True)
class Version:
    """What became of one finding in one run."""

    at: datetime
    run_id: int
    finding: Memory


@dataclass(frozen=True, slots=True)
class Merger:
    """The collection of that source showed that the device of that key is this one."""

    at: datetime
    source: str
    key: str


@dataclass(frozen=True, slots=True)
class Life:
    """All that is remembered of one device, each list in the order of time."""

    nights: list[Night]
    absences: list[Absence]
    versions: list[Version]
    mergers: list[Merger]


def life_of(
    connection: Connection,
    run_id: int,
    source_names: Mapping[int, str],
    device_ids: Collection[int],
    *,
    last_chained: int | None,
) -> Life:
    """What the nights up to a run knew.

    Args:
        source_names: names by the store's number of the source.
        last_chained: the run up to which findings are followed: that one, or the one that it looked at again.
        device_ids: the device's number, and those of the devices that turned out to be it.
    """
    asked = {"run": run_id, "devices": list(device_ids)}
    records = Records(connection)
    return Life(
        nights=[
            Night(row[0], source_names[row[1]], row[2], records.of(row[3], row[4], row[5:]))
            for row in connection.execute(_NIGHTS, asked)
        ],
        absences=[
            Absence(row.since, row.until if row.ended else None, source_names[row.source_id], row.record_id)
            for row in connection.execute(_ABSENCES, asked)
        ],
        versions=[Version(*one) for one in findings.versions(connection, last_chained, device_ids)],
        mergers=[
            Merger(row.as_of, source_names[row.source_id], row.key)
            for row in connection.execute(_MERGERS, asked)
        ],
    )


def _known(collection_id: sa.ColumnElement[int]) -> sa.ColumnElement[bool]:
    """True for a collection that the run judged, or an earlier one of the same source."""
    return sa.and_(
        t.run_source.c.run_id == sa.bindparam("run"),
        t.run_source.c.source_id == t.source_device.c.source_id,
        collection_id <= t.run_source.c.collection_id,
    )


_devices = t.source_device.c.device_id.in_(sa.bindparam("devices", expanding=True))
_NIGHTS: sa.Select[*tuple[Any, ...]] = (
    sa.select(
        t.collection.c.as_of,
        t.source_device.c.source_id,
        t.source_device.c.id,
        t.source_device.c.native_id,
        t.record.c.gap_set_id,
        *COLUMNS,
    )
    .select_from(t.source_device)
    .join(t.collection, t.collection.c.source_id == t.source_device.c.source_id)
    .join(t.run_source, _known(t.collection.c.id))
    .join(
        t.reading,
        sa.and_(
            t.reading.c.collection_id == t.collection.c.id,
            t.reading.c.source_device_id == t.source_device.c.id,
        ),
    )
    .join(
        t.record,
        sa.and_(
            t.record.c.source_device_id == t.source_device.c.id,
            t.record.c.from_collection_id <= t.collection.c.id,
            sa.or_(t.record.c.to_collection_id.is_(None), t.record.c.to_collection_id > t.collection.c.id),
        ),
    )
    .where(_devices)
    .order_by(t.collection.c.as_of, t.collection.c.id, t.source_device.c.id)
)

_began = t.collection.alias("began")
_ended = t.collection.alias("ended")
_ABSENCES = (
    sa.select(
        _began.c.as_of.label("since"),
        _ended.c.as_of.label("until"),
        (_ended.c.id <= t.run_source.c.collection_id).label("ended"),
        t.source_device.c.source_id,
        t.source_device.c.id.label("record_id"),
    )
    .select_from(t.source_device)
    .join(t.absence, t.absence.c.source_device_id == t.source_device.c.id)
    .join(_began, _began.c.id == t.absence.c.from_collection_id)
    .join(t.run_source, _known(_began.c.id))
    .outerjoin(_ended, _ended.c.id == t.absence.c.to_collection_id)
    .where(_devices)
    .order_by(_began.c.as_of, _began.c.id, t.source_device.c.id)
)
_MERGERS = (
    sa.select(t.collection.c.as_of, t.collection.c.source_id, t.device.c.key)
    .select_from(t.device_merge)
    .join(t.device, t.device.c.id == t.device_merge.c.device_id)
    .join(t.collection, t.collection.c.id == t.device_merge.c.collection_id)
    .join(
        t.run_source,
        sa.and_(
            t.run_source.c.run_id == sa.bindparam("run"),
            t.run_source.c.source_id == t.collection.c.source_id,
            t.collection.c.id <= t.run_source.c.collection_id,
        ),
    )
    .where(t.device_merge.c.device_id.in_(sa.bindparam("devices", expanding=True)))
    .order_by(t.collection.c.id, t.device.c.key)
)
