"""`last_run.json`: how the last run ended, in one small file beside the report directories, for other programs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from fleet.model.run import Outcome
from reports.directory import writing
from reports.whole_file import put

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from fleet.model.run import RunReport, SourceReport

NAME = "last_run.json"
SCHEMA = "fleetkeep.last_run/1"
BROKEN = "broken"
"""The outcome of a run that came to no report; the others are those of a report."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """When a run began and ended, by which exit code, and what it cost.

    Attributes:
        cpu_seconds: processor time of the whole process.
        peak_memory_mb: the most memory that it held; None where the system does not tell.
    """

    version: str
    started_at: datetime
    finished_at: datetime
    exit_code: int
    cpu_seconds: float
    peak_memory_mb: float | None

    def head(self, outcome: str) -> dict[str, Any]:
        """What the file says of every run."""
        return {
            "schema": SCHEMA,
            "version": self.version,
            "started_at": _moment(self.started_at),
            "finished_at": _moment(self.finished_at),
            "duration_seconds": (self.finished_at - self.started_at).total_seconds(),
            "cpu_seconds": self.cpu_seconds,
            "peak_memory_mb": self.peak_memory_mb,
            "outcome": outcome,
            "exit_code": self.exit_code,
        }


def finished(
    ending: Ending,
    run: RunReport,
    place: Path,
    seconds: Mapping[str, float],
    stages: Sequence[Mapping[str, str | float]],
) -> dict[str, Any]:
    """The document of a run that left a report at `place`.

    Args:
        seconds: how long each source took.
        stages: in their order, each with `name`, `seconds` and `cpu_seconds`.
    """
    return {
        **ending.head(run.outcome),
        "error": None,
        "run": run.id,
        "as_of": _moment(run.as_of),
        "report": str(place),
        "hold": run.hold,
        "stages": list(stages),
        "sources": [_source(one, seconds.get(one.name)) for one in run.sources],
        "notes": list(run.notes),
    }


def broken(ending: Ending, error: str) -> dict[str, Any]:
    """The document of a run that left none; `error` is a sentence without secrets and names."""
    nothing: dict[str, Any] = {"run": None, "as_of": None, "report": None, "hold": False}
    return {**ending.head(BROKEN), "error": error, **nothing, "stages": [], "sources": [], "notes": []}


def write(folder: Path, document: Mapping[str, Any]) -> None:
    """Put the file in place as a whole, for its owner alone.

    Raises:
        OutputError: it cannot be written; the former one is still there.
    """
    path = folder / NAME
    with writing(path):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        put(path, json.dumps(document, indent=2, ensure_ascii=False) + "\n")


def read(folder: Path) -> dict[str, Any] | None:
    """The document that lies there; None if there is none that can be read."""
    try:
        loaded: object = json.loads((folder / NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    document = cast("dict[str, Any]", loaded) if isinstance(loaded, dict) else {}
    return document if document.get("schema") == SCHEMA else None


def broke_since(document: Mapping[str, Any] | None, at: datetime | None) -> str | None:
    """Why the run of the document broke, if it did, and not before `at`."""
    if document is None or document.get("outcome") != BROKEN:
        return None
    # Moments of this form sort like the times that they tell.
    earlier = at is not None and str(document.get("finished_at")) < _moment(at)
    return None if earlier else str(document.get("error"))


def _source(one: SourceReport, seconds: float | None) -> dict[str, Any]:
    return {
        "name": one.name,
        "kind": one.kind,
        "outcome": one.outcome,
        "as_of": _moment(one.collected_at),
        "seconds": seconds,
        "devices": one.devices,
        "expected": one.expected,
        "unreadable": one.unreadable,
        "full_at": _full_at(one),
        "problems": [problem.code for problem in one.problems],
    }


def _full_at(one: SourceReport) -> str | None:
    if one.increment is not None:
        return _moment(one.increment.full_at)
    return _moment(one.collected_at) if one.outcome is Outcome.COMPLETE else None


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"
