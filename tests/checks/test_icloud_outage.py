from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from fleet.checks import icloud_outage
from fleet.model.finding import Basis, Clear, Found, Problem, Severity, Undetermined
from fleet.model.outage import Outage, SystemStatus
from tests.fleet_of import NOW

if TYPE_CHECKING:
    from datetime import datetime

SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)


def an_outage(began: timedelta, ended: timedelta | None, service: str = "iCloud Backup") -> Outage:
    """An outage by its distance to NOW."""
    return Outage(
        service=service, kind="Outage", began_at=NOW + began, ended_at=None if ended is None else NOW + ended
    )


def a_look(*outages: Outage, at: datetime = NOW) -> SystemStatus:
    """What Apple says at that moment."""
    return SystemStatus(checked_at=at, outages=outages)


@pytest.mark.parametrize(
    ("look", "verdict"),
    [
        (None, Undetermined),
        (a_look(), Clear),
        (a_look(an_outage(-HOUR, None)), Found),
        (a_look(an_outage(timedelta(0), None)), Found),
        (a_look(an_outage(SECOND, None)), Clear),
        (a_look(an_outage(SECOND, None), at=NOW + SECOND), Found),
        (a_look(an_outage(-HOUR, SECOND)), Found),
        (a_look(an_outage(-HOUR, timedelta(0))), Clear),
        (a_look(an_outage(-9 * HOUR, -8 * HOUR), an_outage(-HOUR, None)), Found),
    ],
)
def test_trouble_is_found_while_it_goes_on(look: SystemStatus | None, verdict: type) -> None:
    """From its first second to its last, by the clock of the run or of the look; without one nothing is said."""
    assert isinstance(icloud_outage.judge(look, NOW), verdict)


def test_the_incident_names_service_kind_and_beginning() -> None:
    """Several services in trouble at once are one incident, from the first of them on."""
    first = an_outage(timedelta(hours=-12), None)
    second = replace(an_outage(-HOUR, None, "iCloud Account & Sign In"), kind="Issue")
    found = icloud_outage.judge(a_look(second, first), NOW)
    assert isinstance(found, Found)
    assert found.severity is Severity.HIGH
    assert found.summary == (
        "Apple reports trouble with iCloud Account & Sign In and iCloud Backup (issue, outage) since "
        "22 November 2026, 14:00 UTC."
    )
    assert found.evidence["since"] == "2026-11-22T14:00:00Z"


@pytest.mark.parametrize(
    ("look", "until"),
    [
        (None, None),
        (a_look(), None),
        (a_look(an_outage(-HOUR, None)), 48 * HOUR),
        (a_look(an_outage(-90 * HOUR, -HOUR)), 47 * HOUR),
        (a_look(an_outage(-90 * HOUR, -48 * HOUR + SECOND)), SECOND),
        (a_look(an_outage(-90 * HOUR, -48 * HOUR)), None),
        (a_look(an_outage(HOUR, None)), None),
        (a_look(an_outage(HOUR, None), at=NOW + 2 * HOUR), 50 * HOUR),
        (a_look(an_outage(-90 * HOUR, -20 * HOUR), an_outage(-99 * HOUR, -30 * HOUR)), 28 * HOUR),
        (a_look(an_outage(-90 * HOUR, None), at=NOW - 24 * HOUR), 24 * HOUR),
        (a_look(an_outage(-90 * HOUR, None), at=NOW - 48 * HOUR), None),
    ],
)
def test_age_findings_are_held_until_two_days_after_the_end(
    look: SystemStatus | None, until: timedelta | None
) -> None:
    """To the second; what went on at an old look counts as ended when Apple was last asked."""
    assert icloud_outage.held_until(look, NOW) == (None if until is None else NOW + until)


@pytest.mark.parametrize(
    ("held", "by_age"),
    [
        (("backup-stale",), True),
        (("backup-never",), True),
        (("backup-disabled", "backup-stale"), False),
        (("backup-restricted",), False),
        (("backup-expiring", "backup-stale"), False),
        (("storage-full",), False),
    ],
)
def test_only_age_is_excused(held: tuple[str, ...], by_age: bool) -> None:
    """An outage excuses that time went by; not a switch, not a profile, not a backup that Apple deletes soon."""
    problem = Problem(
        problem="backup",
        check=held[0],
        held=held,
        basis=Basis.OBSERVED,
        severity=Severity.HIGH,
        summary="",
        evidence={},
        fixes=(),
        sources=("hq",),
        observed_at=NOW,
    )
    assert icloud_outage.is_by_age(problem) is by_age
