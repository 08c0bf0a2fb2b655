"""`status`: for monitors, how fresh the last complete run is."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from connectors._connector import SourceSettings
    from fleet.nightly.standing import Judged, Known
    from fleet.settings import Settings

CODES = {"fresh": 0, "incomplete": 3, "stale": 3, "never": 4}
_LABELS = {"fresh": "OK", "incomplete": "WARNING", "stale": "CRITICAL", "never": "CRITICAL"}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("status")(status)


def status(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of lines.")] = False,
    max_age_hours: Annotated[
        float, typer.Option(min=0.1, help="A complete run or source older than this is stale.")
    ] = 26,
) -> None:
    """How fresh the last complete run is, for monitors.

    Exit 0 fresh, 3 stale or incomplete, 4 never ran to an end.
    """
    from fleet.cli import compose
    from fleet.nightly.standing import judged

    loaded = compose.load_settings(context.obj.config)
    names = [config.name for config in loaded.sources if config.enabled]
    known, now = _known(loaded), compose.now()
    verdict = judged(known, names, now=now, max_age=timedelta(hours=max_age_hours))
    shown = _Shown(known, verdict, names, now, int(max_age_hours * 3600))
    typer.echo(json.dumps(shown.document(), ensure_ascii=False) if as_json else "\n".join(shown.lines()))
    raise typer.Exit(CODES[verdict.standing])


def _known(loaded: Settings[SourceSettings]) -> Known:
    from fleet.cli import compose
    from fleet.nightly.standing import Known
    from fleet.store import freshness
    from reports import last_run

    last = last_run.read(loaded.report.directory)
    if loaded.database.path is not None and not loaded.database.path.exists():
        return Known(newest=None, complete=None, sources={}, broken=last_run.broke_since(last, None))
    database = compose.database_of(loaded, upgrade=False)
    newest = freshness.newest_run(database)
    return Known(
        newest=newest,
        complete=freshness.newest_run(database, complete=True),
        sources=freshness.source_marks(database),
        broken=last_run.broke_since(last, newest and newest.finished_at),
    )


@dataclass(frozen=True, slots=True)
class _Shown:
    """One answer, for people and plugins, or for programs."""

    known: Known
    verdict: Judged
    names: list[str]
    now: datetime
    max_age_seconds: int

    def lines(self) -> list[str]:
        """The first as monitoring plugins print it (text, a bar, performance data), then one per source."""
        said = "; ".join([self._last(), *self.verdict.reasons]).replace("|", "/").replace("\n", " ")
        age = self._age(self.known.complete and self.known.complete.as_of)
        numbers = f" | age={age}s;{self.max_age_seconds}" if age is not None else ""
        head = f"FLEETKEEP {_LABELS[self.verdict.standing]} - {self.verdict.standing}: {said}{numbers}"
        return [head, *(self._of_source(name) for name in self.names)]

    def document(self) -> dict[str, Any]:
        """The same with ages in seconds; null where there is nothing."""
        newest, complete = self.known.newest, self.known.complete
        return {
            "schema": "fleetkeep.status/1",
            "status": self.verdict.standing,
            "exit_code": CODES[self.verdict.standing],
            "reasons": list(self.verdict.reasons),
            "last_run": newest
            and {"run": newest.id, "as_of": _moment(newest.as_of), "outcome": newest.outcome},
            "last_complete_run": complete and {"run": complete.id, "as_of": _moment(complete.as_of)},
            "age_seconds": self._age(complete and complete.as_of),
            "max_age_seconds": self.max_age_seconds,
            "sources": [self._source(name) for name in self.names],
        }

    def _last(self) -> str:
        complete = self.known.complete
        if complete is None:
            return "no complete run"
        return f"last complete run {_moment(complete.as_of)}, {self._ago(complete.as_of)}"

    def _of_source(self, name: str) -> str:
        mark = self.known.sources.get(name)
        if mark is None:
            return f"{name}: never read"
        whole = f"complete {self._ago(mark.complete_at)}" if mark.complete_at else "never complete"
        if mark.complete_at == mark.at:
            return f"{name}: {whole}"
        return f"{name}: {whole}; {mark.outcome} {self._ago(mark.at)} ({', '.join(mark.problems)})"

    def _source(self, name: str) -> dict[str, Any]:
        mark = self.known.sources.get(name)
        complete_at = mark.complete_at if mark else None
        return {
            "name": name,
            "outcome": mark and mark.outcome,
            "as_of": mark and _moment(mark.at),
            "last_complete_at": complete_at and _moment(complete_at),
            "age_seconds": self._age(complete_at),
            "problems": list(mark.problems) if mark else [],
        }

    def _age(self, at: datetime | None) -> int | None:
        return None if at is None else max(0, int((self.now - at).total_seconds()))

    def _ago(self, at: datetime) -> str:
        hours = (self._age(at) or 0) / 3600
        return f"{hours:.1f} h ago" if hours < 48 else f"{hours / 24:.1f} days ago"  # noqa: PLR2004 - two days


def _moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
