from __future__ import annotations

import os
import shutil
import sqlite3
import sys
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import pytest
import sqlalchemy as sa

import fleet as package
from fleet.errors import StoreError
from fleet.store import schema
from fleet.store.database import copy_sqlite, damage, open_database
from fleet.store.lock import lock
from tests.databases import opened
from tests.fleet_of import NOW
from tests.store.keeping import a_phone, collect, fleet, records

if TYPE_CHECKING:
    from fleet.store.database import Database
    from tests.databases import Place, SqliteFolder

LaterProgram: TypeAlias = Callable[..., AbstractContextManager[None]]
LATER = """
from alembic import op
import sqlalchemy as sa
revision = "later"
down_revision = "{head}"
branch_labels = depends_on = None
def upgrade():
    op.add_column("device", sa.Column("colour", sa.String(9)))
    {end}
def downgrade():
    op.drop_column("device", "colour")
"""


def run(engine: sa.Engine, *statements: str) -> None:
    with engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


def file_of(url: str) -> Path:
    return Path(url.removeprefix("sqlite:///"))


def test_made_on_first_opening(place: Place) -> None:
    """A database that is not there, or empty, gets our schema, and no copy is made of nothing."""
    url = place.empty()
    for _ in ("first", "second"):
        with opened(url) as made:
            assert made.upgraded_from is None
            assert schema.state(made.engine) is schema.State.CURRENT
            assert damage(made) == []


def test_private_file(sqlite: SqliteFolder) -> None:
    """A new SQLite file, its lock and a copy of it can be read by their owner alone."""
    old = os.umask(0)
    try:
        with opened(sqlite.empty()) as made, lock(made, NOW):
            assert made.path is not None
            copy_sqlite(made.path, made.path.with_suffix(".copy"))
            modes = {path.name: path.stat().st_mode & 0o777 for path in made.path.parent.glob("fleet-0*")}
    finally:
        os.umask(old)
    assert set(modes.values()) == {0o600}
    assert {"fleet-0.db", "fleet-0.db.lock", "fleet-0.copy"} <= modes.keys()


def test_newer_is_refused(place: Place) -> None:
    """A database that a later program wrote is refused with what to do, and stays as it is."""
    url = place.ready()
    with opened(url) as made:
        run(made.engine, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreError, match="newer fleetkeep; upgrade this program"):
        open_database(url)
    with opened_raw(url) as engine:
        assert schema.revision(engine) == "9999"


def test_foreign_tables_are_refused(place: Place) -> None:
    """A database that holds somebody else's tables is refused, and none of ours are added."""
    url = place.empty()
    with opened_raw(url) as engine:
        run(engine, "CREATE TABLE invoices (number INTEGER)")
    with pytest.raises(StoreError, match="not fleetkeep's; name another database"):
        open_database(url)
    with opened_raw(url) as engine:
        assert sa.inspect(engine).get_table_names() == ["invoices"]


@contextmanager
def opened_raw(url: str) -> Generator[sa.Engine]:
    """An engine without our opening."""
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    yield engine
    engine.dispose()


@pytest.fixture
def later_program(tmp_path: Path) -> LaterProgram:
    """Within the block the program knows one revision more, which may break off at its end."""

    @contextmanager
    def later(*, broken: bool = False) -> Generator[None]:
        here = tmp_path / ("broken" if broken else "later")
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(schema.migrations(), here / "_migrations", ignore=ignored)
        revision = LATER.format(head=schema.HEAD, end="raise OSError('the disk is full')" if broken else "")
        (here / "_migrations" / "versions" / "later.py").write_text(revision)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(package, "__file__", str(here / "__init__.py"))
            patch.setattr(schema, "HEAD", "later")
            yield

    return later


def test_older_is_upgraded(place: Place, later_program: LaterProgram) -> None:
    """An older database is brought up to date with all that it holds, a file after a copy of it was made."""
    url, head = place.ready(), schema.HEAD
    with opened(url) as made:
        collect(made, [a_phone(1)])
    with later_program(), opened(url) as made:
        assert schema.revision(made.engine) == "later"
        assert records(fleet(made)) == {"1": a_phone(1)}
        assert (made.upgraded_from is None) == (made.path is None)
        if made.upgraded_from:
            assert made.upgraded_from.name.endswith(f".before-upgrade-from-{head}")
            assert made.upgraded_from.stat().st_mode & 0o777 == 0o600
            with opened_raw(f"sqlite:///{made.upgraded_from}") as engine:
                assert schema.revision(engine) == head


def test_older_may_be_refused(place: Place, later_program: LaterProgram) -> None:
    """Who only wants to look is told how to upgrade, and nothing is upgraded."""
    url, head = place.ready(), schema.HEAD
    with later_program(), pytest.raises(StoreError, match="fleetkeep db upgrade"):
        open_database(url, upgrade=False)
    with opened_raw(url) as engine:
        assert schema.revision(engine) == head


