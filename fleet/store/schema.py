"""The schema's age and its upgrade, by alembic, without a configuration file."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import event

import fleet

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection, Engine


class State(Enum):
    """How a database's schema stands to this program's."""

    EMPTY = "empty"
    CURRENT = "current"
    OLDER = "older"
    NEWER = "newer"
    FOREIGN = "foreign"


def migrations() -> Path:
    """The folder of revisions: inside the package when installed, beside it in a checkout."""
    package = Path(fleet.__file__).parent
    shipped = package / "_migrations"
    return shipped if shipped.is_dir() else package.parent / "migrations"


def config(engine: Engine) -> Config:
    """Alembic's configuration for `engine`."""
    made = Config()
    made.set_main_option("script_location", str(migrations()))
    made.set_main_option("path_separator", "os")
    made.attributes["engine"] = engine
    return made


def head() -> str:
    """The newest revision that this program knows."""
    script = ScriptDirectory(str(migrations()))
    return script.get_current_head() or ""


def revision(engine: Engine) -> str | None:
    """The revision that the database is at; None for one without any."""
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def state(engine: Engine) -> State:
    """How the database's schema stands to this program's."""
    at = revision(engine)
    if at is None:
        return State.FOREIGN if sa.inspect(engine).get_table_names() else State.EMPTY
    if at == head():
        return State.CURRENT
    try:
        ScriptDirectory(str(migrations())).get_revision(at)
    except CommandError:
        return State.NEWER
    return State.OLDER


def upgrade(engine: Engine) -> None:
    """Bring the schema to the program's own, as one transaction: broken off, it leaves all as it was."""
    event.listen(engine, "begin", _begin)
    try:
        command.upgrade(config(engine), "head")
    finally:
        event.remove(engine, "begin", _begin)


def _begin(connection: Connection) -> None:
    # Python's SQLite driver begins a transaction for rows, but none for what changes the schema.
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")
