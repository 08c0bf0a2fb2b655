from __future__ import annotations

import csv
import tracemalloc
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.errors import OutputError
from fleet.guide import load
from fleet.model.fact import ABSENT, NEVER
from fleet.model.finding import Action, Severity, State, Status
from reports._format import ReportContext, Written
from reports.tables import FORMAT, Tables, evidence_text
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
    from fleet.model.finding import Evidence

TITLES = {"wifi-and-power": "Connect to Wi-Fi and power", "free-icloud-storage": "Free iCloud storage"}
FINDINGS_HEADER = (
    "external_id,action,state,severity,check,title,serial,device_name,model,os_version,user_name,user_email,"
    "department,site,source,evidence,remediation,first_seen,last_seen,days_open,observed_at,waiver_until,report_url"
)
DEVICES_HEADER = (
    "key,serial,name,status,reason,severity,cause,model,os_version,user_name,user_email,department,site,groups,"
    "sources,backup_enabled,last_cloud_backup_at,free_percent,observed_at,findings,next_fix"
)


def written(directory: Path, *reports: DeviceReport, **changes: object) -> list[Written]:
    return push(Tables(directory, CONTEXT, TITLES), reports, **changes)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, strict=True))


def device_row(directory: Path, signals: dict[str, object]) -> dict[str, str]:
    written(directory, a_report(device=a_device(a_sighting("hq", NOW, **signals))))
    return rows(directory / "devices.csv")[0]


def test_an_empty_run_leaves_header_only_files(tmp_path: Path) -> None:
    """An importer that finds no device still finds the columns, in their agreed order, without a BOM."""
    assert written(tmp_path) == [Written("findings.csv", 0), Written("devices.csv", 0)]
    assert (tmp_path / "findings.csv").read_bytes() == FINDINGS_HEADER.encode() + b"\r\n"
    assert (tmp_path / "devices.csv").read_bytes() == DEVICES_HEADER.encode() + b"\r\n"
    assert names_in(tmp_path) == ["devices.csv", "findings.csv"]
    assert FORMAT.files == ("findings.csv", "devices.csv")


def test_a_finding_tells_a_ticket_all_it_needs(tmp_path: Path) -> None:
    """A row of findings.csv names what, whose, the evidence, the fixes, its history and where to read on."""
    device = a_device(
        a_sighting(
            serial="FK0001",
            name="Ward 3 iPad",
            model_name="iPad (9th generation)",
            model_identifier="iPad12,1",
            os_version="26.7.1",
            user_name="Amara Obi",
            user_email="amara@example.com",
            department="Nursing",
            site="Clinic",
        )
    )
    finding = a_finding(sources=("hq", "schools"), waiver_until=datetime(2027, 1, 31, 23, 59, 59, tzinfo=UTC))
    written(tmp_path, a_report(finding, device=device))
    assert rows(tmp_path / "findings.csv") == [
        {
            "external_id": "e" * 32,
            "action": "none",
            "state": "open",
            "severity": "high",
            "check": "backup-stale",
            "title": "Backup is too old",
            "serial": "FK0001",
            "device_name": "Ward 3 iPad",
            "model": "iPad (9th generation)",
            "os_version": "26.7.1",
            "user_name": "Amara Obi",
            "user_email": "amara@example.com",
            "department": "Nursing",
            "site": "Clinic",
            "source": "hq; schools",
            "evidence": "age_days: 20; last_backup_at: 2026-11-02T02:00:00Z",
            "remediation": "1. Connect to Wi-Fi and power 2. Free iCloud storage",
            "first_seen": "2026-10-13T02:00:00Z",
            "last_seen": "2026-11-22T02:00:00Z",
            "days_open": "3",
            "observed_at": "2026-11-21T18:30:00Z",
            "waiver_until": "2027-01-31T23:59:59Z",
            "report_url": f"https://reports.example/ipads/index.html#d={'e' * 32}",
        }
    ]


