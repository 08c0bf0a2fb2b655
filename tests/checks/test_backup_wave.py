from __future__ import annotations

import math
import random
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet.checks import backup_wave
from fleet.checks._chance import log_binomial_tail, log_hypergeometric_tail
from fleet.checks._one_day import of_one_day
from fleet.checks._stops import RESTRICTED, Factor, Kind, Stops, begin_of, factors_of
from fleet.checks._wave import Place, Wave, measured
from fleet.model.fact import ABSENT, NOT_REPORTED
from fleet.model.finding import Clear, Found, Severity, Undetermined
from fleet.model.outage import Outage
from tests.checks.a_fleet_of_stops import Fleet, an_ordinary_fleet, counted
from tests.examples import examples
from tests.fleet_of import NOW, a_device, ago, days

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from fleet.model.finding import Evidence, Verdict
    from tests.fleet_of import Value

TUESDAY = ago(13) + days(0.25)  # 10 November 2026, 8 a.m., after the night
LYON: Factor = ("site", "Lyon")
NICE: Factor = ("site", "Nice")
NEW_SYSTEM: Factor = ("os_version", "27.0.1")


def at(place: Factor) -> Callable[[Kind], bool]:
    """Whether a device has that."""
    return lambda kind: place in kind


def some(number: int, *kind: Factor, last: datetime | None = None) -> list[tuple[Kind, datetime | None]]:
    """So many devices of one kind, well or stopped."""
    return [(kind, last)] * number


@pytest.mark.no_cover
def test_no_false_wave_in_a_thousand_fleets() -> None:
    """Neglected sites, Fridays and the eve of a holiday make no incident, in none of a thousand made-up fleets."""
    assert [seed for seed in range(1000) if an_ordinary_fleet(random.Random(seed)).waves] == []


@pytest.mark.parametrize(
    ("cause", "share"),
    [
        (("site", "site 1"), 0.93),
        (NEW_SYSTEM, 0.6),
        (("source", "schools"), 0.97),
        (("group", "year 9"), 0.8),
        (("model", "iPad Air"), 0.5),
    ],
)
def test_a_planted_cause_is_found_and_named(cause: Factor, share: float) -> None:
    """One cause among all that happens anyway is one incident, with the right factor and the right day."""
    for seed in range(20):
        dice = random.Random(seed)
        fleet = an_ordinary_fleet(dice, size=400)
        fleet.plant(at(cause), TUESDAY, share, dice)
        (wave,) = fleet.waves
        assert wave.place.factor == cause, seed
        assert begin_of(wave.place.half_day) <= TUESDAY <= begin_of(wave.place.half_day + 2)
        assert wave.devices >= share * wave.of * 0.8


def test_a_restriction_at_one_site_is_named_with_the_site() -> None:
    """Where the site's devices have a profile that others have not, both are named."""
    for seed in range(20):
        dice = random.Random(seed)
        fleet = an_ordinary_fleet(dice, size=400)
        fleet.devices += some(40, LYON, ("source", "hq"))
        fleet.give(at(LYON), RESTRICTED)
        fleet.plant(at(LYON), TUESDAY, 0.95, dice)
        (wave,) = fleet.waves
        assert {wave.place.factor, *wave.shared} == {LYON, RESTRICTED}


def test_a_fleet_that_stops_as_a_whole_shares_the_day() -> None:
    """Where everybody stops, whatever they have in common, the day is the factor."""
    for seed in range(20):
        dice = random.Random(seed)
        fleet = an_ordinary_fleet(dice)
        fleet.plant(lambda _: True, TUESDAY, 0.8, dice)
        (wave,) = fleet.waves
        assert wave.place.factor is None
        assert begin_of(wave.place.half_day) <= TUESDAY <= begin_of(wave.place.half_day + 2)


def test_two_sites_on_one_day_are_two_waves() -> None:
    """What one wave explains is not named again; what it does not, is."""
    ipad: Factor = ("model", "iPad Air")
    wall = [
        *some(41, LYON, ipad, last=TUESDAY),
        *some(3, LYON, ipad),
        *some(38, NICE, last=TUESDAY),
        *some(2, NICE),
        *some(10, ipad),
        *some(160, ("site", "Paris")),
        *some(3, ("site", "Paris"), last=TUESDAY),
    ]
    waves = Fleet(wall).waves
    assert [(wave.place.factor, wave.devices, wave.of) for wave in waves] == [(LYON, 41, 44), (NICE, 38, 40)]
    assert waves[0].shared == (ipad,)
    assert (waves[0].elsewhere, waves[0].elsewhere_of) == (41, 213)


