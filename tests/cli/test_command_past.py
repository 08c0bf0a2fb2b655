"""`device` and `history` through the command: what an admin reads of one device and of past nights."""

from __future__ import annotations

import csv
import json
import shutil
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from fleet.store.retention import prune
from tests.command import Office
from tests.databases import opened

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from tests.command import Json

HEALTHY = {
    "serial": "C39XTEST0001",
    "udid": "00008110-000A1B2C3D4E5F60",
    "name": "Front desk",
    "os_version": "26.3.1",
    "managed": "yes",
    "backup_enabled": "on",
    "last_cloud_backup_at": "2026-03-01T22:00:00Z",
    "inventory_at": "2026-03-01T22:30:00Z",
    "enrolled_at": "2025-01-10T09:00:00Z",
    "enrollment": "device",
}
COLUMNS = list(HEALTHY)
Row = dict[str, str]


def phone(**cells: str) -> Row:
    """A phone that backed up on the evening of the first night, as a table lists it."""
    return HEALTHY | cells


def night(number: int) -> str:
    """The clock of that night."""
    return f"2026-03-{1 + number:02d}T02:00:00Z"


def evening(number: int) -> str:
    """When phones report before that night."""
    return f"2026-03-{number:02d}T22:30:00Z"


def run(office: Office, number: int, **tables: Sequence[Row]) -> None:
    """One night on which the tables say so."""
    sources: list[str] = []
    for name, rows in tables.items():
        path = office.folder / f"{name}.csv"
        with path.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([COLUMNS, *([row[column] for column in COLUMNS] for row in rows)])
        columns = ", ".join(f'{column} = "{column}"' for column in COLUMNS)
        sources.append(
            f'[[source]]\nname = "{name}"\nkind = "file"\npath = "{path}"\ncolumns = {{ {columns} }}\n'
        )
    office.configure(*sources)
    ended = office("run", "--as-of", night(number), "--accept-mass-change")
    assert ended.code == 0, ended.err


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an office after three nights: two sources disagree on a phone, whose backup is switched off."""
    office = Office(tmp_path_factory.mktemp("office"))
    well = phone(serial="C39XTEST0002", udid="", name="Healthy", os_version="27.0.1")
    old = phone(
        serial=" c39x-test 0001", udid="", name="Desk at the front", os_version="17.6", enrolled_at=""
    )
    run(office, 1, hq=[phone(), well], lab=[old])
    off = phone(backup_enabled="off", inventory_at=evening(2))
    run(office, 2, hq=[off, well], lab=[old])
    run(office, 3, hq=[off | {"inventory_at": evening(3)}, well], lab=[old])
    return office.folder


@pytest.fixture
def told(lived: Path, tmp_path: Path) -> Office:
    """That office, for one test alone."""
    shutil.copytree(lived, tmp_path / "office")
    return Office(tmp_path / "office")


def test_sources_that_disagree(told: Office) -> None:
    """Where sources contradict each other both are quoted with the age of what they say, the believed one first."""
    story = told("device", "c39xtest0001")
    assert story.code == 0, story.err
    lines = story.out.splitlines()
    assert lines[0] == "Front desk · C39XTEST0001 · 26.3.1"
    assert lines[1].startswith("at risk, most probably because of backup-disabled")
    assert "Sources disagree" in lines
    assert "  os_version: hq says 26.3.1 3 hours ago, lab says 17.6 2 days ago" in lines
    assert not any(line.startswith(("  serial:", "  inventory_at:")) for line in lines)
    assert "hq, observed 3 hours ago" in lines
    assert "lab, observed 2 days ago" in lines
    assert any(line.endswith("hq       backup_enabled: yes → no") for line in lines)
    assert "    first seen 2026-03-03, open for 1 day; hq reported it 3 hours ago" in lines
    assert "    Apple deletes the last backup in 177 days" in lines


def test_device_as_json(told: Office) -> None:
    """`--json` holds the device as the report has it, beside what each source says and where they disagree."""
    said: Json = json.loads(told("device", "C39XTEST0001", "--json").out)
    (reported,) = (one for one in told.report()["devices"] if one["serial"] == "C39XTEST0001")
    assert said["device"] == reported
    assert (said["schema"], said["as_of"]) == ("fleetkeep.device/1", night(3))
    assert [(one["source"], one["standing"]) for one in said["sightings"]] == [
        ("hq", "read"),
        ("lab", "read"),
    ]
    versions = [(one["source"], one["value"]) for one in said["conflicts"]["os_version"]]
    assert versions == [("hq", "26.3.1"), ("lab", "17.6")]
    assert {one["cause"] for one in said["causes"]} >= {"backup-disabled"}


def test_history_of_a_device(told: Office) -> None:
    """`--history` tells night by night what changed, by which source, and what became of the findings."""
    history = told("device", "C39XTEST0001", "--history")
    assert history.code == 0, history.err
    happened = [" ".join(line.split()) for line in history.out.splitlines() if line.startswith("  2026-03-0")]
    for line in (
        "2026-03-02 02:00 UTC hq lists it from now on",
        "2026-03-02 02:00 UTC lab lists it from now on",
        "2026-03-03 02:00 UTC hq backup_enabled: yes → no",
        "2026-03-03 02:00 UTC finding high · backup-disabled: iCloud Backup is switched off [ticket opened]",
    ):
        assert line in happened
    said: Json = json.loads(told("device", "C39XTEST0001", "--history", "--json").out)
    changes = [(one["at"], one["source"], one["signal"], one["to"]) for one in said["changes"]]
    assert changes == [(night(2), "hq", "backup_enabled", {"value": False})]
    assert len(said["nights"]) == 6
    assert {one["key"] for one in said["findings"] if one["problem"] == "backup"} == {
        finding["key"] for finding in finding_of(told, "C39XTEST0001", "backup")
    }


def finding_of(office: Office, serial: str, problem: str) -> list[Mapping[str, str]]:
    """The device's findings of that problem in the newest report."""
    (device,) = (one for one in office.report()["devices"] if one["serial"] == serial)
    return [finding for finding in device["findings"] if finding["problem"] == problem]


