"""Waivers that were given on the command line: by whom, when, and whether they were taken back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa

from fleet.model.identity import identity
from fleet.model.waiver import SCOPES, Waiver
from fleet.store import tables as t

if TYPE_CHECKING:
    from datetime import datetime

    from fleet.store.database import Database
    from fleet.store.tables import Row

SHOWN_AFTER_DAYS = 30
"""An ended one is still shown in reports for so long, so that nobody wonders where the tickets came from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredWaiver:
    """A waiver with who gave it and when.

    Attributes:
        made_by: the operating system's user name at the keyboard.
        revoked_at: None while it is in force.
    """

    waiver: Waiver
    made_at: datetime
    made_by: str
    revoked_at: datetime | None
    revoked_by: str | None


def give(database: Database, waiver: Waiver, *, at: datetime, by: str) -> int:
    """Keep a new waiver; its number."""
    values = {
        "checks": list(waiver.checks),
        "scope": {name: list(getattr(waiver, name)) for name in SCOPES if getattr(waiver, name)},
        "reason": waiver.reason,
        "owner": waiver.owner,
        "expires": waiver.expires,
        "made_at": at,
        "made_by": by,
    }
    with database.engine.begin() as connection:
        (number,) = connection.execute(t.waiver.insert().values(values)).inserted_primary_key or (0,)
    return number


def revoke(database: Database, number: int, *, at: datetime, by: str) -> bool:
    """Take a waiver back from now on; False if there is none of that number in force."""
    taken = (
        t.waiver.update()
        .where(t.waiver.c.id == number, t.waiver.c.revoked_at.is_(None))
        .values(revoked_at=at, revoked_by=by)
    )
    with database.engine.begin() as connection:
        return connection.execute(taken).rowcount > 0


def stored(database: Database) -> list[StoredWaiver]:
    """Every waiver ever given, the oldest first."""
    with database.engine.connect() as connection:
        return [_stored(row) for row in connection.execute(sa.select(t.waiver).order_by(t.waiver.c.id))]


def in_force(database: Database, on: datetime) -> tuple[Waiver, ...]:
    """What a run judges by: none that was taken back, and ended ones only while they are news."""
    oldest = on.astimezone(UTC).date() - timedelta(days=SHOWN_AFTER_DAYS)
    return tuple(
        one.waiver for one in stored(database) if one.revoked_at is None and one.waiver.expires >= oldest
    )


def knows_serial(database: Database, serial: str) -> bool:
    """True if any source ever told of a device with that serial number."""
    known = sa.select(t.device.c.id).where(t.device.c.serial == identity(serial)).limit(1)
    with database.engine.connect() as connection:
        return connection.scalar(known) is not None


def _stored(row: Row) -> StoredWaiver:
    scope = {name: tuple(entries) for name, entries in row.scope.items()}
    return StoredWaiver(
        waiver=Waiver(
            checks=tuple(row.checks),
            reason=row.reason,
            owner=row.owner,
            expires=row.expires,
            id=row.id,
            **scope,
        ),
        made_at=row.made_at,
        made_by=row.made_by,
        revoked_at=row.revoked_at,
        revoked_by=row.revoked_by,
    )
