"""Made-up fleets as the wave check counts them: who has what in common, and when whose backup stopped."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from fleet.checks._one_day import of_one_day
from fleet.checks._stops import RESTRICTED, Factor, Kind, Stops
from tests.fleet_of import NOW, days

if TYPE_CHECKING:
    import random
    from collections.abc import Callable
    from datetime import datetime

    from fleet.checks._wave import Wave

MODELS = ("iPad (9th generation)", "iPad (10th generation)", "iPhone 13", "iPhone SE", "iPad Air")
SYSTEMS = ("26.7.1", "27.0.1", "27.0", "26.6", "18.7.8")


@dataclass(slots=True)
class Fleet:
    """Devices as pairs of what they have in common and the moment of the last backup, None for those that are well."""

    devices: list[tuple[Kind, datetime | None]] = field(default_factory=list[tuple[Kind, "datetime | None"]])

    def plant(self, chosen: Callable[[Kind], bool], at: datetime, share: float, dice: random.Random) -> None:
        """Let `share` of the chosen devices stop in the eight hours before `at`."""
        self.devices = [
            (kind, at - timedelta(hours=8 * dice.random()))
            if chosen(kind) and dice.random() < share
            else (kind, last)
            for kind, last in self.devices
        ]

    def give(self, chosen: Callable[[Kind], bool], factor: Factor) -> None:
        """Let the chosen devices have this in common too."""
        self.devices = [((factor, *kind) if chosen(kind) else kind, last) for kind, last in self.devices]

    @property
    def waves(self) -> list[Wave]:
        """What the check finds in it, without a past."""
        return list(of_one_day(counted(self.devices), NOW, ()))


def counted(devices: list[tuple[Kind, datetime | None]]) -> Stops:
    """The counters of one pass."""
    stops = Stops()
    for kind, last in devices:
        if last is None:
            stops.well(kind)
        else:
            stops.stopped(kind, last)
    return stops


def an_ordinary_fleet(dice: random.Random, size: int | None = None) -> Fleet:
    """A fleet in which backups stop for each device's own reasons.

    Sites differ in size and in how well they are looked after, by up to a factor of ten; two devices in three come by
    one source; more stops on Fridays than on other days, and ten times as much on the eve of a holiday.
    """
    number = size or dice.randint(20, 500)
    sites = [f"site {one}" for one in range(dice.randint(2, 9))]
    care = {site: dice.choice((0.3, 1, 1, 3)) * dice.uniform(0.01, 0.12) for site in sites}
    holiday = dice.randint(8, 90)
    weights = [_weight(day, holiday) for day in range(8, 181)]
    fleet = Fleet()
    for _ in range(number):
        site = sites[min(int(dice.expovariate(0.5)), len(sites) - 1)]
        last = None
        if dice.random() < care[site]:
            (day,) = dice.choices(range(8, 181), weights)
            last = NOW - days(day) - timedelta(hours=9 * dice.random())
        fleet.devices.append((_kind(site, dice), last))
    return fleet


def _weight(day: int, holiday: int) -> float:
    """How much stops so many days ago: less long ago, for what stopped is mended in the end."""
    friday = 3 if (NOW - days(day)).weekday() == 4 else 1
    return friday * (10 if day == holiday else 1) * 0.97**day


def _kind(site: str, dice: random.Random) -> Kind:
    system = SYSTEMS[min(int(dice.expovariate(1)), len(SYSTEMS) - 1)]
    group = ("group", f"year {dice.randint(7, 13)}")
    source = ("source", "hq" if dice.random() < 0.66 else "schools")
    restricted = (RESTRICTED,) if dice.random() < 0.02 else ()
    return (
        *restricted,
        ("os_version", system),
        ("site", site),
        group,
        ("model", dice.choice(MODELS)),
        source,
    )
