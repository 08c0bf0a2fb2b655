"""The export through the real command: what a scheduler pipes into a ticketing system."""

from __future__ import annotations

import csv
import io
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.command import COMMAND, Office, started

if TYPE_CHECKING:
    from pathlib import Path

HEAD = "serial,name,tag,on,last,seen\n"
SETTINGS = """
[[source]]
name = "export"
kind = "file"
path = "devices.csv"

[source.columns]
serial = "serial"
name = "name"
asset_tag = "tag"
backup_enabled = "on"
last_cloud_backup_at = "last"
inventory_at = "seen"
"""


def a_night(office: Office, day: int, switches: str) -> None:
    """A night on which the devices' backups are `1` on or `0` off."""
    seen, last = f"2026-03-{day:02}T01:00:00Z", f"2026-03-{day - 1:02}T01:00:00Z"
    lines = [
        f'FK000{number},"=Ward, {number}",{f"T{number}" if number else ""},{switch},{last},{seen}\n'
        for number, switch in enumerate(switches)
    ]
    (office.folder / "devices.csv").write_text(HEAD + "".join(lines), "utf-8")
    office.configure(SETTINGS)
    ended = office("run", "--as-of", f"2026-03-{day:02}T02:00:00Z")
    assert ended.code in {0, 3}, ended.err


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an office after three nights: one ticket stands, one is closed, one is new."""
    office = Office(tmp_path_factory.mktemp("office"))
    for day, switches in [(2, "001"), (3, "001"), (4, "010")]:
        a_night(office, day, switches)
    return office.folder


@pytest.fixture
def busy(lived: Path, tmp_path: Path) -> Office:
    """That office, for one test alone."""
    shutil.copytree(lived, tmp_path / "office")
    return Office(tmp_path / "office")


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text), strict=True))


def test_standard_output_is_the_file(busy: Office) -> None:
    """Without --out the bytes of the file come out, and nothing else: UTF-8, CRLF, no mark."""
    command = [*COMMAND, "export", "--profile", "generic"]
    ended = subprocess.run(command, cwd=busy.folder, capture_output=True, check=True, timeout=60)
    out, err = ended.stdout, ended.stderr
    assert err == b""
    assert out.startswith(b"schema_version,run_id,")
    assert out.endswith(b"\r\n")
    told = {row["serial"]: row["action"] for row in rows(out.decode("utf-8"))}
    assert told == {"FK0000": "none", "FK0001": "resolve", "FK0002": "create"}


def test_out_writes_a_file_and_says_so(busy: Office) -> None:
    """With --out there is one line about the file; -q leaves it out."""
    ended = busy("export", "--profile", "servicenow", "--out", "tickets.csv")
    assert (ended.code, ended.out) == (0, "2 rows of run 3: tickets.csv\n")
    assert busy("export", "--profile", "servicenow", "--out", "tickets.csv", "-q").out == ""
    (first, second) = rows((busy.folder / "tickets.csv").read_text("utf-8"))
    assert {first["state"], second["state"]} == {"1", "6"}


@pytest.mark.parametrize(
    ("options", "serials"),
    [
        (["--profile", "jira"], {"FK0002"}),
        (["--profile", "jira", "--only", "create,update,resolve"], {"FK0001", "FK0002"}),
        (["--profile", "generic", "--only", "update"], set[str]()),
        (["--profile", "generic", "--run", "1"], {"FK0000", "FK0001"}),
        (["--profile", "generic", "--group-by", "device", "--only", "create"], {"FK0002"}),
        (["--profile", "generic", "--group-by", "check"], {""}),
        (["--profile", "snipe-it"], {"FK0001", "FK0002"}),
        (["--profile", "jsm-assets"], {"FK0000", "FK0001", "FK0002"}),
    ],
)
def test_options_choose_rows(busy: Office, options: list[str], serials: set[str]) -> None:
    """Actions, a past run, and what one ticket is about are said on the line; nothing left is a header alone."""
    ended = busy("export", *options)
    assert ended.code == 0, ended.err
    assert {row.get("serial", row.get("Serial Number")) for row in rows(ended.out)} == serials
    assert ended.out.count("\n") > 0


def test_what_is_left_out_is_told(busy: Office) -> None:
    """A device that the product cannot know is counted on standard error."""
    ended = busy("export", "--profile", "snipe-it", "--out", "assets.csv")
    assert ended.err == "fleetkeep: devices left out: 1 without an asset tag\n"


def test_held_actions_are_told(office: Office) -> None:
    """After a night on hold the file asks for nothing, and standard error says why."""
    a_night(office, 2, "1" * 25)
    a_night(office, 3, "0" * 25)
    ended = office("export", "--profile", "zendesk")
    assert rows(ended.out) == []
    assert "ticket actions are held" in ended.err
    assert {row["action"] for row in rows(office("export", "--profile", "generic").out)} == {"none"}


def test_a_check_ends_with_0_or_2(busy: Office) -> None:
    """--check reads no settings and no database; it names each wrong line and ends with 2."""
    busy("export", "--profile", "generic", "--out", "tickets.csv")
    (busy.folder / "fleetkeep.toml").unlink()
    right = busy("export", "--profile", "generic", "--check", "tickets.csv")
    assert (right.code, right.out) == (0, "tickets.csv: 3 rows, as your own importer takes them\n")
    path = busy.folder / "tickets.csv"
    path.write_bytes(path.read_bytes().replace(b",create,", b",open,"))
    wrong = busy("export", "--profile", "generic", "--check", "tickets.csv")
    assert wrong.code == 2
    assert wrong.out.endswith("action: has to be one of: create, update, none, resolve, reopen\n")
    other = busy("export", "--profile", "jira", "--check", "tickets.csv")
    assert (other.code, other.out[:40]) == (2, "tickets.csv: line 1: the header has to b")


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (
            ["--profile", "remedy"],
            2,
            'no profile "remedy"; there are: generic, servicenow, jira, jsm-assets,',
        ),
        (["--profile", "jira", "--only", "close"], 2, '--only "close" is not an action; there are: create,'),
        (["--profile", "snipe-it", "--only", "create"], 2, "Snipe-IT takes devices, not tickets"),
        (["--profile", "jsm-assets", "--group-by", "check"], 2, "takes devices, not tickets"),
        (["--profile", "jira", "--run", "99"], 2, "no run 99"),
        (["--profile", "jira", "--out", "no/where.csv"], 7, "cannot write no/where.csv: "),
        (["--profile", "jira", "--check", "nowhere.csv"], 2, "cannot read nowhere.csv: No such file"),
    ],
)
def test_what_cannot_be_done_is_one_line(busy: Office, options: list[str], code: int, said: str) -> None:
    """A word that is none, a run that is not there and a place that cannot be written end with the agreed codes."""
    ended = busy("export", *options)
    assert ended.code == code
    assert said in ended.err


def test_a_reader_that_has_seen_enough_ends_it_quietly(busy: Office) -> None:
    """Piped into `head`, the export ends without an error."""
    with started("export", "--profile", "generic", cwd=busy.folder) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.wait(timeout=60) == 0
        assert process.stderr is not None
        assert process.stderr.read() == ""


def test_files_are_split_where_the_product_wants_it(office: Office) -> None:
    """Jira takes 250 rows from one file; standard output says that it is too long for one."""
    a_night(office, 2, "0" * 260)
    ended = office("export", "--profile", "jira", "--out", "new.csv")
    assert ended.out.endswith(" rows of run 1: new.csv, new-2.csv\n")
    assert office("export", "--profile", "jira", "--check", "new-2.csv").code == 0
    assert "takes at most 250 rows from one file" in office("export", "--profile", "jira").err
