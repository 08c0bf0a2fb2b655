"""What the past answers: a device as any night saw it, what happened to it, and how the fleet stood."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from fleet.errors import SettingsError
from fleet.model.fact import ABSENT, NEVER
from fleet.model.finding import Severity, Status
from fleet.nightly import timeline
from fleet.nightly.past import devices_by, fleet_at
from fleet.store.retention import prune
from tests.fleet_of import GB, Value, days
from tests.nightly.a_night import Office, a_phone, a_source, ill, night, serial

if TYPE_CHECKING:
    from fleet.nightly.past import Seen
    from fleet.store.database import Database
    from tests.nightly.a_night import Heard, Row


@pytest.fixture
def office(database: Database) -> Office:
    """An office without a past, on each kind of database."""
    return Office(database)


@pytest.fixture
def small_office(usual_database: Database) -> Office:
    """An office without a past, for what does not depend on the kind of database."""
    return Office(usual_database)


def old(number: int, at: int, age: float, **signals: Value) -> Row:
    """A phone whose last backup was so many days old when it reported."""
    return a_phone(number, at, last_cloud_backup_at=night(at) - days(age), **signals)


def story(office: Office) -> list[Heard]:
    """Five nights on which phones fall ill, get worse, recover, leave, and turn out to be one."""
    return [
        office.night(1, a_source([a_phone(1, 1), ill(2, 1), old(3, 1, 9), old(4, 1, 40)])),
        office.night(2, a_source([ill(1, 2), a_phone(2, 2), old(3, 2, 15), old(4, 2, 41)])),
        office.night(3, a_source([ill(1, 3), a_phone(2, 3, available_bytes=GB), old(3, 3, 16)])),
        office.night(4, a_source([a_phone(1, 4), a_phone(2, 4), ill(5, 4, udid=ABSENT)])),
        office.night(40, a_source([a_phone(1, 40), a_phone(2, 40), ill(5, 40)])),
    ]


def seen_by(office: Office, name: str, run_id: int | None = None) -> Seen:
    """The one device of that name."""
    _, (seen,) = devices_by(office.database, name, run_id)
    return seen


def test_one_device_of_a_past_run(office: Office) -> None:
    """One device's story is the same as its part of the whole report, by each of its names in any spelling."""
    for told in story(office):
        for name, report in told.devices.items():
            names = [name, name.lower(), f" {report.device.key.upper()} "]
            names += [finding.external_id for finding in report.findings]
            for spelling in names:
                assert seen_by(office, spelling, told.run.id).report == report
    for stranger in ("NOBODY", "", "N/A", "0" * 32):
        assert devices_by(office.database, stranger)[1] == []


def test_fleet_on_every_past_night(office: Office) -> None:
    """Each night's devices at risk, and its findings by check, are those of its own report."""
    for told in story(office):
        with fleet_at(office.database, told.run.as_of + timedelta(hours=3)) as fleet:
            assert fleet.run.id == told.run.id
            at_risk = {one.device.serial: one for one in fleet.at_risk or ()}
            expected = {
                name: report for name, report in told.devices.items() if report.status is Status.AT_RISK
            }
            assert at_risk.keys() == expected.keys()
            for name, report in expected.items():
                standing = {one.external_id for one in report.findings if one.state.standing}
                assert {memory.external_id for memory in at_risk[name].findings} == standing
                assert at_risk[name].findings[0].severity is report.severity
                assert at_risk[name].device == report.device
            assert fleet.run.totals["statuses"]["at_risk"] == len(at_risk)
            counts = {(check, severity): count for check, severity, count in fleet.counted or ()}
            assert sum(counts.values()) == sum(told.run.totals.findings.values())
            for severity in Severity:
                total = sum(count for (_, of), count in counts.items() if of is severity)
                assert total == told.run.totals.findings[severity]


def test_nights_between_and_before(small_office: Office) -> None:
    """A moment between two nights is the earlier one's; before the first there is none, and that is said."""
    database = small_office.database
    with pytest.raises(SettingsError, match="no run yet"), fleet_at(database, night(1)):
        pass
    first = small_office.night(2, a_source([ill(1, 2)]))
    small_office.night(5, a_source([a_phone(1, 5)]))
    for at in (night(2), night(4), night(5) - timedelta(seconds=1)):
        with fleet_at(database, at) as fleet:
            assert fleet.run.id == first.run.id
    with (
        pytest.raises(SettingsError, match=f"the first one judged {night(2):%Y-%m-%d}"),
        fleet_at(database, night(1)),
    ):
        pass


def test_second_looks_are_no_nights(small_office: Office) -> None:
    """Judging a past night anew does not change how the fleet stood on it."""
    told = small_office.night(1, a_source([ill(1, 1)]))
    small_office.night(2, a_source([ill(1, 2)]))
    small_office.judge(1)
    with fleet_at(small_office.database, night(1)) as fleet:
        assert fleet.run.id == told.run.id


