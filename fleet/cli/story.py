"""One device's story as text for a terminal."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from fleet import guide
from fleet.merge import conflicts
from fleet.model.device import SIGNALS, Device
from fleet.model.fact import Gap

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fleet.model.run import DeviceReport


def told(report: DeviceReport, at: datetime) -> str:
    """Verdict, findings, plan, what each source says, and where they disagree."""
    device = report.device
    parts = (
        _verdict(report),
        _findings(report, at),
        _plan(report),
        _sources(device, at),
        _conflicts(device, at),
    )
    return "\n\n".join("\n".join(lines) for part in parts if (lines := list(part)))


def _verdict(report: DeviceReport) -> Iterator[str]:
    device = report.device
    yield " · ".join(
        shown(fact) for fact in (device.name, device.serial, device.model_name, device.os_version)
    )
    reason = f" ({report.reason})" if report.reason else ""
    cause = f", most probably because of {report.cause}" if report.cause else ""
    yield f"{str(report.status).replace('_', ' ')}{reason}{cause}"


def _findings(report: DeviceReport, at: datetime) -> Iterator[str]:
    if report.findings:
        yield "Findings"
    for finding in report.findings:
        why = (
            f" ({finding.reason.replace('_', ' ')})"
            if finding.reason and finding.reason != finding.state
            else ""
        )
        until = f" until {_day(finding.waiver_until)}" if finding.waiver_until else ""
        yield f"  {finding.severity} · {finding.check} · {finding.state}{until}{why}: {finding.summary}"
        yield f"    since {_day(finding.first_seen)}, evidence from {ago(finding.observed_at, at)}"


def _plan(report: DeviceReport) -> Iterator[str]:
    if report.plan:
        yield "What to do"
    fixes = guide.load()
    for number, step in enumerate(report.plan, 1):
        yield f"  {number}. {fixes[step.fix].title} ({step.audience})"
        yield f"     {step.why}"


def _sources(device: Device, at: datetime) -> Iterator[str]:
    for sighting in (*device.sightings, *device.superseded):
        old = ", superseded by a newer enrolment" if sighting in device.superseded else ""
        yield f"{sighting.source}, observed {ago(sighting.observed_at, at)}{old}"
        for signal in SIGNALS:
            value = getattr(sighting.record, signal)
            if not (isinstance(value, Gap) and value.reason == "not_reported"):
                yield f"  {signal}: {shown(value)}"


def _conflicts(device: Device, at: datetime) -> Iterator[str]:
    for signal, said in conflicts(device).items():
        words = (
            f"{sighting.source} says {shown(value)} {ago(sighting.observed_at, at)}"
            for sighting, value in said
        )
        yield f"{signal}: {', '.join(words)}"


def shown(value: object) -> str:
    """A fact as one word or phrase."""
    match value:
        case Gap():
            return f"unknown ({value.reason})"
        case datetime():
            return f"{value:%Y-%m-%d %H:%M} UTC"
        case bool():
            return "yes" if value else "no"
        case tuple():
            return ", ".join(map(str, value))  # pyright: ignore[reportUnknownArgumentType]
        case _:
            return str(getattr(value, "value", value))


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d}"


def ago(moment: datetime, at: datetime) -> str:
    """How long before `at`: "3 hours ago"."""
    hours = int((at - moment).total_seconds() // 3600)
    if hours < 1:
        return "less than an hour ago"
    count, unit = (hours, "hour") if hours < 48 else (hours // 24, "day")  # noqa: PLR2004 - two days read better as days
    return f"{count} {unit}{'s' if count > 1 else ''} ago"
