"""Opening a database: its engine, its schema, and a consistent copy of it."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import URL, Engine, make_url
from sqlalchemy.exc import DatabaseError, DBAPIError, InternalError, OperationalError

from fleet.errors import StoreError
from fleet.store import schema

if TYPE_CHECKING:
    from collections.abc import Generator

    from sqlalchemy.engine import Connection, ExceptionContext

BUSY_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Database:
    """An open database whose schema is the program's own.

    Attributes:
        path: the file, for SQLite.
        upgraded_from: the copy made before the schema was upgraded, if it was.
    """

    engine: Engine
    path: Path | None
    upgraded_from: Path | None = None

    def close(self) -> None:
        """Let go of it; an SQLite database is then the one file alone, with nothing left in its `-wal` beside it."""
        self.engine.dispose()

    @property
    def place(self) -> str:
        """Where it is, without any password: fit for messages."""
        return str(self.path) if self.path else self.engine.url.render_as_string(hide_password=True)


def open_database(url: str, *, password: str | None = None, upgrade: bool = True) -> Database:
    """The database at `url`, created or upgraded as needed.

    Args:
        url: `sqlite:///…` or `postgresql+psycopg://…`.
        password: given apart, so that no settings file has to hold it.
        upgrade: False to refuse an older schema instead of upgrading it.

    Raises:
        StoreError: it cannot be opened, is damaged, is newer than this program, or is older and may not be upgraded.
    """
    parsed = make_url(url)
    if password is not None:
        parsed = parsed.set(password=password)
    path = _file(parsed)
    try:
        engine = _engine(parsed, path)
        try:
            return _opened(engine, path, upgrade=upgrade)
        except BaseException:
            engine.dispose()
            raise
    except (DBAPIError, sqlite3.Error, OSError) as error:
        raise StoreError(_why(error, path, parsed)) from error


def _opened(engine: Engine, path: Path | None, *, upgrade: bool) -> Database:
    place = str(path) if path else engine.url.render_as_string(hide_password=True)
    state = schema.state(engine)
    if state is schema.State.NEWER:
        raise StoreError(
            f"{place} was written by a newer fleetkeep; upgrade this program, or name another database"
        )
    if state is schema.State.FOREIGN:
        raise StoreError(
            f"{place} holds tables that are not fleetkeep's; name another database in [database] url"
        )
    copy = None
    if state is not schema.State.CURRENT:
        if state is schema.State.OLDER and not upgrade:
            raise StoreError(f"{place} was written by an older fleetkeep; run `fleetkeep db upgrade`")
        if state is schema.State.OLDER and path:
            copy = path.with_name(f"{path.name}.before-upgrade-from-{schema.revision(engine)}")
            copy_sqlite(path, copy)
        schema.upgrade(engine)
    return Database(engine, path, copy)


def _file(url: URL) -> Path | None:
    return Path(url.database) if url.get_backend_name() == "sqlite" and url.database else None


def _engine(url: URL, path: Path | None) -> Engine:
    engine = _bare_engine(url, path)

    def told(context: ExceptionContext) -> None:
        error = context.sqlalchemy_exception
        if error is not None and (type(error) in _BROKEN or _forbidden(error)):
            raise StoreError(_why(error, path, url)) from error

    event.listen(engine, "handle_error", told)
    return engine


_BROKEN = {DatabaseError, InternalError, OperationalError}
"""What says that the database itself is in trouble, at whatever moment; the others are bugs of ours."""


def _forbidden(error: Exception) -> bool:
    """PostgreSQL's SQLSTATE for what a role may not do."""
    return getattr(getattr(error, "orig", None), "sqlstate", None) == "42501"


def _bare_engine(url: URL, path: Path | None) -> Engine:
    if path is None:
        return _server_engine(url)
    if not path.parent.is_dir():
        raise StoreError(
            f"the folder {path.parent} for the database does not exist; create it, or mend [database] url"
        )
    _private(path)
    engine = sa.create_engine(url, connect_args={"timeout": BUSY_SECONDS})
    event.listen(engine, "connect", _tune)
    return engine


def _server_engine(url: URL) -> Engine:
    try:
        return sa.create_engine(url, pool_pre_ping=True)
    except ImportError as error:
        raise StoreError(
            f"{url.render_as_string(hide_password=True)} needs a package that is not here: "
            'pip install "fleetkeep[postgres]"'
        ) from error


