"""The tables for spreadsheets and ticketing systems: `findings.csv` and `devices.csv`.

UTF-8 without BOM, commas, CRLF, quotes doubled (RFC 4180); lists in a cell are joined by `; `, dates are
ISO 8601 in UTC, and what is unknown is empty. Columns that hold other people's text are guarded against
being run as a formula; those of our own making (ids, words of a closed set, dates, numbers) stay as they are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fleet.model.fact import Fact, Gap, Never, known
from reports._csv import Cell, Table, guard
from reports._format import Format, ReportContext, Written
from reports._plain import model_of, sources_of, zulu

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path

    from fleet.model.device import Device
    from fleet.model.device_report import DeviceReport
    from fleet.model.finding import Evidence, Finding
    from fleet.model.run import RunReport

FINDING_COLUMNS = (
    *("external_id", "action", "state", "severity", "check", "title"),
    *("serial", "device_name", "model", "os_version", "user_name", "user_email", "department", "site"),
    *("source", "evidence", "remediation"),
    *("first_seen", "last_seen", "days_open", "observed_at", "waiver_until", "report_url"),
)
DEVICE_COLUMNS = (
    *("key", "serial", "name", "status", "reason", "severity", "cause"),
    *("model", "os_version", "user_name", "user_email", "department", "site", "groups", "sources"),
    *("backup_enabled", "last_cloud_backup_at", "free_percent", "observed_at", "findings", "next_fix"),
)


class Tables:
    """Both tables at work; `fix_titles` are those of the guide, by the id of the fix."""

    def __init__(self, directory: Path, context: ReportContext, fix_titles: Mapping[str, str]) -> None:
        self._context = context
        self._fix_titles = fix_titles
        self._findings = Table(directory / "findings.csv", FINDING_COLUMNS)
        self._devices = Table(directory / "devices.csv", DEVICE_COLUMNS)

    def device(self, report: DeviceReport) -> None:
        """Take one device and its findings."""
        self._devices.add(_device_row(report))
        for finding in report.findings:
            self._findings.add(self._finding_row(finding, report.device))

    def finish(self, run: RunReport) -> list[Written]:
        """Complete both tables; fleet-wide findings follow those of the devices."""
        for incident in run.incidents:
            self._findings.add(self._finding_row(incident.finding, None))
        return [self._findings.close(), self._devices.close()]

    def _finding_row(self, finding: Finding, device: Device | None) -> list[Cell]:
        check = self._context.checks.get(finding.check)
        return [
            finding.external_id,
            finding.action,
            finding.state,
            finding.severity,
            finding.check,
            guard(check.title if check else finding.check),
            *(_whose(device) if device else [None] * 8),
            guard("; ".join(finding.sources)),
            guard(evidence_text(finding.evidence)),
            guard(self._remediation(finding.fixes)),
            zulu(finding.first_seen),
            zulu(finding.last_seen),
            max((self._context.as_of - finding.opened_at).days, 0),
            zulu(finding.observed_at),
            zulu(finding.waiver_until) if finding.waiver_until else None,
            f"{self._context.base_url}index.html#d={finding.external_id}",
        ]

    def _remediation(self, fixes: tuple[str, ...]) -> str:
        titles = (self._fix_titles.get(fix, fix) for fix in fixes)
        return " ".join(f"{number}. {title}" for number, title in enumerate(titles, 1))


def evidence_text(evidence: Evidence) -> str:
    """The evidence for a human: `key: value; key: value`, in the order of the keys."""
    return "; ".join(f"{key}: {_said(evidence[key])}" for key in sorted(evidence))


def _said(value: str | float | bool | list[str] | None) -> str:
    match value:
        case None:
            return "unknown"
        case bool():
            return "true" if value else "false"
        case list():
            return ", ".join(value) or "none"
        case _:
            return str(value)


def _device_row(report: DeviceReport) -> list[Cell]:
    device = report.device
    serial, name, *whose = _whose(device)
    return [
        device.key,
        serial,
        name,
        report.status,
        report.reason,
        report.severity,
        report.cause,
        *whose,
        guard("; ".join(known(device.groups) or ())),
        guard("; ".join(sources_of(device))),
        _flag(device.backup_enabled),
        _last_backup(device.last_cloud_backup_at),
        free_percent(device),
        zulu(device.observed_at),
        "; ".join(finding.check for finding in report.findings if finding.state.standing),
        report.plan[0].fix if report.plan else None,
    ]


def _whose(device: Device) -> list[Cell]:
    texts = (
        known(device.serial),
        known(device.name),
        model_of(device),
        known(device.os_version),
        known(device.user_name),
        known(device.user_email),
        known(device.department),
        known(device.site),
    )
    return [guard(text) if text else None for text in texts]


def _flag(fact: Fact[bool]) -> str | None:
    return None if isinstance(fact, Gap) else "true" if fact else "false"


def _last_backup(fact: Fact[datetime | Never]) -> str | None:
    match fact:
        case Gap():
            return None
        case Never():
            return fact.value
        case _:
            return zulu(fact)


def free_percent(device: Device) -> str | None:
    """The free share of the device's storage in percent with one decimal; None where it cannot be known."""
    capacity, available = known(device.capacity_bytes), known(device.available_bytes)
    if not capacity or available is None or not 0 <= available <= capacity:
        return None
    return f"{100 * available / capacity:.1f}"


def _open(directory: Path, context: ReportContext) -> Tables:
    from fleet.guide import load  # noqa: PLC0415 - the guide is read when a report is written, not on --help

    return Tables(directory, context, {name: fix.title for name, fix in load().items()})


FORMAT = Format(name="csv", files=("findings.csv", "devices.csv"), open=_open)
