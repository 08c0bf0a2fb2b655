"""Erasing signals: what is not to be stored any more goes from every record of every night."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from fleet.model.fact import Reason
from fleet.store import tables as t
from fleet.store.database import erasing
from fleet.store.tables import FAST, SLOW

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy.engine import Connection

    from fleet.store.database import Database


def erase_signals(database: Database, signals: Collection[str]) -> int:
    """Take those slow signals out of all records; each reads as not reported from then on, in past nights too.

    Returns:
        How many records had one of them.
    """
    if not _any(database, signals):
        return 0
    with erasing(database) as connection:
        told = sa.or_(*(t.record.c[signal].is_not(None) for signal in signals))
        return take_out(connection, signals, told)


def take_out(connection: Connection, signals: Collection[str], where: sa.ColumnElement[bool]) -> int:
    """Take the signals out of those records; returns how many these are."""
    sets = sa.select(t.gap_set).where(t.gap_set.c.id.in_(sa.select(t.record.c.gap_set_id).where(where)))
    count = 0
    for row in connection.execute(sets).all():
        changed = connection.execute(
            t.record.update()
            .where(where, t.record.c.gap_set_id == row.id)
            .values(
                **dict.fromkeys(signals),
                gap_set_id=_number(connection, _without(row.reasons, signals)),
                digest=_NO_DIGEST,  # so that a source that says it again is believed again
            )
        )
        count += changed.rowcount
    return count


_NO_DIGEST = -1


def _any(database: Database, signals: Collection[str]) -> bool:
    with database.engine.connect() as connection:
        return any(
            connection.execute(sa.select(sa.literal(1)).where(t.record.c[name].is_not(None)).limit(1)).first()
            for name in signals
        )


def _without(reasons: str, signals: Collection[str]) -> str:
    """The gap set with those signals as further gaps, spelled as the inventory spells it."""
    gaps = dict(pair.split("=", 1) for pair in reasons.split())
    gaps.update(dict.fromkeys(signals, Reason.NOT_REPORTED.value))
    return " ".join(f"{name}={gaps[name]}" for name in (*SLOW, *FAST) if name in gaps)


def _number(connection: Connection, reasons: str) -> int:
    known = sa.select(t.gap_set.c.id).where(t.gap_set.c.reasons == reasons)
    found = connection.scalar(known)
    if found is None:
        (found,) = connection.execute(t.gap_set.insert().values(reasons=reasons)).inserted_primary_key or (0,)
    return found
