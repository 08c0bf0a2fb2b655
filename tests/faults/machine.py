"""Rows 20 to 28: kills, signals, full disks, locks, clocks, damage, and little to live on."""

from __future__ import annotations

import base64
import gzip
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import threading
import time
from contextlib import ExitStack, closing, contextmanager
from datetime import timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

from tests.command import jamf_source
from tests.databases import Cluster
from tests.faults import kills
from tests.faults.fleets import a_fleet, rows_of_devices
from tests.faults.table import FULL, NEXT, NIGHT, Fault, Scene, Seen, Unavailable
from tests.servers.jamf import EPOCH, JamfServer, jamf_record

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

    from tests.command import Ended, Office
    from tests.servers.loopback import Asked, Reply


ANY_CHANGE = "[policy]\nmass_change_percent = 100\n"
"""The brake against mass changes is not what these rows are about."""


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


def last_run(office: Office) -> dict[str, Any]:
    """How the last run ended, as other programs read it."""
    loaded: dict[str, Any] = json.loads((office.reports / "last_run.json").read_text("utf-8"))
    return loaded


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


@contextmanager
def small_disk(place: Path, megabytes: int) -> Generator[Path]:
    """A disk of that size at `place`."""
    place.mkdir()
    options = ["-t", "tmpfs", "-o", f"size={megabytes}m,mode=0700", "tmpfs", str(place)]
    mounted = os.name == "posix" and subprocess.run(["mount", *options], capture_output=True, check=False)
    if not mounted or mounted.returncode:
        raise Unavailable("mounting a small disk takes root")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def fill(disk: Path, *, leave: int) -> Path:
    """A file that leaves so many bytes of the disk free."""
    ballast = disk / "ballast"
    with ballast.open("wb") as file:
        file.write(bytes(max(0, shutil.disk_usage(disk).free - leave)))
    return ballast


def full_disk(scene: Scene) -> Seen:
    """No room for the database, then none for the report, then none for the log."""
    office = scene.office
    with JamfServer(devices=150) as server, small_disk(office.folder / "disk", 16) as disk:
        database = f'{ANY_CHANGE}[database]\nurl = "sqlite:///{disk}/fleetkeep.db"\n'
        office.configure(jamf_source(server))
        text = (office.folder / "fleetkeep.toml").read_text("utf-8").partition("[catalog]")[2]
        settings = office.folder / "fleetkeep.toml"
        settings.write_text(f"{database}[catalog]{text}", "utf-8")
        assert office("run", "--as-of", NIGHT).code == 0
        before = files(office.reports / "latest")
        for record in server.records:
            record["general"]["osVersion"] = "26.4"
        server.forget_encoded()
        ballast = fill(disk, leave=90_000)
        ended = office("run", "--as-of", NEXT)
        assert files(office.reports / "latest") == before
        assert last_run(office)["exit_code"] == 6
        ballast.unlink()
        assert office("db", "check").code == 0
        # The report's turn: the database has room again, its folder has none.
        reports = f'[report]\ndirectory = "{disk}/reports"\n'
        settings.write_text(f"{database}{reports}[catalog]{text}", "utf-8")
        assert office("run", "--as-of", NEXT).code == 0
        before = files(disk / "reports" / "latest")
        ballast = fill(disk, leave=200_000)
        unwritten = office("run", "--as-of", NEXT)
        assert unwritten.code in {6, 7}, unwritten.err
        assert "space" in unwritten.err or "full" in unwritten.err
        assert files(disk / "reports" / "latest") == before
        assert not list((disk / "reports").glob(".unfinished-*"))
        ballast.unlink()
        for leave, arguments in (
            (90_000, ("db", "backup", f"{disk}/copy")),
            (0, ("init", f"{disk}/new.toml")),
        ):
            ballast = fill(disk, leave=leave)
            assert office(*arguments).code == 7
            ballast.unlink()
        assert not list(disk.glob("*copy*"))
        assert not list(disk.glob("*.toml"))
        mute = office.begun("run", "--as-of", NEXT, "-v", says_to="/dev/full").wait()
        assert mute.code == 0, mute.out
        assert office("db", "check").code == 0
    return Seen(
        ended,
        ("database full: exit 6", f"report full: exit {unwritten.code}", "log full: exit 0", "db check: ok"),
    )


