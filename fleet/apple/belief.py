"""What of a feed's tidings is believed: feeds are cut, stale, mistaken or forged, and a fleet is judged by them."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING

from fleet.apple.release import CatalogError

if TYPE_CHECKING:
    from fleet.apple.catalog import Catalog
    from fleet.apple.joining import Tidings

FIRST_IPHONE = dt.date(2007, 6, 29)
_CLOCKS_DIFFER = dt.timedelta(days=1)
_A_YEAR = dt.timedelta(days=365)


def believed(tidings: Tidings, known: Catalog, shipped: Catalog, today: dt.date) -> Tidings:
    """The part of the tidings that can be true.

    Left out are releases of days that have not come or were before the first iPhone, majors that Apple cannot have
    reached by now, and a new major of which nobody says which models run it: it would make all hardware look old.

    Args:
        tidings: what the feed says.
        known: all that is known so far.
        shipped: what the program itself brought.
        today: by this machine's clock.

    Raises:
        CatalogError: it is older than what we have, or no release is left.
    """
    day = _not_older(tidings, known, shipped)
    latest = _latest_major(shipped, today)
    newest_known = max((release.major for release in known.releases), default=0)
    kept = tuple(
        release
        for release in tidings.releases
        if FIRST_IPHONE <= release.date <= today + _CLOCKS_DIFFER
        and release.major <= latest
        and (release.models or release.major <= newest_known)
    )
    if not kept:
        raise CatalogError("it names no release for any iPhone or iPad that can be true")
    return replace(tidings, releases=kept, date=min(day, today))


def _not_older(tidings: Tidings, known: Catalog, shipped: Catalog) -> dt.date:
    """Its day; a mirror may have stood still, and a cache may be stale."""
    taken = known.feeds.get(tidings.feed, "")
    for day, whose in ((shipped.date, "the bundled catalogue"), (taken, "the one that was taken before")):
        if tidings.date.isoformat() < day:
            raise CatalogError(f"it is of {tidings.date}, older than {whose}, of {day}")
    newest = max((release.number for release in tidings.releases), default=(0, 0, 0, 0))
    ours = shipped.releases[0]
    if newest < ours.number:
        raise CatalogError(f"it does not know {ours.version} yet, which we know")
    return tidings.date


def _latest_major(shipped: Catalog, today: dt.date) -> int:
    """The highest major that there can be: one more than when the program was made, and one for each year since."""
    passed = today - dt.date.fromisoformat(shipped.date)
    return shipped.releases[0].major + 1 + max(passed // _A_YEAR, 0)
