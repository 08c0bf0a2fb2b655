from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fleet.model.device_report import Past
from fleet.model.fact import NEVER
from fleet.model.finding import Severity
from tests.fleet_of import GB
from tests.nightly.a_night import Office, a_phone, a_source, ill, night

if TYPE_CHECKING:
    from fleet.store.database import Database


@pytest.fixture
def office(database: Database) -> Office:
    """An office without a past, on each kind of database."""
    return Office(database)


def test_a_device_at_risk_comes_with_the_weeks_before_it(office: Office) -> None:
    """A few nights of storage and backups, oldest first and tonight included; a healthy phone needs none."""
    last = night(0)
    for at in range(20):
        rows = [
            a_phone(1, at, available_bytes=(90 - at) * GB, last_cloud_backup_at=last),
            a_phone(2, at),
            a_phone(3, at, last_cloud_backup_at=NEVER, enrolled_at=night(-300)),
            a_phone(4, at, last_cloud_backup_at=night(min(at, 10))),
        ]
        office.collect(at, a_source(rows))
    heard = office.judge(19, history=True)
    history = heard.devices["SERIAL0001"].history
    assert len(history) == 10
    assert [one.collected_at for one in history] == sorted({one.collected_at for one in history})
    assert (history[0].collected_at, history[-1].collected_at) == (night(0), night(19))
    assert (history[0].available_bytes, history[-1].available_bytes) == (90 * GB, 71 * GB)
    assert {one.last_backup for one in history} == {last}
    assert heard.devices["SERIAL0002"].history == ()
    assert {one.last_backup for one in heard.devices["SERIAL0003"].history} == {None}
    medium = heard.devices["SERIAL0004"]
    assert (medium.severity, len(medium.history)) == (Severity.MEDIUM, 10)
    assert office.again(None, history=True).devices == heard.devices


def test_what_ended_before_is_remembered(office: Office) -> None:
    """A finding that ended is shown in the night in which it did, and from then on is told of as past."""
    office.night(0, a_source([ill(1, 0)]))
    office.night(1, a_source([ill(1, 1)]))
    ended = office.night(2, a_source([a_phone(1, 2)]))
    assert ended.devices["SERIAL0001"].past == ()
    later = office.night(3, a_source([a_phone(1, 3)]))
    assert later.devices["SERIAL0001"].findings == ()
    assert later.devices["SERIAL0001"].past == (
        Past(
            check="backup-disabled",
            severity=Severity.HIGH,
            first_seen=night(0),
            last_seen=night(1),
            reason=None,
        ),
    )
