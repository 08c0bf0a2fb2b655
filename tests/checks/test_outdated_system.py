"""What the finding of an outdated system tells: what is installed, what this model can have, and since when."""

from __future__ import annotations

import pytest

from fleet.checks.assess import assess
from fleet.model.finding import Clear, Found
from tests.fleet_of import Value, a_case


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
