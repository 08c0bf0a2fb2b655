"""What the nights before knew of the fast signals: the past that some checks judge by, and that reports show."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa

from fleet.store import tables as t

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from fleet.store.database import Database

WINDOW_DAYS = 45
"""How far back a run looks. Readings are kept for so much longer than the runs that they decided."""


@dataclass(frozen=True, slots=True)
class PastReading:
    """One past observation of a device's fast signals; None where the value was not known."""

    observed_at: datetime
    available_bytes: int | None
    battery_percent: int | None


@dataclass(frozen=True, slots=True)
class PastState:
    """Storage and backup of a record at one past collection; None where the value was not known."""

    collected_at: datetime
    available_bytes: int | None
    last_backup: datetime | None


class Readings:
    """Past readings of devices over one run's recent collections."""

    def __init__(self, database: Database, run_id: int, *, as_of: datetime) -> None:
        self._engine = database.engine
        self._as_of = as_of
        recent = (
            sa.select(
                t.collection.c.id,
                t.collection.c.as_of,
                t.collection.c.full_id,
                t.run_source.c.collection_id.label("present"),
            )
            .join(t.run_source, t.run_source.c.source_id == t.collection.c.source_id)
            .where(
                t.run_source.c.run_id == run_id,
                t.collection.c.id <= t.run_source.c.collection_id,
                t.collection.c.as_of >= as_of - timedelta(days=WINDOW_DAYS),
            )
        )
        self._moments: dict[int, datetime] = {}
        self._by_present: dict[int, list[int]] = {}
        self._went_on_from: dict[int, int] = {}
        with self._engine.connect() as connection:
            for row in connection.execute(recent.order_by(t.collection.c.id)):
                self._moments[row.id] = row.as_of
                self._by_present.setdefault(row.present, []).append(row.id)
                if row.full_id is not None:
                    self._went_on_from[row.id] = row.full_id

    def of(self, record_ids: Sequence[int]) -> list[PastReading]:
        """The readings of one device's records, oldest first, one per moment of observation."""
        asked = {"collections": list(self._moments), "records": list(record_ids)}
        with self._engine.connect() as connection:
            rows = connection.execute(_PAST, asked).all()
        by_moment = {
            observed: PastReading(observed, row.available_bytes, row.battery_percent)
            for row in rows
            if (observed := row.inventory_at or row.checkin_at or self._moments[row.collection_id])
        }
        return [by_moment[moment] for moment in sorted(by_moment)]

    def glance(self, record_ids: Sequence[int], *, at_most: int) -> dict[int, list[PastState]]:
        """A few nights' states of many records, by record, oldest first; the nights are spread evenly."""
        nights = [one for several in self._by_present.values() for one in _spread(several, at_most)]
        asked = {"collections": nights, "records": list(record_ids)}
        found: dict[int, list[PastState]] = {}
        with self._engine.connect() as connection:
            for record, collection, available, backup in connection.execute(_STATES, asked):
                found.setdefault(record, []).append(PastState(self._moments[collection], available, backup))
        return found

    def falling(
        self, *, full_within_days: float, over_days: float, among: Collection[int] | None = None
    ) -> frozenset[int]:
        """The records that could be full in `full_within_days` if they went on as since some night in the past.

        A glance at a few nights at least `over_days` ago, for the whole fleet at once: what it does not name is
        not worth a look at its history.

        Args:
            among: only these records, for whoever wants a few devices alone.
        """
        query = _FALLING if among is None else _FALLING.where(t.reading.c.source_device_id.in_(among))
        found: set[int] = set()
        with self._engine.connect() as connection:
            for present, past in self._glances(over_days):
                days = (self._as_of - self._moments[past]) / timedelta(days=1)
                asked = {"present": list(present), "past": past, "growth": 1 + days / full_within_days}
                found.update(connection.scalars(query, asked))
        return frozenset(found)

    def _glances(self, over_days: float) -> Iterator[tuple[Sequence[int], int]]:
        """Per source its present collection beside its oldest and two more, evenly spread.

        An increment's present is all that it goes on from; its past are full walks, which hold every device.
        """
        before = self._as_of - timedelta(days=over_days)
        for present, collections in self._by_present.items():
            began = self._went_on_from.get(present, present)
            every = [one for one in collections if self._moments[one] <= before]
            old = [one for one in every if one not in self._went_on_from] or every
            for past in sorted({old[len(old) * third // 3] for third in range(3)} if old else set()):
                yield [one for one in collections if one >= began], past


# In order, so that of two sources that observed at one moment the same one counts whenever the run is made again.
_PAST = (
    sa.select(
        t.reading.c.collection_id,
        t.reading.c.inventory_at,
        t.reading.c.checkin_at,
        t.reading.c.available_bytes,
        t.reading.c.battery_percent,
    )
    .where(
        t.reading.c.collection_id.in_(sa.bindparam("collections", expanding=True)),
        t.reading.c.source_device_id.in_(sa.bindparam("records", expanding=True)),
    )
    .order_by(t.reading.c.collection_id, t.reading.c.source_device_id)
)

_STATES = (
    sa.select(
        t.reading.c.source_device_id,
        t.reading.c.collection_id,
        t.reading.c.available_bytes,
        t.reading.c.last_cloud_backup_at,
    )
    .where(
        t.reading.c.collection_id.in_(sa.bindparam("collections", expanding=True)),
        t.reading.c.source_device_id.in_(sa.bindparam("records", expanding=True)),
    )
    .order_by(t.reading.c.source_device_id, t.reading.c.collection_id)
)


def _spread(collections: Sequence[int], at_most: int) -> list[int]:
    """At most so many of them, the newest included."""
    last = len(collections) - 1
    places = {last - last * step // max(at_most - 1, 1) for step in range(at_most)}
    return [collections[place] for place in sorted(places)] if collections else []


_past = t.reading.alias("past")
_FALLING = (
    sa.select(t.reading.c.source_device_id)
    .join(_past, _past.c.source_device_id == t.reading.c.source_device_id)
    .where(
        t.reading.c.collection_id.in_(sa.bindparam("present", expanding=True)),
        _past.c.collection_id == sa.bindparam("past"),
        _past.c.available_bytes >= t.reading.c.available_bytes * sa.bindparam("growth", type_=sa.Float()),
    )
)
