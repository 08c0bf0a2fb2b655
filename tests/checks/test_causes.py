"""Why a device makes no backups: ranked, with what speaks for and against, and nothing claimed that nobody saw."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from fleet import guide
from fleet.checks import BY_ID
from fleet.checks.assess import BACKUP, assess
from fleet.checks.causes import causes_of, clause, named, ruled_out
from fleet.checks.weights import EXPLAINS_FROM, LIKELY_FROM, WEIGHTS
from fleet.model.device_report import Cause, Strength
from fleet.model.fact import ABSENT, NEVER, NOT_REPORTED
from tests.fleet_of import GB, Value, a_case, a_history, ago

STALE: dict[str, Value] = {"last_cloud_backup_at": ago(20), "available_bytes": 126 * GB}
UNSEEN = [name for name, fix in guide.load().items() if fix.unseen]
NO_FLOOR = "Apple names no free space that a backup needs"


def causes(*, plan_known: bool = False, **signals: Value) -> tuple[Cause, ...]:
    """The causes of a device with these signals."""
    case = a_case(readings=a_history([60.0] * 10, battery=5), os_build="1A1", **signals)
    case = replace(case, plan_known=plan_known)
    return causes_of(case, assess(case).verdicts)


def found(*, plan_known: bool = False, **signals: Value) -> list[Cause]:
    """Those of them that somebody could see."""
    every = causes(plan_known=plan_known, **signals)
    return [cause for cause in every if cause.strength is not Strength.UNSEEN]


def unseen(fix: str, **signals: Value) -> Cause | None:
    """The one that nobody can see and that this fix would cure."""
    return next((cause for cause in causes(**signals) if cause.cause == fix), None)


@pytest.mark.parametrize(
    ("signals", "strength", "cause", "evidence_for", "evidence_against"),
    [
        (
            {"backup_restricted": True, **STALE},
            Strength.EXPLAINS,
            "backup-restricted",
            ("a management profile forbids iCloud Backup",),
            ("the device reports iCloud Backup as switched on",),
        ),
        (
            {"backup_restricted": True, "backup_enabled": False},
            Strength.EXPLAINS,
            "backup-restricted",
            ("a management profile forbids iCloud Backup",),
            ("a backup was still made on 2026-11-21",),
        ),
        (
            {"backup_enabled": False, **STALE},
            Strength.EXPLAINS,
            "backup-disabled",
            ("iCloud Backup is switched off",),
            (),
        ),
        (
            {"backup_enabled": False},
            Strength.EXPLAINS,
            "backup-disabled",
            ("iCloud Backup is switched off",),
            ("a backup was still made on 2026-11-21",),
        ),
        (
            {"backup_enabled": False, "inventory_at": ago(12), **STALE},
            Strength.EXPLAINS,
            "backup-disabled",
            ("iCloud Backup is switched off",),
            ("that was reported 12 days ago",),
        ),
        (
            {**STALE, "model_identifier": "iPhone3,1", "os_version": "7.1.2"},
            Strength.EXPLAINS,
            "os-unsupported",
            ("version 7.1.2 is below 9, the oldest that iCloud Backup works with",),
            (),
        ),
        (
            {**STALE, "available_bytes": GB},
            Strength.LIKELY,
            "storage-full",
            ("only 1.0 GB of the device's storage are free (0.8 %)",),
            (NO_FLOOR,),
        ),
        (
            {**STALE, "available_bytes": 10 * GB},
            Strength.POSSIBLE,
            "storage-full",
            ("only 10.0 GB of the device's storage are free (7.8 %)",),
            ("that much is enough for a backup, as far as is known",),
        ),
        (
            {**STALE, "battery_percent": 5},
            Strength.LIKELY,
            "power-low",
            ("the battery was under 20 % at each of the last 5 observations",),
            ("the battery is only known for the moments of its reports",),
        ),
        (
            {**STALE, "account_active": False},
            Strength.LIKELY,
            "account-inactive",
            ("no active Apple store account is signed in",),
            (
                "iCloud Backup is switched on, which takes a sign-in to iCloud",
                "the store account is not the iCloud account",
            ),
        ),
        (
            {**STALE, "account_active": False, "backup_enabled": ABSENT},
            Strength.LIKELY,
            "account-inactive",
            ("no active Apple store account is signed in",),
            ("the store account is not the iCloud account",),
        ),
        (
            {**STALE, "vpn_configured": True},
            Strength.POSSIBLE,
            "vpn-configured",
            ("an always-on or on-demand VPN is configured on the device",),
            ("whether its tunnel was up is not reported", "Apple names no VPN as such as an obstacle"),
        ),
        (
            {**STALE, "os_version": "26.6.1"},
            Strength.POSSIBLE,
            "os-outdated",
            ("version 26.6.1 is installed; a patch for it has been out for 56 days",),
            ("iCloud Backup works with every system from version 9 on",),
        ),
        (
            {"inventory_at": ago(160), "last_cloud_backup_at": ago(161)},
            Strength.LIKELY,
            "silent-device",
            ("the device has not reported for 160 days",),
            ("it may go on with its backups and have lost its management alone",),
        ),
    ],
)
def test_what_was_found_is_weighed(
    signals: dict[str, Value],
    strength: Strength,
    cause: str,
    evidence_for: tuple[str, ...],
    evidence_against: tuple[str, ...],
) -> None:
    """Each found cause is as strong as it deserves, and says what keeps it from being a proof."""
    expected = Cause(
        cause=cause, strength=strength, evidence_for=evidence_for, evidence_against=evidence_against
    )
    assert found(**signals)[0] == expected
    every = causes(**signals)
    assert named(every) == (cause if strength in (Strength.EXPLAINS, Strength.LIKELY) else "unexplained")


@pytest.mark.parametrize(
    ("signals", "ranked"),
    [
        (
            {"backup_restricted": True, "backup_enabled": False, **STALE, "available_bytes": GB},
            ["backup-restricted", "backup-disabled", "storage-full"],
        ),
        (
            {
                **STALE,
                "available_bytes": GB,
                "battery_percent": 5,
                "account_active": False,
                "vpn_configured": True,
                "os_version": "17.1",
            },
            ["storage-full", "power-low", "account-inactive", "vpn-configured", "os-outdated"],
        ),
        (
            {**STALE, "available_bytes": 10 * GB, "vpn_configured": True, "os_version": "26.6.1"},
            ["vpn-configured", "storage-full", "os-outdated"],
        ),
        ({**STALE, "model_identifier": "iPhone11,2", "os_version": "18.7.10"}, []),
        ({"inventory_at": ago(40), "last_cloud_backup_at": ago(120), "available_bytes": 126 * GB}, []),
    ],
)
def test_the_heaviest_cause_comes_first(signals: dict[str, Value], ranked: list[str]) -> None:
    """A restriction before a switch, both before what is likely, that before mere neighbours."""
    assert [cause.cause for cause in found(**signals)] == ranked


def test_an_assumed_plan_is_no_cause() -> None:
    """With a plan that nobody told us, what is in use is a faint hint to a cause that nobody sees."""
    full: dict[str, Value] = {**STALE, "available_bytes": 60 * GB}
    assert found(**full) == []
    assert unseen("free-icloud-storage", **full) == Cause(
        cause="free-icloud-storage",
        strength=Strength.UNSEEN,
        evidence_for=("68.0 GB are in use on the device, more than an assumed iCloud plan of 5 GB may hold",),
        evidence_against=("the plan is assumed, not known", "a backup holds only a part of what is in use"),
    )


def test_a_known_plan_is_the_weakest_likely_cause() -> None:
    """A plan that the source's settings name makes it a cause, behind all others that are likely."""
    full: dict[str, Value] = {**STALE, "available_bytes": 60 * GB}
    (quota,) = found(plan_known=True, **full)
    assert (quota.cause, quota.strength) == ("icloud-quota", Strength.LIKELY)
    assert quota.evidence_for == (
        "68.0 GB are in use on the device, more than the iCloud plan of 5 GB may hold",
    )
    both = found(plan_known=True, account_active=False, **full)
    assert [cause.cause for cause in both] == ["account-inactive", "icloud-quota"]
    every = causes(plan_known=True, **full)
    assert "free-icloud-storage" not in [cause.cause for cause in every]


