"""Apple's public feeds as the settings have them: what was learned so far, and asking for more."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import platformdirs

import fleet
from connectors._feed import Manners
from connectors._feed_cache import Cache
from connectors._feed_status import NAME as STATUS
from connectors._feeds import SECONDS, Errand, feeds_of
from fleet.nightly import refresh
from fleet.nightly.refresh import Taken

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime
    from pathlib import Path
    from typing import Any

    from fleet.apple.catalog import Catalog
    from fleet.settings import Catalog as CatalogSettings
    from fleet.settings import Settings

PAST = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Refresh:
    """Feeds on the way, and what was known when they were sent for."""

    cache: Cache
    before: Catalog
    errand: Errand
    now: datetime

    def taken(self) -> Taken:
        """What a judgement goes by, kept for later; waits for what is left of the feeds' time, seconds at most."""
        found = refresh.taken(self.before, self.errand.looks(), self.now.date())
        refresh.kept_for_later(self.cache, self.before, found.catalog)
        return found


def cache_of(database: Path | None) -> Cache:
    """Where feeds are kept: beside an SQLite file, else in this user's cache."""
    if database is None:
        return Cache(platformdirs.user_cache_path("fleetkeep", appauthor=False) / "apple")
    return Cache(database.with_name(f"{database.stem}-apple"))


def begun(settings: CatalogSettings, cache: Cache, now: datetime, names: Collection[str]) -> Refresh:
    """Send for the feeds of these names; returns at once."""
    manners = Manners(now=now, user_agent=f"fleetkeep/{fleet.__version__}", seconds=SECONDS, cache=cache)
    chosen = [feed for feed in feeds_of(settings, manners) if feed.name in names]
    return Refresh(cache, refresh.known(cache), Errand(chosen, manners, time.monotonic), now)


def for_a_night(loaded: Settings[Any], as_of: datetime, now: datetime) -> Refresh:
    """The feeds for a judgement as of that moment: none without `refresh`, and of the past no status of today."""
    names = set(loaded.catalog.feeds if loaded.catalog.refresh else ())
    if now - as_of > PAST:
        names.discard(STATUS)
    return begun(loaded.catalog, cache_of(loaded.database.path), now, names)