def test_every_finding_is_a_row_and_incidents_have_no_device(tmp_path: Path) -> None:
    """Findings of every state are listed; a fleet-wide one stands behind them with empty device columns."""
    findings = [a_finding(state=state, external_id=state.value) for state in State]
    files = written(tmp_path, a_report(*findings), incidents=(an_incident(),))
    *of_devices, incident = rows(tmp_path / "findings.csv")
    assert files[0] == Written("findings.csv", len(State) + 1)
    assert [row["state"] for row in of_devices] == [state.value for state in State]
    assert {incident[name] for name in DEVICES_HEADER.split(",") if name in incident} == {
        incident["severity"], incident["observed_at"], ""
    }  # fmt: skip
    assert (incident["check"], incident["title"], incident["external_id"]) == ("icloud-outage",) * 2 + (
        "f" * 32,
    )
    assert incident["device_name"] == incident["serial"] == incident["remediation"] == ""


@pytest.mark.parametrize(
    ("open_for", "days"),
    [
        (timedelta(0), "0"),
        (timedelta(hours=23, minutes=59), "0"),
        (timedelta(days=1), "1"),
        (timedelta(days=400), "400"),
        (timedelta(days=-1), "0"),
    ],
)
def test_days_open_are_whole_days_up_to_the_run(tmp_path: Path, open_for: timedelta, days: str) -> None:
    """A finding's days count from when it was opened last to the clock of the run."""
    written(tmp_path, a_report(a_finding(opened_at=NOW - open_for)))
    assert rows(tmp_path / "findings.csv")[0]["days_open"] == days


def test_a_device_row_says_how_it_stands(tmp_path: Path) -> None:
    """A row of devices.csv holds status, what stands against the device, and the fix to try first."""
    device = a_device(
        a_sighting(
            "hq",
            serial="FK0001",
            model_identifier="iPad12,1",
            groups=("Wards", "Loan pool"),
            backup_enabled=False,
            last_cloud_backup_at=datetime(2026, 11, 2, tzinfo=UTC),
            capacity_bytes=64 * 10**9,
            available_bytes=4 * 10**9,
        ),
        a_sighting("export", NOW - timedelta(days=9), name="Ward 3 iPad"),
    )
    findings = (
        a_finding(check="storage-full", severity=Severity.MEDIUM),
        a_finding(check="backup-stale"),
        a_finding(check="os-outdated", state=State.WAIVED),
        a_finding(check="vpn-configured", state=State.RESOLVED, action=Action.RESOLVE),
    )
    written(tmp_path, a_report(*findings, device=device, cause="storage-full", severity=Severity.HIGH))
    (row,) = rows(tmp_path / "devices.csv")
    assert row == {
        "key": "d" * 32,
        "serial": "FK0001",
        "name": "Ward 3 iPad",
        "status": "at_risk",
        "reason": "",
        "severity": "high",
        "cause": "storage-full",
        "model": "iPad12,1",
        "os_version": "",
        "user_name": "",
        "user_email": "",
        "department": "",
        "site": "",
        "groups": "Wards; Loan pool",
        "sources": "hq; export",
        "backup_enabled": "false",
        "last_cloud_backup_at": "2026-11-02T00:00:00Z",
        "free_percent": "6.2",
        "observed_at": "2026-11-21T18:30:00Z",
        "findings": "storage-full; backup-stale",
        "next_fix": "wifi-and-power",
    }


@pytest.mark.parametrize(
    ("signals", "column", "cell"),
    [
        ({"last_cloud_backup_at": NEVER}, "last_cloud_backup_at", "never"),
        ({"last_cloud_backup_at": ABSENT}, "last_cloud_backup_at", ""),
        ({"backup_enabled": True}, "backup_enabled", "true"),
        ({"backup_enabled": ABSENT}, "backup_enabled", ""),
        ({"capacity_bytes": 100, "available_bytes": 0}, "free_percent", "0.0"),
        ({"capacity_bytes": 100}, "free_percent", ""),
        ({"available_bytes": 100}, "free_percent", ""),
        ({"capacity_bytes": 100, "available_bytes": 101}, "free_percent", ""),
        ({"groups": ()}, "groups", ""),
        ({"name": "-5"}, "name", "'-5"),
        ({"name": 'Åsa, the "boss"\nof 愛'}, "name", 'Åsa, the "boss"\nof 愛'),
        ({"name": "bad \ud800 half"}, "name", "bad ? half"),
        ({"serial": "=1+1"}, "serial", "'=1+1"),
        ({"groups": ("@all", "b")}, "groups", "'@all; b"),
    ],
)
def test_one_cell(tmp_path: Path, signals: dict[str, object], column: str, cell: str) -> None:
    """Unknown is an empty cell, a backup never made is a word, and people's text arrives unharmed."""
    assert device_row(tmp_path, signals)[column] == cell


