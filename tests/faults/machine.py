"""Rows 22 and 25 to 28: full disks, clocks, damage, little to live on, and the same again."""

from __future__ import annotations

import base64
import gzip
import sqlite3
from contextlib import ExitStack, closing
from datetime import timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

from tests.command import jamf_source
from tests.faults.disks import files, filled, small_disk
from tests.faults.fleets import a_fleet, rows_of_devices
from tests.faults.table import FULL, NEXT, NIGHT, Fault, Scene, Seen, last_run
from tests.servers.jamf import EPOCH, JamfServer, jamf_record

if TYPE_CHECKING:
    from pathlib import Path

    from tests.command import Office
    from tests.servers.loopback import Asked, Reply


ANY_CHANGE = "[policy]\nmass_change_percent = 100\n"
"""The brake against mass changes is not what this is about."""


def full_disk(scene: Scene) -> Seen:
    """No room for the database, then none for the report, for a copy and for settings, then none for the log."""
    office = scene.office
    with JamfServer(devices=150) as server, small_disk(office.folder / "disk", 16) as disk:
        office.url = f"sqlite:///{disk}/fleetkeep.db"
        office.configure(jamf_source(server), head=ANY_CHANGE)
        assert office("run", "--as-of", NIGHT).code == 0
        before = files(office.reports / "latest")
        for record in server.records:
            record["general"]["osVersion"] = "26.4"
        server.forget_encoded()
        with filled(disk, leave=90_000):
            ended = office("run", "--as-of", NEXT)
        assert files(office.reports / "latest") == before
        assert last_run(office)["exit_code"] == 6
        report = no_room_for_the_report(office, disk, jamf_source(server))
        mute = office.begun("run", "--as-of", NEXT, "-v", says_to="/dev/full").wait()
        assert (mute.code, office("db", "check").code) == (0, 0)
    return Seen(
        ended, ("database full: exit 6", f"report full: exit {report}", "log full: exit 0", "db check: ok")
    )


def no_room_for_the_report(office: Office, disk: Path, source: str) -> int:
    """The database has room again, and the folder of the reports has none; the exit code of the run."""
    office.configure(source, head=f'{ANY_CHANGE}[report]\ndirectory = "{disk}/reports"\n')
    assert office("run", "--as-of", NEXT).code == 0
    before = files(disk / "reports" / "latest")
    with filled(disk, leave=200_000):
        ended = office("run", "--as-of", NEXT)
    assert ended.code in {6, 7}, ended.err
    assert "space" in ended.err or "full" in ended.err
    assert files(disk / "reports" / "latest") == before
    assert not list((disk / "reports").glob(".unfinished-*"))
    with filled(disk, leave=90_000):
        assert office("db", "backup", f"{disk}/copy").code == 7
    with filled(disk, leave=0):
        assert office("init", f"{disk}/new.toml").code == 7
    assert not [*disk.glob("*copy*"), *disk.glob("*.toml")]
    return ended.code


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
        # As large as a page is without a setting: of larger ones, fewer fit into memory at once.
        fleets = [a_fleet(office, count, f"s{number}", 500) for number in range(1 if FULL else 4)]
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
        number=22,
        fault="the disk is full: database, report, log",
        outcome="an exit code, the old report intact, the database consistent",
        code=6,
        says=("fleetkeep.db",),
        drive=full_disk,
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
