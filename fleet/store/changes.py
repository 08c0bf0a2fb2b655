"""What came right before a change: the last backups of devices that took a system, or got a profile, soon after."""

from __future__ import annotations

from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from fleet.store import tables as t

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime, timedelta

    from sqlalchemy.engine import Connection


def last_backups_before(
    connection: Connection,
    run_id: int,
    removed: Collection[int],
    signal: str,
    value: str | bool,
    *,
    within: timedelta,
) -> list[datetime]:
    """One moment per device that a run's collections read with this value, and that came to it at most so long after.

    A device that had the value since it was first seen came to it nobody knows when, and is not among them.

    Args:
        removed: numbers of sources that are configured no more.
        signal: a slow one.
    """
    moments = {
        row.id: row.as_of for row in connection.execute(sa.select(t.collection.c.id, t.collection.c.as_of))
    }
    rows = connection.execute(_query(signal, value), {"run": run_id})
    latest = (list(several)[-1] for _, several in groupby(rows, key=attrgetter("device_id", "source_id")))
    found = {
        row.device_id: row.last_cloud_backup_at
        for row in latest
        if row.source_id not in removed
        and row.came > row.first
        and row.last_cloud_backup_at <= moments[row.came] <= row.last_cloud_backup_at + within
    }
    return list(found.values())


def _query(signal: str, value: str | bool) -> sa.Select[Any, Any, Any, Any, Any]:
    """Per device that has the value now: its last backup, and the collections that first saw it, and so."""
    now, past, at = t.record.alias("now"), t.record.alias("past"), t.run_source.c.collection_id
    # Of a device that did not report for an increment, what it said to one before, back to the full walk.
    began = sa.func.coalesce(t.collection.c.full_id, at)
    had = past.c[signal] == value
    return (
        sa.select(
            t.source_device.c.device_id,
            t.source_device.c.source_id,
            t.reading.c.last_cloud_backup_at,
            sa.func.min(past.c.from_collection_id).label("first"),
            sa.func.min(sa.case((had, past.c.from_collection_id))).label("came"),
        )
        .select_from(t.run_source)
        .join(t.collection, t.collection.c.id == at)
        .join(t.reading, t.reading.c.collection_id.between(began, at))
        .join(
            t.source_device,
            sa.and_(
                t.source_device.c.id == t.reading.c.source_device_id,
                t.source_device.c.source_id == t.run_source.c.source_id,
            ),
        )
        .join(now, now.c.source_device_id == t.source_device.c.id)
        .join(past, past.c.source_device_id == t.source_device.c.id)
        .where(
            t.run_source.c.run_id == sa.bindparam("run"),
            t.reading.c.last_cloud_backup_at.is_not(None),
            now.c[signal] == value,
            now.c.from_collection_id <= at,
            sa.or_(now.c.to_collection_id.is_(None), now.c.to_collection_id > at),
            past.c.from_collection_id <= at,
        )
        .group_by(
            t.source_device.c.device_id,
            t.source_device.c.source_id,
            t.reading.c.collection_id,
            t.reading.c.last_cloud_backup_at,
        )
        .order_by(t.source_device.c.device_id, t.source_device.c.source_id, t.reading.c.collection_id)
    )
