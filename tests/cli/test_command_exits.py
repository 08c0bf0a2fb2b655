"""Every exit code, from a real process, with the line that tells the admin why."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing

import pytest

from tests.command import Office, jamf_source
from tests.faults.processes import held
from tests.servers.jamf import JamfServer, Record, jamf_record

NIGHT = "2026-03-02T04:30:00Z"
DEMO = '[[source]]\nname = "made-up"\nkind = "demo"\ndevices = 30\n'


def switched_off(number: int) -> Record:
    """A device whose only problem, of severity high, is that its backup is off."""
    record = jamf_record(4 * number + 1)
    record["general"] |= {"cloudBackupEnabled": False, "itunesStoreAccountActive": True}
    record["hardware"] |= {"availableSpaceMb": 131072, "batteryLevel": 90}
    return record


@pytest.mark.parametrize(
    ("options", "code"),
    [([], 0), (["--fail-on", "critical"], 0), (["--fail-on", "high"], 1), (["--fail-on", "low"], 1)],
)
def test_findings_only_fail_a_run_that_asks_for_it(office: Office, options: list[str], code: int) -> None:
    """A run with findings exits 0, unless `--fail-on` names their severity or a lesser one."""
    with JamfServer(devices=[switched_off(0)]) as server:
        office.configure(jamf_source(server))
        assert office("run", "--as-of", NIGHT, *options).code == code
    assert office.report()["totals"]["findings"]["high"] == 1


def test_an_incomplete_night_outranks_findings(office: Office) -> None:
    """Of two codes that apply the higher one is given."""
    with JamfServer(devices=[switched_off(0)]) as up, JamfServer(fail_from_page=0) as down:
        office.configure(jamf_source(up, "up"), jamf_source(down, "down"))
        assert office("run", "--as-of", NIGHT, "--fail-on", "low").code == 3


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ("", "no [[source]]"),
        ("[databse]", '"database"'),
        ("[policy]\nbackup_warn_day = 3", "backup_warn_days"),
        ("[policy]\nbackup_warn_days = -3", "backup_warn_days"),
        ('[[source]]\nname = "hq"\nkind = "jamf"', "jamf_pro"),
        ('[[source]]\nname = "HQ"\nkind = "demo"', "name"),
        ("[[source]\n", "line 1"),
    ],
)
def test_settings_that_cannot_be_used(office: Office, settings: str, words: str) -> None:
    """Wrong settings exit 2 with a line that names the file and the key, and leave nothing behind."""
    (office.folder / "fleetkeep.toml").write_text(settings, encoding="utf-8")
    ended = office("run")
    assert (ended.code, ended.out) == (2, "")
    assert "fleetkeep.toml" in ended.err
    assert words in ended.err
    assert "Traceback" not in ended.err
    assert not office.reports.exists()


def test_a_secret_in_the_settings_is_refused_and_not_repeated(office: Office) -> None:
    """A password written into the settings exits 2, shows the four ways out and not the password."""
    source = '[[source]]\nname = "hq"\nkind = "jamf_pro"\nurl = "https://jamf.example"\nusername = "reader"\n'
    office.configure(source + 'password = "hunter2-hunter2"\n')
    ended = office("run")
    assert ended.code == 2
    assert "hunter2" not in ended.err
    assert all(way in ended.err for way in ("env", "file", "command", "keyring"))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "--nonsense"], "--nonsense"),
        (["nonsense"], "nonsense"),
        (["run", "--as-of", "yesterday"], "ISO 8601"),
        (["run", "--fail-on", "dreadful"], "critical"),
        (["run", "--source", "elsewhere"], "made-up"),
        (["report"], "fleetkeep run"),
        (["report", "--run", "7"], "7"),
        (["report", "--format", "pdf"], "html"),
        (["device", "NOBODY"], "fleetkeep run"),
        (["checks", "nonsense"], "fleetkeep checks"),
        (["connectors", "nonsense"], "jamf_pro"),
        (["--config", "elsewhere.toml", "run"], "elsewhere.toml"),
        (["db", "prune", "--keep-days", "0"], "keep-days"),
    ],
)
def test_a_line_that_cannot_be_meant(office: Office, arguments: list[str], words: str) -> None:
    """A command line that makes no sense exits 2 and says what would."""
    office.configure(DEMO)
    ended = office(*arguments)
    assert (ended.code, ended.out) == (2, "")
    assert words in ended.err
    assert "Traceback" not in ended.err


def test_no_settings_at_all(office: Office) -> None:
    """Without a settings file the exit code is 2, and the line says where one was looked for and how to get one."""
    ended = office("run")
    assert ended.code == 2
    assert "fleetkeep.toml" in ended.err
    assert "fleetkeep init" in ended.err


def test_a_night_before_the_newest_is_not_collected(office: Office) -> None:
    """Collecting with a clock before the newest night exits 2 and names `evaluate`, which may look back."""
    office.configure(DEMO)
    assert office("run", "--as-of", NIGHT).code == 0
    ended = office("run", "--as-of", "2026-03-01T04:30:00Z")
    assert ended.code == 2
    assert "evaluate --as-of" in ended.err
    assert office("evaluate", "--as-of", "2026-03-02T05:30:00Z").code == 0


def test_the_time_of_the_whole_run_is_up(office: Office) -> None:
    """A source that is not done by then is cut off with a line; the others are reported, and nothing keeps the end."""
    with held() as (server, asked):
        office.configure(jamf_source(server, "slow"), DEMO, head="[run]\ndeadline_minutes = 0.03")
        began = time.monotonic()
        ended = office("run", "--as-of", NIGHT)
        took = time.monotonic() - began
        assert asked.is_set()
    assert ended.code == 3
    assert "slow: " in ended.err
    assert "raise [run] deadline_minutes" in ended.err
    assert took < 30
    assert [source["outcome"] for source in office.report()["sources"]] == ["failed", "complete"]
    assert office.report()["totals"]["devices"] == 30


@pytest.mark.sqlite_file
@pytest.mark.parametrize(
    "arguments", [["run"], ["report"], ["device", "X"], ["db", "check"], ["db", "upgrade"]]
)
def test_a_file_that_is_no_database(office: Office, arguments: list[str]) -> None:
    """A database file full of something else exits 6, says so, and is left as it is."""
    office.configure(DEMO)
    office.database.write_bytes(b"not a database, " * 500)
    ended = office(*arguments)
    assert (ended.code, ended.out) == (6, "")
    assert "fleetkeep.db is damaged" in ended.err
    assert office.database.read_bytes() == b"not a database, " * 500


@pytest.mark.sqlite_file
@pytest.mark.parametrize("arguments", [["run", "--as-of", NIGHT], ["report"], ["evaluate"], ["db", "check"]])
def test_a_database_with_a_damaged_page(office: Office, arguments: list[str]) -> None:
    """Damage that only shows when the readings are read exits 6 like any other, never with a traceback."""
    office.configure(DEMO)
    assert office("run", "--as-of", NIGHT).code == 0
    with closing(sqlite3.connect(office.database)) as connection:
        (page,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'reading'").fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    content = bytearray(office.database.read_bytes())
    content[(page - 1) * size : page * size] = b"\xa5" * size
    office.database.write_bytes(content)
    ended = office(*arguments)
    assert ended.code == 6, ended.err
    assert "damaged" in ended.err
    assert "Traceback" not in ended.err


@pytest.mark.sqlite_file
def test_a_database_of_a_newer_program(office: Office) -> None:
    """A schema from the future exits 6 and asks for the newer program; nothing in the file is touched."""
    office.configure(DEMO)
    assert office("db", "upgrade").code == 0
    with closing(sqlite3.connect(office.database)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    before = office.database.read_bytes()
    for arguments in (["run"], ["db", "upgrade"]):
        ended = office(*arguments)
        assert ended.code == 6
        assert "newer fleetkeep" in ended.err
    assert office.database.read_bytes() == before


def test_a_report_directory_that_is_a_file(office: Office) -> None:
    """A report that cannot be written exits 7 and names the place; once mended, the same night comes out whole."""
    office.configure(DEMO)
    office.reports.write_text("in the way")
    ended = office("run", "--as-of", NIGHT)
    assert ended.code == 7
    assert "reports-out" in ended.err
    assert office.reports.read_text() == "in the way"
    office.reports.unlink()
    assert office("run", "--as-of", NIGHT).code == 0
    assert office.report()["totals"]["devices"] == 30
