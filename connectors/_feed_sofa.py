"""macadmins/sofa: releases with their days and holes, from the v2 feed.

What the feed gets wrong (v2 of 2026-08-22, schema 2026.04.11.2, read 2026-11-22) is left alone here: `Latest` is not
the newest for every model, `Build` may be that of a watch, `DeviceScope` calls releases for six models universal,
some releases stand twice with two days. Where a release lists no models, they are unknown; where it has no list at
all, they are those of `Latest`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors._feed_document import NotTheFeedError, day, document, listed, mobile, version
from connectors._rows import field, has, mapping
from fleet.apple.joining import Tidings, one_per_version
from fleet.apple.release import Release

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

NAME = "sofa"


def read(body: bytes, _at: datetime) -> Tidings:
    """What the feed says; raises `NotTheFeedError`."""
    said = document(body)
    checked = day(field(said, "LastCheck"))
    devices = mapping(field(said, "Devices"))
    if devices is None or checked is None:
        raise NotTheFeedError("it is not the v2 feed: Devices or LastCheck is missing")
    rows = list(_rows_of(said))
    releases = [release for row, latest in rows if (release := _release(row, latest)) is not None]
    return Tidings(
        feed=NAME,
        date=checked,
        releases=one_per_version(releases),
        names={key: name for key in mobile(list(devices)) if (name := _name(devices[key]))},
        unread=len(rows) - len(releases),
    )


def _rows_of(said: object) -> Iterator[tuple[object, object]]:
    """Every release with the `Latest` of its major, which is one itself."""
    for major in listed(field(said, "OSVersions"), "OSVersions"):
        latest = field(major, "Latest")
        yield latest, latest
        for row in listed(field(major, "SecurityReleases"), "SecurityReleases"):
            yield row, latest


def _release(row: object, latest: object) -> Release | None:
    number, date = version(field(row, "ProductVersion")), day(field(row, "ReleaseDate"))
    if number is None or date is None:
        return None
    models = mobile(field(row if has(row, "SupportedDevices") else latest, "SupportedDevices"))
    return Release(
        version=number, date=date, universal=False, exploited=_exploited(row), models=models or None
    )


def _exploited(row: object) -> bool | None:
    holes = field(row, "ActivelyExploitedCVEs")
    told = mapping(field(row, "CVEs")) or {}
    if holes or any(field(one, key) is True for one in told.values() for key in _IN_USE):
        return True
    return False if isinstance(holes, list) else None


_IN_USE = ("ActivelyExploited", "InKEV")


def _name(device: object) -> str | None:
    name = field(device, "MarketingName")
    usable = isinstance(name, str) and name.isprintable() and 0 < len(name) <= 100  # noqa: PLR2004 - a name
    return str(name) if usable else None