def test_pruned_night(small_office: Office) -> None:
    """Of a night whose facts were pruned the totals are left, and nothing is claimed of single devices."""
    database = small_office.database
    told = small_office.night(1, a_source([ill(1, 1), a_phone(2, 1)]))
    small_office.night(90, a_source([a_phone(1, 90)]))
    prune(database, before=night(60))
    with fleet_at(database, night(30)) as fleet:
        assert fleet.run.id == told.run.id
        assert (fleet.at_risk, fleet.counted, fleet.incidents) == (None, None, None)
        assert fleet.run.totals["statuses"]["at_risk"] == 1
    with pytest.raises(SettingsError, match="pruned"):
        devices_by(database, serial(1), told.run.id)


def test_what_changed_when_and_by_whom(office: Office) -> None:
    """Each change of a signal is told with its night and its source; what moves every night is none."""
    office.night(1, a_source([a_phone(1, 1, battery_percent=ABSENT)]), a_source([], name="lab"))
    office.night(
        2, a_source([a_phone(1, 2, battery_percent=50, name="Desk")]), a_source([a_phone(1, 2)], name="lab")
    )
    office.night(3, a_source([a_phone(1, 3, battery_percent=40, name="Desk", last_cloud_backup_at=NEVER)]))
    office.night(4, a_source([a_phone(1, 4, battery_percent=40, name=ABSENT)]))
    life = seen_by(office, serial(1)).life
    told = [(one.at, one.source, one.signal, one.before, one.after) for one in timeline.changes(life)]
    assert told == [
        (night(2), "hq", "name", "Front desk", "Desk"),
        (night(2), "hq", "battery_percent", ABSENT, 50),
        (night(3), "hq", "last_cloud_backup_at", night(1) - timedelta(hours=6), NEVER),
        (night(4), "hq", "name", "Desk", ABSENT),
        (night(4), "hq", "last_cloud_backup_at", NEVER, night(3) - timedelta(hours=6)),
    ]
    assert len(life.nights) == 5


def test_only_what_was_known_then(office: Office) -> None:
    """The history as of a past run ends with that run's night."""
    told = story(office)
    life = seen_by(office, serial(2), told[1].run.id).life
    assert {one.at for one in life.nights} == {night(1), night(2)}
    assert [one.finding.condition for one in life.versions] == ["open", "resolved"]
    office.judge(1)
    again = seen_by(office, serial(1), told[-1].run.id + 1)
    assert [one.at for one in again.life.nights] == [night(1)]


def test_when_it_was_listed(office: Office) -> None:
    """Coming, going, coming back and being enrolled again are told with their nights."""
    office.night(1, a_source([a_phone(1, 1), a_phone(2, 1)]))
    office.night(2, a_source([a_phone(2, 2)]))
    office.night(3, a_source([a_phone(1, 3), a_phone(2, 3)]))
    office.night(4, a_source([a_phone(1, 4, native_id="new", enrolled_at=night(3)), a_phone(2, 4)]))
    life = seen_by(office, serial(1)).life
    told = sorted((one.at, one.what) for one in timeline.listings(life))
    assert told == [
        (night(1), "first"),
        (night(2), "gone"),
        (night(3), "again"),
        (night(4), "gone"),
        (night(4), "new_record"),
    ]


def test_life_of_a_finding(office: Office) -> None:
    """A finding's turns are told run by run: found, worse, resolved."""
    story(office)
    life = seen_by(office, serial(3), 3).life
    told = [
        (one.at, one.finding.severity, one.finding.condition, one.finding.ticket)
        for one in timeline.turns(life)
    ]
    assert told == [
        (night(1), "medium", "open", "open"),
        (night(2), "high", "open", "open"),
    ]
    assert [one.before is None for one in timeline.turns(life)] == [True, False]


def test_two_that_turned_out_to_be_one(office: Office) -> None:
    """The history of a device that was two tells of both, and of the night on which it showed."""
    office.names = ["serials", "udids", "both"]
    office.collect(1, a_source([ill(1, 1, native_id="s", udid=ABSENT)], name="serials"))
    first = office.night(1, a_source([ill(1, 1, native_id="u", serial=ABSENT)], name="udids"))
    office.night(2, a_source([ill(1, 2, native_id="b")], name="both"))
    seen = seen_by(office, "udid-1")
    assert {one.source for one in seen.life.nights} == {"serials", "udids", "both"}
    (merger,) = (one for one in timeline.listings(seen.life) if one.what == "merged")
    assert (merger.at, merger.source) == (night(2), "both")
    assert merger.key in {report.device.key for report in first.devices.values()} - {seen.device.key}
    ends = {one.finding.external_id: one.finding.reason for one in seen.life.versions}
    assert sorted(ends.values(), key=str) == [None, "superseded"]
    assert len(devices_by(office.database, "udid-1", first.run.id)[1]) == 2
