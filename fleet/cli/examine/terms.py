"""What judges besides the facts: Apple's catalogue and the waivers."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from fleet.cli import compose, feeds
from fleet.cli.examine.line import Level, Line
from fleet.cli.waivers import LONGEST_DAYS
from fleet.nightly import refresh
from fleet.nightly.remarks import OLD_CATALOG_DAYS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from connectors._connector import SourceSettings
    from fleet.settings import Settings


def catalog(loaded: Settings[SourceSettings]) -> Line:
    """How old the catalogue is."""
    known, today = refresh.known(feeds.cache_of(loaded.database.path)), compose.now().date()
    said = f"Apple's models and systems as of {refresh.aged(known, today)}"
    taught = [f"{feed} of {day}" for feed, day in known.feeds.items()]
    said += f", by the feeds {', '.join(taught)}" if taught else ", as bundled"
    if (today - date.fromisoformat(known.date)).days <= OLD_CATALOG_DAYS:
        return Line(Level.OK, "catalogue", said)
    advice = "`fleetkeep catalog update` asks Apple's public feeds, and tells what stands in the way"
    return Line(Level.WARNING, "catalogue", f"{said}; {advice}")


def waivers(loaded: Settings[SourceSettings]) -> Iterator[Line]:
    """Those that nobody will look at again for a long time."""
    latest = compose.now().date() + timedelta(days=LONGEST_DAYS)
    for waiver in loaded.waivers:
        if waiver.expires > latest:
            said = f"{waiver.label}: ends {waiver.expires}, more than two years ahead; nobody will look at it again"
            yield Line(Level.WARNING, "waiver", f"{said}: choose an earlier day")
