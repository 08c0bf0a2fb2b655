"""What the first page says before any script runs: sentences, and counts with their denominators and their links."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from fleet.model.fact import NEVER, Fact, Gap, Never
from fleet.model.finding import State, Status
from fleet.model.run import Outcome
from reports.html import incidents, words
from reports.html.bands import EVERY
from reports.html.first_steps import first_steps
from reports.html.headline import headline
from reports.html.links import link
from reports.html.trend import trend

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from fleet.guide import Fix
    from fleet.model.run import RunReport, SourceReport
    from reports._format import CheckText
    from reports.html.devices import Spread
    from reports.html.tally import Cause, Row, Tally

_MOVES = (State.NEW, State.REOPENED, State.RESOLVED, State.GONE)
_SYSTEMS = 8


def view(
    run: RunReport,
    tally: Tally,
    spread: Spread,
    checks: Mapping[str, CheckText],
    fixes: Mapping[str, Fix],
) -> dict[str, object]:
    """Everything the template prints, in the words and the order in which it prints it."""
    causes = tally.causes()
    return {
        "title": run.title,
        "version": run.version,
        "as_of": f"{run.as_of:%Y-%m-%d %H:%M} UTC",
        "as_of_iso": f"{run.as_of:%Y-%m-%dT%H:%M:%SZ}",
        "outcome": (str(run.outcome), *words.OUTCOMES[run.outcome]),
        "sources": [_source(source, run.as_of, spread.sources) for source in run.sources],
        "freshness": freshness(run),
        "hold": run.hold,
        "notes": run.notes,
        "incidents": list(incidents.lines(run)),
        "headline": headline(run, tally),
        "statuses": list(_statuses(run, tally)),
        "since": f"{run.previous_at:%Y-%m-%d %H:%M} UTC" if run.previous_at else None,
        "moves": list(_moves(run, tally)),
        "waived": _waived(run, tally),
        "plan": first_steps(tally, run.totals.statuses[Status.AT_RISK], fixes),
        "trend": trend(run),
        "causes": [_cause(cause, run.totals.devices, checks) for cause in causes if cause.grave],
        "hints": [_cause(cause, run.totals.devices, checks) for cause in causes if not cause.grave],
        "panels": list(_panels(spread, run.totals.devices)),
        "catalog_date": run.catalog_date,
        "beyond": [
            {"code": code, "devices": words.count(number, "device"), "link": link(catalogue=code)}
            for code, number in run.totals.beyond_catalog.items()
            if number
        ],
        "policy": [(name.replace("_", " "), value) for name, value in asdict(run.policy).items()],
        "policy_hash": run.policy_hash,
        "worst": [_plain(row, run.as_of, checks) for row in tally.worst()],
        "devices": run.totals.devices,
    }


def freshness(run: RunReport) -> str:
    """How old the oldest facts of the sources are, whether all were read whole, and the catalogue's date."""
    known = [source.facts_at for source in run.sources if source.facts_at is not None]
    catalog = f"Apple catalogue of {run.catalog_date}"
    if not known:
        return catalog
    oldest, newest = words.age(run.as_of - min(known)), words.age(run.as_of - max(known))
    if max(known) >= run.as_of:
        newest = "in this run"
    if min(known) >= run.as_of:
        oldest = newest
    between = newest if oldest == newest else f"between {oldest} and {newest.removeprefix('in ')}"
    cut = sum(source.outcome is not Outcome.COMPLETE for source in run.sources)
    whole = f"; {cut} of {words.count(len(run.sources), 'source')} not as a whole" if cut else ""
    return f"Sources read {between}{whole} · {catalog}"


def title(check: str, checks: Mapping[str, CheckText]) -> str:
    """A check's title; one that is not in the catalogue goes by its id."""
    return checks[check].title if check in checks else check


