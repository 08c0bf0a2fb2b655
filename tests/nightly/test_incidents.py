"""Fleet-wide findings over whole nights: Apple's outages, waves, and what devices show meanwhile."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from fleet.model.finding import Action, Severity, State, Status
from fleet.model.outage import Outage, SystemStatus
from fleet.store import runs
from tests.fleet_of import Value, days
from tests.nightly.a_night import Office, a_phone, a_source, ill, night, serial

if TYPE_CHECKING:
    from datetime import datetime

    from fleet.model.device import DeviceRecord
    from fleet.model.finding import Finding
    from fleet.store.database import Database
    from tests.nightly.a_night import Heard

HOUR = timedelta(hours=1)
NEW, OPEN, REOPENED, RESOLVED = State.NEW, State.OPEN, State.REOPENED, State.RESOLVED
CREATE, NONE, RESOLVE, REOPEN = Action.CREATE, Action.NONE, Action.RESOLVE, Action.REOPEN
FRIDAY_NOON = night(8) + 10 * HOUR  # 2 October 2026


@pytest.fixture
def office(database: Database) -> Office:
    """An office without a past, on each kind of database."""
    return Office(database)


@pytest.fixture
def small_office(usual_database: Database) -> Office:
    """An office without a past, for what does not depend on the kind of database."""
    return Office(usual_database)


def apple(at: int, began: datetime = FRIDAY_NOON, ended: datetime | None = None) -> SystemStatus:
    """Apple's answer in the night `at`: one outage of iCloud Backup."""
    outage = Outage(service="iCloud Backup", kind="Outage", began_at=began, ended_at=ended)
    return SystemStatus(checked_at=night(at), outages=(outage,))


def well(at: int) -> SystemStatus:
    """Apple's answer on a good day."""
    return SystemStatus(checked_at=night(at))


def stopped(number: int, at: int, backup: float, **signals: Value) -> DeviceRecord:
    """A phone seen in the night `at` whose last backup was made in the night `backup`."""
    return a_phone(number, at, last_cloud_backup_at=night(0) + days(backup), **signals)


def incident(heard: Heard) -> Finding:
    """The one incident of the night."""
    (found,) = heard.run.incidents
    return found.finding


def told(heard: Heard) -> tuple[State, Action]:
    """State and action of the one incident."""
    return incident(heard).state, incident(heard).action


def test_what_apple_said_is_kept_with_the_run(office: Office) -> None:
    """A run remembers Apple's status as it was judged by; one without an answer remembers that there was none."""
    status = SystemStatus(
        checked_at=night(2),
        outages=(
            *apple(2, night(1), night(1) + 5 * HOUR).outages,
            *apple(2, night(2)).outages,
        ),
    )
    office.night(1, a_source([a_phone(1, 1)]))
    office.night(2, a_source([a_phone(1, 2)]), status=status)
    kept = [row.status for run in (1, 2) if (row := runs.load_run(office.database, run))]
    assert kept == [None, status]


def test_apples_outage_on_a_friday(office: Office) -> None:
    """From Friday noon to Saturday evening, and two days on, backups that grow too old are Apple's, not the users'.

    Phone 2 gets too old during the outage and is excused until it is over by two days. Phone 3 was too old before:
    its ticket neither closes nor escalates meanwhile. Phone 4 is switched off, which no outage excuses.
    """
    ended = night(9) + 20 * HOUR

    def fleet(at: int) -> list[DeviceRecord]:
        switched_off = ill(4, at, last_cloud_backup_at=night(at) - days(1)) if at > 8 else a_phone(4, at)
        return [a_phone(1, at), stopped(2, at, 1.5), stopped(3, at, -5), switched_off]

    friday = office.night(8, a_source(fleet(8)), status=well(8))
    assert friday.run.incidents == ()
    assert friday.finding(3).severity is Severity.MEDIUM
    assert friday.devices[serial(2)].status is Status.PROTECTED

    saturday = office.night(9, a_source(fleet(9)), status=apple(9))
    assert told(saturday) == (NEW, CREATE)
    (outage,) = saturday.run.incidents
    assert (outage.check, outage.severity, outage.devices) == ("icloud-outage", Severity.HIGH, 1)
    assert outage.since == FRIDAY_NOON
    assert outage.summary == (
        "Apple reports trouble with iCloud Backup (outage) since 2 October 2026, 12:00 UTC."
    )
    excused = saturday.devices[serial(2)]
    assert (excused.status, excused.reason) == (Status.UNKNOWN, "apple_outage")
    assert (excused.cause, [step.fix for step in excused.plan]) == ("icloud-outage", ["system-status"])
    assert excused.findings == ()
    assert saturday.finding(3).severity is Severity.MEDIUM
    assert saturday.told(4) == (NEW, CREATE)
    assert saturday.run.totals.findings[Severity.HIGH] == 2

    sunday = office.night(10, a_source(fleet(10)), status=apple(10, ended=ended))
    assert told(sunday) == (RESOLVED, RESOLVE)
    (note,) = sunday.run.notes
    assert "until 5 October 2026, 22:00 UTC at the earliest; 1 device is held back" in note

    monday = office.night(11, a_source(fleet(11)), status=apple(11, ended=ended))
    assert monday.run.incidents == ()
    for heard in (sunday, monday):
        assert heard.devices[serial(2)].reason == "apple_outage"
        assert (heard.told(3), heard.finding(3).severity) == ((OPEN, NONE), Severity.MEDIUM)

    tuesday = office.night(12, a_source(fleet(12)), status=apple(12, ended=ended))
    assert tuesday.told(2) == (NEW, CREATE)
    assert (tuesday.told(3), tuesday.finding(3).severity) == ((OPEN, Action.UPDATE), Severity.HIGH)
    assert tuesday.run.notes == ()
    for run_id, heard in enumerate((friday, saturday, sunday, monday, tuesday), 1):
        assert office.again(run_id) == heard


