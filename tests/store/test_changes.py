from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from fleet.model.fact import NEVER
from fleet.model.run import Outcome
from fleet.store.open_run import open_run
from tests.store.keeping import a_phone, basis_of, begin_look, collect, night

if TYPE_CHECKING:
    from datetime import datetime

    from fleet.model.device import DeviceRecord
    from fleet.store.database import Database
    from tests.fleet_of import Value

HOURS = timedelta(hours=1)


def phone(number: int, at: int, version: str, backup: datetime, **signals: Value) -> DeviceRecord:
    """A phone on that system whose last backup is that old."""
    return a_phone(number, at=at, os_version=version, last_cloud_backup_at=backup, **signals)


def before_taking(database: Database, at: int, signal: str, *, value: str | bool) -> list[datetime]:
    """What a run of that night is told."""
    basis = basis_of(database, ["hq"], at)
    with open_run(database, begin_look(database, at=at), None, basis, write=True) as run:
        return run.last_backups_before(signal, value, within=timedelta(days=3))


def test_backups_right_before_a_change(database: Database) -> None:
    """Of all that run a system, those count that were seen to come to it within three days after their last backup."""
    eve = night(3) - 5 * HOURS

    def fleet(at: int) -> list[DeviceRecord]:
        new = "27.1" if at >= 3 else "27.0"
        return [
            phone(1, at, new, eve),
            phone(2, at, "27.1", eve),  # had it when it was first seen
            phone(3, at, new, night(0) - HOURS),  # stopped long before
            phone(4, at, new, night(3) + HOURS),  # went on for a while
            phone(5, at, "27.0", eve),  # never came to it
            phone(6, at, new, eve + HOURS, name=f"Renamed in night {at}"),
            phone(7, at, new, night(0)),  # to the second
            a_phone(8, at=at, os_version=new, last_cloud_backup_at=NEVER),
        ]

    for at in (1, 2, 3, 4):
        collect(database, fleet(at), at=at)
    assert sorted(before_taking(database, 4, "os_version", value="27.1")) == [night(0), eve, eve + HOURS]
    assert before_taking(database, 4, "os_version", value="27.0") == []
    assert before_taking(database, 2, "os_version", value="27.1") == []


def test_a_profile_that_came(database: Database) -> None:
    """A restriction is a change like any other; a device that the present collection did not read is left out."""
    for at in (1, 2):
        rows = [
            phone(number, at, "27.0", night(2) - HOURS, backup_restricted=at == 2) for number in range(1, 4)
        ]
        collect(database, rows, at=at)
    rows = [phone(number, 3, "27.0", night(2) - HOURS, backup_restricted=True) for number in (1, 2)]
    collect(database, rows, at=3, outcome=Outcome.PARTIAL)
    assert before_taking(database, 2, "backup_restricted", value=True) == [night(2) - HOURS] * 3
    assert before_taking(database, 3, "backup_restricted", value=True) == [night(2) - HOURS] * 2
