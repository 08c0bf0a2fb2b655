"""The plan: the right order, the right people, and nothing risky before a copy of the data."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet import guide
from fleet.checks import BY_ID, CHECKS
from fleet.checks.assess import BACKUP, assess
from fleet.checks.order import RISKY, ordered
from fleet.checks.plan import Plan, plan_for
from fleet.model.device import Enrollment, Platform
from fleet.model.device_report import Strength
from fleet.model.fact import ABSENT, NEVER, NOT_REPORTED
from fleet.model.finding import Basis, Clear, Found, Severity, Status
from tests.checks.standing import status
from tests.examples import examples
from tests.fleet_of import GB, Value, a_case, a_history, ago

if TYPE_CHECKING:
    from fleet.checks._check import Case, Check
    from fleet.model.finding import Verdict

EMPTY = {"available_bytes": 126 * GB}
STALE = {"last_cloud_backup_at": ago(20), **EMPTY}
VISION = {
    "model_identifier": "RealityDevice14,1",
    "model_name": ABSENT,
    "platform": Platform.VISIONOS,
    "os_version": "26.2",
}
HARMLESS = [
    "wifi-and-power",
    "system-status",
    "free-icloud-storage",
    "power-and-data-modes",
    "force-restart",
    "vpn-off",
    "allow-apple-hosts",
]
LATE = ["local-backup", "sign-out-and-in", "reset-settings", "apple-support"]
REST = HARMLESS[1:]


def case_of(**signals: Value) -> Case:
    """A device with these signals, whose battery was low on each of ten nights."""
    return a_case(readings=a_history([60.0] * 10, battery=5), **signals)


def plan_of(case: Case) -> Plan:
    """Its plan."""
    return plan_for(case, assess(case))


def fixes_of(plan: Plan) -> list[str]:
    """The ids of its steps in their order."""
    return [step.fix for step in plan.steps]


@pytest.mark.parametrize(
    ("signals", "fixes"),
    [
        ({}, []),
        (STALE, [*HARMLESS, *LATE]),
        ({"last_cloud_backup_at": NEVER, **EMPTY}, [*HARMLESS, *LATE]),
        ({"backup_enabled": False, **EMPTY}, ["enable-backup", "allow-managed-icloud"]),
        (
            {"backup_enabled": False, "backup_restricted": NOT_REPORTED, **EMPTY},
            ["enable-backup", "lift-restriction", "allow-managed-icloud"],
        ),
        ({"backup_enabled": False, "os_version": "16.7.12"}, ["enable-backup", "update-system"]),
        ({"backup_restricted": True, **EMPTY}, ["lift-restriction", "enable-backup"]),
        (
            {"backup_restricted": True, "backup_enabled": False, **EMPTY},
            ["lift-restriction", "enable-backup", "allow-managed-icloud"],
        ),
        (
            {**STALE, "backup_enabled": ABSENT},
            [*HARMLESS[:2], "enable-backup", *HARMLESS[2:], *LATE],
        ),
        (
            {**STALE, "backup_enabled": ABSENT, "backup_restricted": ABSENT},
            [*HARMLESS[:2], "enable-backup", "lift-restriction", *HARMLESS[2:], *LATE],
        ),
        (
            {**STALE, "vpn_configured": True},
            [
                "wifi-and-power",
                "vpn-off",
                "allow-apple-hosts",
                "system-status",
                "free-icloud-storage",
                "power-and-data-modes",
                "force-restart",
                *LATE,
            ],
        ),
        (
            {**STALE, "os_version": "26.6.1"},
            ["wifi-and-power", "enforce-update", "update-system", *REST, *LATE],
        ),
        ({**STALE, "available_bytes": GB}, ["free-device-storage", *HARMLESS, *LATE]),
        ({**STALE, "available_bytes": 10 * GB}, ["wifi-and-power", "free-device-storage", *REST, *LATE]),
        (
            {**STALE, "account_active": False},
            ["local-backup", "sign-out-and-in", *HARMLESS, "reset-settings", "apple-support"],
        ),
        (
            {**STALE, "account_active": False, "available_bytes": GB},
            ["free-device-storage", *HARMLESS, *LATE],
        ),
        (
            {**STALE, "battery_percent": 5},
            [
                "wifi-and-power",
                "power-and-data-modes",
                "system-status",
                "free-icloud-storage",
                "force-restart",
                "vpn-off",
                "allow-apple-hosts",
                *LATE,
            ],
        ),
        (
            {"last_cloud_backup_at": ago(160), **EMPTY},
            ["local-backup", *HARMLESS, "sign-out-and-in", "reset-settings", "apple-support"],
        ),
        (
            {"last_cloud_backup_at": ago(160), "backup_enabled": False, **EMPTY},
            ["enable-backup", "allow-managed-icloud", "local-backup"],
        ),
        (
            {**STALE, "model_identifier": "iPhone11,2", "os_version": "18.7.10"},
            [*HARMLESS, "local-backup", "replace-hardware", *LATE[1:]],
        ),
        (
            {"model_identifier": "iPhone11,2", "os_version": "18.7.8"},
            ["enforce-update", "update-system", "replace-hardware"],
        ),
        ({"model_identifier": "iPhone11,2", "os_version": "18.7.10"}, ["replace-hardware"]),
        (
            {**STALE, "model_identifier": "iPhone3,1", "os_version": "7.1.2"},
            ["local-backup", "replace-hardware"],
        ),
        (
            {**STALE, "model_identifier": "iPad4,4", "os_version": "8.4.1"},
            ["local-backup", "update-system", "replace-hardware"],
        ),
        ({**STALE, **VISION}, [*HARMLESS, "apple-support"]),
        ({**STALE, **VISION, "account_active": False}, [*HARMLESS, "apple-support"]),
        ({"account_active": False}, ["local-backup", "sign-out-and-in"]),
        ({"inventory_at": ago(10), "last_cloud_backup_at": ago(11)}, ["check-in"]),
        (
            {"inventory_at": ago(10), "backup_enabled": False, "last_cloud_backup_at": ago(30), **EMPTY},
            ["check-in", "enable-backup", "allow-managed-icloud"],
        ),
        (
            {"inventory_at": ago(160), "last_cloud_backup_at": ago(161), **EMPTY},
            ["check-in", "local-backup", *HARMLESS, "sign-out-and-in", "reset-settings", "apple-support"],
        ),
        ({**STALE, "lost_mode": True}, ["check-in", *HARMLESS, *LATE]),
        (
            {"available_bytes": GB, "os_version": "26.6.1"},
            ["free-device-storage", "enforce-update", "update-system"],
        ),
        (
            {"capacity_bytes": 32 * GB, "available_bytes": 4 * GB, "os_version": "18.5"},
            ["free-device-storage", "enforce-update", "update-system"],
        ),
        (
            {"capacity_bytes": 32 * GB, "available_bytes": 5 * GB, "os_version": "18.5"},
            ["enforce-update", "update-system"],
        ),
    ],
)
def test_whole_plans(signals: dict[str, Value], fixes: list[str]) -> None:
    """What reaches the device, what the evidence says, harm last: the whole list, in its order."""
    assert fixes_of(plan_of(case_of(os_build="1A1", **signals))) == fixes


@pytest.mark.parametrize(
    ("signals", "fix", "why"),
    [
        (
            STALE,
            "wifi-and-power",
            "No management system can see whether it was on Wi-Fi, on power and locked at night.",
        ),
        (STALE, "free-icloud-storage", "No management system can see whether the iCloud storage is full."),
        (
            {**STALE, "available_bytes": 80 * GB},
            "free-icloud-storage",
            "48.0 GB are in use on the device, more than an assumed iCloud plan of 5 GB may hold.",
        ),
        (STALE, "local-backup", "A copy on a computer comes before any step that could lose data."),
        (STALE, "apple-support", "What is left can only be seen by Apple."),
        ({"backup_enabled": False}, "enable-backup", "iCloud Backup is switched off."),
        (
            {"backup_enabled": False, "backup_restricted": ABSENT},
            "lift-restriction",
            "No source says whether a profile forbids iCloud Backup; if one does, the switch cannot be turned on.",
        ),
        (
            {"last_cloud_backup_at": ago(160)},
            "local-backup",
            "The last iCloud backup is more than 160 days old; Apple deletes it in 20 days.",
        ),
        (
            {**STALE, "account_active": False},
            "local-backup",
            "A copy on a computer comes before any step that could lose data.",
        ),
        (
            {"model_identifier": "iPhone3,1", "os_version": "7.1.2"},
            "local-backup",
            "No iCloud backup can be made with this system, so a copy on a computer is the only one.",
        ),
        (
            {**STALE, "backup_enabled": ABSENT},
            "enable-backup",
            "No source says whether iCloud Backup is switched on.",
        ),
        (
            {**STALE, "lost_mode": True},
            "check-in",
            "It is in Managed Lost Mode: nobody can use it until it is found.",
        ),
    ],
)
def test_each_step_says_why(signals: dict[str, Value], fix: str, why: str) -> None:
    """The reason quotes what was found on this device, or says what nobody can see."""
    steps = {step.fix: step for step in plan_of(case_of(**signals)).steps}
    assert steps[fix].why == why


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
    fixes = fixes_of(plan_of(case_of(**{"os_version": "26.0", "os_build": "23A1", **signals})))
    assert ("enforce-update" in fixes) is enforced
    assert "update-system" in fixes


def another(check_id: str, *fixes: str) -> Check:
    """A check of another package that always finds something."""

    def judge(_case: Case) -> Verdict:
        return Found(Severity.HIGH, "The case is cracked.")

    return replace(
        BY_ID["account-inactive"],
        id=check_id,
        problem=check_id,
        basis=Basis.OBSERVED,
        reads=frozenset({"serial"}),
        fixes=fixes,
        judge=judge,
    )


@pytest.mark.parametrize(
    ("fixes", "planned"),
    [
        (("replace-hardware",), ["replace-hardware"]),
        (("reset-settings",), ["local-backup", "reset-settings"]),
        (("wifi-and-power", "reset-settings"), ["wifi-and-power", "local-backup", "reset-settings"]),
        (("glue",), []),
        ((), []),
    ],
)
def test_checks_of_other_packages_bring_their_fixes(fixes: tuple[str, ...], planned: list[str]) -> None:
    """Fixes that another package's check names are planned if the guide has them, and as safely as ours."""
    case = case_of()
    plan = plan_for(case, assess(case, (*CHECKS, another("cracked", *fixes))))
    assert fixes_of(plan) == planned
    assert plan.cause is None
    assert all("cracked" in step.why or step.fix == "local-backup" for step in plan.steps)


