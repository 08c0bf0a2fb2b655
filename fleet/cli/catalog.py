"""`catalog`: what is known of Apple's models and systems, how old that is, and asking the public feeds for more."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date, datetime
    from pathlib import Path

    from connectors._feed_cache import Cache
    from fleet.apple.catalog import Catalog, Model
    from fleet.model.policy import Policy
    from fleet.settings import Catalog as CatalogSettings


class What(StrEnum):
    """What is wanted of the catalogue."""

    SHOW = "show"
    UPDATE = "update"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("catalog")(catalog)


def catalog(
    context: typer.Context,
    what: Annotated[
        What, typer.Argument(metavar="[update|show]", help="Ask the feeds, or only look.")
    ] = What.SHOW,
) -> None:
    """Apple's models and systems: how old, and from where.

    With `update`, refreshed from the public feeds.
    """
    from fleet.cli import compose

    settings, policy, cache = _settings(context.obj.config)
    now = compose.now()
    lines = _updated(settings, cache, now) if what is What.UPDATE else _shown(settings, policy, cache, now)
    for line in lines:
        typer.echo(line)


def _settings(config: Path | None) -> tuple[CatalogSettings, Policy, Cache]:
    """Those of the settings file; without any file the defaults, for this needs no fleet."""
    import os

    from fleet.cli import compose, feeds
    from fleet.errors import SettingsError
    from fleet.model.policy import Policy
    from fleet.settings import VARIABLE, Catalog, find

    try:
        find(config, os.environ)
    except SettingsError:
        if config is not None or os.environ.get(VARIABLE):
            raise
        return Catalog(), Policy(), feeds.cache_of(None)
    loaded = compose.load_settings(config)
    return loaded.catalog, loaded.policy, feeds.cache_of(loaded.database.path)


def _updated(settings: CatalogSettings, cache: Cache, now: datetime) -> Iterator[str]:
    """Ask the feeds; a line on each, then what is new."""
    import logging

    from fleet.cli import feeds, logs

    found = feeds.begun(settings, cache, now, settings.feeds).taken()
    for title, trouble in found.troubles:
        logs.say(f"{title}: {trouble}", level=logging.WARNING)
    yield from _told(settings, cache, now)
    if len(found.troubles) < len(settings.feeds):
        yield from found.changes or ["nothing new"]


def _shown(settings: CatalogSettings, policy: Policy, cache: Cache, now: datetime) -> Iterator[str]:
    """Everything, from what is at hand: no feed is asked."""
    from fleet.nightly import refresh

    known, today = refresh.known(cache), now.date()
    yield from _told(settings, cache, now)
    newest, before = known.newest_majors(today)
    yield f"the current majors are {newest} and {before}"
    yield ""
    yield from _judged(known, policy, today)


def _told(settings: CatalogSettings, cache: Cache, now: datetime) -> Iterator[str]:
    """How old the catalogue is, and what each feed said last."""
    from fleet.apple.catalog import bundled
    from fleet.nightly import refresh

    known, shipped = refresh.known(cache), bundled()
    yield (
        f"Apple's models and systems as of {refresh.aged(known, now.date())}: {len(known.models)} models, "
        f"{len(known.releases)} releases"
    )
    yield f"  bundled  {shipped.date}"
    for name in settings.feeds:
        yield f"  {name:<7}  {_last_word(name, getattr(settings, f'{name}_url'), known, cache)}"


def _last_word(name: str, url: str, known: Catalog, cache: Cache) -> str:
    kept = cache.kept(name, url)
    if kept is None:
        return "has not answered yet"
    asked = f"asked at {kept.asked_at:%Y-%m-%d %H:%M} UTC"
    if kept.problem:
        return f"{asked}: {kept.problem}"
    return f"{asked}, as of {known.feeds[name]}" if name in known.feeds else asked


def _judged(known: Catalog, policy: Policy, today: date) -> Iterator[str]:
    """A table: by family and by the major at which models end, what is the newest for them and what may run."""
    groups: dict[tuple[str, int], list[Model]] = {}
    for model in known.models.values():
        groups.setdefault((model.family, -model.max_major), []).append(model)
    rows = [("family", "models", "end at", "newest", "judged")]
    rows += [_group(known, models, policy, today) for _, models in sorted(groups.items())]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        yield "  ".join([*cells, row[4]]).rstrip()


def _group(
    known: Catalog, models: list[Model], policy: Policy, today: date
) -> tuple[str, str, str, str, str]:
    first = max(models, key=lambda model: model.newest)
    newest = known.newest_for(first, today)
    return (
        first.family,
        str(len(models)),
        str(first.max_major),
        f"{newest.version} of {newest.date}" if newest else first.max_version,
        _verdict(known, first, policy, today),
    )


def _verdict(known: Catalog, model: Model, policy: Policy, today: date) -> str:
    from datetime import UTC, datetime

    from fleet.checks.os_outdated import allowed_majors

    if not model.icloud_backup_capable:
        return "no iCloud Backup: replace"
    if model.max_major < known.newest_majors(today)[1]:
        return "at its end: replace"
    now = datetime(today.year, today.month, today.day, tzinfo=UTC)
    majors = sorted(allowed_majors(known, model, now, policy), reverse=True)
    return f"may run {', '.join(map(str, majors))}"
