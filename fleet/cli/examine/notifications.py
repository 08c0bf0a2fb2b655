"""Whether everybody who is to hear of a run can be told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fleet.cli import compose
from fleet.cli.examine.line import Level, Line
from fleet.cli.examine.sources import exposed
from fleet.cli.notices import delivered, opened
from fleet.errors import FleetkeepError, Undelivered
from fleet.store.notifications import LastMessage, last_messages
from reports.notify.news import trial

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from connectors._connector import SourceSettings
    from fleet.settings import Settings, SourceConfig


def notifications(loaded: Settings[SourceSettings], *, send_test: bool) -> Iterator[Line]:
    """Of each its secrets and its last message, or with `send_test` what became of a message now."""
    last = _last_messages(loaded) if loaded.notify else {}
    for config in loaded.notify:
        if config.enabled:
            what = f"notify {config.name}"
            yield from exposed(config, loaded, what)
            yield _sent(config, loaded, what) if send_test else _ready(config, loaded, what, last)


def _sent(config: SourceConfig[Any], loaded: Settings[SourceSettings], what: str) -> Line:
    problem = delivered(config, loaded, trial(loaded.report.title, compose.now())).problem
    return Line(Level.ERROR, what, problem) if problem else Line(Level.OK, what, "the test message was taken")


def _ready(
    config: SourceConfig[Any],
    loaded: Settings[SourceSettings],
    what: str,
    last: Mapping[str, LastMessage],
) -> Line:
    try:
        opened(config, loaded)
    except Undelivered as error:
        return Line(Level.ERROR, what, str(error))
    before = last.get(config.name)
    if before and before.problem:
        said = f"the message about the run of {before.run_as_of:%Y-%m-%dT%H:%M:%SZ} did not get through"
        return Line(Level.WARNING, what, f"{said}: {before.problem}; try `fleetkeep doctor --send-test`")
    return Line(Level.OK, what, f"{config.kind}; `fleetkeep doctor --send-test` proves it")


def _last_messages(loaded: Settings[SourceSettings]) -> dict[str, LastMessage]:
    try:
        path = loaded.database.path
        return (
            last_messages(compose.database_of(loaded, upgrade=False)) if path is None or path.exists() else {}
        )
    except FleetkeepError:
        return {}  # the line about the database says what is wrong with it
