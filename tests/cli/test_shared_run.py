"""A run that several processes share in one PostgreSQL database, by the real command on real sockets."""

from __future__ import annotations

import json
import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from fleet.nightly.share import Shard
from fleet.store import tables as t
from tests.command import Office, jamf_source
from tests.servers.jamf import JamfServer

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from tests.databases import Cluster

SITES = ("berlin", "bonn", "essen", "hamburg", "koeln", "ulm")
FIRST = [name for name in SITES if Shard(1, 2).of(name) == 1]
SECOND = [name for name in SITES if name not in FIRST]


@pytest.fixture
def office(tmp_path: Path, postgresql: Cluster) -> Office:
    """A folder whose settings name an empty PostgreSQL database."""
    return Office(tmp_path, url=postgresql.ready())


def exported(office: Office, name: str, devices: int = 2) -> str:
    """A source that is a CSV file with so many phones, whose backup is off."""
    rows = [f"{name}{number},iOS,false" for number in range(devices)]
    (office.folder / f"{name}.csv").write_text("\n".join(["serial,system,backup", *rows]), "utf-8")
    columns = 'serial = "serial", platform = "system", backup_enabled = "backup"'
    return f'[[source]]\nname = "{name}"\nkind = "file"\npath = "{name}.csv"\ncolumns = {{ {columns} }}\n'


def configure(office: Office, *more: str) -> None:
    office.configure(*(exported(office, name) for name in SITES), *more)


def runs(office: Office) -> int:
    """How often the fleet was evaluated."""
    engine = sa.create_engine(office.url, poolclass=sa.NullPool)
    with engine.connect() as connection:
        return connection.scalar(sa.select(sa.func.count()).select_from(t.run)) or 0


def reports(office: Office) -> list[str]:
    """The reports of nights."""
    return [path.name for path in office.reports.glob("*T*")]


def test_two_shards_make_one_report(office: Office) -> None:
    """Each reads its share; the last one reports the whole, once; whoever comes later finds it done."""
    configure(office)
    first = office("run", "--name", "monday", "--shard", "1/2")
    assert first.code == 0, first.err
    read = {line.partition(":")[0] for line in first.out.splitlines() if ": complete" in line}
    assert read == set(FIRST)
    assert f"{len(SECOND)} of 6 sources still to be read ({', '.join(SECOND)})" in first.out
    assert runs(office) == 0
    assert not reports(office)
    second = office("run", "--name", "monday", "--shard", "2/2")
    assert second.code == 0, second.err
    assert "report: " in second.out
    assert office.report()["totals"]["devices"] == 12
    assert {source["name"] for source in office.report()["sources"]} == set(SITES)
    again = office("run", "--name", "monday")
    assert (again.code, again.out) == (0, 'the shared run "monday" is over, and reported\n')
    assert (runs(office), len(reports(office))) == (1, 1)


def test_both_at_once(office: Office) -> None:
    """Two processes at the same time make one report, whichever of them ends last."""
    configure(office)
    processes = [office.begun("run", "--name", "monday", "--shard", f"{number}/2") for number in (1, 2)]
    for ended in [process.wait() for process in processes]:
        assert ended.code == 0, ended.err
    assert office.report()["totals"]["devices"] == 12
    assert (runs(office), len(reports(office))) == (1, 1)


@contextmanager
def stuck_once(devices: int) -> Generator[tuple[JamfServer, threading.Event]]:
    """A server that never answers whoever asks for the first page first; the event says that somebody did."""
    asked, over = threading.Event(), threading.Event()

    def hold(rows: list[bytes]) -> bytes:
        if not asked.is_set():
            asked.set()
            over.wait(60)
        return b"[" + b",".join(rows) + b"]"

    with JamfServer(devices=devices, page_hook=hold) as server:
        try:
            yield server, asked
        finally:
            over.set()


def test_one_of_two_is_killed(office: Office) -> None:
    """What a process was reading when it died, and what it had not come to, is read by the other one, which reports."""
    with stuck_once(devices=5) as (server, asked):
        number = Shard(1, 2).of("hq")
        configure(office, jamf_source(server, "hq"))
        victim = office.started("run", "--name", "monday", "--shard", f"{number}/2")
        assert asked.wait(60)
        other = office.started("run", "--name", "monday", "--shard", f"{3 - number}/2")
        assert other.stdout is not None
        assert ": complete" in other.stdout.readline()  # it is at work; the other one still lives
        victim.send_signal(signal.SIGKILL)
        victim.communicate(timeout=60)
        said, complaints = other.communicate(timeout=120)
    assert other.returncode == 0, complaints
    assert "report: " in said
    assert office.report()["run"]["outcome"] == "complete"
    assert office.report()["totals"]["devices"] == 17
    assert "is read anew" in complaints
    assert (runs(office), len(reports(office))) == (1, 1)


