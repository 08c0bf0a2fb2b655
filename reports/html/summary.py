"""What the first page says before any script runs: sentences, counts with their denominators, the worst devices."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from heapq import heappush, heappushpop
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import urlencode

from fleet.model.fact import NEVER, Fact, Gap, Never
from fleet.model.finding import Severity, Status
from reports.html import words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from fleet.model.run import DeviceReport, RunReport, SourceReport
    from reports._format import CheckText

WORST = 200
_STATUS_RANK = {Status.AT_RISK: 3, Status.UNKNOWN: 2, Status.PROTECTED: 1, Status.NOT_APPLICABLE: 0}


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
    def weight(self) -> tuple[int, int, str]:
        """Sorts the gravest and most frequent first."""
        return (-max(severity.rank for severity in self.severities), -self.devices, self.check)


Entry: TypeAlias = tuple[int, int, int, Row]


class Summary:
    """Counts a fleet while it streams by."""

    def __init__(self) -> None:
        self.devices = 0
        self.reasons: Counter[tuple[Status, str]] = Counter()
        self._causes: dict[str, Cause] = {}
        self._worst: list[Entry] = []

    def add(self, report: DeviceReport) -> None:
        """Count one device in."""
        self.devices += 1
        if report.reason is not None:
            self.reasons[report.status, report.reason] += 1
        for finding in report.findings:
            if finding.state.standing:
                self._causes.setdefault(finding.check, Cause(finding.check)).severities[finding.severity] += 1
        self._rank(report)

    def causes(self) -> list[Cause]:
        """Checks with standing findings, the gravest first."""
        return sorted(self._causes.values(), key=lambda cause: cause.weight)

    def worst(self) -> list[Row]:
        """Up to 200 devices, those that would lose data first."""
        return [row for *_, row in sorted(self._worst, key=lambda entry: entry[:3], reverse=True)]

    def _rank(self, report: DeviceReport) -> None:
        gravity = report.severity.rank if report.severity else -1
        place = (_STATUS_RANK[report.status], gravity, -self.devices)
        if len(self._worst) < WORST:
            heappush(self._worst, (*place, _row(report)))
        elif place > self._worst[0][:3]:
            heappushpop(self._worst, (*place, _row(report)))


def view(run: RunReport, summary: Summary, checks: Mapping[str, CheckText]) -> dict[str, object]:
    """Everything the template prints, in the words and the order in which it prints it."""
    return {
        "title": run.title,
        "version": run.version,
        "as_of": f"{run.as_of:%Y-%m-%d %H:%M} UTC",
        "as_of_iso": f"{run.as_of:%Y-%m-%dT%H:%M:%SZ}",
        "outcome": (str(run.outcome), *words.OUTCOMES[run.outcome]),
        "sources": [_source(source, run.as_of) for source in run.sources],
        "hold": run.hold,
        "notes": run.notes,
        "incidents": [
            {
                "id": incident.finding.external_id,
                "summary": incident.summary,
                "devices": words.count(incident.devices, "device"),
                "severity": words.SEVERITIES[incident.severity],
                "since": words.moment(incident.since, run.as_of),
            }
            for incident in run.incidents
            if incident.finding.state.standing
        ],
        "headline": headline(run),
        "statuses": list(_statuses(run, summary)),
        "causes": [_cause(cause, run.totals.devices, checks) for cause in summary.causes()],
        "moves": list(_moves(run)),
        "catalog_date": run.catalog_date,
        "policy": [(name.replace("_", " "), value) for name, value in asdict(run.policy).items()],
        "policy_hash": run.policy_hash,
        "worst": [_plain(row, run.as_of, checks) for row in summary.worst()],
        "devices": run.totals.devices,
    }


def headline(run: RunReport) -> str:
    """The one sentence: how many would lose data tonight, how that moved, and how many cannot be judged."""
    total = run.totals
    if not total.devices:
        return "No device is known yet."
    at_risk, unknown = total.statuses[Status.AT_RISK], total.statuses[Status.UNKNOWN]
    parts = [f"{at_risk:,} of {words.count(total.devices, 'device')} would lose data tonight"]
    if run.trend:
        parts.append(_moved(at_risk - run.trend[-1].statuses.get(Status.AT_RISK, 0)))
    parts.append(f"{unknown:,} cannot be judged")
    return "; ".join(parts) + "."


def link(**filters: str) -> str:
    """A link into this page that shows the devices which a count counts."""
    return "#" + urlencode(filters)


def title(check: str, checks: Mapping[str, CheckText]) -> str:
    """A check's title; one that is not in the catalogue goes by its id."""
    return checks[check].title if check in checks else check


