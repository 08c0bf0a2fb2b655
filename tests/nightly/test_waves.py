"""Stories of many devices that stop at once, over whole nights; and of some that only look like it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from fleet.errors import BadAnswer
from fleet.model.fact import NOT_PERMITTED
from fleet.model.finding import Action, Severity, State, Status
from fleet.model.outage import Outage, SystemStatus
from fleet.model.policy import Policy
from tests.fleet_of import Value, days
from tests.nightly.a_night import Office, a_phone, a_source, night, serial

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fleet.model.device import DeviceRecord
    from fleet.model.run import Incident
    from fleet.store.database import Database
    from tests.nightly.a_night import Heard

NEW, OPEN, RESOLVED = State.NEW, State.OPEN, State.RESOLVED
CREATE, NONE, RESOLVE = Action.CREATE, Action.NONE, Action.RESOLVE
HOUR = timedelta(hours=1)
TUESDAY = 5  # night 5 ends on Tuesday, 29 September 2026, 2 a.m.
LYON, NICE = range(1, 13), range(13, 73)


@pytest.fixture
def office(database: Database) -> Office:
    """An office without a past, on each kind of database."""
    return Office(database)


@pytest.fixture
def small_office(usual_database: Database) -> Office:
    """An office without a past, for what does not depend on the kind of database."""
    return Office(usual_database)


def lyon(at: int, *, back: int = 0, **signals: Value) -> list[DeviceRecord]:
    """The iPads of Lyon in the night `at`: all made their last backup on that Tuesday, but the first `back`."""
    last = night(TUESDAY) - HOUR
    ill: dict[str, Value] = {"site": "Lyon", "last_cloud_backup_at": last, **signals}
    return [
        a_phone(number, at, site="Lyon") if number <= back else a_phone(number, at, **ill) for number in LYON
    ]


def nice(at: int) -> list[DeviceRecord]:
    """The iPads of Nice, all of them well."""
    return [a_phone(number, at, site="Nice") for number in NICE]


def the_wave(heard: Heard) -> Incident:
    """The one incident of the night."""
    (incident,) = heard.run.incidents
    return incident


def told(heard: Heard) -> tuple[State, Action]:
    """State and action of the one incident."""
    finding = the_wave(heard).finding
    return finding.state, finding.action


def test_a_restriction_profile_rolled_out_to_one_site_on_a_tuesday(office: Office) -> None:
    """The night after the rollout one incident names the profile and the site, and the devices it concerns.

    Half of the iPads come back when the profile is taken off them: the incident stands. When most have, it ends.
    """
    assert office.night(TUESDAY, a_source([*lyon(TUESDAY), *nice(TUESDAY)])).run.incidents == ()

    def later(at: int, back: int = 0) -> Heard:
        return office.night(at, a_source([*lyon(at, back=back, backup_restricted=True), *nice(at)]))

    wednesday = later(6)
    wave = the_wave(wednesday)
    assert told(wednesday) == (NEW, CREATE)
    assert (wave.check, wave.severity, wave.devices, wave.since) == (
        "backup-wave",
        Severity.HIGH,
        12,
        night(TUESDAY) - 2 * HOUR,
    )
    assert wave.summary == (
        "12 of 12 devices under a profile that forbids iCloud Backup made their last iCloud backup on 29 September "
        "2026; elsewhere 0 of 60. They share: site Lyon."
    )
    assert wave.finding.fixes[0] == "lift-restriction"
    assert wave.finding.sources == ("hq",)
    assert wednesday.run.totals.findings[Severity.HIGH] == 12 + 1
    assert wednesday.run.totals.changes["new"] == 12

    thursday = later(7, back=6)
    assert (told(thursday), the_wave(thursday).devices) == ((OPEN, NONE), 6)
    assert "6 of 6 devices under a profile" in the_wave(thursday).summary
    friday = later(8, back=7)
    assert told(friday) == (RESOLVED, RESOLVE)
    assert later(9, back=7).run.incidents == ()
    assert len({the_wave(one).finding.external_id for one in (wednesday, thursday, friday)}) == 1
    for run_id, heard in enumerate((wednesday, thursday, friday), 2):
        assert office.again(run_id) == heard


def test_a_site_whose_mdm_tells_of_no_restriction(small_office: Office) -> None:
    """Where nobody reports the profile, the wave is found when the backups are too old, and the site is named."""
    at = TUESDAY + 8
    wave = the_wave(small_office.night(at, a_source([*lyon(at), *nice(at)])))
    assert wave.summary == (
        "12 of 12 devices at site Lyon made their last iCloud backup on 29 September 2026; elsewhere 0 of 60."
    )
    assert wave.finding.fixes[0] == "allow-apple-hosts"


def test_missing_data_ends_no_wave(office: Office) -> None:
    """A failed source, a device list without the iPads, and dates that nobody may read any more end nothing."""
    rows: list[Sequence[DeviceRecord]] = [
        [*lyon(13), *nice(13)],
        [],
        [a_phone(number, 15, site="Lyon", last_cloud_backup_at=NOT_PERMITTED) for number in LYON] + nice(15),
        nice(16),
        [*lyon(17), *nice(17)],
    ]
    heard = [
        office.night(at, a_source(found, error=None if found else BadAnswer("down")))
        for at, found in enumerate(rows, 13)
    ]
    assert [told(one) for one in heard] == [(NEW, CREATE), *[(OPEN, NONE)] * 4]
    assert len({the_wave(one).finding.external_id for one in heard}) == 1
    assert heard[3].devices[serial(1)].reason == "gone"


def test_a_wave_ends_with_devices_that_left_for_good(small_office: Office) -> None:
    """Devices that no source listed for longer than the grace are none of the fleet's any more."""
    small_office.night(13, a_source([*lyon(13), *nice(13)]))
    assert told(small_office.night(14, a_source(nice(14)))) == (OPEN, NONE)
    assert told(small_office.night(45, a_source(nice(45)))) == (RESOLVED, RESOLVE)


