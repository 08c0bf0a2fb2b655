"""`catalog`, and a run that asks Apple's feeds: over real loopback HTTP, through the command."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from tests.command import Office, jamf_source
from tests.servers.apple import (
    AppleServer,
    body,
    gdmf_entry,
    gdmf_list,
    sofa_feed,
    sofa_release,
    status_event,
    status_page,
)
from tests.servers.jamf import JamfServer, jamf_record
from tests.servers.loopback import Reply

if TYPE_CHECKING:
    from collections.abc import Iterator


def day(ago: int = 0) -> str:
    """A day by this machine's clock, UTC: what the command goes by when it asks the feeds."""
    return f"{datetime.now(UTC) - timedelta(days=ago):%Y-%m-%d}"


@pytest.fixture
def apple() -> Iterator[AppleServer]:
    """Apple's feeds, looked at today, with a release of a month ago and a model that are not bundled."""
    new = sofa_release("27.1", day(30), "iPhone12,1", "iPhone14,5", "iPhone20,1", exploited=["CVE-2026-1"])
    feed = sofa_feed([new], names={"iPhone20,1": "iPhone 19"}, LastCheck=f"{day()}T00:00:00Z")
    with AppleServer(sofa=body(feed)) as server:
        yield server


def test_show_needs_nothing(office: Office) -> None:
    """Without settings, network or anything learned, the bundled catalogue is told with its age."""
    for arguments in (("catalog",), ("catalog", "show")):
        ended = office(*arguments)
        assert ended.code == 0, ended.err
        head, bundled, *_ = ended.out.splitlines()
        assert head.startswith("Apple's models and systems as of 2026-10-05 (")
        assert head.endswith("178 models, 73 releases")
        assert bundled == "  bundled  2026-10-05"
    assert office.files() == {}


def test_show_says_what_would_be_judged(office: Office) -> None:
    """Per family and last system: the newest for it, what may run, and what is to be replaced."""
    lines = {" ".join(line.split()) for line in office("catalog").out.splitlines()}
    assert any(line.startswith("iPhone 34 27 27.0.1 of 2026-09-28 may run 27") for line in lines)
    assert "iPhone 4 18 18.7.10 of 2026-08-17 at its end: replace" in lines
    assert "iPad 1 5 5.1.1 of 2012-04-07 no iCloud Backup: replace" in lines


def test_update_says_what_changed(office: Office, apple: AppleServer) -> None:
    """New releases, holes and models are listed; from then on `show` and `doctor` know them, offline."""
    office.configure('[[source]]\nname = "made-up"\nkind = "demo"\n', head=apple.settings())
    ended = office("catalog", "update")
    assert (ended.code, ended.err) == (0, "")
    assert f"27.1: out since {day(30)}, for 3 models, closes holes used in attacks" in ended.out
    assert "iPhone20,1 (iPhone 19): a new model, up to 27.1" in ended.out
    assert "179 models, 74 releases" in office("catalog").out
    assert (
        f"as of {day()} (0 days old), by the feeds gdmf of {day()}, sofa of {day()}" in office("doctor").out
    )
    assert {asked.headers["user-agent"].partition("/")[0] for asked in apple.asked} == {"fleetkeep"}


def test_update_asks_seldom(office: Office, apple: AppleServer) -> None:
    """A second update within the hour asks nobody and says that nothing is new."""
    office.configure(head=apple.settings())
    office("catalog", "update")
    ended = office("catalog", "update")
    assert ended.code == 0
    assert "nothing new" in ended.out
    assert len(apple.asked) == 3


def test_update_of_chosen_feeds(office: Office, apple: AppleServer) -> None:
    """A feed that is not wanted is not asked."""
    office.configure(head=apple.settings(feeds=["sofa"]))
    assert office("catalog", "update").code == 0
    assert [asked.path for asked in apple.asked] == ["/sofa"]


def test_update_without_a_network(office: Office) -> None:
    """Each feed's trouble is one line, the command has done what it could, and the bundled catalogue stands."""
    ended = office("catalog", "update")
    assert ended.code == 0
    assert len(ended.err.splitlines()) == 3
    assert "macadmins/sofa: sofafeed.macadmins.io cannot be reached: the proxy refuses" in ended.err
    assert "Apple Root CA is not at hand and cannot be fetched" in ended.err
    assert "as of 2026-10-05" in ended.out
    assert "nothing new" not in ended.out


def test_settings_that_are_wrong_are_said(office: Office) -> None:
    """A settings file that exists is read, and its faults are told as everywhere."""
    office.configure(head='[catalog]\nsofa_url = "http://sofa.example/feed"')
    ended = office("catalog")
    assert ended.code == 2
    assert "[catalog] sofa_url" in ended.err
    assert office("--config", "nowhere.toml", "catalog").code == 2


