"""How one made-up device lives through the nights: its story, and what it would report on a given night.

Nights are whole numbers: 0 is the first night of the demo, what lies before it is negative. A night's
condition follows from the life alone, so any night of any device can be asked for without playing the others.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum, auto
from typing import TYPE_CHECKING, NamedTuple

from connectors.demo.hardware import TELEVISION, Model, Release, newest
from fleet.model.frozen import frozen

if TYPE_CHECKING:
    from connectors.demo.people import Person, Place

FOREVER = 10**6
_LATE_REPORT = 0.06
_LOCAL_BACKUPS = 0.02
_ROAMING = 0.01
_LOST = 0.2
_TINY_SHARE = 0.004
_FREED_SHARE = 0.38
_DAILY_FILL = 0.012
_MOST_FREE = 0.7


class Story(StrEnum):
    """What happens to a device."""

    HEALTHY = auto()
    SWITCHED_OFF = auto()
    """Its owner switches iCloud Backup off."""
    NEVER = auto()
    """It has never been backed up since it was enrolled."""
    STOPS = auto()
    """It stops backing up, for no cause that a server could see."""
    STALE = auto()
    """It stopped some months ago."""
    EXPIRED = auto()
    """It stopped so long ago that Apple deletes, or has deleted, the backup."""
    FILLS_UP = auto()
    FULL = auto()
    """Its storage was full when the demo began."""
    PATCH_BEHIND = auto()
    OLD_MAJOR = auto()
    LAST_SYSTEM = auto()
    """Hardware at or near the last system it can run."""
    SILENT = auto()
    """It stops checking in."""
    VANISHES = auto()
    """It is unenrolled and no longer listed."""
    REENROLLED = auto()
    """It is wiped and comes back under a new id; both records stay listed for some nights."""
    BYOD = auto()
    """A personal device under User Enrolment: the vendor may not see its identity or its backup."""
    SHARED_IPAD = auto()
    APPLE_TV = auto()
    UNMANAGED = auto()
    """A leftover record that nobody deleted."""
    VISION_PRO = auto()
    LOW_BATTERY = auto()
    NO_ACCOUNT = auto()
    TWICE = auto()
    """Two sources report it, one of them from older data."""


NO_BACKUPS = frozenset(
    {
        Story.SWITCHED_OFF,
        Story.NEVER,
        Story.STOPS,
        Story.STALE,
        Story.EXPIRED,
        Story.FILLS_UP,
        Story.FULL,
        Story.LOW_BATTERY,
        Story.NO_ACCOUNT,
    }
)
"""Stories in whose spans no backup is made."""
NO_CONTACT = frozenset({Story.SILENT, Story.UNMANAGED, Story.REENROLLED})
"""Stories in whose spans the device does not report."""
_STORAGE = frozenset({Story.FILLS_UP, Story.FULL})


class Span(NamedTuple):
    """The nights from `start` up to, not including, `end`."""

    start: int
    end: int = FOREVER

    def covers(self, night: int) -> bool:
        """True if `night` lies in it."""
        return self.start <= night < self.end


@frozen
class Life:
    """Everything about one device that does not change from night to night.

    Attributes:
        spans: the nights in which its story has hold of it, in order, not overlapping.
        held: the release at which it stays until its first span ends.
        major: the newest major that it takes, `lag_days` after the release.
        rhythm: nights from one backup to the next.
        free_share: the share of its storage that is free while nothing is wrong with it.
        salt: tells its small chances from those of other devices.
    """

    index: int
    story: Story
    model: Model
    capacity_gb: int
    spans: tuple[Span, ...]
    owner: Person | None
    place: Place
    department: str
    name: str
    serial: str
    udid: str
    salt: int
    enrolled_night: int
    held: Release | None
    major: int
    lag_days: int
    rhythm: int
    free_share: float
    inventory_minutes: int
    backup_minutes: int

    def span_at(self, night: int) -> Span | None:
        """The span that `night` lies in."""
        return next((span for span in self.spans if span.covers(night)), None)

    def chance(self, night: int, what: int = 0) -> float:
        """A number from 0 up to 1 that looks random and is the same for this device, night and `what`."""
        mixed = (
            self.salt ^ (night + 4096) * 0x9E3779B97F4A7C15 ^ what * 0xC2B2AE3D27D4EB4F
        ) * 0xBF58476D1CE4E5B9
        return (mixed >> 24 & 0xFFFFFF) / 0x1000000

    def reported_night(self, night: int) -> int:
        """The night of the latest report that a server has on `night`."""
        span = self.span_at(night) if self.story in NO_CONTACT else None
        if span:
            return span.start - 1
        return max(night - 1, self.enrolled_night) if self.chance(night, 1) < _LATE_REPORT else night

    def backup_night(self, night: int) -> int | None:
        """The night of the last backup as of `night`; None if there was none since the enrolment."""
        span = self.span_at(night) if self.story in NO_BACKUPS else None
        until = span.start - 1 if span else night
        made = until - (until + self.index) % self.rhythm
        ended = [past.end for past in self.spans if past.end <= until and self.story in NO_BACKUPS]
        made = max(made, *ended) if ended else made
        return made if made >= self.enrolled_night else None

    def free_at(self, night: int) -> float:
        """The free share of its storage on `night`, 0 to 1."""
        if self.story not in _STORAGE:
            return self.free_share + (self.chance(night, 2) - 0.5) * 0.02
        if self.span_at(night):
            return _TINY_SHARE + self.chance(0, 2) * 0.02
        ahead = next((span.start - night for span in self.spans if span.start > night), None)
        if ahead is None:
            return _FREED_SHARE + self.chance(night, 2) * 0.02
        return min(_TINY_SHARE + ahead * _DAILY_FILL + self.chance(night, 2) * 0.002, _MOST_FREE)

    def release_at(self, night: int, day: datetime) -> Release:
        """The system that it runs on `night`, which is on the calendar day of `day`."""
        updated = bool(self.spans) and night >= self.spans[0].end
        if self.held and not updated and self.held.released <= day.date():
            return self.held
        return newest(self.major, (day - timedelta(days=self.lag_days)).date())


@frozen
class Condition:
    """What a device last reported. Times are UTC; `last_backup_at` is None where no backup was ever made.

    Attributes:
        free_gb: free storage in units of 10^9 bytes.
        battery_percent: 0 for a device without a battery.
        local_backup_at: the last backup to a computer; None for the many that have none.
    """

    observed_at: datetime
    contacted_at: datetime
    enrolled_at: datetime
    release: Release
    backup_enabled: bool
    last_backup_at: datetime | None
    local_backup_at: datetime | None
    free_gb: float
    battery_percent: int
    account_active: bool
    roaming: bool
    lost_mode: bool


def condition(life: Life, night: int, at: datetime, *, age: int = 0) -> Condition:
    """What a server that lags `age` nights behind knows at `at`, the time of the collection on `night`."""
    reported = life.reported_night(night - age)
    day = at - timedelta(days=night - reported)
    observed_at = day - timedelta(minutes=life.inventory_minutes)
    return Condition(
        observed_at=observed_at,
        contacted_at=observed_at + timedelta(minutes=3),
        enrolled_at=day - timedelta(days=reported - life.enrolled_night, hours=18),
        release=life.release_at(reported, day),
        backup_enabled=life.story is not Story.SWITCHED_OFF or life.span_at(reported) is None,
        last_backup_at=_backed_up_at(life, reported, day),
        local_backup_at=day - timedelta(days=40 + life.index % 50)
        if life.chance(0, 3) < _LOCAL_BACKUPS
        else None,
        free_gb=life.free_at(reported) * life.capacity_gb,
        battery_percent=_battery(life, reported),
        account_active=life.story is not Story.NO_ACCOUNT or life.span_at(reported) is None,
        roaming=life.chance(reported, 4) < _ROAMING,
        lost_mode=life.story is Story.SILENT and life.chance(0, 5) < _LOST,
    )


def _backed_up_at(life: Life, night: int, day: datetime) -> datetime | None:
    made = None if life.model is TELEVISION else life.backup_night(night)
    return None if made is None else day - timedelta(days=night - made, minutes=life.backup_minutes)


def _battery(life: Life, night: int) -> int:
    if life.model is TELEVISION:
        return 0
    low, high = (3, 17) if life.story is Story.LOW_BATTERY else (32, 100)
    return low + int(life.chance(night, 6) * (high - low + 1))
