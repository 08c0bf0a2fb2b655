"""One device's story as text for a terminal."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from fleet import guide
from fleet.merge import conflicts
from fleet.model.device import SIGNALS, Device
from fleet.model.fact import Gap
from fleet.model.run import Strength

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fleet.model.run import DeviceReport


def told(report: DeviceReport, at: datetime) -> str:
    """Verdict, findings, causes, plan, what each source says, and where they disagree."""
    device = report.device
    parts = (
        _verdict(report),
        _findings(report, at),
        _causes(report),
        _ruled_out(report),
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
    yield f"{str(report.status).replace('_', ' ')}{reason}{_because(report.cause)}"


def _because(cause: str | None) -> str:
    if cause == "unexplained":
        return ", for no cause that can be observed"
    return f", most probably because of {cause}" if cause else ""


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


def _causes(report: DeviceReport) -> Iterator[str]:
    if report.causes:
        yield "Why there is no backup"
    fixes = guide.load()
    for cause in report.causes:
        unseen = cause.strength is Strength.UNSEEN and fixes[cause.cause].unseen
        yield f"  {cause.strength}: {unseen or cause.cause}"
        yield from (f"    + {clause}" for clause in cause.evidence_for)
        yield from (f"    - {clause}" for clause in cause.evidence_against)


def _ruled_out(report: DeviceReport) -> Iterator[str]:
    if report.ruled_out:
        yield "Ruled out"
    for each in report.ruled_out:
        yield f"  {each.cause}: {each.because}"


def _plan(report: DeviceReport) -> Iterator[str]:
    """Each fix; how it is done only for the first of the user's and the first of the admin's."""
    if report.plan:
        yield "What to do"
    fixes = guide.load()
    first = {step.audience: step for step in reversed(report.plan)}
    for number, step in enumerate(report.plan, 1):
        fix = fixes[step.fix]
        asks = f", asks for {fix.cost.asks_for}" if fix.cost.asks_for else ""
        yield f"  {number}. {fix.title} ({step.audience}, about {fix.cost.minutes} minutes{asks})"
        yield f"     {step.why}"
        if step is first[step.audience]:
            yield from (f"     - {line}" for line in guide.steps(step.fix, report.handling))


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
