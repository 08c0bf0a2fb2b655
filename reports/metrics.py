"""`metrics.prom`: the run as samples for Prometheus, ready for the node exporter's textfile collector.

The text format is that of "Exposition formats" (Prometheus documentation, read 2026-11-23).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from fleet.model.finding import Severity, Status
from fleet.model.run import Outcome, RunReport
from reports._format import Format, ReportContext, Written
from reports.directory import writing

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from fleet.model.device_report import DeviceReport

Sample: TypeAlias = tuple[dict[str, str], float]
"""The labels of a sample, and its value."""


@dataclass(frozen=True, slots=True)
class _Family:
    """One metric, a gauge like all of ours, and its samples."""

    name: str
    help: str
    samples: tuple[Sample, ...]

    def lines(self) -> Iterator[str]:
        yield f"# HELP {self.name} {self.help}"
        yield f"# TYPE {self.name} gauge"
        for labels, value in self.samples:
            yield f"{self.name}{_labels(labels)} {value}"


class Metrics:
    """The file at work: only the counts of standing findings are kept while devices stream by."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / "metrics.prom"
        self._findings: Counter[tuple[str, Severity]] = Counter()

    def device(self, report: DeviceReport) -> None:
        """Count one device's standing findings."""
        self._findings.update(
            (finding.check, finding.severity) for finding in report.findings if finding.state.standing
        )

    def finish(self, run: RunReport) -> list[Written]:
        """Write every sample; fleet-wide findings count as the others do."""
        self._findings.update(
            (one.check, one.severity) for one in run.incidents if one.finding.state.standing
        )
        families = tuple(self._families(run))
        lines = [line for family in families for line in family.lines()]
        with writing(self._path):
            self._path.write_text("\n".join(lines) + "\n", encoding="utf-8", errors="replace", newline="\n")
        return [Written(self._path.name, sum(len(family.samples) for family in families))]

    def _families(self, run: RunReport) -> Iterable[_Family]:
        yield _Family(
            "fleetkeep_devices",
            "Devices by status.",
            tuple(({"status": status}, run.totals.statuses.get(status, 0)) for status in Status),
        )
        yield _Family(
            "fleetkeep_findings",
            "Standing findings by check and severity.",
            tuple(
                ({"check": check, "severity": severity}, number)
                for (check, severity), number in sorted(self._findings.items())
            ),
        )
        yield from _of_sources(run)
        yield from _of_run(run)


def _of_sources(run: RunReport) -> Iterator[_Family]:
    yield _Family(
        "fleetkeep_source_complete",
        "1 if the source's latest collection is complete, else 0.",
        tuple(({"source": source.name}, int(source.outcome is Outcome.COMPLETE)) for source in run.sources),
    )
    yield _Family(
        "fleetkeep_source_devices",
        "Devices read in the source's latest collection.",
        tuple(({"source": source.name}, source.devices) for source in run.sources),
    )
    yield _Family(
        "fleetkeep_source_facts_timestamp_seconds",
        "When the source's newest facts were collected, in seconds since 1970.",
        tuple(
            ({"source": source.name}, int(source.facts_at.timestamp()))
            for source in run.sources
            if source.facts_at
        ),
    )


def _of_run(run: RunReport) -> Iterator[_Family]:
    yield _Family(
        "fleetkeep_run_held",
        "1 while the night's ticket actions are held back, else 0.",
        (({}, int(run.hold)),),
    )
    # A clock that was set back during the run must not give a negative duration.
    seconds = max((run.finished_at - run.started_at).total_seconds(), 0)
    yield _Family("fleetkeep_run_duration_seconds", "How long the run took.", (({}, seconds),))
    yield _Family(
        "fleetkeep_run_finished_timestamp_seconds",
        "When the run finished, in seconds since 1970.",
        (({}, int(run.finished_at.timestamp())),),
    )


def _labels(labels: dict[str, str]) -> str:
    inner = ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items())
    return f"{{{inner}}}" if inner else ""


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def _open(directory: Path, _context: ReportContext) -> Metrics:
    return Metrics(directory)


FORMAT = Format(name="metrics", files=("metrics.prom",), open=_open)