def files(folder: Path) -> dict[str, bytes]:
    """All files of a report."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


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


class OtherClock(JamfServer):
    """A server whose clock is a day ahead."""

    def route(self, asked: Asked) -> Reply:
        found = super().route(asked)
        found.headers["Date"] = format_datetime(EPOCH + timedelta(days=1), usegmt=True)
        return found


def clocks(scene: Scene) -> Seen:
    """Our clock in 1970 and in 2036, a server's a day ahead, and dates in every way that vendors write them."""
    office = scene.office
    written = ["2026-03-01T04:30:00", "2026-03-01T04:30:00.1234567Z", "2026-03-05T04:30:00Z"]
    records: list[dict[str, Any]] = [jamf_record(1) | {"mobileDeviceId": str(n)} for n in range(1, 4)]
    for number, (record, date) in enumerate(zip(records, written, strict=True)):
        own = {"serialNumber": f"DATE{number}", "availableSpaceMb": 200_000}
        record["hardware"] = {**record["hardware"], **own}
        dated = {"udid": f"udid-{number}", "lastCloudBackupDate": date, "osVersion": None}
        record["general"] = {**record["general"], **dated}
    with OtherClock(devices=records, token_seconds=60) as server:
        office.configure(jamf_source(server))
        early = office("run", "--as-of", "1970-01-05T02:00:00Z")
        first = statuses(office)
        tonight = office("run", "--as-of", NIGHT)
        second = statuses(office)
        (source,) = office.report()["sources"]
        ended = office("run", "--as-of", "2036-03-02T04:30:00Z")
        third = statuses(office)
    assert (early.code, tonight.code) == (0, 0)
    assert set(first.values()) == {"unknown"}
    assert set(third.values()) == {"at_risk"}  # nothing was heard of them for ten years
    # A date without a zone and one from the future cannot be read; seven digits of a second can.
    assert (second["DATE0"], second["DATE1"], second["DATE2"]) == ("unknown", "protected", "unknown")
    (told,) = (one for one in source["problems"] if "lastCloudBackupDate" in one["message"])
    assert told["count"] == 2
    return Seen(
        ended, ("1970 and 2036: nobody is called protected", "future and naive dates: unreadable, counted")
    )


def lost_server(scene: Scene) -> Seen:
    """PostgreSQL ends our sessions in mid-run, and is then stopped at once in mid-run."""
    office, cluster = scene.office, scene.postgresql()
    with JamfServer(devices=5) as well:
        configure_postgresql(office, cluster.ready(), jamf_source(well))
        assert office("run", "--as-of", NIGHT).code == 0
    before = files(office.reports / "latest")
    ended = [broken_under(office, cluster, fault) for fault in (terminate, Cluster.stop)]
    assert [one.code for one in ended] == [6, 6]
    assert last_run(office)["exit_code"] == 6
    assert files(office.reports / "latest") == before
    cluster.start()
    with JamfServer(devices=5) as well:
        change_source(office, jamf_source(well))
        runs = [office("run", "--as-of", NEXT) for _ in range(2)]
    assert [run.code for run in runs] == [0, 0], runs[0].err
    devices = [(office.reports / name / "devices.csv").read_bytes() for name in (STAMP, f"{STAMP}-2")]
    assert devices[0] == devices[1]
    return Seen(ended[1], ("sessions ended: exit 6", "server stopped: exit 6", "the next two runs: alike"))


STAMP = "2026-03-03T043000Z"


def broken_under(office: Office, cluster: Cluster, fault: Callable[[Cluster], None]) -> Ended:
    """A run to which that happens while it waits for its source."""
    with held(5) as (server, asked):
        change_source(office, jamf_source(server))
        run = office.begun("run", "--as-of", NEXT)
        assert asked.wait(60)
        fault(cluster)
    return run.wait()


def terminate(cluster: Cluster) -> None:
    """End all sessions but our own."""
    others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
    cluster.say(f"{others} AND backend_type = 'client backend'")


def configure_postgresql(office: Office, url: str, source: str) -> None:
    """Settings of an office whose database is PostgreSQL."""
    office.configure(source)
    settings = office.folder / "fleetkeep.toml"
    settings.write_text(settings.read_text("utf-8").replace("sqlite:///fleetkeep.db", url), "utf-8")


def change_source(office: Office, source: str) -> None:
    """Another source in the same settings."""
    settings = office.folder / "fleetkeep.toml"
    settings.write_text(settings.read_text("utf-8").partition("[[source]]")[0] + source, "utf-8")


def statuses(office: Office) -> dict[str, str]:
    """How each device stands."""
    return {device["serial"]: device["status"] for device in office.report()["devices"]}