def test_device_on_a_past_night(told: Office) -> None:
    """`--run` shows the device as that run saw it, also its history up to then; a run that did not know it says so."""
    first = told("device", "C39XTEST0001", "--run", "1")
    assert "backup-disabled" not in first.out.partition("Ruled out")[0]
    assert "backup_enabled: yes → no" not in told("device", "C39XTEST0001", "--run", "1", "--history").out
    new = phone(serial="C39XTEST0009", udid="", inventory_at=evening(4))
    run(told, 4, hq=[new], lab=[])
    early = told("device", "C39XTEST0009", "--run", "2")
    assert (early.code, early.out) == (2, "")
    assert "did not know C39XTEST0009 yet: its first night is 2026-03-05 02:00 UTC" in early.err


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        ("C39XTEST00O1", "did you mean C39XTEST0001"),
        ("SC39XTEST0001", "did you mean C39XTEST0001"),
        ("C39XTETS0002", "did you mean C39XTEST0002"),
        ("0002", "did you mean C39XTEST0002?"),
        ("QWERTYUIOP12", "no source that run 3 of 2026-03-04 02:00 UTC judged knows"),
        ("N/A", "stands for no serial number"),
    ],
)
def test_unknown_serial(told: Office, asked: str, answer: str) -> None:
    """A serial that nobody knows exits 2 with one line, which names what may have been meant."""
    ended = told("device", asked)
    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert answer in ended.err


def test_device_that_stands_apart(office: Office) -> None:
    """A device that left the fleet, and a name that plays with the terminal, are told plainly."""
    hostile = phone(name="Bo\u202e\x1b[31m\u2028Desk", backup_enabled="off")
    run(office, 1, hq=[hostile, phone(serial="C39XTEST0002", udid="")])
    story = office("device", "C39XTEST0001")
    assert story.out.isprintable() or all(char.isprintable() or char == "\n" for char in story.out)
    assert "Desk" in story.out
    path = office.folder / "hq.csv"
    path.write_text(
        path.read_text(encoding="utf-8").replace("C39XTEST0001", "C39XTEST0003"), encoding="utf-8"
    )
    path.write_text(
        path.read_text(encoding="utf-8").replace("00008110-000A1B2C3D4E5F60", ""), encoding="utf-8"
    )
    for at in ("2026-03-10T02:00:00Z", "2026-05-20T02:00:00Z", "2026-05-21T02:00:00Z"):
        assert office("run", "--as-of", at).code == 0
    gone = office("device", "C39XTEST0001")
    assert "it left the fleet: no source has listed it since 2026-03-02 02:00 UTC" in gone.out
    assert "lists it no more" in office("device", "C39XTEST0001", "--history").out