def test_a_backup_that_comes_closes_its_ticket_in_the_outage_too(small_office: Office) -> None:
    """Good news is good news, whatever Apple says."""
    small_office.night(8, a_source([stopped(1, 8, -5)]), status=well(8))
    assert small_office.night(9, a_source([a_phone(1, 9)]), status=apple(9)).told() == (RESOLVED, RESOLVE)


def test_an_unanswered_question_neither_opens_nor_closes_an_outage(office: Office) -> None:
    """Without an answer the incident stands as it stood, and excuses nobody for longer than two days after the last."""

    def fleet(at: int) -> list[DeviceRecord]:
        return [a_phone(1, at), stopped(2, at, 1.5)]

    assert office.night(8, a_source(fleet(8))).run.incidents == ()
    assert told(office.night(9, a_source(fleet(9)), status=apple(9))) == (NEW, CREATE)
    silent = office.night(10, a_source(fleet(10)))
    assert told(silent) == (OPEN, NONE)
    assert incident(silent).last_seen == night(9)
    assert silent.devices[serial(2)].reason == "apple_outage"
    still_silent = office.night(11, a_source(fleet(11)))
    assert told(still_silent) == (OPEN, NONE)
    assert still_silent.told(2) == (NEW, CREATE)
    assert told(office.night(12, a_source(fleet(12)), status=well(12))) == (RESOLVED, RESOLVE)
    assert office.night(13, a_source(fleet(13)), status=well(13)).run.incidents == ()
    again = office.night(14, a_source(fleet(14)), status=apple(14, began=night(13)))
    assert told(again) == (REOPENED, REOPEN)
    assert incident(again).external_id == incident(silent).external_id


def test_what_matters_only_beside_a_backup_problem_waits_with_it(small_office: Office) -> None:
    """A VPN is a hint to a missing backup; where the backup is excused, the hint is not raised either."""
    phone = stopped(1, 9, 1.5, vpn_configured=True)
    excused = small_office.night(9, a_source([phone]), status=apple(9)).devices[serial(1)]
    assert (excused.findings, excused.reason) == ((), "apple_outage")
    later = small_office.night(12, a_source([stopped(1, 12, 1.5, vpn_configured=True)]), status=well(12))
    assert {finding.check for finding in later.devices[serial(1)].findings} == {
        "backup-stale",
        "vpn-configured",
    }


def test_an_excused_phone_with_another_problem_is_at_risk_by_that(small_office: Office) -> None:
    """An outage excuses the backup alone."""
    phone = stopped(1, 9, 1.5, available_bytes=10**8)
    device = small_office.night(9, a_source([phone]), status=apple(9)).devices[serial(1)]
    assert device.status is Status.AT_RISK
    assert [finding.check for finding in device.findings] == ["storage-full"]
    assert "free-device-storage" in {step.fix for step in device.plan}


def test_a_held_night_holds_the_incident_too(office: Office) -> None:
    """Under the brake nothing is asked of the ticketing system; the next night makes up for it."""
    numbers = range(1, 21)
    office.night(8, a_source([a_phone(number, 8) for number in numbers]), status=well(8))
    held = office.night(9, a_source([ill(number, 9) for number in numbers]), status=apple(9))
    assert held.run.hold
    assert told(held) == (NEW, NONE)
    assert told(office.night(10, a_source([ill(n, 10) for n in numbers]), status=apple(10))) == (OPEN, CREATE)


def test_incidents_do_not_count_as_changed_devices(small_office: Office) -> None:
    """A fleet of 20 of which four change may change by a fifth: the outage is not a fifth one."""
    small_office.night(8, a_source([a_phone(number, 8) for number in range(1, 21)]), status=well(8))
    four = [ill(number, 9) for number in range(1, 5)] + [a_phone(number, 9) for number in range(5, 21)]
    heard = small_office.night(9, a_source(four), status=apple(9))
    assert not heard.run.hold
    assert heard.run.totals.changes["new"] == 4