def test_a_wave_outlives_a_change_of_what_was_shared(small_office: Office) -> None:
    """Devices that took another system meanwhile are still without a backup, so their incident stands."""

    def fleet(at: int, version: str) -> list[DeviceRecord]:
        return [*lyon(at, os_version=version, site="Nice"), *nice(at)]

    found = small_office.night(13, a_source(fleet(13, "26.5")))
    assert "12 of 12 devices on system 26.5" in the_wave(found).summary
    updated = small_office.night(14, a_source(fleet(14, "26.6")))
    assert told(updated) == (OPEN, NONE)
    assert the_wave(updated).finding.external_id == the_wave(found).finding.external_id


def test_a_partial_collection_ends_no_wave(small_office: Office) -> None:
    """Good news from half of a source waits for the other half."""
    small_office.night(13, a_source([*lyon(13), *nice(13)]))
    cut = a_source([*lyon(14, back=12), *nice(14)], error=BadAnswer("page 8 is cut"))
    assert told(small_office.night(14, cut)) == (OPEN, NONE)
    whole = a_source([*lyon(15, back=12), *nice(15)])
    assert told(small_office.night(15, whole)) == (RESOLVED, RESOLVE)


def test_a_second_look_at_a_past_night_asks_for_nothing(small_office: Office) -> None:
    """A night that is judged again finds the same, and no ticket follows from it."""
    small_office.night(13, a_source([*lyon(13), *nice(13)]))
    small_office.night(14, a_source([*lyon(14), *nice(14)]))
    assert told(small_office.judge(13)) == (OPEN, NONE)
    assert told(small_office.night(15, a_source([*lyon(15), *nice(15)]))) == (OPEN, NONE)


def test_an_outage_that_explains_a_wave_is_named_with_it(small_office: Office) -> None:
    """Devices that never came back after Apple's outage are one incident, which says what Apple had reported."""
    began, ended = night(TUESDAY) + 3 * HOUR, night(TUESDAY) + 9 * HOUR
    outage = Outage(service="iCloud Backup", kind="Outage", began_at=began, ended_at=ended)

    def heard(at: int) -> Heard:
        listed = (outage,) if at < TUESDAY + 4 else ()  # Apple forgets soon
        status = SystemStatus(checked_at=night(at), outages=listed)
        return small_office.night(at, a_source([*lyon(at), *nice(at)]), status=status)

    assert all(heard(at).run.incidents == () for at in (TUESDAY + 3, TUESDAY + 7))
    for at, expected in ((TUESDAY + 8, (NEW, CREATE)), (TUESDAY + 9, (OPEN, NONE))):
        wave = heard(at)
        assert told(wave) == expected
        assert the_wave(wave).summary.endswith("Apple reported trouble with iCloud Backup at that time.")
        assert the_wave(wave).finding.evidence["apple_outages"] == ["iCloud Backup, 2026-09-29T05:00:00Z"]


