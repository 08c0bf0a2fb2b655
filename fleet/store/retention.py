"""Forgetting: what is older than the retention goes, as far as nothing younger refers to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from fleet.store import tables as t

if TYPE_CHECKING:
    from datetime import datetime

    from fleet.store.database import Database


def prune(database: Database, *, before: datetime) -> dict[str, int]:
    """Remove readings, outlived versions and runs of nights before `before`.

    What each device last said before that stays, however long ago that was: a younger night that did not read the
    device is judged by it. So does each finding's present version. A run that is removed can no longer be reported
    again; the trend of the younger ones is not touched.

    Returns:
        How many rows of each kind are gone.
    """
    old = sa.select(t.collection.c.id).where(t.collection.c.as_of < before)
    old_runs = sa.select(t.run.c.id).where(t.run.c.as_of < before)
    with database.engine.begin() as connection:
        last = (
            sa.select(
                t.reading.c.source_device_id, sa.func.max(t.reading.c.collection_id).label("collection_id")
            )
            .where(t.reading.c.collection_id.in_(old))
            .group_by(t.reading.c.source_device_id)
            .subquery()
        )
        still = sa.exists().where(
            last.c.source_device_id == t.reading.c.source_device_id,
            last.c.collection_id == t.reading.c.collection_id,
        )
        readings = connection.execute(t.reading.delete().where(t.reading.c.collection_id.in_(old), ~still))
        records = connection.execute(t.record.delete().where(t.record.c.to_collection_id.in_(old)))
        versions = connection.execute(
            t.finding_version.delete().where(t.finding_version.c.to_run_id.in_(old_runs))
        )
        runs = connection.execute(t.run_source.delete().where(t.run_source.c.run_id.in_(old_runs)))
    return {
        "readings": readings.rowcount,
        "outlived records": records.rowcount,
        "outlived finding versions": versions.rowcount,
        "sources of past runs": runs.rowcount,
    }
