"""The made-up fleet knows what it broke: how often the plan begins with what mends just that."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from connectors import demo
from connectors._connector import Surroundings
from connectors.demo.fleet import made_up_fleet
from connectors.demo.story import Life, Story, condition
from fleet.apple.catalog import bundled
from fleet.checks._check import Case, Reading
from fleet.checks.assess import assess
from fleet.checks.plan import plan_for
from fleet.merge import merge
from fleet.model.device import DeviceRecord, Sighting, Standing
from fleet.model.finding import Status
from fleet.model.policy import Policy
from tests.checks.standing import status

if TYPE_CHECKING:
    from collections.abc import Iterator

LAST = datetime(2026, 11, 22, 2, tzinfo=UTC)
NIGHTS = 60
DEVICES = 600
PAST = 12
MENDS = {
    Story.SWITCHED_OFF: ["enable-backup"],
    Story.NEVER: ["wifi-and-power"],
    Story.STOPS: ["wifi-and-power"],
    Story.STALE: ["wifi-and-power"],
    Story.EXPIRED: ["local-backup", "wifi-and-power"],
    Story.FILLS_UP: ["free-device-storage"],
    Story.FULL: ["free-device-storage"],
    Story.PATCH_BEHIND: ["enforce-update"],
    Story.OLD_MAJOR: ["enforce-update"],
    Story.SILENT: ["check-in"],
    Story.LOW_BATTERY: ["wifi-and-power"],
    Story.NO_ACCOUNT: ["local-backup", "sign-out-and-in"],
}
"""What was broken, and what mends it: where that could cost data, or the data is nearly lost, after a copy.

A backup that stops for no cause that a server could see has the guide's first fix for the right one.
"""


def readings(life: Life) -> list[Reading]:
    """What the last nights would have left in the store."""
    nights = [condition(life, NIGHTS - 1 - ago, LAST - timedelta(days=ago)) for ago in reversed(range(PAST))]
    return [Reading(n.observed_at, int(n.free_gb * 10**9), n.battery_percent) for n in nights]


def cases(seed: int) -> Iterator[tuple[Life, Case]]:
    """Every device of a made-up fleet as a real connector reads it on the last night."""
    fleet = made_up_fleet(DEVICES, NIGHTS, seed)
    wanted = {"name": "show", "kind": "demo", "devices": DEVICES, "nights": NIGHTS, "seed": seed}
    settings = demo.CONNECTOR.settings.model_validate(wanted)
    around = Surroundings(collected_at=LAST, now=lambda: 0.0, sleep=lambda _: None)
    for page in demo.CONNECTOR.walk(settings, around):
        for record in page.rows:
            if isinstance(record, DeviceRecord):
                life = fleet.record(int(record.native_id))
                yield life, a_case(life, record)


def a_case(life: Life, record: DeviceRecord) -> Case:
    sighting = Sighting(
        source="show",
        record=record,
        observed_at=record.observed_at(LAST),
        last_seen_at=LAST,
        standing=Standing.READ,
    )
    past = readings(life)
    return Case(
        device=merge(record.native_id, [sighting]),
        policy=Policy(),
        now=LAST,
        catalog=bundled(),
        readings=lambda: past,
    )


def mends(life: Life, case: Case, fixes: list[str]) -> bool:
    """Whether the plan begins with what mends the story; a backup that Apple soon deletes is saved first."""
    right = MENDS.get(life.story, [])
    last = case.device.last_cloud_backup_at
    if isinstance(last, datetime) and LAST - last > timedelta(days=150) and right[:1] == ["wifi-and-power"]:
        right = ["local-backup", *right]
    return bool(right) and fixes[: len(right)] == right


@pytest.mark.parametrize("seed", [7, 8])
def test_the_first_step_mends_what_was_broken(seed: int) -> None:
    """Of the devices at risk, more than 95 in 100 have a plan that begins with the right fix."""
    right: Counter[Story] = Counter()
    wrong: Counter[tuple[Story, str]] = Counter()
    for life, case in cases(seed):
        if status(case)[0] is Status.AT_RISK:
            fixes = [step.fix for step in plan_for(case, assess(case)).steps]
            if mends(life, case, fixes):
                right[life.story] += 1
            else:
                wrong[life.story, fixes[0]] += 1
    share = right.total() / (right.total() + wrong.total())
    assert share > 0.95, wrong
    assert set(right) >= set(MENDS), "a story that the fleet no longer tells"
