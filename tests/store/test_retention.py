from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from fleet.model.run import Outcome
from fleet.store import tables as t
from fleet.store.retention import prune
from tests.store.keeping import a_phone, collect, devices_of, look, night, records, standings

if TYPE_CHECKING:
    from collections.abc import Callable

    from fleet.store.database import Database


def steady(database: Database, at: int) -> None:
    collect(database, [a_phone(1, at=at, name=f"Night {at}"), a_phone(2, at=at)], at=at)


def second_fails(database: Database, at: int) -> None:
    if at in {3, 50}:
        collect(database, [], at=at, outcome=Outcome.FAILED)
    else:
        steady(database, at)


def second_device_away(database: Database, at: int) -> None:
    if at in {3, 50}:
        collect(database, [a_phone(1, at=at)], at=at)
    else:
        steady(database, at)


def second_device_unreadable(database: Database, at: int) -> None:
    if at in {3, 50}:
        collect(database, [a_phone(1, at=at)], at=at, unread_ids=["2"])
    else:
        steady(database, at)


@pytest.mark.parametrize("story", [steady, second_fails, second_device_away, second_device_unreadable])
def test_younger_nights_stay_whole(database: Database, story: Callable[[Database, int], None]) -> None:
    """What was known on a night within the retention is still known after pruning, whatever it rests on."""
    runs: list[int] = []
    for at in (1, 2, 3, 50, 51, 52):
        story(database, at)
        runs.append(look(database, at=at))
    kept = runs[3:]
    before = [devices_of(database, run_id) for run_id in kept]
    assert prune(database, before=night(50))["readings"]
    assert [devices_of(database, run_id) for run_id in kept] == before


def test_pruning_forgets_the_rest(database: Database) -> None:
    """Of nights that no younger one looks back at, one reading per device stays; of older runs their totals."""
    for at in (1, 2, 3, 50, 60):
        steady(database, at)
        look(database, at=at)
    gone = prune(database, before=night(50))
    assert gone == {
        "readings": 4,
        "outlived records": 2,
        "outlived finding versions": 0,
        "sources of past runs": 3,
    }
    with database.engine.connect() as connection:
        readings = connection.execute(
            sa.select(t.reading.c.source_device_id, sa.func.count()).group_by(t.reading.c.source_device_id)
        ).all()
    assert [count for _, count in readings] == [3, 3]
    assert not any(prune(database, before=night(50)).values())


def test_forgotten_run_keeps_the_devices(database: Database) -> None:
    """A device that no night within the retention has seen is not forgotten."""
    collect(database, [a_phone(1), a_phone(2)], at=1)
    collect(database, [a_phone(1, at=2)], at=2)
    prune(database, before=night(90))
    run_id = look(database, at=91)
    assert standings(devices_of(database, run_id)) == {"1": "read", "2": "absent"}
    assert records(devices_of(database, run_id))["2"] == a_phone(2)
