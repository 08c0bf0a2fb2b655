"""Forgetting: what is older than the retention goes, as far as nothing younger refers to it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa

from fleet.store import tables as t
from fleet.store.database import erasing
from fleet.store.readings import WINDOW_DAYS

if TYPE_CHECKING:
    from datetime import datetime

    from fleet.store.database import Database


def prune(database: Database, *, before: datetime) -> dict[str, int]:
    """Remove readings, outlived versions and runs of nights before `before`.

    A younger night can still be made again to the last byte. So the readings that it looks back at stay as well, and
    so does the list of what the run before it had judged. What each device last said stays, however long ago that
    was: a younger night that did not read the device is judged by it. So does each finding's present version. A run
    that is removed can no longer be reported again; its totals stay, and with them the trend of the younger ones.

    Returns:
        How many rows of each kind are gone.
    """
    old = _collections_before(before)
    very_old = _collections_before(before - timedelta(days=WINDOW_DAYS))
    old_runs = sa.select(t.run.c.id).where(t.run.c.as_of < before)
    gone_on_from = sa.select(t.run.c.previous_id).where(
        t.run.c.as_of >= before, t.run.c.previous_id.is_not(None)
    )
    with erasing(database) as connection:
        last = (
            sa.select(
                t.reading.c.source_device_id, sa.func.max(t.reading.c.collection_id).label("collection_id")
            )
            .where(t.reading.c.collection_id.in_(very_old))
            .group_by(t.reading.c.source_device_id)
            .subquery()
        )
        still = sa.exists().where(
            last.c.source_device_id == t.reading.c.source_device_id,
            last.c.collection_id == t.reading.c.collection_id,
        )
        readings = connection.execute(
            t.reading.delete().where(t.reading.c.collection_id.in_(very_old), ~still)
        )
        records = connection.execute(t.record.delete().where(t.record.c.to_collection_id.in_(old)))
        versions = connection.execute(
            t.finding_version.delete().where(t.finding_version.c.to_run_id.in_(old_runs))
        )
        connection.execute(t.run.update().where(t.run.c.as_of < before).values(pruned=True))
        runs = connection.execute(
            t.run_source.delete().where(
                t.run_source.c.run_id.in_(old_runs), t.run_source.c.run_id.not_in(gone_on_from)
            )
        )
    return {
        "readings": readings.rowcount,
        "outlived records": records.rowcount,
        "outlived finding versions": versions.rowcount,
        "sources of past runs": runs.rowcount,
    }


def _collections_before(moment: datetime) -> sa.Select[tuple[int]]:
    return sa.select(t.collection.c.id).where(t.collection.c.as_of < moment)
