"""Where each check begins to find something, to the second and to the byte."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from fleet.checks import BY_ID
from fleet.checks._check import Case, Reading, run
from fleet.checks.assess import assess
from fleet.checks.plan import plan_for
from fleet.model.fact import ABSENT, NEVER
from fleet.model.finding import CLEAR, Found, Severity, Undetermined, Verdict
from fleet.model.policy import Policy
from tests.fleet_of import GB, NOW, a_case, a_history, ago, days

SECOND = timedelta(seconds=1)
SEEN = NOW - timedelta(hours=6)
BESIDE = Found(Severity.HIGH, "a backup problem, for the checks that only matter beside one")


def severity(check: str, case: Case) -> Severity | None:
    """How bad the check finds the case; None where it is clear."""
    verdict = run(BY_ID[check], case, backup=BESIDE)
    assert not isinstance(verdict, Undetermined), verdict
    return verdict.severity if isinstance(verdict, Found) else None


def undetermined(check: str, case: Case) -> tuple[tuple[str, str], ...]:
    """What the check misses to judge the case."""
    verdict: Verdict = run(BY_ID[check], case, backup=BESIDE)
    assert isinstance(verdict, Undetermined), verdict
    return verdict.missing


@pytest.mark.parametrize(
    ("age", "expected"),
    [
        (days(7), None),
        (days(7) + SECOND, Severity.MEDIUM),
        (days(14), Severity.MEDIUM),
        (days(14) + SECOND, Severity.HIGH),
        (days(30), Severity.HIGH),
        (days(30) + SECOND, Severity.CRITICAL),
        (-days(1), None),
    ],
)
def test_a_stale_backup_is_measured_at_the_observation(age: timedelta, expected: Severity | None) -> None:
    """A backup is stale by the age that it had when the device reported, not by the age it has now."""
    assert severity("backup-stale", a_case(last_cloud_backup_at=SEEN - age)) == expected


@pytest.mark.parametrize(
    ("age", "expected"),
    [
        (days(150), None),
        (days(150) + SECOND, Severity.HIGH),
        (days(180), Severity.HIGH),
        (days(180) + SECOND, Severity.CRITICAL),
    ],
)
def test_an_expiring_backup_is_measured_now(age: timedelta, expected: Severity | None) -> None:
    """Apple deletes by the calendar, so this age counts to the night of the run."""
    assert severity("backup-expiring", a_case(last_cloud_backup_at=NOW - age)) == expected


@pytest.mark.parametrize(
    ("enrolled", "expected"),
    [(SEEN - days(7), None), (SEEN - days(7) - SECOND, Severity.HIGH), (ABSENT, Severity.HIGH)],
)
def test_never_backed_up_gets_a_week(enrolled: object, expected: Severity | None) -> None:
    """A device without any backup is given a week after enrolment; unknown enrolment was long ago."""
    case = a_case(last_cloud_backup_at=NEVER, enrolled_at=enrolled)
    assert severity("backup-never", case) == expected


def test_never_means_never_for_its_own_check_alone() -> None:
    """A backup never made is neither stale nor expiring, and where backup is off that alone counts."""
    case = a_case(last_cloud_backup_at=NEVER)
    assert severity("backup-stale", case) is None
    assert severity("backup-expiring", case) is None
    assert severity("backup-never", a_case(last_cloud_backup_at=NEVER, backup_enabled=False)) is None


@pytest.mark.parametrize(
    ("free", "capacity", "expected"),
    [
        (12_800_000_000, 128 * GB, None),
        (12_799_999_999, 128 * GB, Severity.MEDIUM),
        (6_400_000_000, 128 * GB, Severity.MEDIUM),
        (6_399_999_999, 128 * GB, Severity.HIGH),
        (2 * GB, 16 * GB, None),
        (2 * GB - 1, 16 * GB, Severity.HIGH),
        (500_000_000, 128 * GB, Severity.HIGH),
        (499_999_999, 128 * GB, Severity.CRITICAL),
        (0, 128 * GB, Severity.CRITICAL),
        (2 * GB - 1, ABSENT, Severity.HIGH),
        (499_999_999, ABSENT, Severity.CRITICAL),
    ],
)
def test_full_storage(free: int, capacity: object, expected: Severity | None) -> None:
    """Space equal to a threshold is not yet under it; too few gigabytes are too few on any device."""
    case = a_case(available_bytes=free, capacity_bytes=capacity)
    assert severity("storage-full", case) == expected


@pytest.mark.parametrize(
    ("free", "capacity", "missing"),
    [
        (2 * GB, ABSENT, {"capacity_bytes"}),
        (ABSENT, 128 * GB, {"available_bytes"}),
        (129 * GB, 128 * GB, {"available_bytes", "capacity_bytes"}),
        (0, 0, {"available_bytes", "capacity_bytes"}),
        (1, 0, {"available_bytes", "capacity_bytes"}),
    ],
)
def test_storage_that_cannot_be_judged(free: object, capacity: object, missing: set[str]) -> None:
    """A missing size leaves the share open; more free than there is, or a device of no size, is not believed."""
    case = a_case(available_bytes=free, capacity_bytes=capacity)
    assert {name for name, _ in undetermined("storage-full", case)} == missing


@pytest.mark.parametrize(
    ("free_gb", "expected"),
    [
        ([50 - day for day in range(30)], Severity.LOW),
        ([50.0] * 30, None),
        ([20 + day for day in range(30)], None),
        ([40 + (-1) ** day * 8 for day in range(30)], None),
        ([60 - 0.5 * day for day in range(30)], None),
        ([*[50.0] * 29, 20.0], None),
        ([29, 33, 20, 60, 39, 44, 23, 19], None),
        ([*[50.0] * 14, 100.0, *[50.0] * 15], None),
        ([40 - day + (-1) ** day for day in range(20)], Severity.LOW),
    ],
)
def test_filling_storage(free_gb: list[float], expected: Severity | None) -> None:
    """A steady loss that ends within a month is found; noise, one big download and slow loss are not."""
    case = a_case(available_bytes=int(free_gb[-1] * GB), readings=a_history(free_gb))
    assert severity("storage-filling", case) == expected


@pytest.mark.parametrize(
    "readings",
    [
        [],
        a_history([40 - day for day in range(7)]),
        a_history([*range(60, 53, -1), *[None] * 40]),
        a_history([40.0, None, None, None, 39.0, None, None, None, None, 30.0]),
        [Reading(NOW + days(n), 40 * GB - n * GB, 90) for n in range(1, 20)],
    ],
)
def test_a_thin_history_proves_no_pace(readings: list[Reading]) -> None:
    """Fewer than seven recent readings over seven days say nothing about the pace."""
    case = a_case(available_bytes=30 * GB, readings=readings)
    assert undetermined("storage-filling", case) == (("available_bytes", "too_few_readings"),)


def test_the_history_is_only_asked_where_it_can_decide() -> None:
    """A device that is more than half empty, or full already, costs no query."""

    def asked() -> list[Reading]:
        raise AssertionError("the history was asked")

    for free in (65 * GB, 5 * GB):
        device = a_case(available_bytes=free).device
        case = Case(device=device, policy=Policy(), now=NOW, catalog=a_case().catalog, readings=asked)
        assert severity("storage-filling", case) is None


@pytest.mark.parametrize(
    ("used", "expected"), [(5 * GB, None), (5 * GB + 1, Severity.LOW), (0, None), (100 * GB, Severity.LOW)]
)
def test_more_used_than_the_plan_holds(used: int, expected: Severity | None) -> None:
    """The plan is exceeded by the first byte over it."""
    assert severity("icloud-quota", a_case(available_bytes=128 * GB - used)) == expected


@pytest.mark.parametrize(
    ("levels", "expected"),
    [
        ([90, 19, 19, 19, 19, 19], Severity.LOW),
        ([19, 19, 20, 19, 19], None),
        ([20, 19, 19, 19, 19, 19], Severity.LOW),
    ],
)
def test_a_battery_that_is_always_low(levels: list[int], expected: Severity | None) -> None:
    """Five observations in a row under 20 % are low; one of 20 % is not."""
    readings = [Reading(NOW - days(9 - n), None, level) for n, level in enumerate(levels)]
    assert severity("power-low", a_case(battery_percent=levels[-1], readings=readings)) == expected


@pytest.mark.parametrize("levels", [[19] * 4, [19, None, 19, 19, 19]])
def test_too_few_batteries_prove_nothing(levels: list[int | None]) -> None:
    """Four observations, or five with one unknown, do not make a battery that is always low."""
    readings = [Reading(NOW - days(9 - n), None, level) for n, level in enumerate(levels)]
    missing = undetermined("power-low", a_case(battery_percent=19, readings=readings))
    assert missing == (("battery_percent", "too_few_readings"),)


@pytest.mark.parametrize("check", ["icloud-quota", "vpn-configured", "power-low"])
def test_some_checks_only_matter_beside_a_backup_problem(check: str) -> None:
    """Without a backup problem nobody is told about a VPN, a small plan or a low battery."""
    case = a_case(vpn_configured=True, battery_percent=1)
    assert run(BY_ID[check], case, backup=CLEAR) == CLEAR


@pytest.mark.parametrize(
    ("age", "expected"),
    [
        (days(7), None),
        (days(7) + SECOND, Severity.LOW),
        (days(30), Severity.LOW),
        (days(30) + SECOND, Severity.MEDIUM),
    ],
)
def test_silence(age: timedelta, expected: Severity | None) -> None:
    """A device is silent after a week and long silent after a month."""
    case = a_case(inventory_at=NOW - age, checkin_at=NOW - age, last_cloud_backup_at=NOW - age)
    assert severity("silent-device", case) == expected


def test_silence_is_not_concluded_from_a_failed_collection() -> None:
    """A device that no source read tonight may have reported meanwhile."""
    case = a_case(inventory_at=ago(20), checkin_at=ago(20), seen=False)
    assert undetermined("silent-device", case) == (("checkin_at", "not_collected"),)


MIDNIGHT = datetime(2026, 9, 28, tzinfo=UTC)


@pytest.mark.parametrize(
    ("version", "now", "expected"),
    [
        ("27.0", MIDNIGHT + days(14), None),
        ("27.0", MIDNIGHT + days(14) + SECOND, Severity.MEDIUM),
        ("26.6.1", MIDNIGHT + days(14) + SECOND, Severity.MEDIUM),
        ("26.7.1", MIDNIGHT + days(80), None),
        ("18.7.8", datetime(2026, 12, 13, tzinfo=UTC), None),
        ("18.7.8", datetime(2026, 12, 13, 0, 0, 1, tzinfo=UTC), Severity.MEDIUM),
        ("26.2.1", datetime(2026, 2, 18, tzinfo=UTC), None),
        ("26.2.1", datetime(2026, 2, 18, 0, 0, 1, tzinfo=UTC), Severity.HIGH),
    ],
)
def test_grace_after_a_release(version: str, now: datetime, expected: Severity | None) -> None:
    """A release counts against a device from the second after its grace."""
    case = a_case(now=now, os_version=version, os_build="1A1")
    assert severity("os-outdated", case) == expected


BEFORE_27 = datetime(2026, 9, 13, 23, 59, 59, tzinfo=UTC)


@pytest.mark.parametrize(
    ("model", "version", "now", "expected"),
    [
        ("iPhone11,2", "18.7.10", BEFORE_27, None),
        ("iPhone11,2", "18.7.10", BEFORE_27 + SECOND, Severity.LOW),
        ("iPad11,6", "26.6.1", BEFORE_27 + SECOND, None),
        ("iPhone14,5", "9.0", NOW, None),
        ("iPhone14,5", "8.4.1", NOW, Severity.CRITICAL),
        ("iPhone4,1", "9.3.6", NOW, Severity.LOW),
        ("iPhone3,1", "7.1.2", NOW, Severity.CRITICAL),
    ],
)
def test_support_ends(model: str, version: str, now: datetime, expected: Severity | None) -> None:
    """Hardware is at its end from the second on in which its last major is the third; below 9 there is no backup."""
    case = a_case(now=now, model_identifier=model, os_version=version, os_build="1A1")
    assert severity("os-unsupported", case) == expected


@pytest.mark.parametrize(
    ("age", "cause"),
    [(days(7), "silent-device"), (days(7) + SECOND, "unexplained")],
)
def test_silence_explains_what_was_in_order_before_it(age: timedelta, cause: str) -> None:
    """Who fell silent with a backup that was not too old has stopped for its silence, by the second."""
    seen = NOW - days(160)
    case = a_case(
        inventory_at=seen, checkin_at=seen, last_cloud_backup_at=seen - age, available_bytes=126 * GB
    )
    assert plan_for(case, assess(case)).cause == cause