def test_fleet_on_a_past_night(told: Office) -> None:
    """`history --on` a day tells totals, findings and devices at risk of that night, in words and as JSON."""
    day = told("history", "--on", "2026-03-02")
    assert day.code == 0, day.err
    assert day.out.startswith("2026-03-02 02:00 UTC, run 1, complete\n2 devices · ")
    assert "backup-disabled" not in day.out
    later = told("history", "--on", "2026-03-03T12:00:00Z")
    assert "Front desk · C39XTEST0001 · 26.3.1\n    high · backup-disabled for 0 days" in later.out
    said: Json = json.loads(told("history", "--on", "2026-03-03", "--json").out)
    report = told.report("2026-03-03T020000Z")
    assert said["totals"] == report["totals"]
    ill = {one["key"]: one["severity"] for one in report["devices"] if one["status"] == "at_risk"}
    assert {one["key"]: one["severity"] for one in said["at_risk"]} == ill
    assert said["run"] == report["run"]["id"]


@pytest.mark.parametrize(
    ("on", "code", "answer"),
    [
        ("2026-03-01", 2, "the first one judged 2026-03-02 02:00 UTC"),
        (
            "2026-04-01",
            0,
            "There was no run on 2026-04-01; this is how the last one before it left the fleet.",
        ),
        ("yesterday", 2, '--on "yesterday" is not a time'),
        ("2026-02-30", 2, '--on "2026-02-30" is not a time'),
    ],
)
def test_nights_without_a_run(told: Office, on: str, code: int, answer: str) -> None:
    """A day before the first run, one without a run, and what is no day at all are each answered in a clear line."""
    ended = told("history", "--on", on)
    assert ended.code == code
    assert answer in (ended.err if code else ended.out)


def test_pruned_nights(told: Office) -> None:
    """Of pruned nights the totals are left; a younger night's report is made again byte for byte."""
    run(told, 20, hq=[phone(backup_enabled="off", inventory_at="2026-03-20T22:30:00Z")], lab=[])
    with opened(f"sqlite:///{told.database}") as database:
        prune(database, before=datetime(2026, 3, 21, tzinfo=UTC))
    day = told("history", "--on", "2026-03-03")
    assert "2 devices" in day.out
    assert "pruned; its totals are all that is left" in day.out
    assert json.loads(told("history", "--on", "2026-03-03", "--json").out)["at_risk"] is None
    history = told("device", "C39XTEST0001", "--history")
    assert "nights before 2026-03-21 were pruned" in history.out
    early = told("device", "C39XTEST0001", "--run", "1")
    assert (early.code, "pruned" in early.err) == (2, True)
    assert told("report", "--run", "4", "--out", "again").code == 0
    first, again = (folder / "2026-03-21T020000Z" for folder in (told.reports, told.folder / "again"))
    assert {path.name: path.read_bytes() for path in again.iterdir()} == {
        path.name: path.read_bytes() for path in first.iterdir()
    }


def test_the_report_of_one_source_alone(told: Office) -> None:
    """It lies in a folder of its own with the devices that the source knows; the whole fleet's report stays."""
    before = (told.reports / "latest" / "manifest.json").read_bytes()
    ended = told("report", "--source", "lab")
    assert ended.code == 0
    place = next((told.reports / "slices").glob("lab-*")) / "latest"
    made: Json = json.loads((place / "findings.json").read_text("utf-8"))
    assert made["devices"]
    assert all("lab" in device["sources"] for device in made["devices"])
    assert (told.reports / "latest" / "manifest.json").read_bytes() == before
    for wrong, said in (
        (("--source", "nobody"), 'no device of source "nobody"'),
        (("--site", "Graz", "--redact"), "give one of --site, --group, --source and --redact"),
    ):
        refused = told("report", *wrong)
        assert refused.code == 2
        assert said in refused.err
