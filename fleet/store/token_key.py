"""The key of the tokens in redacted reports: made once, and kept where those are who may know who is who anyway."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from fleet.store import tables as t

if TYPE_CHECKING:
    from fleet.store.database import Database

_BYTES = 32
_THE_ONE = 1


def token_key(database: Database) -> bytes:
    """The database's key, 32 bytes; the first who asks makes it."""
    with database.engine.connect() as connection:
        known = connection.scalar(_KNOWN)
    return bytes.fromhex(known) if known else _made(database)


def _made(database: Database) -> bytes:
    made = secrets.token_bytes(_BYTES)
    try:
        with database.engine.begin() as connection:
            connection.execute(t.token_key.insert().values(id=_THE_ONE, key=made.hex()))
    except IntegrityError:  # somebody else was first
        return token_key(database)
    return made


_KNOWN = sa.select(t.token_key.c.key).where(t.token_key.c.id == _THE_ONE)
