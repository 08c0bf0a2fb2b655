"""What killed programs left behind: collections and runs that were begun and not ended, undone as if never begun."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from fleet.store import tables as t

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy.engine import Connection

    from fleet.store.database import Database


def discard_unfinished(database: Database) -> int:
    """Undo whatever collections and runs a killed program left behind; returns how many there were."""
    with database.engine.begin() as connection:
        return _discard_collections(connection) + _discard_runs(connection)


def discard_unfinished_of(database: Database, names: Collection[str]) -> int:
    """Undo what killed programs left behind of those sources; whoever asks is the only one who reads them."""
    named = t.collection.c.source_id.in_(sa.select(t.source.c.id).where(t.source.c.name.in_(names)))
    with database.engine.begin() as connection:
        return _discard_collections(connection, named)


def discard_unfinished_runs(database: Database) -> int:
    """Undo what killed programs left behind of judging; whoever asks is the only one who judges."""
    with database.engine.begin() as connection:
        return _discard_runs(connection)


def _discard_collections(connection: Connection, *which: sa.ColumnElement[bool]) -> int:
    unfinished = sa.select(t.collection.c.id).where(t.collection.c.outcome.is_(None), *which)
    found = connection.scalars(unfinished).all()
    if found:
        connection.execute(t.record.delete().where(t.record.c.from_collection_id.in_(found)))
        connection.execute(
            t.record.update().where(t.record.c.to_collection_id.in_(found)).values(to_collection_id=None)
        )
        connection.execute(t.reading.delete().where(t.reading.c.collection_id.in_(found)))
        connection.execute(t.device_merge.delete().where(t.device_merge.c.collection_id.in_(found)))
        connection.execute(t.collection.delete().where(t.collection.c.id.in_(found)))
    return len(found)


def _discard_runs(connection: Connection) -> int:
    found = connection.scalars(sa.select(t.run.c.id).where(t.run.c.finished_at.is_(None))).all()
    if found:
        connection.execute(t.run_source.delete().where(t.run_source.c.run_id.in_(found)))
        connection.execute(t.run.delete().where(t.run.c.id.in_(found)))
    return len(found)
