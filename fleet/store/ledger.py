"""The ledger of collections: how each source answered, and which of the answers a run judges."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import sqlalchemy as sa

from fleet.model.device import SIGNALS
from fleet.model.run import Increment, Outcome, SourceReport, Trouble
from fleet.store import tables as t

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy.engine import Connection

    from fleet.store.database import Database
    from fleet.store.tables import Row

SHRANK = "fleet_shrank"


@dataclass(frozen=True, slots=True)
class Basis:
    """What a run judges of one source: its latest closed collection, by number, and what that amounts to.

    Attributes:
        removed: it is in the settings no more; its devices count as no longer listed.
    """

    source_id: int
    collection_id: int
    report: SourceReport
    removed: bool = False


@dataclass(frozen=True, slots=True)
class PastCollections:
    """What the mass-disappearance brake needs to know of a source.

    Attributes:
        last_complete: devices in its last complete collection; None if it never had one.
        shrank: its latest collection was called partial because the fleet shrank.
    """

    last_complete: int | None
    shrank: bool


def past_collections(database: Database, name: str) -> PastCollections:
    """How the source called `name` has answered so far."""
    closed = (
        sa.select(t.collection.c.outcome, t.collection.c.devices, t.collection.c.problems)
        .join(t.source)
        .where(t.source.c.name == name, t.collection.c.outcome.is_not(None))
        .order_by(t.collection.c.id.desc())
    )
    with database.engine.connect() as connection:
        latest = connection.execute(closed.limit(1)).first()
        complete = connection.execute(
            closed.where(t.collection.c.outcome == Outcome.COMPLETE).limit(1)
        ).first()
    shrank = latest is not None and any(problem[0] == SHRANK for problem in latest.problems)
    return PastCollections(complete.devices if complete else None, shrank)


def newest_moment(database: Database) -> datetime | None:
    """`as_of` of the newest collection; None for an empty database."""
    with database.engine.connect() as connection:
        return connection.scalar(
            sa.select(t.collection.c.as_of).order_by(t.collection.c.as_of.desc()).limit(1)
        )


def basis_at(database: Database, names: Sequence[str], as_of: datetime) -> list[Basis]:
    """Per source its latest closed collection at `as_of`, in the order of `names`; none for one never collected.

    Sources that were collected once and are not in `names` any more come last, marked as removed.
    """
    latest = (
        sa.select(sa.func.max(t.collection.c.id))
        .where(t.collection.c.outcome.is_not(None), t.collection.c.as_of <= as_of)
        .group_by(t.collection.c.source_id)
    )
    with database.engine.connect() as connection:
        found = {one.report.name: one for one in _basis(connection, t.collection.c.id.in_(latest))}
    removed = [replace(one, removed=True) for name, one in sorted(found.items()) if name not in names]
    return [found[name] for name in names if name in found] + removed


def basis_of_run(database: Database, run_id: int) -> list[Basis]:
    """What a past run judged, in its order."""
    judged = sa.select(t.run_source).where(t.run_source.c.run_id == run_id)
    with database.engine.connect() as connection:
        position = {row.collection_id: row.position for row in connection.execute(judged)}
        found = _basis(connection, t.collection.c.id.in_(position))
    return sorted(
        (replace(one, removed=position[one.collection_id] >= REMOVED) for one in found),
        key=lambda one: (position[one.collection_id], one.report.name),
    )


def collections_of_run(database: Database, run_id: int) -> frozenset[int]:
    """The numbers of the collections that a run judged."""
    judged = sa.select(t.run_source.c.collection_id).where(t.run_source.c.run_id == run_id)
    with database.engine.connect() as connection:
        return frozenset(connection.scalars(judged))


REMOVED = 1_000_000
"""The position of a source that is in no settings file any more, behind all that are."""


def _basis(connection: Connection, where: sa.ColumnElement[bool]) -> list[Basis]:
    earlier, full = t.collection.alias(), t.collection.alias()
    facts_at = (
        sa.select(earlier.c.as_of)
        .where(
            earlier.c.source_id == t.collection.c.source_id,
            earlier.c.id <= t.collection.c.id,
            earlier.c.devices > 0,
        )
        .order_by(earlier.c.id.desc())
        .limit(1)
        .scalar_subquery()
        .label("facts_at")
    )
    rows = connection.execute(
        sa.select(t.collection, t.source.c.name, t.source.c.kind, facts_at, full.c.as_of.label("full_at"))
        .select_from(
            t.collection.join(t.source, t.source.c.id == t.collection.c.source_id).outerjoin(
                full, full.c.id == t.collection.c.full_id
            )
        )
        .where(where)
    )
    return [Basis(row.source_id, row.id, _source_report(row)) for row in rows]


def _source_report(row: Row) -> SourceReport:
    reported = set(row.reported)
    return SourceReport(
        name=row.name,
        kind=row.kind,
        outcome=Outcome(row.outcome),
        devices=row.devices,
        expected=row.expected,
        unreadable=row.unreadable,
        collected_at=row.as_of,
        facts_at=row.facts_at,
        reported=tuple(signal for signal in SIGNALS if signal in reported),
        never=tuple(signal for signal in SIGNALS if signal not in reported),
        problems=tuple(Trouble(*problem) for problem in row.problems),
        increment=Increment(since=row.since, read=row.read, full_at=row.full_at) if row.full_id else None,
    )