def test_an_unknown_device_says_why(tmp_path: Path) -> None:
    """The reason of an unknown status has its column, and there is no severity."""
    written(tmp_path, a_report(status=Status.UNKNOWN, reason="stale_data"))
    (row,) = rows(tmp_path / "devices.csv")
    assert (row["status"], row["reason"], row["severity"]) == ("unknown", "stale_data", "")


@given(st.text(alphabet="=+-@\t\r\n ,\";'a\x00\u200b＝愛"))  # noqa: RUF001
def test_no_text_column_starts_a_formula(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    """Hostile text in any signal or piece of evidence reaches no spreadsheet as a formula."""
    directory = tmp_path_factory.mktemp("run")
    names = ("serial", "name", "model_name", "os_version", "user_name", "user_email", "department", "site")
    sighting = a_sighting(**dict.fromkeys(names, text), groups=(text, "b"))
    finding = a_finding(evidence={text: text}, fixes=(text,))
    written(directory, a_report(finding, device=a_device(sighting)))
    cells = [*rows(directory / "findings.csv"), *rows(directory / "devices.csv")]
    for row in cells:
        for cell in row.values():
            assert not cell.strip("\t\r\n \x00\u200b").startswith(tuple("=+-@＝"))  # noqa: RUF001


@pytest.mark.parametrize(
    ("evidence", "text"),
    [
        ({}, ""),
        ({"b": 1, "a": 2.5}, "a: 2.5; b: 1"),
        ({"on": True, "off": False}, "off: false; on: true"),
        (
            {"also": ["os-outdated", "storage-full"], "pending": None},
            "also: os-outdated, storage-full; pending: unknown",
        ),
        ({"change": -5}, "change: -5"),
    ],
)
def test_evidence_reads_as_text(evidence: Evidence, text: str) -> None:
    """Evidence is a line for a human, the same every night whatever order a database returned it in."""
    assert evidence_text(evidence) == text


@pytest.mark.no_cover
def test_memory_does_not_grow_with_the_fleet(tmp_path: Path) -> None:
    """Two thousand devices take no more memory than a few: rows go to disk."""
    writer = Tables(tmp_path, CONTEXT, TITLES)
    report = a_report(a_finding())
    for _ in range(10):
        writer.device(report)
    tracemalloc.start()
    for _ in range(2_000):
        writer.device(report)
    files = writer.finish(a_run(report))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert files == [Written("findings.csv", 2_010), Written("devices.csv", 2_010)]
    assert peak < 600_000


def test_a_full_disk_is_one_clear_line(tmp_path: Path) -> None:
    """When the disk is full, the message names the file and what to do."""
    full = tmp_path / "devices.csv"
    full.symlink_to("/dev/full")
    with pytest.raises(OutputError, match=r"devices\.csv: there is no space left; free some"):
        written(tmp_path, a_report())


def test_the_format_takes_its_titles_from_the_guide(tmp_path: Path) -> None:
    """Opened as a run opens it, remediation names the guide's fixes in order, an unknown one by its id."""
    titles = load()
    finding = a_finding(check="of-a-plug-in", fixes=("wifi-and-power", "local-backup", "of-a-plug-in"))
    push(FORMAT.open(tmp_path, ReportContext(as_of=NOW)), [a_report(finding)])
    (row,) = rows(tmp_path / "findings.csv")
    first, second = titles["wifi-and-power"].title, titles["local-backup"].title
    assert row["remediation"] == f"1. {first} 2. {second} 3. of-a-plug-in"
    assert (row["title"], row["report_url"]) == ("of-a-plug-in", f"index.html#d={'e' * 32}")
