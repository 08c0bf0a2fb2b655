"""The models that the made-up fleet owns, and the systems that run on them.

Identifiers, names and last systems: AppleDB device files, read 2026-11-22. Versions, builds and days: AppleDB
and the SOFA v2 iOS feed, read 2026-11-22; a build that neither has is empty, as it is in Jamf when unknown.
"""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from typing import NamedTuple


class Model(NamedTuple):
    """One model: capacities in GB as sold, smallest first; the first and last major system that it runs."""

    identifier: str
    name: str
    capacities_gb: tuple[int, ...]
    last_major: int
    first_major: int = 17

    @property
    def product(self) -> str:
        """What people call it: `iPhone`, `iPad`, `Apple TV`."""
        words = self.name.split()
        return " ".join(words[:2]) if words[0] == "Apple" else words[0]


class Release(NamedTuple):
    """One release of a system."""

    version: str
    build: str
    released: date

    @property
    def major(self) -> int:
        """The number before the first point."""
        return int(self.version.split(".", 1)[0])


PHONES = (
    Model("iPhone12,1", "iPhone 11", (64, 128), 27),
    Model("iPhone13,2", "iPhone 12", (64, 128, 256), 27),
    Model("iPhone14,5", "iPhone 13", (128, 256), 27),
    Model("iPhone14,6", "iPhone SE (3rd generation)", (64, 128), 27),
    Model("iPhone15,4", "iPhone 15", (128, 256), 27),
    Model("iPhone16,1", "iPhone 15 Pro", (128, 256, 512), 27),
    Model("iPhone17,3", "iPhone 16", (128, 256), 27, 18),
    Model("iPhone17,5", "iPhone 16e", (128, 256), 27, 18),
    Model("iPhone18,1", "iPhone 17 Pro", (256, 512), 27, 26),
)
TABLETS = (
    Model("iPad12,1", "iPad (9th generation) Wi-Fi", (64, 256), 27),
    Model("iPad13,18", "iPad (10th generation) Wi-Fi", (64, 256), 27),
    Model("iPad15,7", "iPad (A16) Wi-Fi", (128, 256), 27, 18),
    Model("iPad13,16", "iPad Air (5th generation) Wi-Fi", (64, 256), 27),
    Model("iPad14,1", "iPad mini (6th generation) Wi-Fi", (64, 256), 27),
    Model("iPad16,3", "iPad Pro 11-inch (M4) Wi-Fi", (256, 512), 27),
)
AGED_PHONES = (
    Model("iPhone11,2", "iPhone XS", (64, 256), 18),
    Model("iPhone11,8", "iPhone XR", (64, 128), 18),
)
AGED_TABLETS = (
    Model("iPad11,6", "iPad (8th generation) Wi-Fi", (32, 128), 26),
    Model("iPad11,1", "iPad mini (5th generation) Wi-Fi", (64, 256), 26),
    Model("iPad7,11", "iPad (7th generation) Wi-Fi", (32, 128), 18),
    Model("iPad7,5", "iPad (6th generation) Wi-Fi", (32, 128), 17),
)
TELEVISION = Model("AppleTV14,1", "Apple TV 4K (3rd generation)", (64,), 26)
HEADSET = Model("RealityDevice14,1", "Apple Vision Pro", (256, 512), 26)

# The newest version first.
RELEASES = (
    Release("27.0.1", "24A446", date(2026, 9, 28)),
    Release("27.0", "24A437", date(2026, 9, 14)),
    Release("26.7.1", "23H30", date(2026, 9, 28)),
    Release("26.6.1", "23G83", date(2026, 8, 17)),
    Release("26.6", "23G71", date(2026, 7, 27)),
    Release("26.5.2", "23F84", date(2026, 6, 29)),
    Release("26.5", "23F77", date(2026, 5, 11)),
    Release("26.4", "", date(2026, 3, 24)),
    Release("26.2.1", "", date(2026, 1, 26)),
    Release("26.1", "", date(2025, 11, 3)),
    Release("18.7.10", "22H374", date(2026, 8, 17)),
    Release("18.7.8", "22H352", date(2026, 4, 22)),
    Release("18.6.2", "", date(2025, 8, 20)),
    Release("18.5", "", date(2025, 5, 12)),
    Release("17.7.11", "21H461", date(2026, 5, 11)),
    Release("17.6.1", "", date(2024, 8, 7)),
)
ELSEWHERE = Release("26.2", "", date(2025, 12, 12))
"""What the television and the headset run: their systems are numbered alike, but released apart."""

PATCHES_BEHIND = tuple(
    release for release in RELEASES if release.version in {"27.0", "26.6.1", "26.5", "26.2.1"}
)
OLD_MAJORS = tuple(release for release in RELEASES if release.version in {"18.6.2", "18.5", "17.6.1"})


@lru_cache(maxsize=1024)
def newest(major: int, day: date) -> Release:
    """The highest release that `day` knew of and that runs on hardware whose last system is `major`."""
    fitting = [release for release in RELEASES if release.major <= major]
    return next((release for release in fitting if release.released <= day), fitting[-1])