ODD = {
    "backup_restricted": st.sampled_from([True, False, ABSENT]),
    "backup_enabled": st.sampled_from([True, False, ABSENT]),
    "last_cloud_backup_at": st.sampled_from([NEVER, ABSENT, ago(1), ago(20), ago(170), ago(190)]),
    "available_bytes": st.sampled_from([0, GB, 10 * GB, 60 * GB, 127 * GB, ABSENT]),
    "model_identifier": st.sampled_from(
        ["iPhone14,5", "iPhone11,2", "iPhone3,1", "iPad4,4", "iPad11,6", "RealityDevice14,1", "X1,1", ABSENT]
    ),
    "os_version": st.sampled_from(["27.0.1", "26.6.1", "18.5", "17.1", "16.1", "8.0", ABSENT]),
    "supervised": st.sampled_from([True, False, ABSENT]),
    "enrollment": st.sampled_from([Enrollment.AUTOMATED, Enrollment.DEVICE, ABSENT]),
    "account_active": st.sampled_from([True, False, ABSENT]),
    "vpn_configured": st.sampled_from([True, False, NOT_REPORTED]),
    "battery_percent": st.sampled_from([5, 90, ABSENT]),
    "inventory_at": st.sampled_from([ago(0.2), ago(10), ago(40), ago(200)]),
    "lost_mode": st.sampled_from([True, False, ABSENT]),
    "roaming": st.sampled_from([True, False, ABSENT]),
}


