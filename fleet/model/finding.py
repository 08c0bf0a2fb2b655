"""Verdicts of checks, and findings: what a verdict becomes once it has a history."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

from fleet.model.frozen import frozen

if TYPE_CHECKING:
    from datetime import datetime

Evidence: TypeAlias = Mapping[str, "str | int | float | bool | list[str] | None"]


class Severity(StrEnum):
    """How bad; compare with `rank`, larger is worse."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    INFO = "info"

    @property
    def rank(self) -> int:
        """0 for info up to 4 for critical."""
        return _RANKS[self]


_RANKS = {severity: rank for rank, severity in enumerate(reversed(Severity))}


class Basis(StrEnum):
    """Whether a check saw the problem itself or infers it from a neighbouring fact."""

    OBSERVED = "observed"
    INFERRED = "inferred"


class Status(StrEnum):
    """What the whole of the evidence says of a device."""

    PROTECTED = "protected"
    AT_RISK = "at_risk"
    UNKNOWN = "unknown"
    NOT_APPLICABLE = "not_applicable"


class State(StrEnum):
    """Where a finding is in its life."""

    NEW = "new"
    OPEN = "open"
    REOPENED = "reopened"
    RESOLVED = "resolved"
    WAIVED = "waived"
    GONE = "gone"

    @property
    def standing(self) -> bool:
        """True while the problem is held to exist and nobody waived it."""
        return self in _STANDING


_STANDING = frozenset({State.NEW, State.OPEN, State.REOPENED})


class Action(StrEnum):
    """What a ticketing system has to do about a finding tonight."""

    CREATE = "create"
    UPDATE = "update"
    NONE = "none"
    RESOLVE = "resolve"
    REOPEN = "reopen"


@dataclass(frozen=True, slots=True)
class Clear:
    """The problem is not there."""


@dataclass(frozen=True, slots=True)
class Found:
    """The problem is there.

    Attributes:
        summary: one sentence for a human, without the device's name.
        evidence: the values that led here, ready for JSON.
    """

    severity: Severity
    summary: str
    evidence: Evidence = field(default_factory=dict[str, "str | int | float | bool | list[str] | None"])


@dataclass(frozen=True, slots=True)
class Undetermined:
    """It cannot be said.

    Attributes:
        missing: the signals that were needed, each with its reason (`stale_data` for one known but too old).
    """

    missing: tuple[tuple[str, str], ...]


def stamp(moment: datetime) -> str:
    """A moment as evidence and files spell it: ISO 8601, UTC, `Z` at the end."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


Verdict: TypeAlias = Clear | Found | Undetermined
CLEAR = Clear()


@frozen
class Problem:
    """What tonight's verdicts say about one problem of one device, before its history is known.

    One problem is one ticket: the backup outcome checks share the problem `backup`.

    Attributes:
        problem: `backup`, or the check id.
        check: the check that names the finding: the first in the catalogue's order that holds.
        held: every check of this problem that holds, `check` first.
        sources: names of the sources whose facts carried the verdict.
        observed_at: the age of the evidence: when the device reported it.
    """

    problem: str
    check: str
    held: tuple[str, ...]
    basis: Basis
    severity: Severity
    summary: str
    evidence: Evidence
    fixes: tuple[str, ...]
    sources: tuple[str, ...]
    observed_at: datetime


@frozen
class Finding:
    """A problem with its history: what reports and tickets show.

    Attributes:
        external_id: the fingerprint of device identity and problem, 32 hex digits, stable for ever.
        first_seen: `as_of` of the run that first found it.
        last_seen: `as_of` of the last run whose evidence showed it.
        opened_at: `as_of` of the run that opened it last; days open count from here.
        reason: why it ended or was reopened (`device_gone`, `waiver_expired`, …), where that needs saying;
            `rule_changed` where changed thresholds or a changed catalogue made tonight's difference, not the device.
        observed_at: when the device reported the evidence.
        severity_before: how bad it was by the last run, where it stood then.
        ticket_check: the check by which its ticket was known before tonight; None where no ticket stood open.
    """

    external_id: str
    problem: str
    check: str
    basis: Basis
    severity: Severity
    state: State
    action: Action
    first_seen: datetime
    last_seen: datetime
    opened_at: datetime
    summary: str
    evidence: Evidence
    fixes: tuple[str, ...]
    sources: tuple[str, ...]
    observed_at: datetime
    reason: str | None = None
    waiver_until: datetime | None = None
    ticket_check: str | None = None
    severity_before: Severity | None = None
