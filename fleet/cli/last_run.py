"""Taking down how a run ended, for `last_run.json`: also where it broke, as far as that can be written."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import fleet
from fleet.cli import code_of, compose, logs, words_of
from fleet.cli.stopwatch import peak_memory_mb
from fleet.errors import FleetkeepError, LockedError, SettingsError
from fleet.store import freshness
from reports import last_run

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from datetime import datetime
    from pathlib import Path

    from fleet.cli.stopwatch import Stage
    from fleet.model.run import RunReport
    from fleet.store.database import Database


@contextmanager
def kept(config: Path | None) -> Generator[Record]:
    """Leave `last_run.json` behind the run of the block, however it ends.

    What never became a run leaves the file as it is: settings that cannot be used, and another run at work, which
    will write its own.

    Raises:
        OutputError: the report was written, and the file could not be.
    """
    record = Record()
    try:
        yield record
    except (SettingsError, LockedError):
        raise
    except BaseException as error:
        _broken(config, last_run.broken(record.ending(code_of(error)), words_of(error)))
        raise
    document = record.document()
    if document is not None:
        last_run.write(compose.load_settings(config).report.directory, document)


def _broken(config: Path | None, document: dict[str, Any]) -> None:
    """As far as possible: what broke the run may keep us from saying so here as well."""
    try:
        last_run.write(compose.load_settings(config).report.directory, document)
    except (FleetkeepError, OSError) as error:
        logs.say(f"{last_run.NAME} tells of an earlier run: {error}")


@dataclass(slots=True)
class Record:
    """What is known of the run under way.

    Attributes:
        code: the exit code that it is about to end with.
    """

    started_at: datetime = field(default_factory=compose.now)
    code: int = 0
    _published: tuple[RunReport, Path, dict[str, float], list[dict[str, Any]]] | None = None

    def published(self, database: Database, run: RunReport, place: Path, stages: Sequence[Stage]) -> None:
        """Take down that there is a report, where, and what its stages took."""
        taken = [asdict(stage) for stage in stages]
        self._published = run, place, freshness.seconds_of_run(database, run.id), taken

    def document(self) -> dict[str, Any] | None:
        """What the file is to say of a run that left a report."""
        if self._published is None:
            return None
        return last_run.finished(self.ending(self.code), *self._published)

    def ending(self, code: int) -> last_run.Ending:
        """The end, now."""
        return last_run.Ending(
            version=fleet.__version__,
            started_at=self.started_at,
            finished_at=compose.now(),
            exit_code=code,
            cpu_seconds=round(time.process_time(), 3),
            peak_memory_mb=peak_memory_mb(),
        )
