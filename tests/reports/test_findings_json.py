from __future__ import annotations

import json
import tracemalloc
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.errors import OutputError
from fleet.model.device import Enrollment
from fleet.model.fact import ABSENT, NEVER, NOT_PERMITTED, NOT_REPORTED, UNREADABLE
from fleet.model.finding import Severity, State, Status
from reports._format import Written
from reports.findings_json import FORMAT
from tests.reports.a_run import (
    CONTEXT,
    NOW,
    a_device,
    a_finding,
    a_report,
    a_run,
    a_sighting,
    an_incident,
    names_in,
    push,
)

if TYPE_CHECKING:
    from pathlib import Path

    from fleet.model.device_report import DeviceReport


def document(directory: Path, *reports: DeviceReport, **changes: object) -> dict[str, Any]:
    push(FORMAT.open(directory, CONTEXT), reports, **changes)
    return json.loads((directory / "findings.json").read_bytes())


def test_the_head(tmp_path: Path) -> None:
    """The head holds the run, its sources, totals and incidents, under the agreed keys and in their order."""
    reports = [
        a_report(a_finding()),
        a_report(a_finding(state=State.WAIVED)),
        a_report(status=Status.UNKNOWN),
    ]
    head = document(tmp_path, *reports, incidents=(an_incident(),), hold=True)
    devices = head.pop("devices")
    assert len(devices) == 3
    assert json.dumps(head) == json.dumps(
        {
            "schema": "fleetkeep.report/1",
            "generated_at": "2026-11-22T02:01:15Z",
            "as_of": "2026-11-22T02:00:00Z",
            "run": {
                "id": 12,
                "started_at": "2026-11-22T02:00:00Z",
                "finished_at": "2026-11-22T02:01:02Z",
                "outcome": "complete",
                "version": "1.0",
                "policy_hash": "abc",
                "catalog_date": "2026-10-05",
                "hold": True,
            },
            "sources": [
                {
                    "name": "hq",
                    "kind": "jamf_pro",
                    "outcome": "complete",
                    "devices": 105,
                    "expected": 106,
                    "unreadable": 1,
                    "signals": {"reported": ["serial", "os_version"], "never": ["last_local_backup_at"]},
                    "problems": [{"code": "unreadable", "message": "One row could not be read.", "count": 1}],
                }
            ],
            "totals": {
                "devices": 3,
                "protected": 0,
                "at_risk": 2,
                "unknown": 1,
                "not_applicable": 0,
                "waived": 1,
                "findings": {"critical": 0, "high": 1, "medium": 0, "low": 0, "info": 0},
            },
            "incidents": [
                {
                    "check": "icloud-outage",
                    "severity": "high",
                    "summary": "Apple reports trouble.",
                    "devices": 12,
                    "since": "2026-11-22T02:00:00Z",
                }
            ],
        }
    )


def test_incidents_that_ended_are_no_incidents(tmp_path: Path) -> None:
    """Only what stands is listed; that one ended is in the table for the ticketing system."""
    over = an_incident()
    over = replace(over, finding=replace(over.finding, state=State.RESOLVED))
    assert document(tmp_path, incidents=(over,))["incidents"] == []


def test_a_device(tmp_path: Path) -> None:
    """A device holds what is known by the source that won it, and what is not with its reason."""
    device = a_device(
        a_sighting(
            "hq",
            serial="FK0001",
            model_name="iPad Air",
            os_version="26.7.1",
            backup_enabled=True,
            last_cloud_backup_at=NEVER,
            enrollment=Enrollment.AUTOMATED,
            groups=("Wards",),
        ),
        a_sighting(
            "export", NOW - timedelta(days=9), name="Ward 3 iPad", os_version="26.6", account_active=False
        ),
        gaps={"battery_percent": ABSENT, "udid": NOT_PERMITTED, "roaming": UNREADABLE, "site": NOT_REPORTED},
    )
    (found,) = document(tmp_path, a_report(a_finding(), device=device))["devices"]
    assert json.dumps(found) == json.dumps(
        {
            "key": "d" * 32,
            "serial": "FK0001",
            "name": "Ward 3 iPad",
            "model": "iPad Air",
            "os_version": "26.7.1",
            "user_email": None,
            "site": None,
            "groups": ["Wards"],
            "sources": ["hq", "export"],
            "status": "at_risk",
            "reason": None,
            "cause": "unexplained",
            "severity": "high",
            "signals": {
                "hq": {
                    "observed_at": "2026-11-21T18:30:00Z",
                    "values": {
                        "serial": "FK0001",
                        "model_name": "iPad Air",
                        "os_version": "26.7.1",
                        "enrollment": "automated",
                        "backup_enabled": True,
                        "last_cloud_backup_at": "never",
                        "groups": ["Wards"],
                    },
                },
                "export": {
                    "observed_at": "2026-11-13T02:00:00Z",
                    "values": {"name": "Ward 3 iPad", "account_active": False},
                },
            },
            "unknown": {"udid": "not_permitted", "battery_percent": "absent", "roaming": "unreadable"},
            "findings": [
                {
                    "key": "e" * 32,
                    "problem": "backup",
                    "check": "backup-stale",
                    "basis": "observed",
                    "severity": "high",
                    "state": "open",
                    "action": "none",
                    "first_seen": "2026-10-13T02:00:00Z",
                    "last_seen": "2026-11-22T02:00:00Z",
                    "summary": "The last backup is 20 days old.",
                    "evidence": {"age_days": 20, "last_backup_at": "2026-11-02T02:00:00Z"},
                    "fixes": ["wifi-and-power", "free-icloud-storage"],
                }
            ],
            "plan": [{"fix": "wifi-and-power", "audience": "user", "why": "It backs up on Wi-Fi and power."}],
        }
    )


