"""From verdicts to problems and to the one word that says how a device is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fleet.checks import BY_ID, CHECKS
from fleet.checks._check import Case, Check
from fleet.checks.assess import Assessment, assess
from fleet.model.device import Enrollment, Platform, Sighting, Standing
from fleet.model.fact import ABSENT, NEVER, NOT_PERMITTED, NOT_REPORTED
from fleet.model.finding import (
    Basis,
    Clear,
    Found,
    Severity,
    State,
    Status,
    Undetermined,
    Verdict,
)
from tests.checks.standing import status
from tests.fleet_of import NOW, Value, a_case, a_record, ago, merged


@pytest.mark.parametrize(
    ("signals", "reason"),
    [
        ({"enrollment": Enrollment.USER}, "user_enrollment"),
        ({"shared_ipad": True}, "shared_ipad"),
        *[
            ({"platform": platform}, "platform")
            for platform in (
                Platform.TVOS,
                Platform.WATCHOS,
                Platform.MACOS,
                Platform.ANDROID,
                Platform.OTHER,
            )
        ],
        ({"managed": False}, "not_managed"),
        ({"managed": False, "enrollment": Enrollment.USER}, "user_enrollment"),
    ],
)
def test_some_devices_are_outside(signals: dict[str, Value], reason: str) -> None:
    """What we cannot judge by design is not applicable, and nothing is held against it."""
    case = a_case(backup_enabled=False, **signals)
    assert assess(case) == Assessment(not_applicable=reason, verdicts={}, outcomes={})
    assert status(case) == (Status.NOT_APPLICABLE, reason)


@pytest.mark.parametrize("signal", ["enrollment", "shared_ipad", "platform", "managed"])
def test_unknown_applicability_leaves_a_device_in(signal: str) -> None:
    """A device is only left out where a source says so, never for lack of data."""
    unsaid: dict[str, Value] = {signal: ABSENT}
    assert assess(a_case(backup_enabled=False, **unsaid)).problems[0].check == "backup-disabled"


@pytest.mark.parametrize(
    ("signals", "held", "severity"),
    [
        ({"backup_restricted": True}, ["backup-restricted"], Severity.HIGH),
        ({"backup_restricted": True, "backup_enabled": True}, ["backup-restricted"], Severity.HIGH),
        (
            {"backup_restricted": True, "backup_enabled": False},
            ["backup-restricted", "backup-disabled"],
            Severity.HIGH,
        ),
        ({"backup_enabled": False, "last_cloud_backup_at": NEVER}, ["backup-disabled"], Severity.HIGH),
        ({"last_cloud_backup_at": NEVER}, ["backup-never"], Severity.HIGH),
        ({"last_cloud_backup_at": ago(160)}, ["backup-expiring", "backup-stale"], Severity.CRITICAL),
        ({"last_cloud_backup_at": ago(10)}, ["backup-stale"], Severity.MEDIUM),
        (
            {"backup_restricted": True, "backup_enabled": False, "last_cloud_backup_at": ago(200)},
            ["backup-restricted", "backup-disabled", "backup-expiring", "backup-stale"],
            Severity.CRITICAL,
        ),
    ],
)
def test_one_ticket_for_the_backup(signals: dict[str, Value], held: list[str], severity: Severity) -> None:
    """However many backup checks hold, there is one problem, named by the first and as bad as the worst."""
    (problem,) = [p for p in assess(a_case(**signals)).problems if p.problem == "backup"]
    assert (problem.check, list(problem.held), problem.severity) == (held[0], held, severity)
    assert problem.evidence.get("also", []) == held[1:]
    assert problem.basis is BY_ID[held[0]].basis
    assert set(problem.fixes) == {fix for check in held for fix in BY_ID[check].fixes}


def test_evidence_of_all_is_kept() -> None:
    """The ticket shows what every check that holds has seen."""
    signals: dict[str, Value] = {
        "backup_restricted": True,
        "backup_enabled": False,
        "last_cloud_backup_at": ago(200),
    }
    evidence = assess(a_case(**signals)).problems[0].evidence
    assert evidence["backup_restricted"] is True
    assert evidence["backup_enabled"] is False
    assert (evidence["backup_age_days"], evidence["days_without_backup"]) == (200, 199)


def test_other_problems_have_their_own_tickets() -> None:
    """A full, outdated device with a stale backup has three problems, the backup first."""
    case = a_case(last_cloud_backup_at=ago(20), available_bytes=0, os_version="26.0", os_build="23A1")
    problems = [problem.problem for problem in assess(case).problems]
    assert problems == ["backup", "storage-full", "icloud-quota", "os-outdated"]


@pytest.mark.parametrize(
    ("signals", "outcome"),
    [
        ({}, Clear),
        ({"backup_restricted": NOT_REPORTED}, Clear),
        ({"backup_restricted": NOT_REPORTED, "backup_enabled": NOT_REPORTED}, Clear),
        ({"backup_restricted": ABSENT}, Undetermined),
        ({"backup_enabled": NOT_PERMITTED}, Undetermined),
        ({"last_cloud_backup_at": NOT_REPORTED}, Undetermined),
        (
            {"last_cloud_backup_at": NEVER, "backup_enabled": NOT_REPORTED, "enrolled_at": ago(1)},
            Undetermined,
        ),
        ({"inventory_at": ago(9), "last_cloud_backup_at": ago(9.5)}, Undetermined),
        ({"backup_restricted": NOT_REPORTED, "backup_enabled": False}, Found),
    ],
)
def test_when_the_backup_is_cleared(signals: dict[str, Value], outcome: type[Verdict]) -> None:
    """The backup is cleared by a recent backup on fresh facts; a setting nobody reports cannot prevent it."""
    assert isinstance(assess(a_case(**signals)).outcomes["backup"], outcome)


@pytest.mark.parametrize(
    ("signals", "expected"),
    [
        ({}, (Status.PROTECTED, None)),
        ({"backup_enabled": NOT_REPORTED}, (Status.PROTECTED, None)),
        ({"backup_enabled": False}, (Status.AT_RISK, None)),
        ({"available_bytes": 10**9}, (Status.AT_RISK, None)),
        ({"account_active": False}, (Status.PROTECTED, None)),
        ({"last_cloud_backup_at": NOT_REPORTED}, (Status.UNKNOWN, "not_reported")),
        ({"last_cloud_backup_at": NOT_PERMITTED}, (Status.UNKNOWN, "not_permitted")),
        (
            {"last_cloud_backup_at": ABSENT, "inventory_at": ABSENT, "backup_enabled": ABSENT},
            (Status.UNKNOWN, "never_collected"),
        ),
        ({"last_cloud_backup_at": ABSENT}, (Status.UNKNOWN, "absent")),
        ({"last_cloud_backup_at": NEVER, "enrolled_at": ago(2)}, (Status.UNKNOWN, "no_backup_yet")),
        (
            {"last_cloud_backup_at": NEVER, "backup_enabled": NOT_REPORTED},
            (Status.UNKNOWN, "not_reported"),
        ),
        ({"inventory_at": ago(10), "last_cloud_backup_at": ago(11)}, (Status.UNKNOWN, "stale_data")),
        ({"inventory_at": ago(10), "last_cloud_backup_at": ago(30)}, (Status.AT_RISK, None)),
        ({"inventory_at": ago(31), "last_cloud_backup_at": ago(32)}, (Status.AT_RISK, None)),
    ],
)
def test_status(signals: dict[str, Value], expected: tuple[Status, str | None]) -> None:
    """A device is at risk, proven protected, or unknown for a stated reason."""
    assert status(a_case(**signals)) == expected


@pytest.mark.parametrize(
    ("signals", "expected"),
    [
        ({"last_cloud_backup_at": ago(20)}, (Status.UNKNOWN, "waived")),
        ({"backup_enabled": False}, (Status.PROTECTED, None)),
        ({"available_bytes": 0}, (Status.PROTECTED, None)),
    ],
)
def test_a_waived_problem_is_no_risk(signals: dict[str, Value], expected: tuple[Status, str | None]) -> None:
    """What is waived puts no device at risk, and makes none protected that has no recent backup."""
    assert status(a_case(**signals), State.WAIVED) == expected


def test_a_problem_names_its_sources_and_its_age() -> None:
    """A problem says who saw it and when, by the source whose facts won."""
    fresh = a_record(capacity_bytes=ABSENT, available_bytes=ABSENT, backup_enabled=False)
    older = a_record(
        inventory_at=ago(3), checkin_at=ago(3), available_bytes=0, backup_enabled=True, native_id="2"
    )
    sightings = [
        Sighting(
            source=name,
            record=record,
            observed_at=record.observed_at(NOW),
            last_seen_at=NOW,
            standing=Standing.READ,
        )
        for name, record in (("hq", fresh), ("depot", older))
    ]
    found = {p.problem: p for p in assess(a_case(merged(sightings))).problems}
    assert (found["backup"].sources, found["backup"].observed_at) == (("hq",), sightings[0].observed_at)
    assert (found["storage-full"].sources, found["storage-full"].observed_at) == (("depot",), ago(3))


def test_checks_of_others_join() -> None:
    """A check from another package makes problems of its own, or joins the backup's."""

    def judge(case: Case) -> Verdict:
        return Found(Severity.LOW, case.device.key, {"backup_enabled": "other"})

    extra = Check(
        id="acme",
        title="x",
        rule="x",
        basis=Basis.OBSERVED,
        reads=frozenset({"asset_tag"}),
        fixes=("check-in",),
        judge=judge,
        source="x",
    )
    case = a_case()
    (problem,) = assess(case, (*CHECKS, extra)).problems
    assert (problem.problem, problem.sources) == ("acme", ("hq",))
    assert problem.observed_at == case.device.observed_at
    joined = assess(a_case(backup_enabled=False), (*CHECKS, replace(extra, problem="backup"))).problems[0]
    assert joined.held == ("backup-disabled", "acme")
    evidence = {"backup_enabled": False, "acme.backup_enabled": "other", "also": ["acme"]}
    assert joined.evidence == evidence | {"days_until_deletion": 178}
