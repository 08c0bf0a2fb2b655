from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from fleet.store import schema
from fleet.store.tables import metadata
from tests.databases import opened

if TYPE_CHECKING:
    from tests.databases import Place


def drift(engine: sa.Engine) -> list[object]:
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True}
        )
        return list(compare_metadata(context, metadata))


def test_one_head() -> None:
    """The revisions are one line, so that every database has one way up."""
    assert ScriptDirectory(str(schema.migrations())).get_heads() == [schema.HEAD]


def test_revisions_make_the_tables(place: Place) -> None:
    """From an empty database the revisions lead to exactly the tables that the program writes to."""
    with opened(place.empty()) as made:
        assert drift(made.engine) == []


def test_down_and_up_again(place: Place) -> None:
    """Every revision can be undone without a trace and done again."""
    with opened(place.ready()) as made:
        command.downgrade(schema.config(made.engine), "base")
        assert sa.inspect(made.engine).get_table_names() == ["alembic_version"]
        command.upgrade(schema.config(made.engine), "head")
        assert drift(made.engine) == []
