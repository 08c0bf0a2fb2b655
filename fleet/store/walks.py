"""Full walks and what went on from them: how a source was read last, and how many devices that came to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from fleet.model.run import Outcome
from fleet.store import tables as t

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from sqlalchemy.engine import Connection

    from fleet.store.database import Database


@dataclass(frozen=True, slots=True)
class Start:
    """What an increment goes on from.

    Attributes:
        since: what reported from then on is to be read.
        full_id: the number of the collection that was the last full walk, and `full_at` its clock.
    """

    since: datetime
    full_id: int
    full_at: datetime


def start_of(database: Database, name: str, *, terms: str, overlap: timedelta) -> Start | None:
    """Where the next increment of a source begins; None where only a full walk will do.

    It goes on from the latest collection, which has to be complete with nothing unreadable, and read by the same
    program under the same settings; `terms` is the fingerprint of both.
    """
    c, full = t.collection.c, t.collection.alias()
    latest = (
        sa.select(t.collection, full.c.as_of.label("full_at"))
        .join(t.source, t.source.c.id == c.source_id)
        .outerjoin(full, full.c.id == c.full_id)
        .where(t.source.c.name == name, c.outcome.is_not(None))
        .order_by(c.id.desc())
        .limit(1)
    )
    with database.engine.connect() as connection:
        row = connection.execute(latest).first()
    if row is None or row.outcome != Outcome.COMPLETE or row.unreadable or row.terms != terms:
        return None
    # The clock of a collection may be set by hand; what reported after it was read is asked for again.
    since = min(row.as_of, row.started_at) - overlap
    return Start(since, row.full_id or row.id, row.full_at or row.as_of)


def listed(connection: Connection, source_id: int, collection_id: int) -> int:
    """How many devices a source has by what is known, with what an unfinished collection has read so far."""
    own = sa.and_(t.source_device.c.source_id == source_id, t.source_device.c.current)
    read = sa.exists().where(
        t.reading.c.collection_id == collection_id, t.reading.c.source_device_id == t.source_device.c.id
    )
    known = sa.select(sa.func.count()).select_from(t.source_device).where(own)
    missing = (
        sa.select(sa.func.count())
        .select_from(t.absence.join(t.source_device, t.source_device.c.id == t.absence.c.source_device_id))
        .where(own, t.absence.c.to_collection_id.is_(None), ~read)
    )
    return (connection.scalar(known) or 0) - (connection.scalar(missing) or 0)