def _moved(difference: int) -> str:
    if not difference:
        return "as many as last time"
    return f"{abs(difference):,} {'more' if difference > 0 else 'fewer'} than last time"


def _row(report: DeviceReport) -> Row:
    device = report.device
    serial = _known(device.serial)
    return Row(
        key=device.key,
        name=_known(device.name) or serial or "(no name)",
        serial=serial,
        status=report.status,
        severity=report.severity,
        cause=report.cause,
        reason=report.reason,
        backup=device.last_cloud_backup_at,
    )


def _known(fact: Fact[str]) -> str:
    return "" if isinstance(fact, Gap) else fact


def _plain(row: Row, now: datetime, checks: Mapping[str, CheckText]) -> dict[str, object]:
    return {
        "link": link(d=row.key),
        "name": row.name,
        "serial": row.serial,
        "status": (str(row.status), *words.STATUSES[row.status]),
        "severity": words.SEVERITIES[row.severity] if row.severity else None,
        "backup": _backup(row.backup, now),
        "cause": _why(row, checks),
    }


def _backup(fact: Fact[datetime | Never], now: datetime) -> str:
    if isinstance(fact, Gap):
        return f"unknown: {words.reason(fact.reason)}"
    return words.moment(None if fact is NEVER or isinstance(fact, Never) else fact, now)


def _why(row: Row, checks: Mapping[str, CheckText]) -> str:
    if row.cause == "unexplained":
        return "Unexplained"
    if row.cause:
        return title(row.cause, checks)
    return words.reason(row.reason) if row.reason else ""


def _source(source: SourceReport, now: datetime) -> dict[str, object]:
    return {
        "name": source.name,
        "kind": source.kind,
        "link": link(source=source.name),
        "outcome": (str(source.outcome), *words.OUTCOMES[source.outcome]),
        "devices": f"{source.devices:,}",
        "expected": "total not stated" if source.expected is None else f"of {source.expected:,}",
        "unreadable": f"{source.unreadable:,}",
        "collected_at": words.moment(source.collected_at, now),
        "facts_at": words.moment(source.facts_at, now),
        "problems": [_trouble(problem.message, problem.count) for problem in source.problems],
        "never": [words.SIGNALS.get(signal, signal) for signal in source.never],
    }


def _trouble(message: str, times: int) -> str:
    return message if times == 1 else f"{message} ({times:,} times)"


def _statuses(run: RunReport, summary: Summary) -> Iterator[dict[str, object]]:
    total = run.totals.devices
    for status, (icon, word, meaning) in words.STATUSES.items():
        number = run.totals.statuses[Status(status)]
        yield {
            "code": status,
            "icon": icon,
            "word": word,
            "meaning": meaning,
            "count": f"{number:,}",
            "share": share(number, total),
            "width": round(1000 * number / total) if total else 0,
            "link": link(status=status),
            "reasons": _reasons(Status(status), summary),
        }


def share(number: int, total: int) -> str:
    """`of 8,412 (2.5 %)`."""
    return f"of {total:,} ({100 * number / total:.1f} %)" if total else "of 0"


def _reasons(status: Status, summary: Summary) -> list[dict[str, str]]:
    found = [(number, code) for (of, code), number in summary.reasons.items() if of is status]
    return [
        {"count": f"{number:,}", "word": words.reason(code), "link": link(status=str(status), reason=code)}
        for number, code in sorted(found, key=lambda pair: (-pair[0], pair[1]))
    ]


def _cause(cause: Cause, total: int, checks: Mapping[str, CheckText]) -> dict[str, object]:
    ranked = sorted(cause.severities.items(), key=lambda pair: -pair[0].rank)
    text = checks.get(cause.check)
    return {
        "title": title(cause.check, checks),
        "rule": text.rule if text else "",
        "basis": words.BASES[text.basis] if text else "",
        "severities": [
            {
                "code": str(severity),
                "icon": words.SEVERITIES[severity][0],
                "word": words.SEVERITIES[severity][1],
                "count": f"{number:,}",
                "link": link(check=cause.check, severity=str(severity)),
            }
            for severity, number in ranked
        ],
        "devices": f"{cause.devices:,}",
        "share": share(cause.devices, total),
        "link": link(check=cause.check),
    }


def _moves(run: RunReport) -> Iterator[dict[str, str]]:
    """What moved tonight, and what is waived: counts of findings, each with the devices behind it."""
    numbers = {**run.totals.changes, "waived": run.totals.waived}
    for state, number in numbers.items():
        if number:
            yield {"count": f"{number:,}", "word": words.STATES[state].lower(), "link": link(state=state)}