def _private(path: Path) -> None:
    """An SQLite file is made before SQLite makes it, so that it never exists with looser rights than 0600."""
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))


def _tune(connection: Any, _record: object) -> None:  # noqa: ANN401 - a driver's connection
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", _PAGES_KEPT):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


_PAGES_KEPT = "cache_size=-16384"
"""16 MB for each connection's pages, and for each sort before it goes to disk. Measured with 100,000 devices: with four
times as much the same seconds of CPU, and 75 MB more memory."""


def _why(error: Exception, path: Path | None, url: URL) -> str:
    place = str(path) if path else url.render_as_string(hide_password=True)
    system = error.strerror if isinstance(error, OSError) else None
    said = system or str(getattr(error, "orig", None) or error).strip().splitlines()[0]
    if "malformed" in said or "not a database" in said:
        return (
            f"{place} is damaged ({said}); move it aside and restore a copy, or start anew with an empty path"
        )
    if _forbidden(error):
        return (
            f"{place}: {said}; `fleetkeep db upgrade` is for the database's owner, other work for roles of their own: "
            "see `fleetkeep db roles`"
        )
    if path is not None and (system or any(words in said for words in _SHUT)):
        return f"cannot use the database {place} ({said}): {_remedy(path)}"
    if "I/O error" in said and path is not None and _has_no_room(path):
        return f"cannot use the database {place}: its disk has no space left ({said}); free some"
    if "locked" in said:
        return f"{place} was locked by another program for {BUSY_SECONDS} s; close it and try again"
    return f"cannot use the database {place}: {said}"


_SHUT = ("unable to open", "readonly")
"""What SQLite says of a file that the system does not let this user open or change."""


def _remedy(path: Path) -> str:
    if path.is_dir():
        return "that is a folder; name a file in [database] url"
    return "this user has to be able to write it and its folder; grant that, or run as the user it belongs to"


def _has_no_room(path: Path) -> bool:
    try:
        return shutil.disk_usage(path.parent).free < _LEAST_ROOM
    except OSError:
        return False


_LEAST_ROOM = 100_000
"""Bytes below which SQLite cannot even share an index of its log between processes."""


def copy_sqlite(path: Path, copy: Path) -> None:
    """A consistent copy of an SQLite file, taken while others may be reading and writing it; mode 0600.

    Raises:
        OSError: the copy cannot be written; what stood there before is untouched.
        StoreError: the file cannot be read.
    """
    unfinished = copy.with_name(copy.name + ".part")
    unfinished.unlink(missing_ok=True)
    try:
        _private(unfinished)
        with _sqlite(path) as live, _sqlite(unfinished) as target:
            live.backup(target)
        unfinished.replace(copy)
    except sqlite3.Error as error:
        if "full" in str(error):  # only the copy is written to
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(copy)) from error
        raise StoreError(f"cannot copy {path}: {error}") from error
    finally:
        unfinished.unlink(missing_ok=True)


@contextmanager
def _sqlite(path: Path) -> Generator[sqlite3.Connection]:
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS)
    try:
        yield connection
    finally:
        connection.close()


def damage(database: Database) -> list[str]:
    """What the database itself says is wrong with it; empty if nothing."""
    with database.engine.connect() as connection:
        if database.path is None:
            connection.execute(sa.text("SELECT 1"))
            return []
        said = [row[0] for row in connection.execute(sa.text("PRAGMA integrity_check(10)"))]
        if said != ["ok"]:
            return said  # what is torn cannot be asked for more
        orphans = connection.execute(sa.text("PRAGMA foreign_key_check")).all()
        return [f"{row[0]} refers to a missing {row[2]}" for row in orphans[:10]]


@contextmanager
def erasing(database: Database) -> Generator[Connection]:
    """One transaction after which what it took away is in none of SQLite's pages any more, used or free.

    On PostgreSQL the old rows are the server's to clear away; its VACUUM does that in its own time.
    """
    with database.engine.connect() as connection:
        if database.path is None:
            with connection.begin():
                yield connection
            return
        connection.exec_driver_sql("PRAGMA secure_delete=ON")
        connection.commit()
        try:
            with connection.begin():
                yield connection
        finally:
            connection.exec_driver_sql("PRAGMA secure_delete=OFF")
            connection.commit()
        # What the pages held before is in the file until they are written over it.
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").all()


def compact(database: Database) -> None:
    """Let go of the room of what is gone, so that no page keeps a copy of it."""
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM")
        if database.path:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").all()
