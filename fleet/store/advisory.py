"""PostgreSQL's advisory locks: what several processes, on whatever machines, may do at once in one database.

Each belongs to a session of the server, and the server lets go of it when the session ends, be it by a crash, `kill -9`
or, half a minute later, by a network that fell silent. There are six:

- the lock of the database: held alone by a run of its own and by what changes past nights, shared by all who take part
  in a shared run;
- the shared run: held by each that takes part in it, so that there is never a second shared run at the same time;
- the lease of a source: held by the one that reads it;
- the judging of a shared run: held by the one that evaluates and reports;
- the door: held for a moment by whoever joins;
- the turn: held to the end of a transaction that enters what sources have in common (devices, sets of gaps).
"""

from __future__ import annotations

import hashlib
import os
import platform
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from fleet.errors import LockedError
from fleet.store import tables as t
from fleet.toml_table import plain

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from sqlalchemy.engine import Connection, Engine

_DATABASE = 0x666C656574
"""ASCII "fleet", the lock of the database; the others that are one number follow it, leases are hashes."""
_DOOR = _DATABASE + 1
_TURN = _DATABASE + 2
_SHARED_RUN = 0x666B7275
_JUDGING = 0x666B6A75
"""Classes of locks that are two numbers; the second is that of the shared run."""


@contextmanager
def alone(engine: Engine) -> Generator[None]:
    """Hold the lock of the database.

    Raises:
        LockedError: somebody else is at work.
    """
    with _session(engine) as connection:
        if not _tried(connection, "pg_try_advisory_lock(:key)", key=_DATABASE):
            raise LockedError(f"another run holds the database's lock{_who(connection)}; wait for it to end")
        yield


@contextmanager
def taking_part(engine: Engine, shared_run_id: int) -> Generator[Leases]:
    """Take part in a shared run; gives the leases of its sources.

    Raises:
        LockedError: a run of its own, or another shared run, is at work.
    """
    with _session(engine) as connection:
        if not _tried(connection, "pg_try_advisory_lock_shared(:key)", key=_DATABASE):
            raise LockedError(f"another run holds the database's lock{_who(connection)}; wait for it to end")
        _say(connection, "pg_advisory_lock(:key)", key=_DOOR)
        if other := connection.scalar(_OTHER_RUN, {"run": shared_run_id, "kind": _SHARED_RUN}):
            raise LockedError(f'the shared run "{other}" is still at work; wait for it to end')
        _say(connection, "pg_advisory_lock_shared(:kind, :run)", kind=_SHARED_RUN, run=shared_run_id)
        _say(connection, "pg_advisory_unlock(:key)", key=_DOOR)
        yield Leases(connection, shared_run_id)


def take_turn(connection: Connection) -> None:
    """Be the only one, to the end of the transaction, who enters what sources have in common.

    Taken before the first of such rows is looked for, so that nobody enters a device twice and nobody waits for
    somebody who waits for them. SQLite has one writer at a time anyway.
    """
    if connection.dialect.name == "postgresql":
        _say(connection, "pg_advisory_xact_lock(:key)", key=_TURN)


@dataclass(frozen=True, slots=True)
class Leases:
    """The leases of this process, by the names of sources; they end with its session."""

    _connection: Connection
    _shared_run_id: int

    def take(self, names: Sequence[str]) -> list[str]:
        """Those of the sources that nobody else reads; they are ours from now on."""
        asked = {"names": list(names), "keys": [_lease(name) for name in names]}
        taken = set(self._connection.scalars(_TAKE, asked))
        return [name for name in names if name in taken]

    def give_back(self, names: Sequence[str]) -> None:
        """Let others read those sources."""
        self._connection.execute(_GIVE_BACK, {"keys": [_lease(name) for name in names]}).all()

    def wait_for(self, name: str) -> None:
        """Return as soon as nobody else reads that source, because it was read or because its reader is dead."""
        _say(self._connection, "pg_advisory_lock(:key)", key=_lease(name))
        _say(self._connection, "pg_advisory_unlock(:key)", key=_lease(name))

    @contextmanager
    def judging(self) -> Generator[None]:
        """Be the only one who evaluates and reports the shared run; waits for whoever does it already."""
        _say(self._connection, "pg_advisory_lock(:kind, :run)", kind=_JUDGING, run=self._shared_run_id)
        yield
        _say(self._connection, "pg_advisory_unlock(:kind, :run)", kind=_JUDGING, run=self._shared_run_id)


