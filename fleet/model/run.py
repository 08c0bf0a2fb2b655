"""One run and what it left behind: the ledger that every report starts from."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from fleet.model.finding import Finding, Severity, Status
from fleet.model.frozen import frozen

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from fleet.model.device import Device
    from fleet.model.fact import Fact
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


class Handling(NamedTuple):
    """What the wording of instructions for a device depends on.

    Attributes:
        device_class: `iphone`, `ipad`, `ipod`, `vision` or `other`.
        major: the installed system's major version, None where unknown.
        force_restart: the catalogue's name of the model's key sequence, None where unknown.
    """

    device_class: str = "other"
    major: int | None = None
    force_restart: str | None = None


ANY_DEVICE = Handling()


@frozen
class PlanStep:
    """One fix to try, in the place where it stands in the device's plan.

    Attributes:
        fix: the guide's id.
        audience: `user` or `admin`.
        why: one sentence that ties it to this device's evidence.
    """

    fix: str
    audience: str
    why: str


class Strength(StrEnum):
    """How much the evidence for a cause says, strongest first."""

    EXPLAINS = "explains"
    """While it holds no backup can be made, whatever else is mended."""
    LIKELY = "likely"
    """Likelier than any single cause that nobody can see; not proven."""
    POSSIBLE = "possible"
    """A neighbour of the problem, which many devices with good backups have as well."""
    UNSEEN = "unseen"
    """No management system can see it, so nothing but trying its cure tells."""


@frozen
class Cause:
    """One possible cause of a missing backup, with what speaks for it and against it.

    Attributes:
        cause: a check id, or for a cause that nobody can see the guide's id of the fix that would cure it.
        evidence_for: short clauses from this device's facts; mostly empty for a cause that nobody can see.
        evidence_against: likewise, and what keeps the evidence from being a proof.
    """

    cause: str
    strength: Strength
    evidence_for: tuple[str, ...] = ()
    evidence_against: tuple[str, ...] = ()


@frozen
class RuledOut:
    """A cause that this device's evidence excludes.

    Attributes:
        cause: a check id.
        because: a short clause with the value that excludes it, for example `41 GB of storage are free`.
    """

    cause: str
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """A finding that ended before tonight.

    Attributes:
        last_seen: the last night whose evidence showed it.
        reason: why it ended, where that is not the evidence itself.
    """

    check: str
    severity: Severity
    first_seen: datetime
    last_seen: datetime
    reason: str | None


@dataclass(frozen=True, slots=True)
class Observation:
    """What one past collection saw of a device; None where it did not say.

    Attributes:
        last_backup: None also for a backup that was never made.
    """

    collected_at: datetime
    available_bytes: int | None
    last_backup: datetime | None


@frozen
class DeviceReport:
    """Everything the reports say of one device.

    Attributes:
        reason: for an unknown or not applicable device, why (`stale_data`, `not_reported`, …).
        cause: the first of `causes` where that explains it or is likely, else `unexplained`; None where there is
            no backup problem to explain.
        severity: the worst of the standing findings.
        beyond_catalog: what the catalogue does not know of it: its `model`, or its newer `release`.
        causes: of a device with a backup problem, the most probable first.
        ruled_out: what its evidence excludes.
        handling: how instructions for it are to be worded.
        past: its findings that ended before tonight.
        history: of a device at risk, a few nights of the last weeks, oldest first.
        stopped_at: its last backup before they stopped, as incidents count it: a gap where that cannot be dated, None
            where they did not stop.
    """

    device: Device
    status: Status
    reason: str | None
    severity: Severity | None
    cause: str | None
    findings: tuple[Finding, ...]
    plan: tuple[PlanStep, ...]
    beyond_catalog: str | None = None
    causes: tuple[Cause, ...] = ()
    ruled_out: tuple[RuledOut, ...] = ()
    handling: Handling = ANY_DEVICE
    past: tuple[Past, ...] = ()
    history: tuple[Observation, ...] = ()
    stopped_at: Fact[datetime] | None = None


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
