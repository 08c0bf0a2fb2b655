"""The command line itself: help, options, the catalogue, `init`, `device` and `db`."""

from __future__ import annotations

import json
import re
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

from connectors.registry import OWN_KINDS
from fleet import __version__
from fleet.checks import CHECKS, FLEET_CHECKS
from fleet.model.device import SIGNALS
from tests.command import ROOT, Office, jamf_source
from tests.servers.jamf import JamfServer

NIGHT = "2026-03-02T04:30:00Z"
DEMO = '[[source]]\nname = "made-up"\nkind = "demo"\ndevices = 20\n'
COMMANDS = (
    *("demo", "init", "run", "collect", "evaluate", "report", "device", "history"),
    *("checks", "connectors", "db"),
)


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"]])
def test_help_names_every_command(office: Office, arguments: list[str]) -> None:
    """Plain `fleetkeep` prints the help, exits 0, and calls itself by its name."""
    ended = office(*arguments)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith("Usage: fleetkeep ")
    assert set(re.findall(r"^  (\w+)  ", ended.out, re.MULTILINE)) >= set(COMMANDS)


def test_what_a_command_does_is_not_cut_off(office: Office) -> None:
    """On a terminal of the usual width the list of commands says each sentence to its end."""
    commands = office(COLUMNS="80").out.partition("Commands:")[2]
    assert commands
    assert "..." not in commands


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(office: Office, command: str) -> None:
    """Each command explains itself and its options."""
    ended = office(command, "--help")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith(f"Usage: fleetkeep {command}")


def test_version(office: Office) -> None:
    """`--version` prints name and version."""
    assert office("--version").out == f"fleetkeep {__version__}\n"


