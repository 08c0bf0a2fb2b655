"""The ledger of shared runs: who joined which by its name, which of its sources were read, and whether it is over."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from fleet.errors import SettingsError
from fleet.store import tables as t

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from fleet.store.database import Database

OPEN_FOR = timedelta(hours=20)
"""How long after its beginning a run can be joined: less than a day, so that no name does for two nights."""


@dataclass(frozen=True, slots=True)
class SharedRun:
    """A run that several processes share.

    Attributes:
        as_of: the clock of all of them.
    """

    id: int
    name: str
    as_of: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a shared run is.

    Attributes:
        read: sources that were read to their end, well or badly.
        begun: sources that somebody began to read and did not end: somebody who is at it, or dead.
        run_id: the evaluation, once it is finished.
        reported: its report is in place and told of.
    """

    read: frozenset[str]
    begun: frozenset[str]
    run_id: int | None
    reported: bool


def join(
    database: Database, name: str, *, as_of: datetime, at: datetime, sources: Iterable[str]
) -> SharedRun:
    """The shared run of that name; the first who asks begins it.

    Args:
        as_of: its clock, if it begins now.
        at: the wall clock.
        sources: the names of all that it reads, whoever does.

    Raises:
        SettingsError: it began too long ago, or with other sources.
    """
    digest = hashlib.sha256("\n".join(sorted(sources)).encode()).hexdigest()
    row = _found(database, name) or _begun(database, name, as_of, at, digest)
    if at - row.started_at >= OPEN_FOR:
        raise SettingsError(
            f'the shared run "{name}" began at {row.started_at:%Y-%m-%dT%H:%M:%SZ}, and a name is good for '
            f"{OPEN_FOR // timedelta(hours=1)} hours; give every night its own, such as {at:%Y-%m-%d}"
        )
    if row.sources != digest:
        raise SettingsError(
            f'the shared run "{name}" was begun with other sources than those of this settings file; all who take '
            "part in a run need the same ones"
        )
    return SharedRun(row.id, name, row.as_of)


def _found(database: Database, name: str) -> t.Row | None:
    with database.engine.connect() as connection:
        return connection.execute(sa.select(t.shared_run).where(t.shared_run.c.name == name)).first()


def _begun(database: Database, name: str, as_of: datetime, at: datetime, digest: str) -> t.Row:
    values = {"name": name, "as_of": as_of, "started_at": at, "sources": digest}
    try:
        with database.engine.begin() as connection:
            connection.execute(t.shared_run.insert().values(values))
    except IntegrityError:
        pass  # somebody else was first
    row = _found(database, name)
    assert row is not None  # noqa: S101 - nobody takes them away
    return row


def standing(database: Database, shared: SharedRun) -> Standing:
    """How far it is by now."""
    of_it = sa.select(t.source.c.name, t.collection.c.outcome).select_from(t.collection.join(t.source))
    run = sa.select(t.run.c.id).where(t.run.c.shared_run_id == shared.id, t.run.c.finished_at.is_not(None))
    reported = sa.select(t.shared_run.c.reported_at).where(t.shared_run.c.id == shared.id)
    with database.engine.connect() as connection:
        rows = connection.execute(of_it.where(t.collection.c.shared_run_id == shared.id)).all()
        read = frozenset(row.name for row in rows if row.outcome is not None)
        return Standing(
            read=read,
            begun=frozenset(row.name for row in rows) - read,
            run_id=connection.scalar(run),
            reported=connection.scalar(reported) is not None,
        )


def reported(database: Database, shared: SharedRun, at: datetime) -> None:
    """Take down that its report is in place and told of."""
    with database.engine.begin() as connection:
        connection.execute(t.shared_run.update().where(t.shared_run.c.id == shared.id).values(reported_at=at))
