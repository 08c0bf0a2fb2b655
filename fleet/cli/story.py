"""One device's story as text for a terminal."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from fleet import guide
from fleet.cli import nights
from fleet.cli.spoken import ago, counted, day, moment, shown, title
from fleet.merge import conflicts
from fleet.model.device import SIGNALS, Device, Sighting, Standing
from fleet.model.device_report import Strength
from fleet.model.fact import NOT_PERMITTED, Gap, Reason
from fleet.model.identity import identity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fleet.model.device_report import DeviceReport
    from fleet.model.finding import Finding
    from fleet.nightly.past import Seen


def told(seen: Seen, at: datetime) -> str:
    """Verdict, findings, causes, plan, where sources disagree, and what each says."""
    device, report = seen.device, seen.report
    judged = (
        () if report is None else (_findings(report, at), _causes(report), _ruled_out(report), _plan(report))
    )
    parts = (
        _verdict(seen),
        *judged,
        _lately(seen),
        _conflicts(device, at),
        *(_sighting(sighting, at) for sighting in device.sightings),
        *(_superseded(sighting, at) for sighting in device.superseded),
        _apart(device),
    )
    return "\n\n".join("\n".join(lines) for part in parts if (lines := list(part)))


def _verdict(seen: Seen) -> Iterator[str]:
    yield title(seen.device)
    report, last = seen.report, seen.device.last_cloud_backup_at
    if report is None:
        listed = max(sighting.last_seen_at for sighting in seen.device.sightings)
        yield f"it left the fleet: no source has listed it since {moment(listed)}"
    else:
        reason = f" ({report.reason})" if report.reason else ""
        yield f"{str(report.status).replace('_', ' ')}{reason}{_because(report.cause)}"
    if not isinstance(last, Gap):
        yield f"last iCloud backup: {shown(last)}"


def _because(cause: str | None) -> str:
    if cause == "unexplained":
        return ", for no cause that can be observed"
    return f", most probably because of {cause}" if cause else ""


def _findings(report: DeviceReport, at: datetime) -> Iterator[str]:
    if report.findings:
        yield "Findings"
    for finding in report.findings:
        yield f"  {finding.severity} · {finding.check} · {_state(finding)}: {finding.summary}"
        yield f"    {_life(finding, at)}"
        if (left := finding.evidence.get("days_until_deletion")) is not None:
            yield f"    {_deletion(left)}"
        yield f"    ticket {finding.external_id}"


def _state(finding: Finding) -> str:
    why = finding.reason if finding.reason != finding.state else None
    until = f" until {day(finding.waiver_until)}" if finding.waiver_until else ""
    because = f" ({why.replace('_', ' ')})" if why else ""
    return f"{finding.state}{until}{because}"


def _life(finding: Finding, at: datetime) -> str:
    first = f"first seen {day(finding.first_seen)}"
    observed = f"{' and '.join(finding.sources)} reported it {ago(finding.observed_at, at)}"
    if not finding.state.standing:
        return f"{first}, last {day(finding.last_seen)}; {observed}"
    opened = f"open for {counted((at - finding.opened_at).days, 'day')}"
    return f"{first}, {opened}; {observed}"


def _deletion(left: object) -> str:
    return (
        f"Apple deletes the last backup in {left} days" if left else "Apple may have deleted the last backup"
    )


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
    said = ""
    for number, step in enumerate(report.plan, 1):
        fix = fixes[step.fix]
        asks = f", asks for {fix.cost.asks_for}" if fix.cost.asks_for else ""
        yield f"  {number}. {fix.title} ({step.audience}, about {fix.cost.minutes} minutes{asks})"
        if step.why != said:
            yield f"     {step.why}"
        said = step.why
        if step is first[step.audience]:
            yield from (f"     - {line}" for line in guide.steps(step.fix, report.handling))


def _lately(seen: Seen) -> Iterator[str]:
    events = nights.events(seen.life)
    if events:
        yield "What happened lately" if len(events) > LATEST else "What happened"
    yield from events[-LATEST:]
    if len(events) > LATEST:
        yield f"  (`--history` tells all {len(events):,}, and what each night knew)"


LATEST = 6
"""How much of its history a story tells."""


def _conflicts(device: Device, at: datetime) -> Iterator[str]:
    """Where sources contradict one another; the first named is believed, because it heard from the device last."""
    said = conflicts(device)
    if said:
        yield "Sources disagree"
    for signal, several in said.items():
        words = (
            f"{sighting.source} says {shown(value, signal)} {ago(sighting.observed_at, at)}"
            for sighting, value in several
        )
        yield f"  {signal}: {', '.join(words)}"


def _sighting(sighting: Sighting, at: datetime) -> Iterator[str]:
    """All that one source says; what it does not say stands below, by the reason."""
    yield f"{sighting.source}, observed {ago(sighting.observed_at, at)}{_STANDINGS[sighting.standing]}"
    unknown: dict[str, list[str]] = {}
    for signal in SIGNALS:
        fact = getattr(sighting.record, signal)
        if not isinstance(fact, Gap):
            yield f"  {signal:<{_WIDEST}}  {shown(fact, signal)}"
        elif fact.reason is not Reason.NOT_REPORTED:
            unknown.setdefault(fact.reason.replace("_", " "), []).append(signal)
    yield from (f"  {reason}: {', '.join(signals)}" for reason, signals in unknown.items())


_WIDEST = max(map(len, SIGNALS))
_STANDINGS = {
    Standing.READ: "",
    Standing.UNREAD: ", not read in its latest collection",
    Standing.ABSENT: ", no longer listed",
}


def _superseded(sighting: Sighting, at: datetime) -> Iterator[str]:
    enrolled = sighting.record.enrolled_at
    since = "" if isinstance(enrolled, Gap) else f" (that of {day(enrolled)})"
    yield f"{sighting.source}, observed {ago(sighting.observed_at, at)}: superseded by a newer enrolment{since}"


def _apart(device: Device) -> Iterator[str]:
    """Why no other source's record can be joined to this one."""
    serial, udid = device.serial, device.udid
    if identity(serial) or identity(udid):
        return
    if NOT_PERMITTED in {serial, udid}:
        yield "Its enrolment hides serial number and UDID, so records of other sources cannot be joined to it."
    else:
        yield (
            "Its record names neither a serial number nor a UDID of its own, so records of other sources cannot be "
            "joined to it."
        )