def test_a_shard_that_never_came(office: Office) -> None:
    """A process of the same name and no shard reads what is missing, and reports."""
    configure(office)
    assert office("run", "--name", "monday", "--shard", "2/2").code == 0
    ended = office("run", "--name", "monday")
    assert ended.code == 0
    read = {line.partition(":")[0] for line in ended.out.splitlines() if ": complete" in line}
    assert read == set(FIRST)
    assert office.report()["totals"]["devices"] == 12


def test_a_machine_that_is_down(office: Office) -> None:
    """Who is told to wait for the other shards reads theirs when the time is over, and reports."""
    configure(office)
    ended = office("run", "--name", "monday", "--shard", "1/2", "--wait", "0.005")
    assert ended.code == 0, ended.err
    assert office.report()["totals"]["devices"] == 12
    late = office("run", "--name", "monday", "--shard", "2/2")
    assert (late.code, runs(office), len(reports(office))) == (0, 1, 1)


def test_what_one_cannot_reach(office: Office) -> None:
    """A process that names the sources it can reach reads no others; a failed source fails nobody else's share."""
    configure(office, exported(office, "lab"))
    (office.folder / "lab.csv").unlink()
    away = office("run", "--name", "monday", "--source", "lab")
    assert away.code == 3
    ended = office("run", "--name", "monday", *(word for name in SITES for word in ("--source", name)))
    assert ended.code == 3
    assert {one["name"]: one["outcome"] for one in office.report()["sources"]}["lab"] == "failed"


def test_a_report_that_cannot_be_written_is_written_by_the_next_one(office: Office) -> None:
    """Whoever dies between evaluating and reporting leaves the report to others, and every ticket is in it."""
    configure(office)
    office.reports.write_text("in the way", "utf-8")
    assert office("run", "--name", "monday").code == 7
    office.reports.unlink()
    ended = office("run", "--name", "monday")
    assert ended.code == 0, ended.err
    actions = {one["action"] for device in office.report()["devices"] for one in device["findings"]}
    assert actions == {"create"}
    assert (runs(office), len(reports(office))) == (1, 1)
    assert json.loads((office.reports / "last_run.json").read_text("utf-8"))["exit_code"] == 0


def test_a_night_has_a_name_without_one(office: Office) -> None:
    """`--shard` alone joins the run that is named after its day."""
    configure(office)
    assert office("run", "--shard", "1/2", "--as-of", "2026-11-22T02:00:00Z").code == 0
    ended = office("run", "--name", "2026-11-22", "--shard", "2/2")
    assert ended.code == 0
    assert office.report()["as_of"] == "2026-11-22T02:00:00Z"


REFUSED = {
    "--shard 0/2": '--shard "0/2" is no share; the second of four is 2/4',
    "--shard 3/2": '--shard "3/2" is no share',
    "--shard half": '--shard "half" is no share',
    "--name a/b": '--name "a/b" cannot be the name of a run',
    "--name monday --as-of 2026-11-23T02:00:00Z": 'the shared run "monday" is as of 2026-11-22',
}


def test_what_is_refused(office: Office) -> None:
    """A wrong share, name or time is told in one line, and nothing is read; so are settings with other sources."""
    configure(office)
    office("run", "--name", "monday", "--shard", "1/2", "--as-of", "2026-11-22T02:00:00Z")
    for options, said in REFUSED.items():
        ended = office("run", *options.split())
        assert (ended.code, ended.out) == (2, "")
        assert said in ended.err
    configure(office, exported(office, "lab"))
    ended = office("run", "--name", "monday", "--shard", "2/2")
    assert ended.code == 2
    assert "was begun with other sources than those of this settings file" in ended.err


def test_sqlite_is_not_shared(tmp_path: Path) -> None:
    """A file has one process; the line says what it takes to have more."""
    office = Office(tmp_path)
    configure(office)
    ended = office("run", "--shard", "1/2")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.count("\n") == 1
    assert "share a run between processes, and that takes PostgreSQL" in ended.err
    assert not office.database.exists()