def _plain(row: Row, now: datetime, checks: Mapping[str, CheckText]) -> dict[str, object]:
    return {
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
        return words.UNEXPLAINED
    if row.cause:
        return title(row.cause, checks)
    return words.reason(row.reason) if row.reason else ""


def _source(source: SourceReport, now: datetime, devices: Counter[str]) -> dict[str, object]:
    return {
        "name": source.name,
        "kind": source.kind,
        "link": link(source=source.name),
        "outcome": (str(source.outcome), *words.OUTCOMES[source.outcome]),
        "read": f"{_read(source):,}",
        "expected": "total not stated" if source.expected is None else f"of {source.expected:,}",
        "of": "read" if source.expected is None else f"of {source.expected:,} read",
        "unreadable": f"{source.unreadable:,}",
        "devices": f"{devices[source.name]:,}",
        "collected_at": _when(source.collected_at, now),
        "facts_at": _when(source.facts_at, now),
        "last_known": _when(source.facts_at, now) if source.outcome is Outcome.FAILED else None,
        "increment": _increment(source, now),
        "problems": [_trouble(problem.message, problem.count) for problem in source.problems],
        "never": [words.SIGNALS.get(signal, signal) for signal in source.never],
    }


def _read(source: SourceReport) -> int:
    read = source.increment.read if source.increment else None
    return source.devices if read is None else read


def _increment(source: SourceReport, now: datetime) -> str:
    """How it was read, where that was no full walk."""
    if source.increment is None:
        return ""
    had = "" if source.increment.read is None else f"{source.increment.read:,} of {source.devices:,} had, "
    return (
        f"Asked only for what had reported since {words.moment(source.increment.since, now)}: {had}the others stand "
        "as they were. The last full walk, which alone shows what is gone or was edited on the server: "
        f"{words.moment(source.increment.full_at, now)}"
    )


def _when(at: datetime | None, now: datetime) -> str:
    return "this run" if at is not None and at >= now else words.moment(at, now)


def _trouble(message: str, times: int) -> str:
    return message if times == 1 else f"{message} ({times:,} times)"


def _statuses(run: RunReport, tally: Tally) -> Iterator[dict[str, object]]:
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
            "folded": status == Status.NOT_APPLICABLE,  # nobody acts on it
            "parts": _risks(tally) if status == "at_risk" else _reasons(Status(status), tally),
        }


def share(number: int, total: int) -> str:
    """`of 8,412 (2.5 %)`."""
    return f"of {total:,} ({percent(number, total)})" if total else "of 0"


def percent(number: int, total: int) -> str:
    """`2.5 %`; empty where there is nothing to be a part of."""
    return f"{100 * number / total:.1f} %" if total else ""


def _risks(tally: Tally) -> list[dict[str, str]]:
    without, other = tally.without_backup.total(), tally.other_risks
    checks = sorted(tally.without_backup)
    parts = [
        (without, "without a recent backup", link(check=checks)),
        (other, "for another reason", link(status=str(Status.AT_RISK), cause="")),
    ]
    return [{"count": f"{number:,}", "word": word, "link": to} for number, word, to in parts if number]


def _reasons(status: Status, tally: Tally) -> list[dict[str, str]]:
    found = [(number, code) for (of, code), number in tally.reasons.items() if of is status]
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
        "share": percent(cause.devices, total),
        "link": link(check=cause.check),
    }


def _moves(run: RunReport, tally: Tally) -> Iterator[dict[str, str | bool]]:
    """What moved since the run before: findings, and the devices that they are on."""
    for state in _MOVES:
        yield {
            "code": str(state),
            "word": words.STATES[state],
            "any": bool(run.totals.changes[state]),
            "devices": words.count(tally.moved[state], "device"),
            "findings": words.count(run.totals.changes[state], "finding"),
            "link": link(state=str(state)),
        }


def _waived(run: RunReport, tally: Tally) -> dict[str, str] | None:
    if not run.totals.waived:
        return None
    return {
        "devices": words.count(tally.moved[State.WAIVED], "device"),
        "findings": words.count(run.totals.waived, "finding"),
        "link": link(state=str(State.WAIVED)),
    }


def _panels(spread: Spread, total: int) -> Iterator[dict[str, object]]:
    counts = {"age": spread.ages, "backup": spread.backups, "storage": spread.storage}
    for facet in ("backup", "storage"):
        yield _panel(facet, counts[facet], total)
    majors = sorted(spread.majors.items(), key=_newest_first)
    rows = [_bar(words.major(major), number, total, link(major=major)) for major, number in majors]
    yield {"title": "System", "rows": rows[:_SYSTEMS], "more": rows[_SYSTEMS:]}
    yield _panel("age", counts["age"], total)


def _newest_first(counted: tuple[str, int]) -> int:
    major, _ = counted
    return -int(major) if major.isdigit() else 1


def _panel(facet: str, counts: Counter[int], total: int) -> dict[str, object]:
    bands = EVERY[facet]
    rows = [
        _bar(label, counts[place], total, link(**{facet: code}))
        for place, (code, label) in enumerate(bands.names)
    ]
    return {"title": bands.title, "rows": rows, "more": []}


def _bar(label: str, number: int, total: int, target: str) -> dict[str, object]:
    return {
        "label": label,
        "count": f"{number:,}",
        "share": percent(number, total),
        "width": f"{100 * number / total:.2f}" if total else "0",
        "link": target,
    }
