"""Made-up tidings of releases, for tests of what is believed and joined."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from fleet.apple.joining import Tidings
from fleet.apple.release import Release

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

TODAY = dt.date(2026, 11, 23)
SIX = frozenset({"iPhone11,2", "iPhone11,4", "iPhone11,6", "iPhone11,8", "iPad7,11", "iPad7,12"})


def day(text: str) -> dt.date:
    """`2026-11-02` as a date."""
    return dt.date.fromisoformat(text)


def a_release(
    version: str,
    date: str = "2026-11-02",
    *models: str,
    exploited: bool | None = False,
    posted: bool = False,
) -> Release:
    """A release as feeds tell of it: for the models listed, or for nobody knows which."""
    return Release(
        version=version,
        date=day(date),
        universal=False,
        exploited=exploited,
        models=frozenset(models) or None,
        posted=posted,
    )


def tidings(
    *releases: Release,
    feed: str = "sofa",
    date: str = "2026-11-22",
    names: Mapping[str, str] | None = None,
) -> Tidings:
    """What a feed says; it knows the newest bundled release unless that is among `releases`."""
    known = {release.number for release in releases}
    newest = a_release("27.0.1", "2026-09-28", "iPhone12,1")
    rest: Iterable[Release] = () if newest.number in known else (newest,)
    return Tidings(feed=feed, date=day(date), releases=(*releases, *rest), names=dict(names or {}))
