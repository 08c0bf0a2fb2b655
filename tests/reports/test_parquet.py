from __future__ import annotations

import json
import tracemalloc
from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest

from fleet.model.device import SIGNALS, Enrollment, Platform
from fleet.model.fact import ABSENT, NEVER, UNREADABLE
from fleet.model.finding import State, Status
from reports import parquet
from reports._format import Written
from reports.parquet import FORMAT
from tests.reports.a_run import (
    CONTEXT,
    NOW,
    SEEN,
    a_device,
    a_finding,
    a_report,
    a_sighting,
    an_incident,
    push,
)
from tests.reports.made_up import believable

if TYPE_CHECKING:
    from pathlib import Path

    from fleet.model.device_report import DeviceReport

reader: Any = import_module("pyarrow.parquet")


def rows(directory: Path, name: str, *reports: DeviceReport, **changes: object) -> list[dict[str, Any]]:
    push(FORMAT.open(directory, CONTEXT), reports, **changes)
    found: list[dict[str, Any]] = reader.read_table(directory / f"{name}.parquet").to_pylist()
    return found


def test_a_device_row_has_every_signal_in_its_own_type(tmp_path: Path) -> None:
    """Times are timestamps in UTC, lists are lists, numbers are numbers, and a warehouse needs no conversion."""
    backup = datetime(2026, 11, 2, 10, 30, tzinfo=UTC)
    device = a_device(
        a_sighting(
            serial="FK0001",
            name="愛",
            platform=Platform.IPADOS,
            enrollment=Enrollment.AUTOMATED,
            supervised=True,
            capacity_bytes=64 * 10**9,
            battery_percent=80,
            last_cloud_backup_at=backup,
            groups=("Wards", "Loan"),
        ),
        gaps={"asset_tag": UNREADABLE, "user_name": ABSENT},
    )
    findings = (a_finding(), a_finding(check="vpn-configured", state=State.RESOLVED))
    (row,) = rows(tmp_path, "devices", a_report(*findings, device=device))
    assert set(SIGNALS) < set(row)
    expected: dict[str, Any] = {
        "as_of": NOW,
        "key": "d" * 32,
        "status": "at_risk",
        "severity": "high",
        "cause": "unexplained",
        "serial": "FK0001",
        "name": "愛",
        "platform": "iPadOS",
        "enrollment": "automated",
        "supervised": True,
        "backup_enabled": None,
        "capacity_bytes": 64 * 10**9,
        "battery_percent": 80,
        "last_cloud_backup_at": backup,
        "last_cloud_backup_never": False,
        "groups": ["Wards", "Loan"],
        "observed_at": SEEN,
        "sources": ["hq"],
        "unknown": [("asset_tag", "unreadable"), ("user_name", "absent")],
        "findings": ["backup-stale"],
        "plan": ["wifi-and-power"],
    }
    assert {key: row[key] for key in expected} == expected


@pytest.mark.parametrize(
    ("fact", "date", "never"), [(NEVER, None, True), (ABSENT, None, None), (NOW, NOW, False)]
)
def test_never_is_not_unknown(
    tmp_path: Path, fact: object, date: datetime | None, never: bool | None
) -> None:
    """A backup that was never made has no date and says so; one that nobody knows of says nothing."""
    device = a_device(a_sighting(), gaps={"last_cloud_backup_at": fact})  # type: ignore[dict-item]
    (row,) = rows(tmp_path, "devices", a_report(device=device, status=Status.UNKNOWN))
    assert (row["last_cloud_backup_at"], row["last_cloud_backup_never"]) == (date, never)


def test_a_finding_row_is_the_ticket(tmp_path: Path) -> None:
    """A finding names its device; its evidence is JSON; an incident has no device."""
    finding = a_finding(opened_at=NOW - timedelta(days=3, hours=5), reason="rule_changed")
    first, second = rows(tmp_path, "findings", a_report(finding), incidents=(an_incident(),))
    assert (first["device"], first["serial"], first["days_open"]) == ("d" * 32, "FK0001", 3)
    assert json.loads(first["evidence"]) == {"age_days": 20, "last_backup_at": "2026-11-02T02:00:00Z"}
    assert (first["fixes"], first["sources"]) == (["wifi-and-power", "free-icloud-storage"], ["hq"])
    assert (first["reason"], first["waiver_until"]) == ("rule_changed", None)
    assert (second["check"], second["device"]) == ("icloud-outage", None)


def test_readings_are_what_each_source_said(tmp_path: Path) -> None:
    """A device that two sources know has two readings, each with its own values and the time they were told."""
    earlier = NOW - timedelta(days=9)
    device = a_device(
        a_sighting("hq", serial="FK0001", available_bytes=5 * 10**9, battery_percent=80),
        a_sighting("export", earlier, available_bytes=7 * 10**9, last_cloud_backup_at=NEVER),
    )
    first, second = rows(tmp_path, "readings", a_report(device=device))
    told = (
        "device",
        "source",
        "observed_at",
        "available_bytes",
        "battery_percent",
        "last_cloud_backup_never",
    )
    assert [first[key] for key in told] == ["d" * 32, "hq", SEEN, 5 * 10**9, 80, None]
    assert [second[key] for key in told] == ["d" * 32, "export", earlier, 7 * 10**9, None, True]
    assert first["standing"] == "read"


def test_types_hold_in_a_night_without_rows(tmp_path: Path) -> None:
    """An empty night has the same columns and types, so many nights are one table."""
    files = push(FORMAT.open(tmp_path, CONTEXT), [])
    assert files == [Written(f"{name}.parquet", 0) for name in ("devices", "findings", "readings")]
    empty = reader.read_schema(tmp_path / "devices.parquet")
    (tmp_path / "full").mkdir()
    push(FORMAT.open(tmp_path / "full", CONTEXT), list(believable(30)))
    assert empty.equals(reader.read_schema(tmp_path / "full" / "devices.parquet"))
    assert str(empty.field("last_cloud_backup_at").type) == "timestamp[us, tz=UTC]"
    assert str(empty.field("groups").type) == "list<element: string>"


def test_rows_leave_in_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory holds one group of rows: three times as many devices take no more of it."""
    monkeypatch.setattr(parquet, "ROWS_IN_A_GROUP", 200)
    peaks: list[int] = []
    report = a_report(a_finding())
    for count in (400, 1_200):
        tracemalloc.start()
        push(FORMAT.open(tmp_path, CONTEXT), (report for _ in range(count)))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert reader.ParquetFile(tmp_path / "devices.parquet").num_row_groups == 6
    assert peaks[1] < peaks[0] + 100_000


def test_a_half_character_costs_itself_alone(tmp_path: Path) -> None:
    """A lone surrogate that came through all cleaning does not break the file."""
    (row,) = rows(tmp_path, "devices", a_report(device=a_device(a_sighting(name="bad \ud800 half"))))
    assert row["name"] == "bad ? half"
