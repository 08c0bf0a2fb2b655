"""Made-up devices, findings and runs for the tests of the formats."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from fleet.model.device import Device, DeviceRecord, Sighting, Standing
from fleet.model.device_report import DeviceReport, PlanStep
from fleet.model.fact import Gap
from fleet.model.finding import Action, Basis, Finding, Severity, State, Status
from fleet.model.policy import Policy
from fleet.model.run import Incident, Outcome, RunReport, SourceReport, Totals, Trouble
from reports._format import CheckText, ReportContext

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from reports._format import Writer, Written

NOW = datetime(2026, 11, 22, 2, tzinfo=UTC)
SEEN = datetime(2026, 11, 21, 18, 30, tzinfo=UTC)
CONTEXT = ReportContext(
    as_of=NOW,
    base_url="https://reports.example/ipads/",
    checks={
        "backup-stale": CheckText(
            id="backup-stale",
            title="Backup is too old",
            rule="Older than 7 days.",
            basis=Basis.OBSERVED,
        )
    },
)


def a_sighting(source: str = "hq", observed_at: datetime = SEEN, **signals: object) -> Sighting:
    """What `source` says of a device."""
    record = replace(DeviceRecord(native_id="1"), **signals)
    return Sighting(
        source=source, record=record, observed_at=observed_at, last_seen_at=NOW, standing=Standing.READ
    )


def a_device(*sightings: Sighting, key: str = "d" * 32, gaps: dict[str, Gap] | None = None) -> Device:
    """A device with the first known value of each signal among its sightings, and `gaps` for the others."""
    signals: dict[str, object] = dict(gaps or {})
    for sighting in reversed(sightings):
        record = sighting.record
        known = {
            name: getattr(record, name) for name in DeviceRecord.__dataclass_fields__ if name != "native_id"
        }
        signals |= {name: value for name, value in known.items() if not isinstance(value, Gap)}
    return replace(Device(key=key, sightings=sightings), **signals)


def a_finding(**changes: object) -> Finding:
    """A standing, stale backup, opened three days ago."""
    finding = Finding(
        external_id="e" * 32,
        problem="backup",
        check="backup-stale",
        basis=Basis.OBSERVED,
        severity=Severity.HIGH,
        state=State.OPEN,
        action=Action.NONE,
        first_seen=NOW - timedelta(days=40),
        last_seen=NOW,
        opened_at=NOW - timedelta(days=3, hours=5),
        summary="The last backup is 20 days old.",
        evidence={"last_backup_at": "2026-11-02T02:00:00Z", "age_days": 20},
        fixes=("wifi-and-power", "free-icloud-storage"),
        sources=("hq",),
        observed_at=SEEN,
    )
    return replace(finding, **changes)


def a_report(*findings: Finding, device: Device | None = None, **changes: object) -> DeviceReport:
    """A device at risk with its findings."""
    report = DeviceReport(
        device=device or a_device(a_sighting(serial="FK0001", name="Ward 3 iPad")),
        status=Status.AT_RISK if findings else Status.PROTECTED,
        reason=None,
        severity=max((finding.severity for finding in findings), key=lambda one: one.rank, default=None),
        cause="unexplained" if findings else None,
        findings=findings,
        plan=(PlanStep(fix="wifi-and-power", audience="user", why="It backs up on Wi-Fi and power."),)
        if findings
        else (),
    )
    return replace(report, **changes)


def an_incident() -> Incident:
    """An outage at Apple, that is nobody's device."""
    finding = a_finding(
        external_id="f" * 32,
        problem="icloud-outage",
        check="icloud-outage",
        fixes=(),
        evidence={"service": "Backup"},
    )
    return Incident(
        check="icloud-outage",
        severity=Severity.HIGH,
        summary="Apple reports trouble.",
        devices=12,
        since=NOW,
        finding=finding,
    )


def a_source(name: str = "hq", outcome: Outcome = Outcome.COMPLETE) -> SourceReport:
    """A source's ledger entry with one problem line."""
    return SourceReport(
        name=name,
        kind="jamf_pro",
        outcome=outcome,
        devices=105,
        expected=106,
        unreadable=1,
        collected_at=NOW,
        facts_at=NOW,
        reported=("serial", "os_version"),
        never=("last_local_backup_at",),
        problems=(Trouble("unreadable", "One row could not be read.", 1),),
    )


def a_run(*reports: DeviceReport, **changes: object) -> RunReport:
    """A complete run over `reports`."""
    totals = Totals()
    for report in reports:
        totals.add(report)
    run = RunReport(
        id=12,
        as_of=NOW,
        generated_at=NOW + timedelta(seconds=75, microseconds=500),
        started_at=NOW,
        finished_at=NOW + timedelta(seconds=62, milliseconds=500),
        outcome=Outcome.COMPLETE,
        version="1.0",
        title="Backups",
        base_url=None,
        policy=Policy(),
        policy_hash="abc",
        catalog_date="2026-10-05",
        hold=False,
        sources=(a_source(),),
        totals=totals,
    )
    return replace(run, **changes)


def push(writer: Writer, reports: Iterable[DeviceReport], **changes: object) -> list[Written]:
    """Send a whole run through `writer`."""
    reports = list(reports)
    for report in reports:
        writer.device(report)
    return writer.finish(a_run(*reports, **changes))


def names_in(directory: Path) -> list[str]:
    """What lies in `directory`, hidden things too."""
    return sorted(path.name for path in directory.iterdir())
