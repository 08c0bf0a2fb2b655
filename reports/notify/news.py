"""Listening to a run for one audience: it counts what moved, keeps the worst of it, and forgets everything else.

Only what changed is told, and never more than a few lines of it: a notification says that there is something to look
at, the report says what. Whoever asked for a site or a source learns of its devices and of nothing else: no total of
the fleet, no note, no source without devices there, and no link to the report, which shows all.
"""

from __future__ import annotations

from bisect import insort
from collections import Counter
from typing import TYPE_CHECKING

from fleet.model.fact import known
from fleet.model.finding import Finding, Severity, State
from fleet.model.run import Outcome, RunReport, Totals
from reports.notify._message import LONGEST_SENTENCE, Entry, Message, SourceNews, plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime
    from pathlib import Path

    from fleet.model.device import Device
    from fleet.model.device_report import DeviceReport
    from fleet.model.run import SourceReport
    from reports.notify._channel import AudienceSettings

MOST = 10
_BAD = ("new", "reopened", "worse")
_WORDS = (*_BAD, "fixed", "closed")
_STAMP = "%Y%m%dT%H%M%SZ"
HELD = (
    "Ticket actions are on hold: more changed in one night than mass_change_percent allows. The next unchanged night, "
    "or `fleetkeep run --accept-mass-change`, releases them."
)


class Desk:
    """One audience's listener."""

    def __init__(self, audience: AudienceSettings, titles: Mapping[str, str], base_url: str | None) -> None:
        self._audience = audience
        self._titles = titles
        self._base_url = base_url if audience.sees_all else None
        self._sites, self._sources = frozenset(audience.sites), frozenset(audience.sources)
        self._least = audience.minimum_severity.rank
        self.again()

    def again(self) -> None:
        """Forget all devices: the pass starts over."""
        self._counts: Counter[str] = Counter()
        self._worst: list[tuple[tuple[int, str], Entry]] = []
        self._own = Totals()
        self._heard: set[str] = set()

    def device(self, report: DeviceReport) -> None:
        """Take one device."""
        if not self._audience.sees_all:
            if not self._concerns(report.device):
                return
            self._own.add(report)
            self._heard.update(sighting.source for sighting in report.device.sightings)
        for finding in report.findings:
            self._take(finding, report.device)

    def message(
        self, run: RunReport, *, outcomes: Mapping[str, Outcome], missed: datetime | None, page: Path | None
    ) -> Message | None:
        """What there is to say of the finished run; None if nothing, by this audience's `when`.

        Args:
            outcomes: how whole each source's collection was by the run before.
            missed: the clock of the run whose message did not get through, if that was the last one.
            page: the report, for channels that can attach it.
        """
        for incident in run.incidents if self._audience.sees_all else ():
            self._take(incident.finding, None)
        sources = [source for source in run.sources if self._may_know(source)]
        incomplete = [source for source in sources if source.outcome is not Outcome.COMPLETE]
        whole_again = [
            source for source in sources if source not in incomplete and _broken(outcomes, source.name)
        ]
        turned = bool(whole_again) or any(not _broken(outcomes, source.name) for source in incomplete)
        if not self._speaks(run, turned=turned, incomplete=bool(incomplete), missed=missed is not None):
            return None
        return Message(
            id=_identity(run),
            title=run.title,
            headline=self._headline(len(incomplete), len(whole_again)),
            about=run.as_of,
            run_id=run.id,
            ok=run.outcome is not Outcome.FAILED,
            hold=run.hold,
            counts={word: self._counts[word] for word in _WORDS},
            entries=tuple(entry for _, entry in self._worst),
            omitted=sum(self._counts[word] for word in _BAD) - len(self._worst),
            incomplete=tuple(map(_source_news, incomplete)),
            remarks=tuple(self._remarks(run, missed)),
            fleet=_fleet(run.totals if self._audience.sees_all else self._own),
            report_url=f"{self._base_url}index.html" if self._base_url and page else None,
            report=page if self._audience.sees_all else None,
        )

    def _concerns(self, device: Device) -> bool:
        at_site = not self._sites or known(device.site) in self._sites
        sources = self._sources
        return at_site and (not sources or any(one.source in sources for one in device.sightings))

    def _may_know(self, source: SourceReport) -> bool:
        return self._audience.sees_all or source.name in (self._sources or self._heard)

    def _take(self, finding: Finding, device: Device | None) -> None:
        if finding.severity.rank < self._least:
            return
        change = _change(finding)
        if change is None:
            return
        self._counts[change] += 1
        if change in _BAD:
            order = (-finding.severity.rank, finding.external_id)
            if len(self._worst) < MOST or order < self._worst[-1][0]:
                insort(self._worst, (order, self._entry(change, finding, device)), key=_order)
                del self._worst[MOST:]

    def _entry(self, change: str, finding: Finding, device: Device | None) -> Entry:
        names = (known(device.name), known(device.serial), known(device.site)) if device else ()
        return Entry(
            change=change,
            key=finding.external_id,
            check=finding.check,
            severity=finding.severity,
            title=plain(self._titles.get(finding.check, finding.check)),
            summary=plain(finding.summary, LONGEST_SENTENCE),
            where=tuple(shown for name in names if name and (shown := plain(name))),
            url=f"{self._base_url}index.html#d={finding.external_id}" if self._base_url else None,
        )

    def _speaks(self, run: RunReport, *, turned: bool, incomplete: bool, missed: bool) -> bool:
        match self._audience.when:
            case "always":
                return True
            case "problems":
                held = run.hold and self._audience.sees_all
                return missed or incomplete or held or any(self._counts[word] for word in _BAD)
            case _:
                return missed or turned or bool(self._counts)

    def _headline(self, incomplete: int, whole_again: int) -> str:
        parts = [f"{self._counts[word]:,} {word}" for word in _WORDS if self._counts[word]]
        parts += [f"{_sources(incomplete)} incomplete"] if incomplete else []
        parts += [f"{_sources(whole_again)} complete again"] if whole_again else []
        return ", ".join(parts) or "nothing changed"

    def _remarks(self, run: RunReport, missed: datetime | None) -> Iterator[str]:
        if not self._audience.sees_all:
            yield f"This is about {', '.join((*self._audience.sites, *self._audience.sources))} only."
        if missed is not None:
            yield f"The message about the run of {missed:%Y-%m-%d %H:%M} UTC did not get through."
        if self._audience.sees_all:
            if run.hold:
                yield HELD
            yield from (plain(note, 2 * LONGEST_SENTENCE) for note in run.notes)


