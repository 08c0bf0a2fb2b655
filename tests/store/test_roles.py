"""The printed roles, made on a real server: each can do its work, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest
import sqlalchemy as sa
from psycopg.errors import InsufficientPrivilege, ReadOnlySqlTransaction

from fleet.store import tables as t
from fleet.store.database import open_database
from fleet.store.roles import script
from tests.command import Office

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.databases import Cluster

DEMO = '[[source]]\nname = "made-up"\nkind = "demo"\ndevices = 10\n'
ROLES = ("fk_owner", "fk_collector", "fk_reader", "fk_admin")


@pytest.fixture
def offices(tmp_path: Path, postgresql: Cluster) -> Iterator[dict[str, Office]]:
    """By role an office that is connected as that role, in a database whose schema the owner made.

    The script is run by one who owns the database and may create roles, as hosted servers have it, and no superuser.
    """
    url = postgresql.empty()
    postgresql.say("CREATE ROLE fk_admin LOGIN CREATEROLE")
    postgresql.say(f"ALTER DATABASE {sa.engine.make_url(url).database} OWNER TO fk_admin")
    made: dict[str, Office] = {}
    for role in ROLES:
        (tmp_path / role).mkdir()
        made[role] = Office(tmp_path / role, url=url.replace("//fleet@", f"//{role}@"))
        made[role].configure(DEMO)
    for _ in ("before there is a table", "now that there are", "and again"):
        spoken(made["fk_admin"], script("fk"))
        open_database(made["fk_owner"].url).engine.dispose()
    yield made
    postgresql.drop_taken()
    for role in ROLES:
        postgresql.say(f"DROP ROLE {role}")


def spoken(office: Office, statements: str) -> None:
    """Have the server do them all, as `psql` would."""
    with psycopg.connect(office.url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(statements.encode())


def test_each_role_does_its_work(offices: dict[str, Office]) -> None:
    """The collector lives through nights of both kinds and prunes; the reader reports, exports and looks."""
    collector, reader = offices["fk_collector"], offices["fk_reader"]
    for command in (
        ["run"],
        ["run", "--name", "monday"],
        ["db", "prune"],
        ["report", "--redact"],
    ):
        ended = collector(*command)
        assert ended.code == 0, ended.err
    serial = collector.report()["devices"][0]["serial"]
    for command in (
        ["report", "--out", str(reader.reports)],
        ["export", "--profile", "generic"],
        ["device", serial],
        ["status"],
    ):
        ended = reader(*command)
        assert ended.code == 0, ended.err
    for name in ("findings.json", "findings.csv", "index.html"):
        ours, theirs = (office.reports / "latest" / name for office in (reader, collector))
        assert ours.read_bytes() == theirs.read_bytes()


def test_what_a_role_may_not_ends_with_a_line(offices: dict[str, Office]) -> None:
    """No traceback: exit code 6, and what was not allowed; a schema that is missing or old is the owner's to make."""
    assert offices["fk_collector"]("run").code == 0
    for command in (["run"], ["report", "--redact"], ["db", "prune"]):
        ended = offices["fk_reader"](*command)
        assert ended.code == 6
        assert ended.err.count("\n") == 1
        assert "permission denied" in ended.err or "read-only" in ended.err
    spoken(offices["fk_admin"], "DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    spoken(offices["fk_admin"], script("fk"))
    ended = offices["fk_collector"]("run")
    assert ended.code == 6
    assert "`fleetkeep db upgrade` is for the database's owner" in ended.err


def test_the_server_refuses_the_rest(offices: dict[str, Office]) -> None:
    """Nobody but the owner changes a table; the reader writes to none, whatever it sets, and has no key."""
    tables = [*t.metadata.tables, "alembic_version"]
    forbidden = {
        "fk_collector": [
            "CREATE TABLE mine (id int)",
            "UPDATE alembic_version SET version_num = '9999'",
            "DELETE FROM token_key",
            *(f"{verb} {name}" for verb in ("DROP TABLE", "TRUNCATE") for name in tables),
        ],
        "fk_reader": [
            "CREATE TABLE mine (id int)",
            "SELECT key FROM token_key",
            *(f"DELETE FROM {name}" for name in tables),  # noqa: S608 - names of our own
            *(f"INSERT INTO {name} DEFAULT VALUES" for name in tables),
        ],
    }
    for role, statements in forbidden.items():
        with psycopg.connect(offices[role].url.replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute("SET default_transaction_read_only = off")
            for statement in statements:
                with pytest.raises(InsufficientPrivilege):
                    connection.execute(statement.encode())
    with (
        psycopg.connect(offices["fk_reader"].url.replace("+psycopg", "")) as connection,
        pytest.raises(ReadOnlySqlTransaction),
    ):
        connection.execute("CREATE TABLE mine (id int)")


def test_what_the_command_prints(tmp_path: Path) -> None:
    """It takes no settings; a prefix is letters, so that the script needs no quotes."""
    assert Office(tmp_path)("db", "roles", "--prefix", "acme").out == script("acme")
    ended = Office(tmp_path)("db", "roles", "--prefix", 'x"; DROP')
    assert (ended.code, ended.out) == (2, "")
    assert "cannot begin the name of a role" in ended.err
