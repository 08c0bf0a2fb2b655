"""`waive` and `waivers`: through the real command."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.command import by_serial

if TYPE_CHECKING:
    from tests.command import Office

SOURCE = """
[[source]]
name = "school"
kind = "file"
path = "devices.csv"

[source.columns]
serial = "Serial"
backup_enabled = "Backup"
checkin_at = "Seen"
groups = "Groups"
"""
DEVICES = """\
Serial,Backup,Seen,Groups
C39XTEST0001,no,2026-03-02T03:00:00Z,kiosk
C39XTEST0002,no,2026-03-02T03:00:00Z,staff
C39XTEST0003,yes,2026-03-02T03:00:00Z,staff
"""
WHY = ("--reason", "Kiosk iPads hold no data", "--owner", "it@example.com")


@pytest.fixture
def school(office: Office) -> Office:
    """An office with three devices in an export, two of them without backup."""
    office.configure(SOURCE)
    (office.folder / "devices.csv").write_text(DEVICES, "utf-8")
    return office


def until(days: int = 100) -> str:
    """A day so many days from now, for what the real clock decides."""
    from fleet.cli import compose  # noqa: PLC0415
    from tests.fleet_of import days as so_many  # noqa: PLC0415

    return str((compose.now() + so_many(days)).date())


def test_waiving_and_taking_back(school: Office) -> None:
    """A waiver closes the ticket on the next run, is listed with its use, and reopens it once it is taken back."""
    assert school("run", "--as-of", "2026-03-02T04:00:00Z").code == 0
    given = school("waive", "c39xtest0001", "backup-disabled", "--until", until(), *WHY)
    assert (given.code, given.err) == (0, "")
    assert given.out.startswith("waiver 1: backup-disabled on serial c39xtest0001 until ")
    dead = school("waive", "--group", "nobody", "*", "--until", until(5), *WHY)
    assert dead.out.startswith("waiver 2: every check on group nobody until ")
    assert [line.split()[:2] for line in school("waivers").out.splitlines()[1:]] == [
        ["1", "active"],
        ["2", "expiring"],
    ]
    assert school("run", "--as-of", "2026-03-02T05:00:00Z").code == 0
    first = school.report()
    assert finding(school) == ("waived", "resolve")
    assert first["totals"]["waived"] == 1
    assert [line.split()[:4] for line in school("waivers").out.splitlines()[1:]] == [
        ["1", "active", until(), "1"],
        ["2", "dead", until(5), "0"],
    ]
    assert school("waive", "--revoke", "1").code == 0
    assert school("run", "--as-of", "2026-03-02T06:00:00Z").code == 0
    assert finding(school) == ("reopened", "reopen")
    assert school("report", "--run", str(first["run"]["id"]), "--out", "again", "--format", "json").code == 0
    again = school.folder / "again" / "2026-03-02T050000Z" / "findings.json"
    assert again.read_bytes() == (school.reports / "2026-03-02T050000Z" / "findings.json").read_bytes()
    listed = school("waivers", "--all").out.splitlines()
    assert [line.split()[1] for line in listed[1:]] == ["revoked", "dead"]
    assert "it@example.com" in listed[1]


def finding(office: Office) -> tuple[str, str]:
    """State and action of the kiosk's backup finding."""
    (found,) = by_serial(office.report())["C39XTEST0001"]["findings"]
    return found["state"], found["action"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--until", "2099-01-01"], "--reason is required"),
        (["--reason", "kiosk"], "--until is required"),
        (["--reason", "kiosk", "--until", "soon"], '--until: "soon" is no day'),
        (["--reason", "kiosk", "--until", "2020-01-01"], "--until: 2020-01-01 is past"),
        (["--reason", "kiosk", "--until", "2099-01-01"], "more than two years ahead"),
        (["--reason", "two\nlines", "--until", "2099-01-01"], "--reason should be one line"),
    ],
)
def test_nothing_is_silenced_lightly(school: Office, arguments: list[str], said: str) -> None:
    """Without a reason, or an end within two years, the command refuses in one line that names the option."""
    ended = school("waive", "C39XTEST0001", "backup-disabled", *arguments)
    assert (ended.code, ended.out, len(ended.err.splitlines())) == (2, "", 1)
    assert said in ended.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "CHECK is required"),
        (["backup-disabled"], "SERIAL is required, or one of --site, --group, --model, --source"),
        (["C39XTEST0001", "backup-of"], 'no check "backup-of"; the nearest known is "backup-'),
        (["N/A", "backup-disabled"], 'SERIAL: "N/A" is no serial number'),
        (["--source", "nobody", "backup-disabled"], 'no source "nobody"'),
        (["--site", " ", "backup-disabled"], "--site is required"),
        (["C39XTEST0001", "backup-disabled", "--owner", "a\tb"], "--owner should be one line"),
        (["--revoke", "7"], "--revoke: no waiver 7 is in force"),
    ],
)
def test_what_is_not_there_cannot_be_waived(school: Office, arguments: list[str], said: str) -> None:
    """A check, source, scope or waiver that is not known is named in one line, and nothing is kept."""
    ended = school("waive", *arguments, "--reason", "kiosk", "--until", until())
    assert (ended.code, len(ended.err.splitlines())) == (2, 1)
    assert said in ended.err
    assert school("waivers").out == "no waivers: nothing is accepted\n"


def test_a_serial_that_nobody_knows(school: Office) -> None:
    """A waiver for a device that no source has told of yet is kept, and the likely slip is pointed out."""
    ended = school("waive", "C39XTEST0009", "*", "--until", until(), *WHY)
    assert ended.code == 0
    assert "no source has told of a device with the serial C39XTEST0009 yet" in ended.err


def test_a_waiver_of_the_file_that_never_ends(school: Office) -> None:
    """`doctor` warns of a waiver in the settings whose end is so far that nobody will look at it again."""
    school.configure(
        SOURCE,
        '[[waiver]]\nchecks = ["*"]\ngroups = ["kiosk"]\nreason = "kiosk"\nowner = "it"\nexpires = 2099-01-01',
    )
    ended = school("doctor")
    assert ended.code == 0
    assert "warning  waiver: every check on group kiosk: ends 2099-01-01" in ended.out
    assert "settings file" in school("waivers").out
