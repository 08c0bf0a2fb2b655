"""Some forty devices as an admin would meet them, each judged by hand."""

from __future__ import annotations

import pytest

from fleet.checks.assess import assess
from fleet.model.device import Platform
from fleet.model.fact import ABSENT, NEVER, NOT_PERMITTED, NOT_REPORTED, UNREADABLE
from fleet.model.finding import Clear, Found, Undetermined
from tests.fleet_of import GB, Value, a_case, a_history, ago

EMPTY = {"available_bytes": 126 * GB}
IPAD = {"platform": Platform.IPADOS, "model_name": "iPad", "os_build": ABSENT}
JAMF = {"backup_restricted": NOT_REPORTED, "vpn_configured": NOT_REPORTED}


@pytest.mark.parametrize(
    ("signals", "held"),
    [
        ({}, ""),
        (JAMF, ""),
        ({"os_version": "27.0"}, "os-outdated:medium"),
        ({"os_version": "26.7.1"}, ""),
        ({"os_version": "26.6.1"}, "os-outdated:medium"),
        ({"os_version": "26.2"}, "os-outdated:high"),
        ({"os_version": "26.3"}, "os-outdated:medium"),
        ({"os_version": "18.7.8"}, ""),
        ({"os_version": "18.7.7"}, "os-outdated:medium"),
        ({"os_version": "18.6"}, "os-outdated:high"),
        ({"os_version": "17.7.2"}, "os-outdated:high"),
        ({"os_version": "16.7.12"}, "os-outdated:high"),
        ({"os_version": "27.2", "os_build": "24C5034f"}, ""),
        ({"os_version": "26.0", "os_build": "23A5260n"}, ""),
        ({"os_version": "27.1"}, ""),
        ({"os_version": "28.0"}, ""),
        ({"os_version": UNREADABLE}, ""),
        ({"os_version": "8.4.1"}, "os-outdated:high os-unsupported:critical"),
        ({"model_identifier": "iPhone11,2", "os_version": "18.7.10"}, "os-unsupported:low"),
        ({"model_identifier": "iPhone11,2", "os_version": "18.7.8"}, "os-outdated:medium os-unsupported:low"),
        ({"model_identifier": "iPhone11,2", "os_version": "17.6.1"}, "os-outdated:high os-unsupported:low"),
        ({"model_identifier": "iPhone10,3", "os_version": "16.7.16"}, "os-unsupported:low"),
        ({"model_identifier": "iPhone10,3", "os_version": "15.8"}, "os-outdated:medium os-unsupported:low"),
        ({"model_identifier": "iPhone3,1", "os_version": "7.1.2"}, "os-unsupported:critical"),
        ({"model_identifier": "iPhone3,1", "os_version": ABSENT}, "os-unsupported:critical"),
        ({"model_identifier": "iPhone33,1", "os_version": "26.0"}, ""),
        ({"model_identifier": "iPhone33,1", "os_version": "8.0"}, "os-unsupported:critical"),
        ({**IPAD, "model_identifier": "iPad11,6", "os_version": "26.7.1"}, ""),
        ({**IPAD, "model_identifier": "iPad11,6", "os_version": "18.7.8"}, ""),
        ({**IPAD, "model_identifier": "iPad7,5", "os_version": "17.7.11"}, "os-unsupported:low"),
        ({**IPAD, "model_identifier": ABSENT, "os_version": "17.0"}, ""),
        (
            {"platform": Platform.VISIONOS, "model_identifier": "RealityDevice14,1", "os_version": "2.1"},
            "",
        ),
        (
            {"platform": Platform.VISIONOS, "model_identifier": "RealityDevice14,1", "backup_enabled": False},
            "backup-disabled:high icloud-quota:low",
        ),
        ({"backup_enabled": False, **EMPTY}, "backup-disabled:high"),
        ({"backup_enabled": False, **EMPTY, **JAMF}, "backup-disabled:high"),
        ({"backup_enabled": NOT_PERMITTED, "last_cloud_backup_at": NOT_PERMITTED}, ""),
        ({"last_cloud_backup_at": NEVER, "enrolled_at": ago(3)}, ""),
        ({"last_cloud_backup_at": NEVER, **EMPTY}, "backup-never:high"),
        ({"last_cloud_backup_at": ago(9), **EMPTY}, "backup-stale:medium"),
        ({"last_cloud_backup_at": ago(9)}, "backup-stale:medium icloud-quota:low"),
        ({"last_cloud_backup_at": ago(200), **EMPTY}, "backup-expiring:critical"),
        (
            {"last_cloud_backup_at": ago(9), "vpn_configured": True, "battery_percent": 5, **EMPTY},
            "backup-stale:medium vpn-configured:low power-low:low",
        ),
        ({"vpn_configured": True, "battery_percent": 5}, ""),
        ({"inventory_at": ago(10), "last_cloud_backup_at": ago(11)}, "silent-device:low"),
        ({"inventory_at": ago(40), "last_cloud_backup_at": ago(41)}, "silent-device:medium"),
        (
            {"inventory_at": ago(10), "last_cloud_backup_at": ago(30), **EMPTY},
            "backup-stale:high silent-device:low",
        ),
        ({"capacity_bytes": ABSENT, "available_bytes": ABSENT}, ""),
        ({"available_bytes": 0}, "storage-full:critical"),
        ({"available_bytes": 8 * GB}, "storage-full:medium"),
        ({"available_bytes": 129 * GB}, ""),
        ({"account_active": False}, "account-inactive:low"),
    ],
)
def test_hand_judged(signals: dict[str, Value], held: str) -> None:
    """Each device has exactly the problems that an admin would see in it."""
    changed: dict[str, Value] = {"os_build": "1A1", **signals}
    problems = assess(a_case(readings=a_history([60.0] * 10, battery=5), **changed)).problems
    assert " ".join(f"{problem.check}:{problem.severity}" for problem in problems) == held


