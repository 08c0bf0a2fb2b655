"""`last_run.json`: how the last run ended, in one small file beside the report directories, for other programs."""

from __future__ import annotations

import json
import os
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from reports.directory import writing

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from fleet.model.run import RunReport, SourceReport

NAME = "last_run.json"
SCHEMA = "fleetkeep.last_run/1"
BROKEN = "broken"
"""The outcome of a run that came to no report; the others are those of a report."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """When a run began and ended, and by which exit code."""

    version: str
    started_at: datetime
    finished_at: datetime
    exit_code: int

    def head(self, outcome: str) -> dict[str, Any]:
        """What the file says of every run."""
        return {
            "schema": SCHEMA,
            "version": self.version,
            "started_at": _moment(self.started_at),
            "finished_at": _moment(self.finished_at),
            "duration_seconds": (self.finished_at - self.started_at).total_seconds(),
            "outcome": outcome,
            "exit_code": self.exit_code,
        }


def finished(ending: Ending, run: RunReport, place: Path, seconds: Mapping[str, float]) -> dict[str, Any]:
    """The document of a run that left a report at `place`; `seconds` is how long each source took."""
    return {
        **ending.head(run.outcome),
        "error": None,
        "run": run.id,
        "as_of": _moment(run.as_of),
        "report": str(place),
        "hold": run.hold,
        "sources": [_source(one, seconds.get(one.name)) for one in run.sources],
        "notes": list(run.notes),
    }


def broken(ending: Ending, error: str) -> dict[str, Any]:
    """The document of a run that left none; `error` is a sentence without secrets and names."""
    nothing: dict[str, Any] = {"run": None, "as_of": None, "report": None, "hold": False}
    return {**ending.head(BROKEN), "error": error, **nothing, "sources": [], "notes": []}


def write(folder: Path, document: Mapping[str, Any]) -> None:
    """Put the file in place as a whole, for its owner alone.

    Raises:
        OutputError: it cannot be written; the former one is still there.
    """
    path = folder / NAME
    with writing(path):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{NAME}-", dir=folder)  # 0600 by itself
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
                file.write(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(path)
        except BaseException:
            with suppress(OSError):
                Path(name).unlink()
            raise


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
        "problems": [problem.code for problem in one.problems],
    }


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"