def stable_hash(name: str) -> int:
    """64 bits of a name, signed; the same in every process, on every machine and in every release."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], signed=True)


def _lease(name: str) -> int:
    return stable_hash(f"fleetkeep source {name}")


@contextmanager
def _session(engine: Engine) -> Generator[Connection]:
    """A session of its own for locks; they end with it, and it ends with the block."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.detach()  # else the pool would keep the session, and with it the locks
        # At most 63 bytes; whoever is refused reads it there.
        name = f"fleetkeep: process {os.getpid()} on the machine {platform.node()}"[:63]
        connection.execute(_SETTINGS, {"name": name}).all()
        try:
            yield connection
        finally:
            # The server notices the end of a session when it comes to it; whoever begins at once would be refused.
            with suppress(SQLAlchemyError):
                _say(connection, "pg_advisory_unlock_all()")


def _say(connection: Connection, function: str, **values: int) -> None:
    connection.execute(sa.text(f"SELECT {function}"), values).all()


def _tried(connection: Connection, function: str, **values: int) -> bool:
    return bool(connection.scalar(sa.text(f"SELECT {function}"), values))


def _who(connection: Connection) -> str:
    row = connection.execute(_HOLDER, {"key": _DATABASE}).first()
    if (
        row is None or not row.application_name
    ):  # it ended meanwhile; or this role may not look at others' sessions
        return ""
    who, since = plain(row.application_name.removeprefix("fleetkeep: ")), row.backend_start.astimezone(UTC)
    return f": {who}, since {since:%Y-%m-%dT%H:%M:%SZ}"


# A host that lost its power says no goodbye: the server asks after ten silent seconds, four times, five seconds apart.
_SETTINGS = sa.text("""
    SELECT set_config('application_name', :name, false), set_config('tcp_keepalives_idle', '10', false),
           set_config('tcp_keepalives_interval', '5', false), set_config('tcp_keepalives_count', '4', false)
""")
_HOLDER = sa.text("""
    SELECT activity.application_name, activity.backend_start
    FROM pg_locks JOIN pg_stat_activity AS activity USING (pid)
    WHERE locktype = 'advisory' AND granted AND objsubid = 1 AND pg_locks.database = activity.datid
      AND (classid::bigint << 32) + objid::bigint = :key AND activity.datname = current_database()
""")
_held = sa.table(
    "pg_locks", *map(sa.column, ("locktype", "granted", "database", "classid", "objid", "objsubid"))
)
_OTHER_RUN = (
    sa.select(t.shared_run.c.name)
    .join(_held, sa.cast(_held.c.objid, sa.BigInteger) == t.shared_run.c.id)
    .where(
        _held.c.locktype == "advisory",
        _held.c.granted,
        sa.cast(_held.c.classid, sa.BigInteger) == sa.bindparam("kind", type_=sa.BigInteger),
        _held.c.objsubid == 2,  # noqa: PLR2004 - a lock that is two numbers
        _held.c.database
        == sa.text("(SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())"),
        t.shared_run.c.id != sa.bindparam("run"),
    )
    .limit(1)
)
_TAKE = sa.text("""
    SELECT name FROM unnest(CAST(:names AS text[]), CAST(:keys AS bigint[])) AS source (name, key)
    WHERE pg_try_advisory_lock(key)
""")
_GIVE_BACK = sa.text("SELECT pg_advisory_unlock(key) FROM unnest(CAST(:keys AS bigint[])) AS source (key)")
