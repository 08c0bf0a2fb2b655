"""The schema's age and its upgrade, by alembic, without a configuration file.

Alembic is imported only where a schema has to be made or changed: every other start is spared it.
"""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy import event

import fleet

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy.engine import Connection, Engine

HEAD = "0001"
"""The newest revision; a test compares it with the folder."""


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
    from alembic.config import Config  # noqa: PLC0415 - see above

    made = Config()
    made.set_main_option("script_location", str(migrations()))
    made.set_main_option("path_separator", "os")
    made.attributes["engine"] = engine
    return made


def revision(engine: Engine) -> str | None:
    """The revision that the database is at; None for one without any."""
    with engine.connect() as connection:
        if not sa.inspect(connection).has_table("alembic_version"):
            return None
        return connection.scalar(sa.text("SELECT version_num FROM alembic_version"))


def state(engine: Engine) -> State:
    """How the database's schema stands to this program's."""
    at = revision(engine)
    if at == HEAD:
        return State.CURRENT
    if at is None:
        foreign = set(sa.inspect(engine).get_table_names()) - {"alembic_version"}
        return State.FOREIGN if foreign else State.EMPTY
    return State.OLDER if _is_known(at) else State.NEWER


def _is_known(at: str) -> bool:
    from alembic.script import ScriptDirectory  # noqa: PLC0415 - see above
    from alembic.util import CommandError  # noqa: PLC0415

    try:
        ScriptDirectory(str(migrations())).get_revision(at)
    except CommandError:
        return False
    return True


def upgrade(engine: Engine) -> None:
    """Bring the schema to the program's own, as one transaction: broken off, it leaves all as it was."""
    from alembic import command  # noqa: PLC0415 - see above

    event.listen(engine, "begin", _begin)
    try:
        command.upgrade(config(engine), "head")
    finally:
        event.remove(engine, "begin", _begin)


def _begin(connection: Connection) -> None:
    # Python's SQLite driver begins a transaction for rows, but none for what changes the schema.
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")