def damaged(scene: Scene) -> Seen:
    """A database cut in the middle."""
    office = scene.office
    with JamfServer(devices=50) as server:
        office.configure(jamf_source(server))
        assert office("run", "--as-of", NIGHT).code == 0
        whole = office.database.read_bytes()
        office.database.write_bytes(whole[: len(whole) // 2])
        ended = office("run", "--as-of", NEXT)
        assert office.database.read_bytes() == whole[: len(whole) // 2]
        office.database.write_bytes(whole)
        assert office("run", "--as-of", NEXT).code == 0
    return Seen(ended, ("the file is left as it is", "with a copy put back the next run is complete"))


def little(scene: Scene) -> Seen:
    """512 MB of addresses and 64 open files, for many sources at once."""
    office = scene.office
    count = 1_000_000 if FULL else 300
    with ExitStack() as stack:
        fleets = [a_fleet(office, count, f"s{number}") for number in range(1 if FULL else 4)]
        office.configure(*map(stack.enter_context, fleets))
        ended = office.begun("run", "--as-of", NIGHT, limits={"AS": 512 * 2**20, "NOFILE": 64}).wait()
    assert rows_of_devices(office) == count
    return Seen(ended, (f"{count:,} devices", f"peak {ended.peak_kb // 1000} MB"))


def again(scene: Scene) -> Seen:
    """The same answers on three runs of one moment."""
    office = scene.office
    with JamfServer(devices=40) as server:
        office.configure(jamf_source(server))
        runs = [office("run", "--as-of", NIGHT) for _ in range(3)]
        rows = counted(office)
        ended = office("run", "--as-of", NIGHT)
    assert [run.code for run in runs] == [0, 0, 0]
    assert counted(office) == rows
    names = ["2026-03-02T043000Z-3", "2026-03-02T043000Z-4"]
    for name in ("devices.csv", "findings.csv"):
        third, fourth = ((office.reports / run / name).read_bytes() for run in names)
        assert third == fourth
    third, fourth = (office.report(name) for name in names)
    assert third["devices"] == fourth["devices"]
    assert third["totals"] == fourth["totals"]
    assert_alike(*((office.reports / run / "index.html").read_text("utf-8") for run in names))
    return Seen(
        ended,
        (
            "no row of any device or finding changed",
            "CSV byte for byte",
            "the page but for the count of runs",
        ),
    )


def assert_alike(third: str, fourth: str) -> None:
    """Two pages differ in how many runs there were, and in nothing else."""
    pairs = [(a, b) for a, b in zip(third.splitlines(), fourth.splitlines(), strict=True) if a != b]
    trend = ("trend-title", "<polyline", "<tbody><tr><th scope=")
    (fleets,) = [pair for pair in pairs if not any(mark in pair[0] for mark in trend)]
    a, b = (gzip.decompress(base64.b64decode(fleet.partition(">")[2].partition("<")[0])) for fleet in fleets)
    changed = {(x, y) for x, y in zip(a, b, strict=True) if x != y}
    assert changed == {(3, 4)}


def counted(office: Office) -> dict[str, int]:
    """Rows of every table that grows by change alone, and not by nights."""
    with closing(sqlite3.connect(office.database)) as connection:
        names = [
            name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        ]
        ledger = {"run", "run_source", "collection", "reading"}  # each night has its own
        return {
            name: connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]  # noqa: S608 - our names
            for name in names
            if name not in ledger
        }


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
        number=22,
        fault="the disk is full: database, report, log",
        outcome="an exit code, the old report intact, the database consistent",
        code=6,
        says=("fleetkeep.db",),
        drive=full_disk,
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
    Fault(
        number=25,
        fault="clocks: the server's a day off, ours in 1970 and 2036, dates without zone, with 7 digits",
        outcome="nobody protected by mistake, future dates flagged, tokens by the server's clock",
        code=0,
        drive=clocks,
        also=("tests/connectors/test_http.py::test_retry_after_is_kept",),
    ),
    Fault(
        number=26,
        fault="a truncated SQLite file",
        outcome="noticed at the start, refused with what to do, never made anew",
        code=6,
        says=("fleetkeep.db is damaged", "move it aside and restore a copy"),
        drive=damaged,
        also=(
            "tests/store/test_opening.py::test_damaged_file",
            "tests/store/test_opening.py::test_older_is_upgraded",
        ),
    ),
    Fault(
        number=27,
        fault="512 MB of memory, 64 open files",
        outcome="completes",
        code=0,
        drive=little,
    ),
    Fault(
        number=28,
        fault="the same input again",
        outcome="no row changes, the same CSV and page but for the run's stamp",
        code=0,
        drive=again,
    ),
)