def test_a_long_outage_is_one_incident_and_not_two(small_office: Office) -> None:
    """While Apple is still in trouble, that the whole fleet stopped on one day is no news."""
    last, outage = night(TUESDAY) - HOUR, night(TUESDAY)
    at = TUESDAY + 8
    going = Outage(service="iCloud Backup", kind="Outage", began_at=outage)
    rows = [a_phone(number, at, last_cloud_backup_at=last) for number in range(1, 31)]
    heard = small_office.night(
        at, a_source(rows), status=SystemStatus(checked_at=night(at), outages=(going,))
    )
    assert the_wave(heard).check == "icloud-outage"
    assert (the_wave(heard).devices, heard.run.totals.statuses[Status.UNKNOWN]) == (30, 30)


def test_a_school_whose_ipads_are_at_their_last_system(small_office: Office) -> None:
    """Hardware at its end, on the newest that it can run and backed up: replace it one day; no update, no alarm."""
    small_office.with_terms(policy=Policy())
    ipads = [
        a_phone(
            number,
            40,
            model_identifier="iPad7,5",
            model_name="iPad (6th generation)",
            os_version="17.7.11",
            os_build="21H527",
            site="School",
        )
        for number in range(1, 31)
    ]
    heard = small_office.night(40, a_source(ipads))
    assert heard.run.incidents == ()
    assert heard.run.totals.statuses[Status.PROTECTED] == 30
    for device in heard.devices.values():
        assert [(one.check, one.severity) for one in device.findings] == [("os-unsupported", Severity.LOW)]
        fixes = {step.fix for step in device.plan}
        assert "replace-hardware" in fixes
        assert not fixes & {"update-system", "enforce-update"}


def test_ipads_in_a_cupboard_over_the_holidays_are_no_wave(small_office: Office) -> None:
    """Devices that lie switched off report nothing: their backups are unknown, not stopped."""
    off = [
        a_phone(
            number,
            20,
            inventory_at=night(TUESDAY),
            checkin_at=night(TUESDAY),
            last_cloud_backup_at=night(TUESDAY) - days(0.5),
        )
        for number in range(1, 31)
    ]
    heard = small_office.night(20, a_source(off))
    assert heard.run.incidents == ()
    assert heard.run.totals.statuses[Status.UNKNOWN] == 30


def test_a_new_system_that_stops_backups_wherever_it_comes(office: Office) -> None:
    """Three iPads a night take a system after which none makes a backup: one incident that grows with the rollout."""

    def ipad(number: int, at: int) -> DeviceRecord:
        taken = 2 + number // 3
        if number >= 24 or at < taken:
            return a_phone(number, at)
        return a_phone(number, at, os_version="26.5", last_cloud_backup_at=night(taken) - 9 * HOUR)

    heard = {
        at: office.night(at, a_source([ipad(number, at) for number in range(90)])) for at in range(1, 18)
    }
    first = next(at for at, one in heard.items() if one.run.incidents)
    assert told(heard[first]) == (NEW, CREATE)
    assert the_wave(heard[first]).devices < 24
    last = the_wave(heard[17])
    assert (last.devices, last.finding.external_id) == (24, the_wave(heard[first]).finding.external_id)
    assert last.summary == (
        "24 of 24 devices on system 26.5 made their last iCloud backup between 25 September 2026 and 2 October 2026, "
        "most of them within three days before they came to that; elsewhere 0 of 66."
    )
    assert told(heard[17]) == (OPEN, NONE)
    assert office.again(17) == heard[17]
    well = a_source([a_phone(number, 18, os_version="26.6") for number in range(90)])
    back = office.night(18, well, accept=True)
    assert told(back) == (RESOLVED, RESOLVE)
