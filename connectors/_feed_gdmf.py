"""Apple's software lookup: which release is the newest public one for which model.

Its days are those of posting and are refreshed again and again, so each counts as an upper bound only, and the
earliest of a version counts (v2/pmv as of 2026-08-22, read 2026-11-22). `AssetSets` holds what an MDM may still ask
for: it tells of earlier postings, never of what is newest.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from connectors._feed_document import NotTheFeedError, day, document, listed, mobile, some, version
from connectors._rows import field
from fleet.apple.joining import Tidings, one_per_version
from fleet.apple.release import Release

if TYPE_CHECKING:
    import datetime as dt

NAME = "gdmf"


def read(body: bytes, at: dt.datetime) -> Tidings:
    """What the list says; raises `NotTheFeedError`."""
    said = document(body)
    rows = listed(field(field(said, "PublicAssetSets"), "iOS"), "PublicAssetSets for iOS")
    if rows and all((day(field(row, "ExpirationDate")) or at.date()) < at.date() for row in rows):
        raise NotTheFeedError("it is an old copy: all its entries have expired")
    public = one_per_version(release for row in rows if (release := _release(row)) is not None)
    earlier = _postings(field(field(said, "AssetSets"), "iOS"))
    return Tidings(
        feed=NAME,
        date=at.date(),
        releases=tuple(
            replace(release, date=min(release.date, earlier.get(release.number, release.date)))
            for release in public
        ),
        unread=sum(version(field(row, "ProductVersion")) is None for row in rows),
    )


def _release(row: object) -> Release | None:
    """None for what cannot be read, and for what no iPhone, iPad or iPod can have."""
    number, posted = version(field(row, "ProductVersion")), day(field(row, "PostingDate"))
    models = mobile(field(row, "SupportedDevices"))
    if number is None or posted is None or not models:
        return None
    return Release(version=number, date=posted, universal=False, exploited=None, models=models, posted=True)


def _postings(rows: object) -> dict[tuple[int, ...], dt.date]:
    """By version, the earliest day on which the longer list shows it."""
    read_rows = (_release(row) for row in some(rows))
    return {one.number: one.date for one in one_per_version(one for one in read_rows if one)}
