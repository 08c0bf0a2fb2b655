"""`last_run.json` and `status`: what other programs learn of the last night, also of one that broke."""

from __future__ import annotations

import json
import os
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from fleet.store.database import open_database
from fleet.store.lock import lock
from tests.command import ROOT, jamf_source
from tests.fleet_of import NOW
from tests.servers.jamf import JamfServer

if TYPE_CHECKING:
    from pathlib import Path

    from tests.command import Office

DEMO = '[[source]]\nname = "made-up"\nkind = "demo"\ndevices = 20\n'
NIGHT = "2026-03-02T04:30:00Z"


def last_run(office: Office) -> dict[str, Any]:
    path = office.reports / "last_run.json"
    assert path.stat().st_mode & 0o777 == 0o600
    loaded: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return loaded


def test_a_good_night(office: Office) -> None:
    """The file tells run, report and sources; the status is fresh, one line for a plugin and one per source."""
    office.configure(DEMO)
    assert office("status").code == 4
    assert not office.database.exists()
    assert office("run").code == 0
    told = last_run(office)
    assert (told["outcome"], told["exit_code"], told["error"], told["hold"]) == ("complete", 0, None, False)
    assert told["run"] == office.report()["run"]["id"]
    assert (office.reports / told["report"] / "findings.json").exists()
    (source,) = told["sources"]
    assert (source["name"], source["outcome"], source["devices"]) == ("made-up", "complete", 20)
    assert source["seconds"] >= 0
    assert [stage["name"] for stage in told["stages"]] == ["collect", "judge", "publish"]
    assert told["cpu_seconds"] > sum(stage["cpu_seconds"] for stage in told["stages"]) > 0
    assert told["peak_memory_mb"] > 1
    ended = office("status")
    assert ended.code == 0
    head, line = ended.out.splitlines()
    assert head.startswith("FLEETKEEP OK - fresh: last complete run ")
    assert " | age=" in head
    assert line == "made-up: complete 0.0 h ago"


def test_an_old_night(office: Office) -> None:
    """What was complete long ago is stale, by an age that the monitor may choose, and in JSON by the second."""
    office.configure(DEMO)
    assert office("run", "--as-of", NIGHT).code == 0
    ended = office("status", "--json", "--max-age-hours", "30")
    assert ended.code == 3
    told = json.loads(ended.out)
    assert (told["status"], told["exit_code"], told["max_age_seconds"]) == ("stale", 3, 30 * 3600)
    assert told["last_complete_run"]["as_of"] == NIGHT
    assert told["age_seconds"] == told["sources"][0]["age_seconds"] > 30 * 3600
    assert office("status", "--max-age-hours", "9999999").code == 0


def test_a_source_that_failed(office: Office) -> None:
    """Exit code 3 and the problem's code stand in the file; the status names the source."""
    with JamfServer(fail_from_page=0) as server:
        office.configure(jamf_source(server), DEMO)
        assert office("run").code == 3
    told = last_run(office)
    assert (told["outcome"], told["exit_code"]) == ("partial", 3)
    failed = told["sources"][0]
    assert (failed["name"], failed["outcome"]) == ("hq", "failed")
    assert failed["problems"]
    ended = office("status")
    assert ended.code == 3
    assert "hq has never been read completely" in ended.out.splitlines()[0]


def test_a_night_that_broke(office: Office) -> None:
    """A run that cannot write its report says so in the file all the same, and the status knows it."""
    office.configure(DEMO)
    assert office("run").code == 0
    latest = office.reports / "latest"
    latest.rename(office.reports / "moved")
    latest.symlink_to(office.reports / "moved")
    assert office("run").code == 7
    told = last_run(office)
    assert (told["outcome"], told["exit_code"], told["run"]) == ("broken", 7, None)
    assert "latest" in told["error"]
    ended = office("status")
    assert ended.code == 3
    assert "the last run broke: cannot write" in ended.out


