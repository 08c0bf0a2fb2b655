from __future__ import annotations

import random
from typing import TYPE_CHECKING

import sqlalchemy as sa

from fleet.store import tables as t
from tests.store.keeping import a_phone, collect, look

if TYPE_CHECKING:
    from fleet.store.database import Database

DEVICES, NIGHTS = 50, 60


def test_growth_follows_change(sqlite_database: Database) -> None:
    """Sixty nights in which one device in fifty changes grow by readings, at no more than 150 bytes each."""
    chance = random.Random(7)
    names = {number: f"Phone {number}" for number in range(DEVICES)}
    sizes: dict[int, int] = {}
    for at in range(1, NIGHTS + 1):
        names[chance.randrange(DEVICES)] = f"Renamed in night {at}"
        phones = [
            a_phone(
                number,
                at=at,
                name=name,
                battery_percent=chance.randrange(100),
                available_bytes=chance.randrange(64 * 10**9),
            )
            for number, name in names.items()
        ]
        collect(sqlite_database, phones, at=at)
        look(sqlite_database, at=at)
        sizes[at] = used_bytes(sqlite_database)
    assert (sizes[NIGHTS] - sizes[1]) / (DEVICES * (NIGHTS - 1)) <= 150
    with sqlite_database.engine.connect() as connection:
        counted = sa.select(sa.func.count())
        assert connection.scalar(counted.select_from(t.record)) == DEVICES + NIGHTS - 1
        assert connection.scalar(counted.select_from(t.reading)) == DEVICES * NIGHTS


def used_bytes(database: Database) -> int:
    """Bytes of all pages in use."""
    with database.engine.connect() as connection:
        pages, free, size = (
            connection.exec_driver_sql(f"PRAGMA {name}").scalar() or 0
            for name in ("page_count", "freelist_count", "page_size")
        )
    return (pages - free) * size