def test_an_empty_fleet_is_an_empty_list(tmp_path: Path) -> None:
    """A run over no device is a whole document all the same, and no spool is left behind."""
    assert document(tmp_path)["devices"] == []
    assert names_in(tmp_path) == ["findings.json"]
    assert FORMAT.files == ("findings.json",)


def test_no_space_is_wasted(tmp_path: Path) -> None:
    """The file is as short as JSON allows, with letters of every script written as they are."""
    reports = [a_report(a_finding(), device=a_device(a_sighting(name="愛's iPad"))), a_report()]
    found = document(tmp_path, *reports)
    text = json.dumps(found, ensure_ascii=False, separators=(",", ":"))
    assert (tmp_path / "findings.json").read_bytes() == text.encode()


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (datetime(2026, 3, 1, 4, 5, 6, 999_999, tzinfo=UTC), "2026-03-01T04:05:06Z"),
        (datetime.fromisoformat("2026-03-01T06:00:00+02:00"), "2026-03-01T04:00:00Z"),
    ],
)
def test_times_are_utc_with_whole_seconds(tmp_path: Path, moment: datetime, text: str) -> None:
    """A time in whatever zone and precision is written in one form."""
    assert document(tmp_path, as_of=moment)["as_of"] == text


FINDINGS = st.builds(a_finding, state=st.sampled_from(State), severity=st.sampled_from(Severity))
DEVICES = st.builds(a_device, st.builds(a_sighting, name=st.text(st.characters())))


@st.composite
def reports_of_any_kind(draw: st.DrawFn) -> DeviceReport:
    findings = draw(st.lists(FINDINGS, max_size=4))
    return a_report(*findings, status=draw(st.sampled_from(Status)), device=draw(DEVICES))


@given(st.lists(reports_of_any_kind(), max_size=6))
def test_the_totals_are_those_of_the_rows(
    tmp_path_factory: pytest.TempPathFactory, reports: list[DeviceReport]
) -> None:
    """Whoever adds up the devices arrives at the totals, whatever the devices are called."""
    found = document(tmp_path_factory.mktemp("run"), *reports)
    totals, devices = found["totals"], found["devices"]
    findings = [finding for device in devices for finding in device["findings"]]
    standing = Counter(one["severity"] for one in findings if one["state"] in {"new", "open", "reopened"})
    assert totals["devices"] == len(devices) == sum(totals[status] for status in Status)
    assert {status: totals[status] for status in Status} == {
        status: sum(device["status"] == status for device in devices) for status in Status
    }
    assert totals["findings"] == {severity: standing[severity] for severity in Severity}
    assert totals["waived"] == sum(one["state"] == "waived" for one in findings)


def test_half_a_character_costs_only_itself(tmp_path: Path) -> None:
    """A lone surrogate that slipped through is replaced; the rest of the report is unharmed."""
    report = a_report(device=a_device(a_sighting(name="bad \ud800 half")))
    assert document(tmp_path, report)["devices"][0]["name"] == "bad ? half"


@pytest.mark.no_cover
def test_memory_does_not_grow_with_the_fleet(tmp_path: Path) -> None:
    """Two thousand devices take no more memory than a few: they wait on disk."""
    writer = FORMAT.open(tmp_path, CONTEXT)
    report = a_report(a_finding())
    writer.device(report)
    tracemalloc.start()
    for _ in range(2_000):
        writer.device(report)
    files = writer.finish(a_run(report))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert files == [Written("findings.json", 2_001)]
    assert peak < 600_000


def test_a_directory_that_cannot_be_written_is_one_clear_line(tmp_path: Path) -> None:
    """Where the directory is gone, the message names the file and leaves the cause to be seen."""
    with pytest.raises(OutputError, match=r"cannot write .*findings\.json: No such file or directory"):
        FORMAT.open(tmp_path / "gone", CONTEXT)
