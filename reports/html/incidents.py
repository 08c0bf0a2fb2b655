"""What concerns the fleet as a whole: its line at the top, and by what the page knows the devices that it counts."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from reports.html import words
from reports.html.columns import plain
from reports.html.links import link
from reports.html.moments import minutes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fleet.model.run import Incident, RunReport

_SHARED = {
    "restriction": "a profile that forbids it",
    "os_version": "system {}",
    "site": "site {}",
    "group": "group {}",
    "model": "model {}",
    "source": "source {}",
}
_OUTAGE = "icloud-outage"


def lines(run: RunReport) -> Iterator[dict[str, object]]:
    """The standing incidents, for the template."""
    for incident in _standing(run):
        finding = incident.finding
        held = incident.check == _OUTAGE
        yield {
            "id": finding.external_id,
            "summary": incident.summary,
            "severity": (str(incident.severity), *words.SEVERITIES[incident.severity]),
            "devices": words.count(incident.devices, "device") + (" held back" if held else ""),
            "since": words.moment(incident.since, run.as_of),
            "link": link(incident=finding.external_id),
            # What could not be counted tonight stands in the numbers of the night that could.
            "counted_at": f"{finding.last_seen:%Y-%m-%d}" if _is_uncounted(incident, run) else None,
        }


def heads(run: RunReport) -> list[dict[str, object]]:
    """The same for the page's script: by what a device is one of theirs.

    `cause`: the cause that those devices have. Else what they have in common (`factor` and `value`) and the time in
    which they stopped backing up, in minutes since 1970, its end not included.
    """
    return [_head(incident, _is_uncounted(incident, run)) for incident in _standing(run)]


def _standing(run: RunReport) -> list[Incident]:
    return [incident for incident in run.incidents if incident.finding.state.standing]


def _is_uncounted(incident: Incident, run: RunReport) -> bool:
    """Its devices share it no more, or do not tell: then all that stopped at that time are shown."""
    return incident.finding.last_seen < run.as_of


def _head(incident: Incident, uncounted: bool) -> dict[str, object]:
    evidence = incident.finding.evidence
    head: dict[str, object] = {"id": incident.finding.external_id}
    factor = evidence.get("factor")
    if factor is None:
        return {**head, "word": "held back by an outage at Apple", "cause": incident.check}
    value = plain(str(evidence.get("value")))
    shared = _SHARED.get(str(factor), "the whole fleet").format(value)
    since, until = (datetime.fromisoformat(str(evidence[name])) for name in ("since", "until"))
    return {
        **head,
        "word": f"stopped together: {shared}, {since:%Y-%m-%d}",
        "factor": None if uncounted else factor,
        "value": value,
        "since": minutes(since),
        "until": minutes(until),
    }
