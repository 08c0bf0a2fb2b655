"""What the first page counts while the fleet streams by: reasons, causes, first steps, what moved, who is worst."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from heapq import heappush, heappushpop
from math import inf
from typing import TYPE_CHECKING, TypeAlias

from fleet.model.fact import NEVER, Gap, Never, known
from fleet.model.finding import Severity, State, Status

if TYPE_CHECKING:
    from datetime import datetime

    from fleet.model.device_report import DeviceReport
    from fleet.model.fact import Fact

WORST = 200
WEIGHTS = {
    Severity.CRITICAL: 8,
    Severity.HIGH: 4,
    Severity.MEDIUM: 2,
    Severity.LOW: 1,
    Severity.INFO: 0,
}
"""How much risk a device at risk stands for, by the worst of its findings."""
_BACKUP = "backup"
_STATUS_RANK = {Status.AT_RISK: 3, Status.UNKNOWN: 2, Status.PROTECTED: 1, Status.NOT_APPLICABLE: 0}
_QUIET = frozenset({State.OPEN})


@dataclass(frozen=True, slots=True)
class Row:
    """One device in the plain table."""

    key: str
    name: str
    serial: str
    status: Status
    severity: Severity | None
    cause: str | None
    reason: str | None
    backup: Fact[datetime | Never]


@dataclass(slots=True)
class Cause:
    """One check over the fleet: its standing findings by severity; a device has at most one finding of a check."""

    check: str
    severities: Counter[Severity] = field(default_factory=Counter[Severity])

    @property
    def devices(self) -> int:
        """Devices with a standing finding of this check."""
        return self.severities.total()

    @property
    def grave(self) -> bool:
        """Some of it puts a device at risk; the rest are hints."""
        return any(severity.rank >= Severity.MEDIUM.rank for severity in self.severities)

    @property
    def weight(self) -> tuple[int, int, str]:
        """Sorts the gravest and most frequent first."""
        return (-max(severity.rank for severity in self.severities), -self.devices, self.check)


@dataclass(slots=True)
class FirstStep:
    """The devices at risk whose plan begins with one fix.

    Attributes:
        risk: their weights together.
    """

    fix: str
    audience: str
    devices: int = 0
    risk: int = 0


Entry: TypeAlias = tuple[int, int, float, int, Row]


class Tally:
    """Counts a fleet while it streams by.

    Attributes:
        reasons: devices by status and reason.
        without_backup: devices with a standing backup problem, by the check that names it.
        other_risks: devices at risk that have no backup problem.
        moved: devices that have a finding in a state other than open.
        risk: the weights of all devices at risk together.
        first_steps: by the fix.
    """

    def __init__(self) -> None:
        self.devices = 0
        self.reasons: Counter[tuple[Status, str]] = Counter()
        self.without_backup: Counter[str] = Counter()
        self.moved: Counter[State] = Counter()
        self.other_risks = 0
        self.risk = 0
        self.first_steps: dict[str, FirstStep] = {}
        self._causes: dict[str, Cause] = {}
        self._worst: list[Entry] = []

    def add(self, report: DeviceReport) -> None:
        """Count one device in."""
        self.devices += 1
        if report.reason is not None:
            self.reasons[report.status, report.reason] += 1
        if report.findings:
            self._count_findings(report)
        if report.status is Status.AT_RISK:
            self._count_risk(report)
        self._rank(report)

    def causes(self) -> list[Cause]:
        """Checks with standing findings, the gravest first."""
        return sorted(self._causes.values(), key=lambda cause: cause.weight)

    def worst(self) -> list[Row]:
        """Up to 200 devices, those that would lose data first."""
        return [row for *_, row in sorted(self._worst, key=lambda entry: entry[:4], reverse=True)]

    def _count_findings(self, report: DeviceReport) -> None:
        for finding in report.findings:
            if finding.state.standing:
                self._causes.setdefault(finding.check, Cause(finding.check)).severities[finding.severity] += 1
                if finding.problem == _BACKUP:
                    self.without_backup[finding.check] += 1
        self.moved.update({finding.state for finding in report.findings} - _QUIET)

    def _count_risk(self, report: DeviceReport) -> None:
        weight = WEIGHTS[report.severity] if report.severity else 0
        self.risk += weight
        self.other_risks += report.cause is None
        if report.plan:
            first = report.plan[0]
            step = self.first_steps.setdefault(first.fix, FirstStep(first.fix, first.audience))
            step.devices += 1
            step.risk += weight

    def _rank(self, report: DeviceReport) -> None:
        gravity = report.severity.rank if report.severity else -1
        without = _without_backup(report.device.last_cloud_backup_at)
        place = (_STATUS_RANK[report.status], gravity, without, -self.devices)
        if len(self._worst) < WORST:
            heappush(self._worst, (*place, _row(report)))
        elif place > self._worst[0][:4]:
            heappushpop(self._worst, (*place, _row(report)))


def _without_backup(last: Fact[datetime | Never]) -> float:
    """The longer there has been no backup, the more; what is not known is least."""
    if isinstance(last, Gap):
        return -inf
    return inf if last is NEVER or isinstance(last, Never) else -last.timestamp()


def _row(report: DeviceReport) -> Row:
    device = report.device
    serial = known(device.serial) or ""
    return Row(
        key=device.key,
        name=known(device.name) or serial or "(no name)",
        serial=serial,
        status=report.status,
        severity=report.severity,
        cause=report.cause,
        reason=report.reason,
        backup=device.last_cloud_backup_at,
    )
