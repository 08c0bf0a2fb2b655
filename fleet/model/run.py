"""One run and what it left behind: the ledger that every report starts from."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from fleet.model.finding import Finding, Severity, Status

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from fleet.model.device_report import DeviceReport
    from fleet.model.policy import Policy
    from fleet.model.waiver import WaiverUse


class Outcome(StrEnum):
    """How whole a collection, or a run, is."""

    COMPLETE = "complete"
    PARTIAL = "partial"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that happened to a source, for its line in the report.

    Attributes:
        code: machine-readable, stable.
        message: one sentence naming the place and the remedy; no secrets, no people.
        count: how many times, or how many records.
    """

    code: str
    message: str
    count: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Increment:
    """How a source was read that was asked only for what had reported since the last time.

    Attributes:
        since: from when on.
        read: how many devices that were; None where that is not to be told. All others are as they were.
        full_at: the clock of the last full walk, the last one to show which devices are gone.
    """

    since: datetime
    read: int | None
    full_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceReport:
    """What one source's latest collection amounts to.

    Attributes:
        devices: records read; where it was read by an increment, those that it has by that.
        expected: the total that the source stated, if it states one.
        unreadable: rows counted but not readable.
        collected_at: `as_of` of the collection; for a failed source its last known facts are older.
        facts_at: `as_of` of the last collection that read anything; None if there never was one.
        reported: the signals this source reports, in the order of the catalogue.
        never: those it does not.
        increment: how it was read, where that was no full walk.
    """

    name: str
    kind: str
    outcome: Outcome
    devices: int
    expected: int | None
    unreadable: int
    collected_at: datetime
    facts_at: datetime | None
    reported: tuple[str, ...]
    never: tuple[str, ...]
    problems: tuple[Trouble, ...] = ()
    increment: Increment | None = None


@dataclass(slots=True)
class Totals:
    """Counts over the fleet, filled while devices stream by.

    Attributes:
        findings: standing findings (new, open, reopened) by severity, fleet-wide ones included.
        waived: waived findings.
        changes: findings of devices by state for those that moved tonight: new, reopened, resolved, gone.
        beyond_catalog: devices whose `model`, or newer `release`, the catalogue does not know.
        covered: for each waiver of the run's terms, in their order, how many findings it covered.
    """

    devices: int = 0
    statuses: dict[Status, int] = field(default_factory=lambda: dict.fromkeys(Status, 0))
    findings: dict[Severity, int] = field(default_factory=lambda: dict.fromkeys(Severity, 0))
    waived: int = 0
    changes: dict[str, int] = field(
        default_factory=lambda: {"new": 0, "reopened": 0, "resolved": 0, "gone": 0}
    )
    beyond_catalog: dict[str, int] = field(default_factory=lambda: {"model": 0, "release": 0})
    covered: list[int] = field(default_factory=list[int])

    def add(self, device: DeviceReport) -> None:
        """Count one device in."""
        self.devices += 1
        self.statuses[device.status] += 1
        if device.beyond_catalog:
            self.beyond_catalog[device.beyond_catalog] += 1
        for finding in device.findings:
            if finding.state.standing:
                self.findings[finding.severity] += 1
            elif finding.state == "waived":
                self.waived += 1
            if finding.state in self.changes:
                self.changes[finding.state] += 1

    def add_incident(self, incident: Incident) -> None:
        """Count a fleet-wide finding in; it is no change of any device."""
        if incident.finding.state.standing:
            self.findings[incident.severity] += 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """A fleet-wide finding: one for all devices that share its cause.

    Attributes:
        devices: how many it concerns tonight.
        since: when it began, as far as the evidence goes.
        finding: its history; one that ended is shown in the one night in which it did.
    """

    check: str
    severity: Severity
    summary: str
    devices: int
    since: datetime
    finding: Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class TrendPoint:
    """One past run's totals, for the trend and for "what changed since"."""

    run_id: int
    as_of: datetime
    outcome: Outcome
    statuses: Mapping[Status, int]
    findings: Mapping[Severity, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunReport:
    """One run's ledger entry with everything a report's head needs.

    Attributes:
        as_of: the clock of every judgement.
        generated_at: the time stamp that reports print; that of the run, so that a report can be made again.
        hold: the mass-change brake withheld tonight's ticket actions.
        waivers: every waiver that judged, in the order of the settings, then of the database.
        trend: earlier runs, oldest first, this one not included; empty in the report of a slice.
        previous_at: the clock of the run before; None for the first.
        notes: sentences about the catalogue, an unreachable feed, a failed notification.
    """

    id: int
    as_of: datetime
    generated_at: datetime
    started_at: datetime
    finished_at: datetime
    outcome: Outcome
    version: str
    title: str
    base_url: str | None
    policy: Policy
    policy_hash: str
    catalog_date: str
    hold: bool
    sources: tuple[SourceReport, ...]
    totals: Totals
    incidents: tuple[Incident, ...] = ()
    waivers: tuple[WaiverUse, ...] = ()
    trend: tuple[TrendPoint, ...] = ()
    previous_at: datetime | None = None
    notes: tuple[str, ...] = ()
