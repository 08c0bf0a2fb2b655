"""The runs: one row for each, what it judged by, and what came out."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from fleet.errors import StoreError
from fleet.model.finding import Severity, Status
from fleet.model.run import Outcome, Totals, TrendPoint
from fleet.store import apple_status
from fleet.store import tables as t
from fleet.store.ledger import REMOVED

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy.engine import Connection

    from fleet.model.outage import SystemStatus
    from fleet.store.database import Database
    from fleet.store.ledger import Basis
    from fleet.store.tables import Row


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """One run as the ledger keeps it.

    Attributes:
        chained: False for a second look at a past night, whose findings no later run goes on from.
        previous_id: the chained run whose findings this one went on from.
        settings: all that judged, as plain data without secrets.
        catalog: models and releases that judged, known as of `catalog_date`.
        status: what Apple said of its services then; None where it was not asked or did not answer.
        totals: what came out, as plain data.
        pruned: what it judged was forgotten, so it cannot be made again.
        erasures: how often a device or person was forgotten that it had judged.
    """

    id: int
    as_of: datetime
    started_at: datetime
    finished_at: datetime
    outcome: Outcome
    hold: bool
    chained: bool
    previous_id: int | None
    previous_at: datetime | None
    version: str
    settings: dict[str, Any]
    policy_hash: str
    catalog_date: str
    catalog: str
    status: SystemStatus | None
    notes: tuple[str, ...]
    totals: dict[str, Any]
    pruned: bool
    erasures: int = 0


def previous_run(database: Database, as_of: datetime) -> tuple[int, datetime] | None:
    """The chained run that one at `as_of` goes on from: the latest that is not younger."""
    with database.engine.connect() as connection:
        row = connection.execute(
            sa.select(t.run.c.id, t.run.c.as_of)
            .where(t.run.c.chained, t.run.c.finished_at.is_not(None), t.run.c.as_of <= as_of)
            .order_by(t.run.c.id.desc())
            .limit(1)
        ).first()
    return (row.id, row.as_of) if row else None


def is_newest(database: Database, as_of: datetime) -> bool:
    """True if no finished run judged a later moment."""
    with database.engine.connect() as connection:
        later = sa.select(t.run.c.id).where(t.run.c.as_of > as_of, t.run.c.finished_at.is_not(None)).limit(1)
        return connection.execute(later).first() is None


def begin_run(
    database: Database,
    *,
    as_of: datetime,
    started_at: datetime,
    outcome: Outcome,
    chained: bool,
    previous_id: int | None,
    shared_run_id: int | None = None,
    version: str,
    settings: dict[str, Any],
    policy_hash: str,
    catalog: tuple[str, str],
    catalog_date: str,
    status: SystemStatus | None = None,
    notes: Sequence[str],
    basis: Sequence[Basis],
) -> int:
    """Open the ledger for one run; it counts for nothing until it is finished.

    Args:
        shared_run_id: the shared run that it evaluates; there is never a second one of that.
        catalog: digest and content of the catalogue that judges.
    """
    with database.engine.begin() as connection:
        inserted = connection.execute(
            t.run.insert().values(
                as_of=as_of,
                started_at=started_at,
                outcome=outcome,
                hold=False,
                chained=chained,
                previous_id=previous_id,
                shared_run_id=shared_run_id,
                version=version,
                settings=settings,
                policy_hash=policy_hash,
                catalog_id=_catalog_id(connection, *catalog),
                catalog_date=catalog_date,
                apple_status=apple_status.to_row(status),
                notes=list(notes),
            )
        )
        (run_id,) = inserted.inserted_primary_key or (0,)
        rows = [
            {
                "run_id": run_id,
                "source_id": one.source_id,
                "collection_id": one.collection_id,
                "position": REMOVED if one.removed else position,
            }
            for position, one in enumerate(basis)
        ]
        if rows:
            connection.execute(t.run_source.insert(), rows)
    return run_id


def _catalog_id(connection: Connection, digest: str, content: str) -> int:
    found = connection.scalar(sa.select(t.catalog.c.id).where(t.catalog.c.digest == digest))
    if found is not None:
        return found
    inserted = connection.execute(t.catalog.insert().values(digest=digest, content=content))
    (catalog_id,) = inserted.inserted_primary_key or (0,)
    return catalog_id


def finish_run(
    connection: Connection,
    run_id: int,
    *,
    finished_at: datetime,
    hold: bool,
    totals: Totals,
    incomplete: bool = False,
) -> None:
    """Make a run count, within the transaction that writes its findings.

    Args:
        incomplete: not everything could be judged, however whole the collections are.

    Raises:
        StoreError: another process took this one for dead, and judges.
    """
    finished = connection.execute(
        t.run.update()
        .where(t.run.c.id == run_id)
        .values(finished_at=finished_at, hold=hold, totals=asdict(totals))
    )
    if incomplete:
        whole = (t.run.c.id == run_id, t.run.c.outcome == Outcome.COMPLETE)
        connection.execute(t.run.update().where(*whole).values(outcome=Outcome.PARTIAL))
    if not finished.rowcount:
        raise StoreError(f"run {run_id} was taken for dead, and another process judges in its place")


def load_run(database: Database, run_id: int | None = None) -> RunRow | None:
    """A finished run by its id, or the newest chained one; None if there is none such."""
    before = t.run.alias()
    query = (
        sa.select(
            t.run,
            t.catalog.c.content,
            before.c.as_of.label("before_at"),
        )
        .select_from(t.run.join(t.catalog).outerjoin(before, before.c.id == t.run.c.previous_id))
        .where(t.run.c.finished_at.is_not(None))
    )
    query = query.where(t.run.c.id == run_id) if run_id is not None else query.where(t.run.c.chained)
    with database.engine.connect() as connection:
        row = connection.execute(query.order_by(t.run.c.id.desc()).limit(1)).first()
    return _run_row(row) if row else None


def run_by(database: Database, moment: datetime) -> int | None:
    """The number of the last chained run that judged that moment or an earlier one; None if there is none."""
    query = _FINISHED.where(t.run.c.as_of <= moment).order_by(t.run.c.as_of.desc(), t.run.c.id.desc())
    with database.engine.connect() as connection:
        return connection.scalar(query.limit(1))


def first_kept(database: Database) -> datetime | None:
    """`as_of` of the first chained run that can still be made again; None if there is none."""
    with database.engine.connect() as connection:
        return connection.scalar(
            _FINISHED.where(~t.run.c.pruned).with_only_columns(sa.func.min(t.run.c.as_of))
        )


def pruned_before(database: Database) -> datetime | None:
    """`first_kept`, if runs before it were pruned; None if none were."""
    with database.engine.connect() as connection:
        pruned = connection.scalar(_FINISHED.where(t.run.c.pruned).limit(1))
    return first_kept(database) if pruned is not None else None


_FINISHED = sa.select(t.run.c.id).where(t.run.c.chained, t.run.c.finished_at.is_not(None))


def _run_row(row: Row) -> RunRow:
    return RunRow(
        id=row.id,
        as_of=row.as_of,
        started_at=row.started_at,
        finished_at=row.finished_at,
        outcome=Outcome(row.outcome),
        hold=row.hold,
        chained=row.chained,
        previous_id=row.previous_id,
        previous_at=row.before_at,
        version=row.version,
        settings=row.settings,
        policy_hash=row.policy_hash,
        catalog_date=row.catalog_date,
        catalog=row.content,
        status=apple_status.from_row(row.apple_status),
        notes=tuple(row.notes),
        totals=row.totals,
        pruned=row.pruned,
        erasures=row.erasures,
    )


def looks_at_apple(database: Database, run_id: int, *, since: datetime) -> tuple[SystemStatus, ...]:
    """What Apple said of its services to a run and to those before it, back to `since`; the latest first."""
    this = sa.select(t.run.c.as_of).where(t.run.c.id == run_id).scalar_subquery()
    said = sa.select(t.run.c.apple_status).where(
        t.run.c.id <= run_id, t.run.c.as_of.between(since, this), t.run.c.apple_status.is_not(None)
    )
    with database.engine.connect() as connection:
        rows = connection.scalars(said.order_by(t.run.c.as_of.desc(), t.run.c.id.desc()))
        return tuple(look for row in rows if (look := apple_status.from_row(row)))


def last_covered(database: Database) -> list[tuple[dict[str, Any], int]]:
    """The waivers of the newest chained run, as plain data, each with how many findings it covered."""
    newest = (
        sa.select(t.run.c.settings, t.run.c.totals)
        .where(t.run.c.chained, t.run.c.finished_at.is_not(None))
        .order_by(t.run.c.id.desc())
        .limit(1)
    )
    with database.engine.connect() as connection:
        row = connection.execute(newest).first()
    return list(zip(row.settings["waivers"], row.totals["covered"], strict=True)) if row else []


def trend_before(database: Database, run_id: int, *, most: int = 30) -> tuple[TrendPoint, ...]:
    """Totals of the chained runs before `run_id`, oldest first, at most `most`."""
    with database.engine.connect() as connection:
        rows = connection.execute(
            sa.select(t.run.c.id, t.run.c.as_of, t.run.c.outcome, t.run.c.totals)
            .where(t.run.c.chained, t.run.c.finished_at.is_not(None), t.run.c.id < run_id)
            .order_by(t.run.c.id.desc())
            .limit(most)
        ).all()
    return tuple(
        TrendPoint(
            run_id=row.id,
            as_of=row.as_of,
            outcome=Outcome(row.outcome),
            statuses={Status(name): count for name, count in row.totals["statuses"].items()},
            findings={Severity(name): count for name, count in row.totals["findings"].items()},
        )
        for row in reversed(rows)
    )