@pytest.mark.parametrize(
    ("signals", "check", "missing"),
    [
        ({"model_identifier": "iPhone33,1"}, "os-outdated", ("model_identifier", "unknown_model")),
        ({"model_identifier": "RealityDevice14,1"}, "os-outdated", ("model_identifier", "unknown_model")),
        ({"os_version": "latest"}, "os-outdated", ("os_version", "unreadable")),
        ({"os_version": ABSENT}, "os-unsupported", ("os_version", "absent")),
        ({"last_cloud_backup_at": NOT_PERMITTED}, "backup-stale", ("last_cloud_backup_at", "not_permitted")),
        (
            {"vpn_configured": NOT_REPORTED, "backup_enabled": False},
            "vpn-configured",
            ("vpn_configured", "not_reported"),
        ),
        ({"available_bytes": 129 * GB}, "storage-full", ("available_bytes", "unreadable")),
    ],
)
def test_what_cannot_be_said_is_named(
    signals: dict[str, Value], check: str, missing: tuple[str, str]
) -> None:
    """A check that cannot judge says which fact it lacks and why."""
    verdict = assess(a_case(**signals)).verdicts[check]
    assert isinstance(verdict, Undetermined)
    assert missing in verdict.missing


@pytest.mark.parametrize(
    ("version", "evidence"),
    [
        (
            "26.2",
            {"rule": "exploited", "newest": "27.0.1", "since": "2026-02-11", "exploited": ["26.3"]},
        ),
        ("26.6.1", {"rule": "patch", "newest": "27.0.1", "since": "2026-09-28", "days": 56, "exploited": []}),
        ("17.6", {"rule": "major", "newest": "27.0.1", "since": "2026-09-14", "days": 70}),
        ("17.6", {"newest_since": "2026-09-28", "newest_exploited": None}),
        ("17.6", {"download_gb": 7.86, "download_gb_least": 4.37}),
    ],
)
def test_evidence_of_an_outdated_system(version: str, evidence: dict[str, Value]) -> None:
    """The finding says what is installed, what there is, since when, and by which rule it counts."""
    (problem,) = assess(a_case(os_version=version, os_build="1A1")).problems
    expected = {**evidence, "installed": version, "catalog_date": "2026-10-05"}
    assert {key: problem.evidence[key] for key in expected} == expected


@pytest.mark.parametrize(
    ("identifier", "version", "installed", "newest"),
    [
        (
            "iPhone14,5",
            "17.6",
            "Version 17.6 is installed, and 17 is no longer an allowed major.",
            "The newest for it is 27.0.1 of 2026-09-28 and wants at least 4.4 GB of free storage.",
        ),
        (
            "iPhone14,5",
            "27.0",
            "Version 27.0 is installed; a patch for it has been out for 56 days.",
            "The newest for it is 27.0.1 of 2026-09-28.",
        ),
        (
            "iPhone11,2",
            "18.7.8",
            "Version 18.7.8 is installed; a patch for it has been out for 196 days.",
            "The last for this model, whose hardware is at its end, is 18.7.10 of 2026-08-17.",
        ),
    ],
)
def test_an_outdated_system_is_told_with_the_newest_of_its_own_model(
    identifier: str, version: str, installed: str, newest: str
) -> None:
    """One sentence says what is installed, one which system this model can have, since when, and what it needs."""
    verdicts = assess(a_case(model_identifier=identifier, os_version=version, os_build="1A1")).verdicts
    found = verdicts["os-outdated"]
    assert isinstance(found, Found)
    assert found.summary == f"{installed} {newest}"


@pytest.mark.parametrize(
    ("identifier", "last"), [("iPhone11,2", "18.7.10"), ("iPhone10,3", "16.7.16"), ("iPad7,5", "17.7.11")]
)
def test_hardware_at_its_end_is_to_be_replaced_not_updated(identifier: str, last: str) -> None:
    """With the last system there is for it, a device is not outdated; the fix for its age is another device."""
    assessment = assess(a_case(model_identifier=identifier, os_version=last, os_build="1A1"))
    assert isinstance(assessment.verdicts["os-outdated"], Clear)
    (problem,) = assessment.problems
    assert (problem.check, problem.fixes) == ("os-unsupported", ("replace-hardware",))