def _order(one: tuple[tuple[int, str], Entry]) -> tuple[int, str]:
    return one[0]


def _change(finding: Finding) -> str | None:
    match finding.state:
        case State.NEW | State.REOPENED:
            return str(finding.state)
        case State.RESOLVED:
            return "closed" if finding.reason else "fixed"
        case State.OPEN if finding.severity_before and finding.severity.rank > finding.severity_before.rank:
            return "worse"
        case _:
            return None


def _broken(outcomes: Mapping[str, Outcome], name: str) -> bool:
    """The run before did not have the whole source; one that it did not know is held to have been whole."""
    return outcomes.get(name, Outcome.COMPLETE) is not Outcome.COMPLETE


def _source_news(source: SourceReport) -> SourceNews:
    why = plain(source.problems[0].message, LONGEST_SENTENCE) if source.problems else ""
    return SourceNews(name=source.name, outcome=str(source.outcome), why=why)


def _sources(count: int) -> str:
    return f"{count:,} source" if count == 1 else f"{count:,} sources"


def _fleet(totals: Totals) -> str:
    counts = ", ".join(
        f"{count:,} {str(status).replace('_', ' ')}" for status, count in totals.statuses.items()
    )
    standing = sum(totals.findings[severity] for severity in Severity)
    devices = "1 device" if totals.devices == 1 else f"{totals.devices:,} devices"
    return f"{devices}: {counts}. Findings: {standing:,} standing, {totals.waived:,} waived."


def beat(run: RunReport) -> Message:
    """What a monitor hears of a finished run: counts and no names."""
    changes = ", ".join(f"{count:,} {word}" for word, count in run.totals.changes.items() if count)
    return Message(
        id=_identity(run),
        title=run.title,
        headline=f"run {run.id} {run.outcome}: {changes or 'nothing changed'}",
        about=run.as_of,
        run_id=run.id,
        ok=run.outcome is not Outcome.FAILED,
        hold=run.hold,
        counts={},
    )


def broken(title: str, at: datetime) -> Message:
    """What a monitor hears of a run that broke."""
    return Message(id=f"broken-{at:{_STAMP}}", title=title, headline="the run broke", ok=False, counts={})


def trial(title: str, at: datetime) -> Message:
    """A message that proves the way and says nothing else."""
    return Message(
        id=f"test-{at:{_STAMP}}",
        title=title,
        headline="a test of this notification",
        counts={},
        remarks=(
            "`fleetkeep doctor --send-test` sent this to see whether it arrives; nothing has happened.",
        ),
    )


def _identity(run: RunReport) -> str:
    return f"run-{run.id}-{run.started_at:{_STAMP}}"
