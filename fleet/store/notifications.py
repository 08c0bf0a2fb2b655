"""What became of each notification's last message, so that the next report and `doctor` can say so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from fleet.store import tables as t

if TYPE_CHECKING:
    from datetime import datetime

    from fleet.store.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class LastMessage:
    """The last message by one notification.

    Attributes:
        run_as_of: the clock of the run that it was about.
        at: when it was tried.
        problem: why it did not get through; None if it did.
    """

    name: str
    run_id: int
    run_as_of: datetime
    at: datetime
    tries: int
    problem: str | None


def note(
    database: Database, name: str, *, run_id: int, at: datetime, tries: int, problem: str | None
) -> None:
    """Write down what became of a message, in place of the one before."""
    values = {"name": name, "run_id": run_id, "at": at, "tries": tries, "problem": problem}
    with database.engine.begin() as connection:
        connection.execute(t.notification.delete().where(t.notification.c.name == name))
        connection.execute(t.notification.insert().values(values))


def last_messages(database: Database) -> dict[str, LastMessage]:
    """The last message of each notification that ever sent one, by name."""
    query = sa.select(t.notification, t.run.c.as_of).join(t.run)
    with database.engine.connect() as connection:
        return {
            row.name: LastMessage(
                name=row.name,
                run_id=row.run_id,
                run_as_of=row.as_of,
                at=row.at,
                tries=row.tries,
                problem=row.problem,
            )
            for row in connection.execute(query)
        }
