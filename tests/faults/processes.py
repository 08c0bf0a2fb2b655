"""Rows 20, 21, 23 and 24: kills, signals, what several programs want at once, a database server that goes away."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import threading
import time
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from tests.command import jamf_source
from tests.databases import Cluster
from tests.faults import kills
from tests.faults.disks import files, small_disk
from tests.faults.table import NEXT, NIGHT, Fault, Scene, Seen, Unavailable, last_run
from tests.servers.jamf import JamfServer

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from tests.command import Ended, Office


@contextmanager
def held(devices: int = 3) -> Generator[tuple[JamfServer, threading.Event]]:
    """A server that answers no page before the end of the block; the event says that one was asked for."""
    asked, answer = threading.Event(), threading.Event()

    def hold(rows: list[bytes]) -> bytes:
        asked.set()
        answer.wait(60)
        return b"[" + b",".join(rows) + b"]"

    with JamfServer(devices=devices, page_hook=hold) as server:
        try:
            yield server, asked
        finally:
            answer.set()


def killed(scene: Scene) -> Seen:
    """SIGKILL at random moments of a night, each followed by a night that is let live."""
    survived = kills.survive(scene.office, kills.MOMENTS, seed=20)
    return Seen(survived.last, survived.told())


def stopped(scene: Scene) -> Seen:
    """Ctrl-C, then SIGTERM, while a source keeps us waiting."""
    office = scene.office
    with JamfServer(devices=5) as well:
        office.configure(jamf_source(well))
        assert office("run", "--as-of", NIGHT).code == 0
    before = (office.reports / "latest" / "manifest.json").read_bytes()
    for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
        with held() as (server, asked):
            office.configure(jamf_source(server))
            run = office.begun("run", "--as-of", NEXT)
            assert asked.wait(60)
            began = time.monotonic()
            run.send(number)
            ended = run.wait()
            assert time.monotonic() - began < 5
        assert ended.code == code
        assert (last_run(office)["outcome"], last_run(office)["exit_code"]) == ("broken", code)
        assert (office.reports / "latest" / "manifest.json").read_bytes() == before
    with JamfServer(devices=5) as well:
        office.configure(jamf_source(well))
        assert office("run", "--as-of", NEXT).code == 0
    return Seen(ended, ("130 and 143, each at once", "last_run.json says so", "the next run is complete"))


def shut_places(scene: Scene) -> Seen:
    """A report directory that cannot be written, a database that another program holds for a while, a second run."""
    office = scene.office
    with JamfServer(devices=5) as server:
        office.configure(jamf_source(server))
        assert office("run", "--as-of", NIGHT).code == 0
        unwritable = read_only(office, server)
        with closing(sqlite3.connect(office.database)) as other:
            other.execute("BEGIN EXCLUSIVE")
            run = office.begun("run", "--as-of", NEXT)
            time.sleep(1)
            other.rollback()
            assert run.wait().code == 0
    with held() as (server, asked):
        office.configure(jamf_source(server))
        first = office.begun("run", "--as-of", NEXT)
        assert asked.wait(60)
        ended = office("run", "--as-of", NEXT)
        assert f"process {first.pid} on this machine, since 20" in ended.err
        first.send(signal.SIGKILL)
        first.wait()
    assert office("db", "check").code == 0
    return Seen(
        ended, (unwritable, "waits for a database that is locked for a second", "the second run: exit 5")
    )


def read_only(office: Office, server: JamfServer) -> str:
    """A run into a directory where nothing may be written, where the machine lets us make one."""
    place = office.folder / "sealed"
    try:
        with small_disk(place, 1):
            subprocess.run(["mount", "-o", "remount,ro", str(place)], check=True)
            office.configure(jamf_source(server), head='[report]\ndirectory = "sealed/reports"')
            ended = office("run", "--as-of", NIGHT)
    except Unavailable:
        place.chmod(0o500)
        office.configure(jamf_source(server), head='[report]\ndirectory = "sealed/reports"')
        ended = office("run", "--as-of", NIGHT)
    assert ended.code == 7
    assert "this user may not write there; grant it" in ended.err
    office.configure(jamf_source(server))
    return "a read-only directory: exit 7"


def lost_server(scene: Scene) -> Seen:
    """PostgreSQL ends our sessions in mid-run, and is then stopped at once in mid-run."""
    office, cluster = scene.office, scene.postgresql()
    with JamfServer(devices=5) as well:
        office.url = cluster.ready()
        office.configure(jamf_source(well))
        assert office("run", "--as-of", NIGHT).code == 0
    before = files(office.reports / "latest")
    ended = [broken_under(office, cluster, fault) for fault in (terminate, Cluster.stop)]
    assert [one.code for one in ended] == [6, 6]
    assert last_run(office)["exit_code"] == 6
    assert files(office.reports / "latest") == before
    cluster.start()
    with JamfServer(devices=5) as well:
        office.configure(jamf_source(well))
        runs = [office("run", "--as-of", NEXT) for _ in range(2)]
    assert [run.code for run in runs] == [0, 0], runs[0].err
    devices = [(office.reports / name / "devices.csv").read_bytes() for name in (STAMP, f"{STAMP}-2")]
    assert devices[0] == devices[1]
    return Seen(ended[1], ("sessions ended: exit 6", "server stopped: exit 6", "the next two runs: alike"))


STAMP = "2026-03-03T043000Z"


def broken_under(office: Office, cluster: Cluster, fault: Callable[[Cluster], None]) -> Ended:
    """A run to which that happens while it waits for its source."""
    with held(5) as (server, asked):
        office.configure(jamf_source(server))
        run = office.begun("run", "--as-of", NEXT)
        assert asked.wait(60)
        fault(cluster)
    return run.wait()


def terminate(cluster: Cluster) -> None:
    """End all sessions but our own."""
    others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
    cluster.say(f"{others} AND backend_type = 'client backend'")


ROWS = (
    Fault(
        number=20,
        fault="kill -9 at random moments",
        outcome="database whole, the last report whole, the next run like an undisturbed one",
        code=0,
        drive=killed,
        also=("tests/store/test_unfinished.py::test_killed_run_leaves_no_trace",),
    ),
    Fault(
        number=21,
        fault="SIGTERM, Ctrl-C",
        outcome="ends within 5 s with 143 or 130, and can be run again",
        code=143,
        says=("terminated; nothing half-done will be believed",),
        drive=stopped,
    ),
    Fault(
        number=23,
        fault="a read-only report directory, a locked database, a second run",
        outcome="waits its time, then a clear error; the second run refuses",
        code=5,
        says=("another run holds", "wait for it to end"),
        drive=shut_places,
        also=("tests/store/test_lock.py::test_killed_holder_does_not_block",),
    ),
    Fault(
        number=24,
        fault="PostgreSQL ends our sessions, or is stopped, in mid-run",
        outcome="the transaction is lost as a whole, a clean end; the next run is as if nothing had been",
        code=6,
        says=("cannot use the database postgresql+psycopg://",),
        drive=lost_server,
        also=("tests/store/test_lock.py::test_killed_holder_does_not_block",),
    ),
)