def test_a_night_over_midnight_is_one_day() -> None:
    """Backups of 11 p.m. and 2 a.m. (UTC) belong to the same night."""
    midnight = ago(13) - days(2 / 24)
    (wave,) = Fleet(
        [
            *some(20, LYON, last=midnight - days(1 / 24)),
            *some(20, LYON, last=midnight + days(2 / 24)),
            *some(200, NICE),
        ]
    ).waves
    assert (wave.devices, wave.of) == (40, 40)
    assert begin_of(wave.place.half_day).hour == 12
    calendar = Fleet([*some(40, LYON, last=midnight + days(0.3)), *some(200, NICE)]).waves
    assert [begin_of(one.place.half_day) for one in calendar] == [midnight]


@pytest.mark.parametrize(
    ("stopped", "well", "elsewhere", "found"),
    [
        (8, 0, 0, True),
        (7, 0, 0, False),
        (20, 40, 0, True),
        (20, 41, 0, False),
        (40, 0, 100, True),
        (40, 0, 101, False),
    ],
)
def test_how_many_make_a_wave(stopped: int, well: int, elsewhere: int, found: bool) -> None:
    """At least eight; at least a third of those with the factor; at least twice the share that stopped elsewhere."""
    fleet = Fleet(
        [
            *some(stopped, LYON, last=TUESDAY),
            *some(well, LYON),
            *some(elsewhere, last=TUESDAY),
            *some(200 - elsewhere),
        ]
    )
    assert (LYON in [wave.place.factor for wave in fleet.waves]) is found


def test_what_is_older_than_apple_keeps_it_is_no_news() -> None:
    """A backup of more than 180 days ago may be deleted by now; what stopped then is no wave."""
    for age, found in ((179, 1), (182, 0)):
        assert len(Fleet([*some(40, LYON, last=ago(age)), *some(200, NICE)]).waves) == found


def test_a_known_wave_is_not_found_again() -> None:
    """A wave that had been found, ended or not, keeps what it explains; its neighbours' late-comers too."""
    fleet = [
        *some(30, LYON, last=TUESDAY),
        *some(15, LYON, last=TUESDAY + days(1)),
        *some(200, NICE),
    ]
    (wave,) = Fleet(fleet).waves
    assert list(of_one_day(counted(fleet), NOW, [wave.place])) == []


@given(
    seed=st.integers(0, 10**9),
    members=st.integers(12, 60),
    others=st.integers(80, 300),
    share=st.floats(0.8, 1),
    background=st.floats(0, 0.04),
)
@settings(deadline=None, max_examples=examples(60))
def test_a_strong_cause_is_never_missed(
    seed: int, members: int, others: int, share: float, background: float
) -> None:
    """Wherever four in five of a dozen or more stop and hardly anybody else does, the cause is named."""
    dice = random.Random(seed)
    fleet = Fleet([*some(members, LYON, ("source", "hq")), *some(others, NICE, ("source", "hq"))])
    fleet.devices = [
        (kind, ago(dice.randint(8, 60)) if dice.random() < background else None) for kind, _ in fleet.devices
    ]
    fleet.plant(at(LYON), TUESDAY, share, dice)
    planted = sum(last is not None for kind, last in fleet.devices if LYON in kind)
    if 4 * planted >= 3 * members:
        assert fleet.waves[0].place.factor == LYON


@given(seed=st.integers(0, 10**9), shuffled=st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=examples(30))
def test_the_order_of_devices_does_not_matter(seed: int, shuffled: random.Random) -> None:
    """The same fleet in another order gives the same incidents."""
    dice = random.Random(seed)
    fleet = an_ordinary_fleet(dice, size=150)
    fleet.plant(at(("site", "site 0")), TUESDAY, 0.8, dice)
    other = list(fleet.devices)
    shuffled.shuffle(other)
    assert Fleet(other).waves == fleet.waves


@given(data=st.data())
def test_the_tail_of_the_hypergeometric_is_the_exact_one(data: st.DataObject) -> None:
    """It is what counting all ways gives."""
    judged = data.draw(st.integers(2, 60))
    stopped, n = data.draw(st.integers(1, judged)), data.draw(st.integers(1, judged))
    k = data.draw(st.integers(max(0, stopped + n - judged), min(stopped, n)))
    ways = sum(
        math.comb(stopped, i) * math.comb(judged - stopped, n - i) for i in range(k, min(stopped, n) + 1)
    )
    exact = Fraction(ways, math.comb(judged, n))
    assert math.exp(log_hypergeometric_tail(k, n, stopped, judged)) == pytest.approx(float(exact), rel=1e-6)


@given(n=st.integers(1, 60), percent=st.integers(1, 99), data=st.data())
def test_the_tail_of_the_binomial_is_the_exact_one(n: int, percent: int, data: st.DataObject) -> None:
    """It is what counting all ways gives."""
    k, share = data.draw(st.integers(0, n)), Fraction(percent, 100)
    exact = sum(math.comb(n, i) * share**i * (1 - share) ** (n - i) for i in range(k, n + 1))
    assert math.exp(log_binomial_tail(k, n, float(share))) == pytest.approx(float(exact), rel=1e-6)


