"""The plan: the right cause, the right first step, and nothing risky before a copy of the data."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet import guide
from fleet.checks.assess import assess
from fleet.checks.plan import plan_for
from fleet.model.device import Enrollment
from fleet.model.fact import ABSENT, NEVER, NOT_REPORTED
from tests.fleet_of import GB, Value, a_case, a_history, ago

if TYPE_CHECKING:
    from fleet.model.run import PlanStep

STALE = {"last_cloud_backup_at": ago(20)}
WALK = [
    "wifi-and-power",
    "system-status",
    "free-icloud-storage",
    "power-and-data-modes",
    "force-restart",
    "vpn-off",
    "allow-apple-hosts",
    "local-backup",
    "sign-out-and-in",
    "reset-settings",
    "apple-support",
]


def plan(**signals: Value) -> tuple[str | None, list[str], tuple[PlanStep, ...]]:
    """Cause, fixes and steps for a device with these signals."""
    case = a_case(readings=a_history([60.0] * 10, battery=5), **signals)
    cause, steps = plan_for(case, assess(case))
    return cause, [step.fix for step in steps], steps


@pytest.mark.parametrize(
    ("signals", "cause", "first"),
    [
        ({}, None, []),
        ({"available_bytes": GB}, None, ["free-device-storage"]),
        ({"account_active": False}, None, ["local-backup", "sign-out-and-in"]),
        ({"model_identifier": "iPhone11,2", "os_version": "18.7.10"}, None, ["replace-hardware"]),
        ({"inventory_at": ago(8), "last_cloud_backup_at": ago(9)}, None, ["check-in"]),
        ({"backup_restricted": True}, "backup-restricted", ["lift-restriction", "enable-backup"]),
        ({"backup_enabled": False}, "backup-disabled", ["enable-backup", "allow-managed-icloud"]),
        (
            {"backup_restricted": True, "backup_enabled": False},
            "backup-restricted",
            ["lift-restriction", "enable-backup", "allow-managed-icloud"],
        ),
        ({**STALE, "available_bytes": GB}, "storage-full", ["free-device-storage"]),
        ({**STALE, "available_bytes": 10 * GB}, "icloud-quota", ["free-device-storage"]),
        ({**STALE, "os_version": "17.2", "os_build": "21C1"}, "os-outdated", ["enforce-update"]),
        (
            {**STALE, "os_version": "26.6.1", "os_build": "23G83", "available_bytes": 126 * GB},
            "unexplained",
            ["enforce-update", "update-system"],
        ),
        ({**STALE, "account_active": False}, "account-inactive", ["free-icloud-storage"]),
        ({**STALE, "vpn_configured": True, "available_bytes": 126 * GB}, "vpn-configured", ["vpn-off"]),
        ({**STALE, "battery_percent": 5, "available_bytes": 126 * GB}, "power-low", ["wifi-and-power"]),
        ({**STALE, "capacity_bytes": NOT_REPORTED}, "unexplained", WALK),
        ({"last_cloud_backup_at": NEVER, "available_bytes": 126 * GB}, "unexplained", WALK),
        (
            {"model_identifier": "iPhone3,1", "os_version": "7.1.2", **STALE},
            "os-unsupported",
            ["replace-hardware"],
        ),
        ({"last_cloud_backup_at": ago(160), "available_bytes": 126 * GB}, "unexplained", ["local-backup"]),
        (
            {"last_cloud_backup_at": ago(160), "backup_enabled": False, "available_bytes": 126 * GB},
            "backup-disabled",
            ["enable-backup", "allow-managed-icloud", "local-backup", "wifi-and-power"],
        ),
    ],
)
def test_cause_and_first_steps(signals: dict[str, Value], cause: str | None, first: list[str]) -> None:
    """The plan starts with what the evidence points at, and says what it takes for the cause."""
    found, fixes, _ = plan(**signals)
    assert found == cause
    assert fixes[: len(first)] == first
    assert bool(fixes) == bool(first)


@pytest.mark.parametrize(
    ("signals", "enforced"),
    [
        ({}, True),
        ({"supervised": False, "enrollment": Enrollment.DEVICE}, True),
        ({"supervised": True, "enrollment": ABSENT}, True),
        ({"supervised": ABSENT, "enrollment": ABSENT}, False),
        ({"supervised": False, "enrollment": NOT_REPORTED}, False),
        ({"os_version": "16.1"}, False),
    ],
)
def test_updates_are_enforced_where_management_can(signals: dict[str, Value], *, enforced: bool) -> None:
    """An enforced update is only planned for a device that takes one; the user can always do it."""
    _, fixes, _ = plan(**{"os_version": "26.0", "os_build": "23A1", **signals})
    assert ("enforce-update" in fixes) is enforced
    assert "update-system" in fixes


ODD = {
    "backup_restricted": st.sampled_from([True, False, ABSENT]),
    "backup_enabled": st.sampled_from([True, False, ABSENT]),
    "last_cloud_backup_at": st.sampled_from([NEVER, ABSENT, ago(1), ago(20), ago(170), ago(190)]),
    "available_bytes": st.sampled_from([0, GB, 10 * GB, 60 * GB, 127 * GB, ABSENT]),
    "model_identifier": st.sampled_from(
        ["iPhone14,5", "iPhone11,2", "iPhone3,1", "iPad11,6", "X1,1", ABSENT]
    ),
    "os_version": st.sampled_from(["27.0.1", "26.6.1", "18.5", "17.1", "8.0", ABSENT]),
    "account_active": st.sampled_from([True, False, ABSENT]),
    "vpn_configured": st.sampled_from([True, False, NOT_REPORTED]),
    "battery_percent": st.sampled_from([5, 90, ABSENT]),
    "inventory_at": st.sampled_from([ago(0.2), ago(10), ago(40)]),
}


@settings(max_examples=300, derandomize=True, deadline=None, database=None)
@given(st.fixed_dictionaries(ODD))
def test_laws_of_every_plan(signals: dict[str, Value]) -> None:
    """No plan risks data before it is copied, updates what must be replaced, or repeats itself."""
    case = a_case(readings=a_history([60.0] * 10, battery=5), **signals)
    assessment = assess(case)
    cause, steps = plan_for(case, assessment)
    fixes = [step.fix for step in steps]
    place = {fix: number for number, fix in enumerate(fixes)}
    held = {check for problem in assessment.problems for check in problem.held}
    for risky in {"sign-out-and-in", "reset-settings"} & set(fixes):
        assert place["local-backup"] < place[risky]
    if "apple-support" in place:
        assert fixes[-1] == "apple-support"
    if "os-unsupported" in held:
        assert "replace-hardware" in fixes
        assert "update-system" not in fixes
    assert len(fixes) == len(place)
    assert bool(fixes) == bool(assessment.problems)
    assert (cause is not None) == any(p.problem == "backup" for p in assessment.problems)
    assert cause in {None, "unexplained"} or cause in held
    for step in steps:
        assert step.audience == guide.load()[step.fix].audience
        assert step.why.endswith(".")