def odd_device(signals: dict[str, Value], *, plan_known: bool) -> Case:
    """A device with these signals, whose iCloud plan is known or assumed."""
    return replace(case_of(**signals), plan_known=plan_known)


any_device = st.builds(odd_device, st.fixed_dictionaries(ODD), plan_known=st.booleans())
laws = settings(max_examples=examples(200), derandomize=True, deadline=None, database=None)


@laws
@given(any_device)
def test_no_plan_risks_data_before_it_is_copied(case: Case) -> None:
    """Signing out and resetting stand behind a copy on a computer; without a computer's copy they are not planned."""
    fixes = fixes_of(plan_of(case))
    risky = [fix for fix in fixes if guide.load()[fix].risk >= RISKY]
    for fix in risky:
        assert "local-backup" in fixes[: fixes.index(fix)]
    if "apple-support" in fixes:
        assert fixes[-1] == "apple-support"


@laws
@given(any_device)
def test_a_plan_holds_what_the_device_can_take_and_all_that_it_needs(case: Case) -> None:
    """Every fix is possible on the device and stands once, for who has to act; no device at risk is left without."""
    plan = plan_of(case)
    possible = guide.possible(
        guide.handling_of(case.device, case.catalog), managed=guide.managed(case.device)
    )
    assert set(fixes_of(plan)) <= possible
    assert len(set(fixes_of(plan))) == len(plan.steps)
    assert bool(plan.steps) == bool(assess(case).problems)
    assert plan.steps or status(case)[0] is not Status.AT_RISK
    for step in plan.steps:
        assert step.audience == guide.load()[step.fix].audience
        assert step.why.endswith(".")


