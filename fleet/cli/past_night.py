"""How the fleet stood on a past night, as text for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fleet.cli.spoken import counted, day, moment, plain, title

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from fleet.nightly.past import AtRisk, Fleet


def told(fleet: Fleet, asked: datetime) -> Iterator[str]:
    """Totals, findings by check, and every device at risk with what stood against it."""
    run = fleet.run
    if run.as_of.date() != asked.date():
        yield f"There was no run on {day(asked)}; this is how the last one before it left the fleet."
    yield f"{moment(run.as_of)}, run {run.id}, {run.outcome}{', ticket actions held' if run.hold else ''}"
    statuses = run.totals["statuses"]
    yield " · ".join(
        [
            counted(run.totals["devices"], "device"),
            *(f"{count:,} {status.replace('_', ' ')}" for status, count in statuses.items()),
        ]
    )
    if fleet.at_risk is None:
        yield "What was known of single devices that night was pruned; its totals are all that is left."
        return
    yield f"`fleetkeep report --run {run.id}` writes the whole report of that night again"
    yield ""
    yield from _findings(fleet)
    yield from _at_risk(fleet, run.as_of)


def _findings(fleet: Fleet) -> Iterator[str]:
    for incident in fleet.incidents or ():
        yield f"incident: {incident.severity} · {incident.check}: {plain(incident.summary)}"
    rows = sorted(fleet.counted or (), key=lambda row: (-row[1].rank, row[0]))
    yield from (f"  {count:>7,}  {severity:<8}  {check}" for check, severity, count in rows)
    if fleet.run.totals["waived"]:
        yield f"  {fleet.run.totals['waived']:>7,}  waived"
    yield ""


def _at_risk(fleet: Fleet, at: datetime) -> Iterator[str]:
    yield f"At risk: {fleet.run.totals['statuses']['at_risk']:,}"
    for one in fleet.at_risk or ():
        yield f"  {title(one.device)}"
        yield from (f"    {line}" for line in _problems(one, at))


def _problems(one: AtRisk, at: datetime) -> Iterator[str]:
    for memory in one.findings:
        days = counted((at - memory.opened_at).days, "day")
        yield f"{memory.severity} · {memory.check} for {days}"
