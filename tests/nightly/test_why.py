"""What a night says of why a device makes no backups, and of what to do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fleet.model.device_report import Handling, Strength
from fleet.model.fact import ABSENT
from tests.fleet_of import GB, Value
from tests.nightly.a_night import Office, a_phone, a_source, night, serial

if TYPE_CHECKING:
    from fleet.model.device_report import DeviceReport
    from fleet.store.database import Database

STALE: dict[str, Value] = {"last_cloud_backup_at": night(-20), "available_bytes": 60 * GB}


@pytest.fixture
def office(usual_database: Database) -> Office:
    """An office without a past."""
    return Office(usual_database)


def judged(office: Office, **signals: Value) -> DeviceReport:
    """The report of one phone with these signals."""
    return office.night(0, a_source([a_phone(1, 0, **signals)])).devices[serial(1)]


def test_a_report_says_why_and_what_to_do(office: Office) -> None:
    """Causes with their evidence, what is ruled out with its value, the steps, and how to word them."""
    report = judged(office, **STALE)
    assert report.cause == "unexplained"
    assert {cause.strength for cause in report.causes} == {Strength.UNSEEN}
    assert "60 GB of storage are free" in [each.because for each in report.ruled_out]
    assert report.plan[0].fix == "wifi-and-power"
    assert report.handling == Handling("iphone", 26, "iphone_volup_voldown_hold_side")


def test_a_plan_in_the_settings_makes_a_cause_of_what_is_else_a_hint(office: Office) -> None:
    """Only a plan that the source's own settings name is held against a device."""
    office.with_terms(plans={"hq": 50.0})
    report = judged(office, **STALE)
    assert report.cause == "icloud-quota"
    assert report.causes[0].evidence_for == (
        "68.0 GB are in use on the device, more than the iCloud plan of 50 GB may hold",
    )
    assert report.plan[0].fix == "free-icloud-storage"


@pytest.mark.parametrize(
    ("signals", "cause", "fix"),
    [
        ({"backup_restricted": True}, "backup-restricted", "lift-restriction"),
        ({"backup_enabled": False, "backup_restricted": ABSENT}, "backup-disabled", "enable-backup"),
        ({**STALE, "available_bytes": GB}, "storage-full", "free-device-storage"),
    ],
)
def test_the_named_cause_is_the_first(
    office: Office, signals: dict[str, Value], cause: str, fix: str
) -> None:
    """A cause that explains the problem or is likely is named, stands first, and is cured first."""
    report = judged(office, **signals)
    assert (report.cause, report.causes[0].cause, report.plan[0].fix) == (cause, cause, fix)


def test_without_a_backup_problem_there_is_nothing_to_explain(office: Office) -> None:
    """A healthy device has no causes and no plan; one with another problem has a plan alone."""
    healthy = judged(office)
    assert (healthy.cause, healthy.causes, healthy.ruled_out, healthy.plan) == (None, (), (), ())
    full = office.night(1, a_source([a_phone(1, 1, available_bytes=GB)])).devices[serial(1)]
    assert (full.cause, full.causes, full.ruled_out) == (None, (), ())
    assert [step.fix for step in full.plan] == ["free-device-storage"]
