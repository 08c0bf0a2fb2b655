"""What a run says of one device: its verdict, the causes behind it, and the plan."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from fleet.model.frozen import frozen

if TYPE_CHECKING:
    from datetime import datetime

    from fleet.model.device import Device
    from fleet.model.fact import Fact
    from fleet.model.finding import Finding, Severity, Status


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