@pytest.mark.parametrize("arguments", [["--help"], ["--version"]])
def test_help_loads_no_machinery(arguments: list[str]) -> None:
    """Help and version answer without loading database, HTTP, templates or validation."""
    script = (
        "import sys\n"
        "from fleet.cli.app import app\n"
        f"try: app({arguments!r})\n"
        "except SystemExit: pass\n"
        "heavy = {'sqlalchemy', 'pydantic', 'httpx', 'jinja2', 'alembic'} & set(sys.modules)\n"
        "sys.exit(f'loaded: {heavy}' if heavy else 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_catalogue_of_checks(office: Office) -> None:
    """`checks` lists every check; `checks ID` gives its rule with the thresholds, its source and what helps."""
    listed = office("checks").out
    assert [line.split()[0] for line in listed.splitlines()] == [
        check.id for check in (*CHECKS, *FLEET_CHECKS)
    ]
    one = office("checks", "backup-stale").out
    assert all(
        words in one for words in ("7 days", "14 days", "30 days", "last_cloud_backup_at", "wifi-and-power")
    )
    assert "as the cause" not in one
    assert "  likely, where the plan is known: " in office("checks", "icloud-quota").out
    fleet_wide = office("checks", "icloud-outage").out
    assert "reads: Apple's System Status" in fleet_wide
    assert "48 hours" in fleet_wide


def test_the_matrix_of_connectors(office: Office) -> None:
    """`connectors` says for every signal and kind whether it is reported; `connectors KIND` what it needs."""
    rows = office("connectors").out.splitlines()
    assert [cell.strip(" `") for cell in rows[0].strip("|").split("|")] == ["signal", *OWN_KINDS]
    assert [row.split("|")[1].strip(" `") for row in rows[2:]] == list(SIGNALS)
    jamf = office("connectors", "jamf_pro").out
    assert "`hardware.capacityMb`" in jamf
    assert "takes a privilege for computers too" in jamf
    assert re.search(r"^ *backup_enabled +yes", jamf, re.MULTILINE)
    assert re.search(r"^ *pending_os_version +never", jamf, re.MULTILINE)
    assert "Read Mobile Devices" in jamf


@pytest.mark.parametrize("kind", OWN_KINDS)
def test_init_writes_what_run_understands(office: Office, kind: str) -> None:
    """A fresh settings file of any kind is accepted as it stands: what is missing is the vendor, not a key."""
    assert office("init", "--kind", kind).code == 0
    ended = office("collect", "--as-of", NIGHT)
    assert ended.code == (0 if kind == "demo" else 4), ended.err


def test_init_then_run(office: Office) -> None:
    """`init`, an address and a secret in the environment are all that a first run needs."""
    assert office("init").code == 0
    path = office.folder / "fleetkeep.toml"
    with JamfServer(devices=5) as server:
        path.write_text(path.read_text().replace("https://yourorg.jamfcloud.com", server.url))
        ended = office("run", "--as-of", NIGHT, JAMF_CLIENT_SECRET=server.client_secret)
    assert ended.code == 0, ended.err
    assert office.report()["totals"]["devices"] == 5


def test_init_takes_several_kinds_and_never_overwrites(office: Office) -> None:
    """Several kinds share one file under names of their own; a file that is there already stays as it is."""
    assert office("init", "all.toml", *(word for kind in OWN_KINDS for word in ("--kind", kind))).code == 0
    before = (office.folder / "all.toml").read_bytes()
    again = office("init", "all.toml")
    assert (again.code, again.err.count("\n")) == (2, 1)
    assert "exists already" in again.err
    assert (office.folder / "all.toml").read_bytes() == before
    demo = f"demo-{OWN_KINDS.index('demo') + 1}"
    assert office("collect", "--config", "all.toml", "--source", demo, "--as-of", NIGHT).code == 0
    assert office("init", "nowhere/fleetkeep.toml").code == 7
    assert office("init", "other.toml", "--kind", "nonsense").code == 2


@pytest.mark.parametrize(
    "line",
    ["--config other.toml -q collect", "collect --config other.toml -q", "-q collect --config=other.toml"],
)
def test_shared_options_stand_anywhere(office: Office, line: str) -> None:
    """The shared options mean the same before and after the command; `-q` leaves nothing to read."""
    office.configure(DEMO)
    (office.folder / "fleetkeep.toml").rename(office.folder / "other.toml")
    ended = office(*line.split(), "--as-of", NIGHT)
    assert (ended.code, ended.out, ended.err) == (0, "", "")


def test_the_environment_names_the_settings(office: Office) -> None:
    """$FLEETKEEP_CONFIG names the settings file; paths in it are relative to it, wherever the command is run."""
    office.configure(DEMO)
    elsewhere = Office(office.folder / "elsewhere")
    elsewhere.folder.mkdir()
    ended = elsewhere("run", "--as-of", NIGHT, FLEETKEEP_CONFIG=str(office.folder / "fleetkeep.toml"))
    assert ended.code == 0, ended.err
    assert office.report()["totals"]["devices"] == 20
    assert list(elsewhere.folder.iterdir()) == []


def test_json_logs_are_json(office: Office) -> None:
    """With `--log-format json` every line on standard error is an object, those for the admin included."""
    with JamfServer(fail_from_page=0) as server:
        office.configure(jamf_source(server), DEMO)
        assert office("run", "--as-of", NIGHT, "-vv", "--log-format", "json").code == 3
        ended = office("run", "--as-of", NIGHT, "--log-format", "json", "--source", "nonsense")
    assert ended.code == 2
    (line,) = map(json.loads, ended.err.splitlines())
    assert (line["level"], line["logger"]) == ("error", "fleetkeep")
    assert line["message"].endswith('no source "nonsense"; there are: hq, made-up')


def test_verbose_says_more_and_a_log_shows_no_progress(office: Office) -> None:
    """`-v` tells of each source; what goes into a file holds no carriage returns or escape sequences."""
    office.configure(DEMO)
    plain, verbose = office("run", "--as-of", NIGHT), office("run", "--as-of", NIGHT, "-v")
    assert plain.err == ""
    assert "source_closed source=made-up outcome=complete devices=20" in verbose.err
    assert not set("\r\x1b") & set(plain.out + verbose.out + verbose.err)


def test_a_reader_that_has_seen_enough(office: Office) -> None:
    """Output into a closed pipe, as with `| head`, is no failure and says nothing."""
    with office.started("connectors") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert (process.stderr.read(), process.wait()) == ("", 0)


def test_the_parts_make_the_whole(office: Office) -> None:
    """`collect`, `evaluate` and `report` one after another do what `run` does."""
    office.configure(DEMO)
    assert office("collect", "--as-of", NIGHT).code == 0
    assert not office.reports.exists()
    assert office("evaluate", "--as-of", NIGHT).code == 0
    assert not office.reports.exists()
    ended = office("report")
    assert (ended.code, ended.out) == (
        0,
        f"report of run 1: {office.reports / '2026-03-02T043000Z' / 'index.html'}\n",
    )
    assert office.report()["totals"]["devices"] == 20
    assert office("run", "--as-of", NIGHT).code == 0
    assert sorted(path.name for path in office.reports.iterdir()) == [
        "2026-03-02T043000Z",
        "2026-03-02T043000Z-2",
        "last_run.json",
        "latest",
    ]


def test_one_source_of_several(office: Office) -> None:
    """`--source` reads only that source; the others are reported on as they were last known."""
    with JamfServer(devices=3) as server:
        office.configure(jamf_source(server), DEMO)
        assert office("run", "--as-of", NIGHT).code == 0
        asked = len(server.asked)
        ended = office("run", "--as-of", "2026-03-03T04:30:00Z", "--source", "made-up")
        assert len(server.asked) == asked
    assert ended.code == 0
    assert office.report()["totals"]["devices"] == 23


def test_one_devices_story(office: Office) -> None:
    """`device` tells what a source says and how old it is, in any case of letters; a stranger exits 2 in one line."""
    with JamfServer(devices=7) as server:
        office.configure(jamf_source(server))
        assert office("run", "--as-of", NIGHT).code == 0
    told = office("device", "fk00000006q")
    assert told.code == 0
    for words in (
        "FK00000006Q",
        "at risk",
        "most probably because of backup-disabled",
        "  explains: backup-disabled\n    + iCloud Backup is switched off\n",
        "Ruled out\n",
        "What to do\n  1. Turn on iCloud Backup (user, about 3 minutes)\n",
        "     - Open Settings > your name > iCloud > iCloud Backup.\n",
        "hq, observed 24 hours ago",
        "26.3.1",
    ):
        assert words in told.out
    stranger = office("device", "NOBODY")
    assert (stranger.code, stranger.out, stranger.err.count("\n")) == (2, "", 1)
    assert "NOBODY" in stranger.err


@pytest.mark.sqlite_file
def test_database_upkeep(office: Office) -> None:
    """`db check`, `upgrade`, `backup` and `prune` work on a database in use; the copy is private and whole."""
    office.configure(DEMO)
    assert office("run", "--as-of", NIGHT).code == 0
    assert office.database.stat().st_mode & 0o777 == 0o600
    assert office("db", "check").out == f"{office.database}: ok\n"
    assert office("db", "upgrade").out == f"{office.database}: the schema is up to date\n"
    assert office("db", "backup", "copy.db").code == 0
    copy = office.folder / "copy.db"
    assert copy.stat().st_mode & 0o777 == 0o600
    with closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("SELECT count(*) FROM reading").fetchone() == (20,)
    assert office("db", "backup", "nowhere/copy.db").code == 7


def test_pruning_forgets_old_nights(office: Office) -> None:
    """`db prune` removes what is older than it was told, and the newest facts of every device stay."""
    office.configure(DEMO)
    for night in (NIGHT, "2026-03-03T04:30:00Z"):
        assert office("run", "--as-of", night).code == 0
    pruned = office("db", "prune", "--keep-days", "1")
    assert pruned.code == 0
    assert "20 readings" in pruned.out
    assert office("run", "--as-of", "2026-03-04T04:30:00Z").code == 0
    assert office.report()["totals"]["devices"] == 20
