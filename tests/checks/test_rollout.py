from __future__ import annotations

import random
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from fleet.checks import backup_wave
from fleet.checks._one_day import of_one_day
from fleet.checks._rollout import after_changes, grown
from fleet.checks._stops import Factor, Kind, begin_of, half_day_of
from fleet.checks._wave import Place, measured
from fleet.model.finding import Found
from tests.checks.a_fleet_of_stops import Fleet, an_ordinary_fleet, counted
from tests.fleet_of import NOW, ago, days

if TYPE_CHECKING:
    from datetime import datetime

    from fleet.checks._wave import Wave

NEW: Factor = ("os_version", "27.1")
OLD: Factor = ("os_version", "27.0.1")


def a_rollout(
    dice: random.Random, *, members: int = 60, share: float = 0.7, others: int = 300
) -> tuple[Fleet, list[datetime]]:
    """A new system that came to devices over two weeks; most of them made their last backup the night before."""
    devices: list[tuple[Kind, datetime | None]] = []
    for _ in range(members):
        took = ago(dice.uniform(10, 24))
        devices.append(((NEW,), took - days(dice.random()) if dice.random() < share else None))
    devices += [((OLD,), ago(dice.uniform(8, 90)) if dice.random() < 0.03 else None) for _ in range(others)]
    fleet = Fleet(devices)
    return fleet, [last for kind, last in devices if last and NEW in kind]


def found(fleet: Fleet, came: list[datetime], known: tuple[Place, ...] = ()) -> list[Wave]:
    """What follows a rollout, where the devices with those last backups came to the new system right after them."""
    return list(after_changes(counted(fleet.devices), NOW, known, lambda one: came if one == NEW else []))


def test_a_rollout_over_two_weeks_is_one_wave() -> None:
    """No single day shows much, and yet the system that came to each device after its last backup is named."""
    for seed in range(20):
        fleet, came = a_rollout(random.Random(seed))
        assert fleet.waves == []
        (wave,) = found(fleet, came)
        assert (wave.place.factor, wave.place.after_changes) == (NEW, True)
        assert wave.devices == len(came)
        assert begin_of(wave.place.half_day) <= min(came) <= max(came)
        assert max(came) <= begin_of(wave.place.half_day + wave.place.half_days)


def test_stops_without_a_change_are_no_rollout() -> None:
    """Devices with one system that stop more than others, but not when it came to them, are looked up and let go."""
    fleet, came = a_rollout(random.Random(1))
    assert found(fleet, []) == []
    assert found(fleet, came[:7]) == []
    assert found(fleet, came[: len(came) // 2]) == []
    assert found(fleet, [last - days(9) for last in came]) == []


def test_only_what_can_be_a_rollout_is_looked_up() -> None:
    """Where no system has more stops than its share, nobody's history is asked for."""
    for seed in range(50):
        asked: list[Factor] = []
        fleet = an_ordinary_fleet(random.Random(seed))

        def came_to(factor: Factor, asked: list[Factor] = asked) -> list[datetime]:
            asked.append(factor)
            return []

        assert list(after_changes(counted(fleet.devices), NOW, (), came_to)) == []
        assert asked == [], seed


@pytest.mark.parametrize("known", [0, 1])
def test_a_known_rollout_is_not_found_again(known: int) -> None:
    """Nor is one whose devices all stopped on one day, which is a wave of that day."""
    fleet, came = a_rollout(random.Random(3))
    if known:
        (wave,) = found(fleet, came)
    else:
        fleet.plant(lambda kind: NEW in kind, ago(12), 1, random.Random(0))
        came = [last for kind, last in fleet.devices if last and NEW in kind]
        (wave,) = of_one_day(counted(fleet.devices), NOW, ())
    assert found(fleet, came, (wave.place,)) == []


def test_a_rollout_goes_on() -> None:
    """Devices that take the system later, and stop, join the incident; it is counted to the last of them."""
    fleet, came = a_rollout(random.Random(4))
    (wave,) = found(fleet, came)
    before = backup_wave.found(wave).evidence
    fleet.devices += [((NEW,), ago(8))] * 10
    stops = counted(fleet.devices)
    assert grown(stops, wave.place).half_days > wave.place.half_days
    later, verdict = backup_wave.counted(stops, before)
    assert isinstance(verdict, Found)
    assert later.devices == verdict.evidence["most"] == len(came) + 10
    assert backup_wave.place_of(verdict.evidence) == later.place
    assert measured(stops, later.place).devices == later.devices


def test_a_rollout_in_words() -> None:
    """The summary says from when to when, and that the stop came right before the change."""
    place = Place(factor=NEW, half_day=half_day_of(NOW - timedelta(days=20)), half_days=21)
    wave = measured(counted([*[((NEW,), ago(15))] * 20, *[((OLD,), None)] * 80]), place)
    assert backup_wave.found(wave).summary == (
        "20 of 20 devices on system 27.1 made their last iCloud backup between 3 November 2026 and 13 November 2026, "
        "most of them within three days before they came to that; elsewhere 0 of 80."
    )
