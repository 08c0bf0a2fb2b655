"""How fresh what is known is: the newest runs, and each source's last whole collection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from fleet.model.run import Outcome
from fleet.store import tables as t

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy.engine import Connection

    from fleet.store.database import Database
    from fleet.store.tables import Row


@dataclass(frozen=True, slots=True)
class RunMark:
    """A finished run in a line."""

    id: int
    as_of: datetime
    finished_at: datetime
    outcome: Outcome
    hold: bool


@dataclass(frozen=True, slots=True)
class SourceMark:
    """A source's latest collection, and its latest complete one, if there ever was one."""

    outcome: Outcome
    at: datetime
    complete_at: datetime | None
    problems: tuple[str, ...]


def newest_run(database: Database, *, complete: bool = False) -> RunMark | None:
    """The newest finished run that findings go on from, or the newest complete one."""
    query = sa.select(t.run).where(t.run.c.chained, t.run.c.finished_at.is_not(None))
    if complete:
        query = query.where(t.run.c.outcome == Outcome.COMPLETE)
    with database.engine.connect() as connection:
        row = connection.execute(query.order_by(t.run.c.id.desc()).limit(1)).first()
    return RunMark(row.id, row.as_of, row.finished_at, Outcome(row.outcome), row.hold) if row else None


def source_marks(database: Database) -> dict[str, SourceMark]:
    """Of every source that was ever read to an end, by its name."""
    closed = t.collection.c.outcome.is_not(None)
    whole = t.collection.c.outcome == Outcome.COMPLETE
    with database.engine.connect() as connection:
        complete_at = {row.source_id: row.as_of for row in _latest(connection, whole)}
        rows = _latest(connection, closed)
    return {
        row.name: SourceMark(
            Outcome(row.outcome),
            row.as_of,
            complete_at.get(row.source_id),
            tuple(problem[0] for problem in row.problems),
        )
        for row in rows
    }


def _latest(connection: Connection, which: sa.ColumnElement[bool]) -> Sequence[Row]:
    c = t.collection.c
    newest = sa.select(sa.func.max(c.id)).where(which).group_by(c.source_id)
    query = sa.select(t.collection, t.source.c.name).select_from(t.collection.join(t.source))
    return connection.execute(query.where(c.id.in_(newest))).all()


def seconds_of_run(database: Database, run_id: int) -> dict[str, float]:
    """How long each source took that the run judged."""
    c = t.collection.c
    query = (
        sa.select(t.source.c.name, c.started_at, c.finished_at)
        .select_from(t.run_source.join(t.collection, c.id == t.run_source.c.collection_id).join(t.source))
        .where(t.run_source.c.run_id == run_id, c.finished_at.is_not(None))
    )
    with database.engine.connect() as connection:
        return {
            row.name: (row.finished_at - row.started_at).total_seconds() for row in connection.execute(query)
        }