@laws
@given(any_device)
def test_hardware_at_its_end_is_replaced(case: Case) -> None:
    """An update is only planned where there is one, or where it brings iCloud Backup back; then the hardware goes."""
    verdicts = assess(case).verdicts
    fixes = fixes_of(plan_of(case))
    ends = isinstance(verdicts["os-unsupported"], Found)
    assert ("replace-hardware" in fixes) == ends
    if ends and isinstance(verdicts["os-outdated"], Clear):
        assert not {"update-system", "enforce-update"} & set(fixes)
    if ends and "update-system" in fixes:
        assert fixes.index("update-system") < fixes.index("replace-hardware")


@laws
@given(any_device)
def test_what_speaks_loudest_comes_first(case: Case) -> None:
    """A device that answers begins with what cures the cause that is named, or with the copy that it needs first."""
    plan = plan_of(case)
    fixes = fixes_of(plan)
    verdicts = assess(case).verdicts
    if isinstance(verdicts["silent-device"], Found) or case.device.lost_mode is True:
        assert not fixes or fixes[0] == "check-in" or not assess(case).problems
    elif plan.cause == "unexplained":
        assert fixes[0] in {"wifi-and-power", "local-backup"}
    elif plan.cause is not None:
        cures = {*BY_ID[plan.cause].fixes, "update-system", "local-backup"}
        assert fixes[0] in cures or not guide.possible(plan.handling, managed=True) >= cures


@laws
@given(any_device)
def test_causes_and_what_is_ruled_out_never_meet(case: Case) -> None:
    """What is ruled out is no cause; only fresh facts rule out; the named cause is one that was found."""
    plan, assessment = plan_of(case), assess(case)
    backup = any(problem.problem == BACKUP for problem in assessment.problems)
    assert not {cause.cause for cause in plan.causes} & {each.cause for each in plan.ruled_out}
    assert len({cause.cause for cause in plan.causes}) == len(plan.causes)
    assert (plan.cause is not None) == backup == bool(plan.causes)
    if isinstance(assessment.verdicts["silent-device"], Found):
        assert {each.cause for each in plan.ruled_out} <= {"os-unsupported"}
    if plan.cause not in (None, "unexplained"):
        assert plan.causes[0].cause == plan.cause
        assert isinstance(assessment.verdicts[plan.causes[0].cause], Found)
    for cause in plan.causes:
        assert (cause.strength is Strength.UNSEEN) == (cause.cause in guide.load())
        if cause.cause in guide.load() and cause.cause in guide.possible(plan.handling, managed=True):
            risky = guide.load()[cause.cause].risk >= RISKY
            assert cause.cause in fixes_of(plan) or (risky and "local-backup" not in fixes_of(plan))


@laws
@given(any_device)
def test_a_plan_is_the_same_every_time(case: Case) -> None:
    """The same facts give the same plan, whatever was judged before."""
    first = plan_of(case)
    ordered.cache_clear()
    assert plan_of(case) == first
