"""What the past says of the time to come: when storage is full, and when Apple deletes the last backup."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from fleet.checks import BY_ID
from fleet.checks._check import run
from fleet.checks.assess import assess
from fleet.model.fact import ABSENT, NEVER, NOT_REPORTED
from fleet.model.finding import CLEAR, Found
from tests.fleet_of import GB, Value, a_case, a_device, a_history, ago

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fleet.model.finding import Verdict


def filling(free_gb: Sequence[float]) -> Verdict:
    """What storage-filling says of a device with that much free, night after night."""
    case = a_case(available_bytes=int(free_gb[-1] * GB), readings=a_history(free_gb))
    return run(BY_ID["storage-filling"], case, backup=CLEAR)


def test_the_pace_says_how_sure_it_is() -> None:
    """The finding names the range that its readings allow: none where they lie on a line, wide where they jump."""
    line = [40.0 - day for day in range(20)]
    chance = random.Random(1)
    jumping = [free + chance.gauss(0, 3) for free in line]
    for free_gb, spread in ((line, range(1)), (jumping, range(5, 30))):
        verdict = filling(free_gb)
        assert isinstance(verdict, Found)
        said = verdict.evidence
        least, likely, most = (said[f"days_left{end}"] for end in ("_at_least", "", "_at_most"))
        assert int(str(least)) <= int(str(likely)) <= int(str(most))
        assert int(str(most)) - int(str(least)) in spread
        assert f"about {likely} days ({least} to {most} at 90 % confidence)" in verdict.summary
        assert (said["confidence_percent"], said["readings"]) == (90, 20)


@pytest.mark.parametrize(("nights", "most"), [(8, 30), (14, 20), (30, 10), (45, 5)])
def test_wandering_storage_seldom_looks_like_filling(nights: int, most: int) -> None:
    """Of 300 devices whose storage wanders without aim few are found, and the fewer the more nights there are."""
    chance = random.Random(nights)
    found = 0
    for _ in range(300):
        free_gb = [25.0]
        while len(free_gb) < nights:
            free_gb.append(min(max(free_gb[-1] + chance.gauss(0, 1), 13.0), 60.0))
        found += isinstance(filling(free_gb), Found)
    assert found <= most


@pytest.mark.parametrize(("nights", "least"), [(14, 250), (30, 290)])
def test_filling_storage_is_seen_through_noise(nights: int, least: int) -> None:
    """Of 300 devices that lose half a gigabyte a day, give or take one, nearly all are found."""
    chance = random.Random(nights)
    found = 0
    for _ in range(300):
        free_gb = [13 + (nights - 1 - day) / 2 + chance.gauss(0, 0.7) for day in range(nights)]
        free_gb[-1] = 13.0
        found += isinstance(filling(free_gb), Found)
    assert found >= least


@pytest.mark.parametrize(
    ("age_days", "left"), [(8, 172), (150.5, 29), (179, 1), (179.5, 0), (180, 0), (181, 0), (2000, 0)]
)
def test_days_until_apple_deletes_the_backup(age_days: float, left: int) -> None:
    """Every backup problem says how long the last backup is still there, by Apple's 180 days and tonight's clock."""
    device = a_device(last_cloud_backup_at=ago(age_days), backup_enabled=False)
    (problem,) = (one for one in assess(a_case(device)).problems if one.problem == "backup")
    assert problem.evidence["days_until_deletion"] == left


@pytest.mark.parametrize("last", [NEVER, ABSENT, NOT_REPORTED])
def test_no_days_until_deletion_of_no_backup(last: Value) -> None:
    """Where no backup is known there is nothing for Apple to delete, and nothing is said."""
    device = a_device(last_cloud_backup_at=last, backup_enabled=False)
    (problem,) = (one for one in assess(a_case(device)).problems if one.problem == "backup")
    assert "days_until_deletion" not in problem.evidence