@pytest.mark.parametrize("older", [True, False])
def test_broken_off_upgrade(place: Place, later_program: LaterProgram, *, older: bool) -> None:
    """An upgrade, or a first opening, that breaks off leaves the database as it was, fit to be opened again."""
    url = place.ready() if older else place.empty()
    if older:
        with opened(url) as made:
            collect(made, [a_phone(1)])
    before = tables(url)
    with later_program(broken=True), pytest.raises(StoreError, match="the disk is full"):
        open_database(url)
    assert tables(url) == before
    with opened(url) as made:
        assert not older or records(fleet(made)) == {"1": a_phone(1)}


def tables(url: str) -> dict[str, set[str]]:
    """The columns of each table."""
    with opened_raw(url) as engine:
        look = sa.inspect(engine)
        return {
            name: {column["name"] for column in look.get_columns(name)} for name in look.get_table_names()
        }


def garbled(data: bytes) -> bytes:
    return b"\0" * 100 + data[100:]


def halved(data: bytes) -> bytes:
    return data[: len(data) // 2]


def cut_short(data: bytes) -> bytes:
    return data[:-5000]


def text(_: bytes) -> bytes:
    return b"serial,name\r\n" * 100


@pytest.mark.parametrize("harm", [garbled, halved, cut_short, text])
def test_damaged_file(sqlite: SqliteFolder, harm: Callable[[bytes], bytes]) -> None:
    """A damaged file, or one that is no database, gives one line that names it and the remedy, and stays untouched."""
    url = sqlite.ready()
    path = file_of(url)
    content = harm(path.read_bytes())
    path.write_bytes(content)
    with pytest.raises(StoreError) as refused:
        open_database(url)
    said = str(refused.value)
    assert said.startswith(f"{path} is damaged")
    assert "restore a copy" in said
    assert "\n" not in said
    assert path.read_bytes() == content


def test_hidden_damage(sqlite: SqliteFolder) -> None:
    """Damage that opening cannot see is found by asking, and is one clear error when a run comes across it."""
    url = sqlite.ready()
    with opened(url) as made:
        collect(made, [a_phone(number) for number in range(400)])
    path = file_of(url)
    data = bytearray(path.read_bytes())
    half = len(data) // 2 // 4096 * 4096
    data[half : half + 40 * 4096] = b"\xff" * (40 * 4096)
    path.write_bytes(data)
    with opened(url) as made:
        assert damage(made)
        with pytest.raises(StoreError, match=r"is damaged .* restore a copy"), lock(made, NOW):
            fleet(made)


def test_orphans_are_damage(sqlite_database: Database) -> None:
    """A row that refers to a missing one is said to."""
    run(
        sqlite_database.engine,
        "INSERT INTO source (id, name, kind) VALUES (1, 'hq', 'x')",
        "INSERT INTO device (id, key) VALUES (1, 'k')",
        "INSERT INTO source_device (source_id, native_id, device_id) VALUES (1, 'n', 1)",
    )
    assert damage(sqlite_database) == []
    with sqlite3.connect(str(sqlite_database.path)) as other:
        other.execute("DELETE FROM device")
    other.close()
    assert damage(sqlite_database) == ["source_device refers to a missing device"]


@pytest.mark.parametrize(
    ("where", "remedy"),
    [
        ("nowhere/fleet.db", "nowhere for the database does not exist; create it"),
        ("a-folder", "a-folder .*: that is a folder; name a file"),
        # No user may make a file there, not even root.
        ("/sys/fleet.db", r"/sys/fleet.db \(Permission denied\): .* run as the user it belongs to"),
    ],
)
@pytest.mark.skipif(sys.platform != "linux", reason="takes a folder that is shut even for root")
def test_unusable_path(tmp_path: Path, where: str, remedy: str) -> None:
    """A missing folder, a folder in the file's place, or one that is shut is said by name, with what to do."""
    (tmp_path / "a-folder").mkdir()
    with pytest.raises(StoreError, match=remedy):
        open_database(f"sqlite:///{tmp_path / where}")


def test_postgresql_without_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the driver the line says what to install, and no password."""
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(StoreError, match=r'pip install "fleetkeep\[postgres\]"') as refused:
        open_database("postgresql+psycopg://fleet@localhost/fleet", password="hush-hush")
    assert "hush" not in str(refused.value)


def test_unreachable_server(tmp_path: Path) -> None:
    """A server that is not there is one line without the password."""
    with pytest.raises(StoreError) as refused:
        open_database(f"postgresql+psycopg://fleet@/fleet?host={tmp_path}", password="hush-hush")
    assert "hush" not in str(refused.value)
    assert "\n" not in str(refused.value)
    assert "cannot use the database postgresql+psycopg://" in str(refused.value)


def test_consistent_copy(sqlite: SqliteFolder) -> None:
    """A copy made while a run is writing holds what was finished by then, and opens by itself."""
    with opened(sqlite.ready()) as made:
        collect(made, [a_phone(1)])
        assert made.path is not None
        copy = made.path.with_name("copy.db")
        with made.engine.begin() as writing:
            writing.exec_driver_sql("DELETE FROM reading")
            copy_sqlite(made.path, copy)
    with opened(f"sqlite:///{copy}") as copied:
        assert records(fleet(copied)) == {"1": a_phone(1)}