@pytest.mark.parametrize(
    ("signals", "names"),
    [
        (STALE, UNSEEN),
        ({**STALE, "vpn_configured": True}, [name for name in UNSEEN if name != "vpn-off"]),
        ({**STALE, "account_active": False}, [name for name in UNSEEN if name != "sign-out-and-in"]),
        ({**STALE, "available_bytes": GB}, UNSEEN),
        (
            {**STALE, "backup_enabled": ABSENT, "backup_restricted": NOT_REPORTED},
            [*UNSEEN[:2], "enable-backup", "lift-restriction", *UNSEEN[2:]],
        ),
        ({**STALE, "backup_restricted": NOT_REPORTED}, UNSEEN),
        ({"backup_enabled": False, **STALE}, []),
        ({"backup_restricted": True, **STALE}, []),
    ],
)
def test_what_nobody_can_see_follows_in_the_guides_order(signals: dict[str, Value], names: list[str]) -> None:
    """It is said to be unseen, but for what was seen after all; where a cause explains it, nobody has to guess."""
    every = causes(**signals)
    assert [cause.cause for cause in every if cause.strength is Strength.UNSEEN] == names


@pytest.mark.parametrize(
    ("fix", "signals", "evidence_for", "evidence_against"),
    [
        ("wifi-and-power", {}, (), ()),
        ("wifi-and-power", {"roaming": True}, ("it was roaming when it last reported",), ()),
        (
            "wifi-and-power",
            {"battery_percent": 19, "available_bytes": GB},
            ("its battery was at 19 % when it last reported",),
            (),
        ),
        (
            "power-and-data-modes",
            {"battery_percent": 5},
            ("its battery was at 5 % when it last reported",),
            (),
        ),
        (
            "system-status",
            {},
            (),
            ("there had been no backup for 19 days when it reported; outages end sooner",),
        ),
        (
            "system-status",
            {"last_cloud_backup_at": NEVER},
            (),
            ("there had been no backup for 399 days when it reported; outages end sooner",),
        ),
        ("system-status", {"last_cloud_backup_at": NEVER, "enrolled_at": ABSENT}, (), ()),
        ("free-icloud-storage", {"capacity_bytes": ABSENT}, (), ()),
        (
            "free-icloud-storage",
            {},
            (),
            (
                "no more is in use on the device than the plan holds, though other devices and services share it",
            ),
        ),
        (
            "sign-out-and-in",
            {},
            (),
            ("iCloud Backup is switched on", "a store account is signed in"),
        ),
        ("sign-out-and-in", {"backup_enabled": ABSENT, "account_active": ABSENT}, (), ()),
        ("force-restart", {"battery_percent": 5}, (), ()),
    ],
)
def test_evidence_of_what_nobody_can_see(
    fix: str, signals: dict[str, Value], evidence_for: tuple[str, ...], evidence_against: tuple[str, ...]
) -> None:
    """Neighbouring facts are told with it, on the side on which they stand."""
    cause = unseen(fix, **{**STALE, **signals})
    assert cause is not None
    assert (cause.evidence_for, cause.evidence_against) == (evidence_for, evidence_against)


