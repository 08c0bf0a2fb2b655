"""Databases as released versions wrote them, kept as SQL, from which the newest program has to go on.

    python -m tests.store.released

writes those of the newest revision, one for SQLite and one for PostgreSQL, into `released_databases/` beside this file.
It is typed once for each revision, before the version that brings it is released; after that the files stay as they
are for ever, and so does the revision.
"""

from __future__ import annotations

import gzip
import os
import sqlite3
import subprocess
import tempfile
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.engine import make_url

from fleet.model.device import DeviceRecord, Rejected
from fleet.model.fact import ABSENT
from fleet.model.outage import Outage, SystemStatus
from fleet.model.waiver import Waiver
from fleet.store import notifications, schema, waivers
from fleet.store import tables as t
from fleet.store.database import open_database
from tests.databases import running_cluster
from tests.nightly.a_night import Office, a_phone, a_source, ill, night, serial

if TYPE_CHECKING:
    from fleet.nightly.collect import Source
    from fleet.store.database import Database
    from tests.databases import Cluster
    from tests.nightly.a_night import Row

FOLDER = Path(__file__).parent / "released_databases"
MAKE = "python -m tests.store.released"
NIGHTS = 4
"""The last night that was lived through."""


def live(database: Database) -> None:
    """Four nights with something in every table: tickets that stand and that ended, one device of two, a waiver."""
    office = Office(database)
    for at in range(1, NIGHTS + 1):
        if at == NIGHTS:
            waiver = Waiver(
                checks=("*",),
                serials=(serial(7),),
                reason="Kiosk",
                owner="it@school.example",
                expires=night(90).date(),
            )
            waivers.give(database, waiver, at=night(at), by="admin")
        in_force = waivers.in_force(database, night(at))
        office.terms = replace(office.terms, waivers=tuple(in_force))
        office.night(at, *sources(at), accept=True, status=apple(at))
    notifications.note(database, "desk", run_id=NIGHTS, at=night(NIGHTS), tries=1, problem=None)
    with database.engine.begin() as connection:
        connection.execute(t.token_key.insert().values(id=1, key="5f" * 32))
        values = {"name": "2026-03-02", "as_of": night(1), "started_at": night(1), "sources": "0" * 64}
        connection.execute(t.shared_run.insert().values(values))


def sources(at: int) -> list[Source]:
    """What the sources say in the night `at`."""
    hq: list[Row] = [a_phone(1, at), ill(2, at), a_phone(3, at) if at > 1 else ill(3, at), ill(7, at)]
    hq += [a_phone(4, at)] if at < 3 else []
    hq += (
        [Rejected("row 5", "has no serial", native_id="5")]
        if at == 2
        else [a_phone(5, at, name=f"Cart {at}")]
    )
    lab: list[Row] = [ill(6, at, native_id="u", serial=ABSENT)]
    apart: list[DeviceRecord] = [ill(6, at, native_id="s", udid=ABSENT)]
    both: list[Row] = [ill(6, at, native_id="b")] if at > 2 else []
    return [
        a_source(hq),
        a_source(lab, name="lab"),
        a_source(apart, name="apart"),
        a_source(both, name="both"),
    ]


def apple(at: int) -> SystemStatus:
    """What Apple says of its services."""
    outage = Outage(service="iCloud Backup", kind="Outage", began_at=night(2), ended_at=night(3))
    return SystemStatus(checked_at=night(at), outages=(outage,) if at > 1 else ())


def revisions() -> list[str]:
    """Every revision of which there are databases."""
    return sorted({path.name.split(".")[0] for path in FOLDER.glob("*.sql.gz")})


def place_of(revision: str, kind: str) -> Path:
    """The file with a revision's database of that kind, `sqlite` or `postgresql`."""
    return FOLDER / f"{revision}.{kind}.sql.gz"


def restore(revision: str, url: str) -> None:
    """Make the empty database at `url` one that was written at that revision."""
    kind = make_url(url).get_backend_name()
    script = gzip.decompress(place_of(revision, kind).read_bytes()).decode("utf-8")
    if kind == "sqlite":
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
            connection.executescript(script)
        return
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with closing(engine.raw_connection()) as connection, closing(connection.cursor()) as cursor:
        cursor.execute(script)
        connection.commit()


def main() -> None:
    """Write both databases of the newest revision."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "fleetkeep.db")
        lived(f"sqlite:///{path}")
        with closing(sqlite3.connect(path)) as connection:
            keep("sqlite", "\n".join(connection.iterdump()))
    with running_cluster() as cluster:
        url = cluster.empty()
        lived(url)
        keep("postgresql", dumped(cluster, url))


def lived(url: str) -> None:
    """A database that has lived; raises AssertionError where a table is empty."""
    with closing(open_database(url)) as database:
        live(database)
        with database.engine.connect() as connection:
            empty = [
                table.name
                for table in t.metadata.sorted_tables
                if connection.execute(sa.select(table).limit(1)).first() is None
            ]
    assert not empty, f"the story leaves these tables empty: {empty}"


def dumped(cluster: Cluster, url: str) -> str:
    """PostgreSQL's own words for a database, without what only its own programs understand."""
    program = cluster.programs / "pg_dump"
    name = make_url(url).database or ""
    options = ["--inserts", "--no-owner", "--no-privileges", "-h", str(cluster.folder), "-U", "fleet", name]
    user = "nobody" if os.geteuid() == 0 else None
    ended = subprocess.run(
        [program, *options], user=user, cwd=cluster.folder, check=True, capture_output=True, text=True
    )
    unwanted = ("--", "SET ", "SELECT pg_catalog.set_config", "\\")
    return "\n".join(line for line in ended.stdout.splitlines() if line and not line.startswith(unwanted))


def keep(kind: str, script: str) -> None:
    """Write it, the same bytes for the same database."""
    place_of(schema.HEAD, kind).write_bytes(gzip.compress(script.encode("utf-8"), mtime=0))


if __name__ == "__main__":
    main()