@pytest.mark.parametrize(
    ("signals", "shared"),
    [
        ({}, {("os_version", "27.0.1"), ("model", "iPhone 13"), ("source", "hq")}),
        ({"site": "Lyon", "os_version": ABSENT}, {LYON, ("model", "iPhone 13"), ("source", "hq")}),
        ({"groups": ("a", "b"), "os_version": ABSENT, "model_name": NOT_REPORTED}, {
            ("group", "a"), ("group", "b"), ("model", "iPhone14,5"), ("source", "hq")
        }),
        ({"backup_restricted": True, "os_version": ABSENT, "model_name": ABSENT, "model_identifier": ABSENT}, {
            RESTRICTED, ("source", "hq")
        }),
    ],
)  # fmt: skip
def test_what_devices_share(signals: dict[str, Value], shared: set[Factor]) -> None:
    """What is known of a device it may share; what is not known nobody shares."""
    assert set(factors_of(a_device(**signals))) == shared


def a_wave(**changes: Value) -> Wave:
    """A site of which 41 of 44 stopped on a Tuesday, and 3 of 210 elsewhere."""
    stops = counted(
        [
            *some(41, LYON, ("source", "hq"), last=TUESDAY),
            *some(3, LYON, ("source", "hq")),
            *some(3, NICE, ("source", "hq"), last=TUESDAY),
            *some(207, NICE, ("source", "hq")),
        ]
    )
    (wave,) = of_one_day(stops, NOW, ())
    return replace(wave, **changes)


def test_an_incident_in_words() -> None:
    """The summary names the factor, the day, and its strength against the rest of the fleet."""
    found = backup_wave.found(a_wave())
    assert found.severity is Severity.HIGH
    assert found.summary == (
        "41 of 44 devices at site Lyon made their last iCloud backup on 10 November 2026; elsewhere 3 of 210."
    )
    assert found.evidence["chance_below"] == "1e-39"
    outage = Outage(service="iCloud Backup", kind="Outage", began_at=TUESDAY, ended_at=None)
    night = a_wave(place=Place(factor=None, half_day=a_wave().place.half_day + 1), shared=(RESTRICTED, LYON))
    assert backup_wave.found(night, None, [outage]).summary == (
        "41 of 44 devices made their last iCloud backup in the 24 hours from 10 November 2026, 12:00 UTC. They share: "
        "a profile that forbids iCloud Backup, site Lyon. Apple reported trouble with iCloud Backup at that time."
    )
    assert backup_wave.fixes_of(night)[0] == "lift-restriction"


@pytest.mark.parametrize(
    ("tonight", "verdict"),
    [
        ({}, Found),
        ({"devices": 21}, Found),
        ({"devices": 20, "elsewhere": 3}, Clear),
        ({"devices": 20, "elsewhere": 4}, Undetermined),
        ({"devices": 0, "elsewhere": 44}, Undetermined),
        ({"devices": 0, "undated": 20}, Clear),
        ({"devices": 0, "undated": 21}, Undetermined),
        ({"devices": 0, "of": 0, "undated": 0}, Clear),
    ],
)
def test_when_a_wave_is_over(tonight: dict[str, int], verdict: type[Verdict]) -> None:
    """When fewer than half are left; those that changed the factor, or cannot be dated any more, count as left."""
    before = backup_wave.found(a_wave()).evidence
    assert isinstance(backup_wave.judge(a_wave(**tonight), before), verdict)


def test_a_wave_is_measured_by_its_height() -> None:
    """Devices that come later count; from then on half of the most is what has to recover."""
    evidence: Evidence = backup_wave.found(a_wave(devices=15)).evidence
    for devices in (41, 30, 22):
        verdict = backup_wave.judge(a_wave(devices=devices), evidence)
        assert isinstance(verdict, Found)
        evidence = verdict.evidence
        assert (evidence["devices"], evidence["most"]) == (devices, 41)
    assert isinstance(backup_wave.judge(a_wave(devices=20), evidence), Clear)


@pytest.mark.parametrize("factor", [LYON, NEW_SYSTEM, RESTRICTED, None])
def test_a_wave_is_found_again_by_its_evidence(factor: Factor | None) -> None:
    """What the evidence says is enough to count the same devices on the next night."""
    for half_days in (2, 21):
        place = Place(factor=factor, half_day=a_wave().place.half_day, half_days=half_days)
        assert backup_wave.place_of(backup_wave.found(a_wave(place=place)).evidence) == place


def test_an_empty_fleet_has_no_waves() -> None:
    """Nobody stopped, nothing is said; a wave that nobody is left of has nought devices."""
    assert list(of_one_day(Stops(), NOW, ())) == []
    assert measured(Stops(), Place(factor=LYON, half_day=1)).devices == 0