def test_a_run_judges_by_the_newest_catalogue(office: Office, apple: AppleServer) -> None:
    """A phone on 27.0.1 is outdated once a feed tells of 27.1; the report is as of today and has no complaint."""
    current = jamf_record(0)
    current["general"]["osVersion"] = "27.0.1"
    with JamfServer(devices=[current]) as server:
        office.configure(jamf_source(server), head=apple.settings())
        ended = office("run")
    assert (ended.code, ended.err) == (0, "")
    assert office.report()["run"]["catalog_date"] == day()
    (device,) = office.report()["devices"]
    (found,) = (one for one in device["findings"] if one["check"] == "os-outdated")
    assert (found["severity"], found["evidence"]["exploited"]) == ("high", ["27.1"])


def test_a_run_goes_on_without_feeds(office: Office, apple: AppleServer) -> None:
    """Broken feeds change no exit code: each is a line on stderr and a note in the report."""
    apple.instead = lambda _: Reply(500, b"")
    with JamfServer() as server:
        office.configure(jamf_source(server), head=apple.settings())
        ended = office("run")
    assert ended.code == 0
    assert [
        line.partition(":")[2].partition(" brought")[0].strip() for line in ended.err.splitlines()[:2]
    ] == [
        "macadmins/sofa",
        "Apple's software lookup",
    ]
    assert "Apple's System Status is not known tonight: 127.0.0.1/status answered with 500" in ended.err
    assert office.report()["run"]["catalog_date"] == "2026-10-05"
    assert (
        "brought nothing: 127.0.0.1/sofa answered with 500"
        in (office.reports / "latest/index.html").read_text()
    )


def test_a_run_reports_an_outage(office: Office, apple: AppleServer) -> None:
    """Trouble with iCloud Backup that Apple reports now is an incident, in every file and on the terminal."""
    apple.bodies["status"] = body(status_page(status_event(f"{day()}T00:00:00+00:00")))
    with JamfServer() as server:
        office.configure(jamf_source(server), head=apple.settings())
        ended = office("run")
    assert ended.code == 0
    said = "Apple reports trouble with iCloud Backup (issue) since "
    assert f"fleet-wide, high: {said}" in ended.out
    assert [one["check"] for one in office.report()["incidents"]] == ["icloud-outage"]
    latest = {path.name: path.read_text("utf-8") for path in (office.reports / "latest").iterdir()}
    rows = [row for row in csv.DictReader(latest["findings.csv"].splitlines()) if not row["serial"]]
    assert [(row["check"], row["action"], row["severity"]) for row in rows] == [
        ("icloud-outage", "create", "high")
    ]
    assert 'fleetkeep_findings{check="icloud-outage",severity="high"} 1' in latest["metrics.prom"]
    assert said in latest["index.html"]


def test_a_past_night_does_not_ask_for_the_status_of_today(office: Office, apple: AppleServer) -> None:
    """What Apple says now is nothing about a night of last month; releases are asked for all the same."""
    with JamfServer() as server:
        office.configure(jamf_source(server), head=apple.settings())
        assert office("run", "--as-of", "2026-11-01T02:00:00Z").code == 0
    assert {asked.path for asked in apple.asked} == {"/sofa", "/gdmf"}


@pytest.mark.parametrize(
    "command", [("collect",), ("report",), ("device", "X"), ("doctor",), ("checks",), ("demo",)]
)
def test_who_does_not_judge_does_not_ask(
    office: Office, apple: AppleServer, command: tuple[str, ...]
) -> None:
    """Only a judgement is worth a question to Apple."""
    with JamfServer() as server:
        office.configure(jamf_source(server), head=apple.settings())
        office(*command)
    assert apple.asked == []


@pytest.mark.sqlite_file
def test_a_report_made_again_needs_no_feed(office: Office, apple: AppleServer) -> None:
    """A past run is made again byte for byte by the catalogue and status of its own night, whatever is known since."""
    with JamfServer() as server:
        office.configure(jamf_source(server), head=apple.settings())
        office("run")
    first = {
        name: (office.reports / "latest" / name).read_bytes() for name in ("findings.json", "index.html")
    }
    late = gdmf_entry("27.2", "2026-11-20", "iPhone12,1", expires="2099-01-01")
    (office.folder / "fleetkeep-apple" / "catalog.json").unlink()
    apple.bodies["gdmf"] = body(gdmf_list(late))
    assert office("report", "--run", "1", "--out", "again").code == 0
    (again,) = (office.folder / "again").iterdir()
    assert {name: (again / name).read_bytes() for name in first} == first


def test_feeds_are_off_where_the_settings_say_so(office: Office, apple: AppleServer) -> None:
    """With `refresh = false` a run asks nobody and says nothing of it."""
    with JamfServer() as server:
        office.configure(jamf_source(server), head=apple.settings(refresh=False))
        ended = office("run")
    assert (ended.code, ended.err, apple.asked) == (0, "", [])
    assert (
        json.loads((office.reports / "latest/findings.json").read_text())["run"]["catalog_date"]
        == "2026-10-05"
    )