@pytest.mark.sqlite_file
def test_a_damaged_database(office: Office) -> None:
    """Where there is no run at all, the file has the error and the exit code; bad settings leave it alone."""
    office.configure(DEMO)
    office.database.write_text("no database at all, but longer than a header" * 9)
    assert office("run").code == 6
    assert (last_run(office)["outcome"], last_run(office)["exit_code"]) == ("broken", 6)
    before = (office.reports / "last_run.json").read_bytes()
    assert office("run", "--source", "nobody").code in {2, 6}
    office.configure(DEMO + "no_such_key = 1\n")
    assert office("run").code == 2
    assert json.loads(before)["exit_code"] == last_run(office)["exit_code"]


def test_a_night_without_any_source(office: Office) -> None:
    """Where no source could be read the file has exit code 4, the report that there is, and why each failed."""
    with JamfServer(fail_from_page=0) as server:
        office.configure(jamf_source(server))
        assert office("run").code == 4
    told = last_run(office)
    assert (told["outcome"], told["exit_code"], told["error"]) == ("failed", 4, None)
    assert (office.reports / told["report"] / "findings.json").exists()
    assert told["sources"][0]["problems"]


@pytest.mark.sqlite_file
def test_a_second_run_leaves_the_file_to_the_first(office: Office) -> None:
    """Exit code 5 writes nothing: the run at work writes its own, and `status` goes on telling of the last one."""
    office.configure(DEMO)
    assert office("run").code == 0
    before = (office.reports / "last_run.json").read_bytes()
    with closing(open_database(f"sqlite:///{office.database}")) as database, lock(database, NOW):
        assert office("run").code == 5
        assert office("status").code == 0
    assert (office.reports / "last_run.json").read_bytes() == before


@pytest.mark.parametrize(
    ("breaks", "error", "said"),
    [
        ("RuntimeError(report.device.user_name)", "a bug of ours (RuntimeError)", "please report it"),
        ("MemoryError", "there is not enough memory; raise the limit", "nothing that is stored is lost"),
    ],
)
def test_what_nobody_foresaw(
    office: Office, tmp_path_factory: pytest.TempPathFactory, breaks: str, error: str, said: str
) -> None:
    """A report of somebody else's that breaks ends the night with 70; file and line say so without its words."""
    plugs = tmp_path_factory.mktemp("plugs")
    plug_in(plugs, breaks)
    office.configure(DEMO, head='[report]\nformats = ["json", "careless"]')
    ended = office("run", PYTHONPATH=f"{plugs}{os.pathsep}{ROOT}")
    assert ended.code == 70
    assert said in ended.err
    told = last_run(office)
    assert (told["outcome"], told["exit_code"], told["report"]) == ("broken", 70, None)
    assert told["error"].startswith(error)
    office.configure(DEMO)
    assert office("run").code == 0
    assert last_run(office)["exit_code"] == 0


def plug_in(folder: Path, breaks: str) -> None:
    """Install a report that breaks on the first device."""
    (folder / "careless.py").write_text(
        f"""
from reports.kit import Format

class Careless:
    def device(self, report):
        raise {breaks}

FORMAT = Format(name="careless", files=("careless.txt",), open=lambda directory, context: Careless())
"""
    )
    metadata = folder / "careless-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: careless\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[fleetkeep.reports]\ncareless = careless:FORMAT\n")


def test_log_lines_for_a_shipper_know_run_and_source(office: Office) -> None:
    """With `--log-format json` the lines of a source carry its name and the run's, and events their fields."""
    office.configure(DEMO)
    ended = office("run", "--as-of", NIGHT, "-v", "--log-format", "json")
    lines = [json.loads(line) for line in ended.err.splitlines()]
    events = {line["event"]: line for line in lines if "event" in line}
    assert {"source_opened", "page_read", "source_closed"} == events.keys() - {"stage_ended"}
    for name, line in events.items():
        assert line["run"] == "2026-03-02T043000Z"
        assert name == "stage_ended" or line["source"] == "made-up"
    assert (events["stage_ended"]["stage"], events["stage_ended"]["seconds"] >= 0) == ("publish", True)
    assert events["source_closed"]["outcome"] == "complete"
    assert events["source_closed"]["devices"] == 20