@pytest.mark.parametrize(
    ("signals", "excluded"),
    [
        (
            {"available_bytes": 41 * GB},
            {
                "backup-restricted": "no profile forbids iCloud Backup",
                "backup-disabled": "iCloud Backup is switched on",
                "os-unsupported": "iCloud Backup works with its system, 27.0.1",
                "storage-full": "41 GB of storage are free",
                "os-outdated": "its system, 27.0.1, is not outdated",
                "power-low": "its battery was at 90 % when it last reported",
                "vpn-configured": "no always-on or on-demand VPN is configured",
            },
        ),
        (
            {
                "backup_restricted": NOT_REPORTED,
                "vpn_configured": NOT_REPORTED,
                "battery_percent": ABSENT,
                "os_version": ABSENT,
                "available_bytes": ABSENT,
            },
            {"backup-disabled": "iCloud Backup is switched on"},
        ),
        (
            {"model_identifier": "iPhone11,2", "os_version": "18.7.8", "available_bytes": GB},
            {
                "backup-restricted": "no profile forbids iCloud Backup",
                "backup-disabled": "iCloud Backup is switched on",
                "os-unsupported": "iCloud Backup works with its system, 18.7.8",
                "power-low": "its battery was at 90 % when it last reported",
                "vpn-configured": "no always-on or on-demand VPN is configured",
            },
        ),
        ({"inventory_at": ago(10), "last_cloud_backup_at": ago(40)}, {}),
    ],
)
def test_what_the_evidence_rules_out(signals: dict[str, Value], excluded: dict[str, str]) -> None:
    """Only a fresh fact excludes, with its value; the account and iCloud's storage are never ruled out."""
    case = a_case(os_build="1A1", **{**STALE, **signals})
    verdicts = assess(case).verdicts
    assert {each.cause: each.because for each in ruled_out(case, verdicts)} == excluded


def test_every_weight_has_its_reason() -> None:
    """Each check that is not itself the outcome is weighed, with a reason and a source; a general row closes each."""
    outcomes = {"backup-never", "backup-expiring", "backup-stale"}
    assert {one.check for one in WEIGHTS} == set(BY_ID) - outcomes - {"storage-filling"}
    assert all(one.reason.endswith(".") and one.source for one in WEIGHTS)
    assert all(0 <= one.weight <= 100 for one in WEIGHTS)
    assert EXPLAINS_FROM > LIKELY_FROM
    for one, following in pairwise(WEIGHTS):
        if one.check == following.check:
            assert one.weight > following.weight


def test_what_explains_is_what_was_seen() -> None:
    """Only observed facts explain a missing backup; what is inferred is likely at best."""
    for one in WEIGHTS:
        explains = one.weight > 0 and one.strength is Strength.EXPLAINS
        assert not explains or BY_ID[one.check].basis == "observed"
        assert not explains or BY_ID[one.check].problem == BACKUP or one.check == "os-unsupported"


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [("The battery is low.", "the battery is low"), ("41 GB are free.", "41 GB are free"), ("", "")],
)
def test_a_sentence_as_a_clause(sentence: str, expected: str) -> None:
    """A finding's sentence joins a list of reasons without its capital and its full stop."""
    assert clause(sentence) == expected
