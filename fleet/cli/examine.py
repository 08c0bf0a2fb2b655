"""What `doctor` looks at, line by line; each line that is not ok says what to do."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from connectors import registry
from fleet import secrets
from fleet.cli import compose, feeds
from fleet.cli.notices import delivered, opened
from fleet.cli.waivers import LONGEST_DAYS
from fleet.errors import FleetkeepError, SourceError, Undelivered
from fleet.nightly import refresh
from fleet.nightly.remarks import OLD_CATALOG_DAYS
from fleet.store import schema
from fleet.store.database import damage
from fleet.store.notifications import LastMessage, last_messages
from reports.notify.news import trial

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from connectors._connector import SourceSettings
    from fleet.settings import Settings, SourceConfig

SCARCE_BYTES = 10**9


class Level(StrEnum):
    """How bad a line is, the worst last."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that was looked at, and what was found."""

    level: Level
    what: str
    said: str


def findings(config: Path | None, names: Sequence[str], *, send_test: bool = False) -> Iterator[Line]:
    """Everything that a nightly run needs, in the order in which it needs it.

    Args:
        names: only these sources.
        send_test: send a message by every notification.
    """
    try:
        loaded = compose.load_settings(config)
        chosen = compose.wanted(loaded, names)
    except FleetkeepError as error:
        yield Line(Level.ERROR, "settings", str(error))
        return
    yield Line(Level.OK, "settings", f"{loaded.path}, {len(chosen)} sources to examine")
    yield from _database(loaded)
    yield from _outputs(loaded)
    yield _catalog(loaded)
    yield from _waivers(loaded)
    for one in chosen:
        yield from _source(one, loaded)
    yield from _notifications(loaded, send_test=send_test)


def _database(loaded: Settings[SourceSettings]) -> Iterator[Line]:
    existed = loaded.database.path is None or loaded.database.path.exists()
    if not existed:
        yield Line(Level.OK, "database", f"{loaded.database.path} will be made by the first run")
        return
    try:
        database = compose.database_of(loaded, upgrade=False)
        broken = damage(database)
    except FleetkeepError as error:
        yield Line(Level.ERROR, "database", str(error))
        return
    if broken:
        yield Line(Level.ERROR, "database", f"{database.place} is damaged: {broken[0]}; restore a copy")
    else:
        yield Line(Level.OK, "database", f"{database.place}, schema {schema.HEAD}")


def _outputs(loaded: Settings[SourceSettings]) -> Iterator[Line]:
    place = loaded.report.directory
    existing = next(folder for folder in (place, *place.parents) if folder.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK):
        yield Line(Level.ERROR, "reports", f"{existing} cannot be written to; mend it or [report] directory")
        return
    free = shutil.disk_usage(existing).free
    level = Level.OK if free >= SCARCE_BYTES else Level.WARNING
    advice = "" if level is Level.OK else "; free some space before the next run"
    yield Line(level, "reports", f"{place}, {free / 1e9:.1f} GB free{advice}")


def _catalog(loaded: Settings[SourceSettings]) -> Line:
    catalog, today = refresh.known(feeds.cache_of(loaded.database.path)), compose.now().date()
    said = f"Apple's models and systems as of {refresh.aged(catalog, today)}"
    taught = [f"{feed} of {day}" for feed, day in catalog.feeds.items()]
    said += f", by the feeds {', '.join(taught)}" if taught else ", as bundled"
    if (today - date.fromisoformat(catalog.date)).days <= OLD_CATALOG_DAYS:
        return Line(Level.OK, "catalogue", said)
    advice = "`fleetkeep catalog update` asks Apple's public feeds, and tells what stands in the way"
    return Line(Level.WARNING, "catalogue", f"{said}; {advice}")


def _waivers(loaded: Settings[SourceSettings]) -> Iterator[Line]:
    latest = compose.now().date() + timedelta(days=LONGEST_DAYS)
    for waiver in loaded.waivers:
        if waiver.expires > latest:
            said = f"{waiver.label}: ends {waiver.expires}, more than two years ahead; nobody will look at it again"
            yield Line(Level.WARNING, "waiver", f"{said}: choose an earlier day")


def _notifications(loaded: Settings[SourceSettings], *, send_test: bool) -> Iterator[Line]:
    last = _last_messages(loaded) if loaded.notify else {}
    for config in loaded.notify:
        if config.enabled:
            what = f"notify {config.name}"
            yield from _exposed(config, loaded, what)
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


def _exposed(config: SourceConfig[Any], loaded: Settings[SourceSettings], what: str) -> Iterator[Line]:
    for ref in config.secrets.values():
        if exposed := secrets.exposure(ref, loaded.base):
            yield Line(Level.WARNING, what, exposed)


def _source(config: SourceConfig[SourceSettings], loaded: Settings[SourceSettings]) -> Iterator[Line]:
    what = f"source {config.name}"
    yield from _exposed(config, loaded, what)
    connector = registry.connector(config.kind)
    optional = {one.name: one for one in connector.permissions if one.optional}
    try:
        opened = config.opened(lambda ref: secrets.resolve(ref, os.environ, loaded.base))
        for step, error in connector.probe(opened, compose.surroundings(compose.now(), full=False)):
            if error is None:
                yield Line(Level.OK, what, step)
            elif step in optional:
                yield Line(
                    Level.WARNING, what, f"{step} (optional, for {optional[step].needed_for}): {error}"
                )
            else:
                yield Line(Level.ERROR, what, f"{step}: {error}")
    except SourceError as error:
        yield Line(Level.ERROR, what, str(error))
