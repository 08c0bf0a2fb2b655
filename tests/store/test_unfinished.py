from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from fleet.store.leftovers import discard_unfinished
from fleet.store.tables import metadata
from tests.databases import opened
from tests.store.keeping import a_phone, begin_look, collect, fleet, look, night, write

if TYPE_CHECKING:
    from collections.abc import Callable

    from fleet.store.database import Database
    from tests.databases import Place

FIRST = [a_phone(1), a_phone(2), a_phone(3, name="Will change")]
SECOND = [a_phone(1, at=2), a_phone(3, at=2, name="Changed"), a_phone(4, at=2)]
LAB = [a_phone(1, at=2, native_id="L"), a_phone(9, at=2)]


def nothing_read(database: Database) -> None:
    write(database, [], at=2)


def half_read(database: Database) -> None:
    write(database, SECOND[1:], at=2)


def all_read(database: Database) -> None:
    write(database, SECOND, at=2)


def two_sources_under_way(database: Database) -> None:
    write(database, SECOND, at=2)
    write(database, LAB, at=2, source="lab")


def judging(database: Database) -> None:
    begin_look(database, at=1)


@pytest.mark.parametrize("killed", [nothing_read, half_read, all_read, two_sources_under_way, judging])
def test_killed_run_leaves_no_trace(place: Place, killed: Callable[[Database], None]) -> None:
    """After a run that was killed at any stage the next one tells the same as if the first had never been."""
    stories: list[object] = []
    for kill in (killed, None):
        with opened(place.ready()) as database:
            collect(database, FIRST, at=1)
            look(database, at=1)
            if kill:
                kill(database)
                assert discard_unfinished(database) == (2 if kill is two_sources_under_way else 1)
            assert discard_unfinished(database) == 0
            before = [(one.key, one.sightings) for one in fleet(database, at=1)]
            collect(database, SECOND, at=2)
            collect(database, LAB, at=2, source="lab")
            after = [(one.key, one.sightings) for one in fleet(database, at=2, sources=["hq", "lab"])]
            stories.append((before, after, counts(database)))
    assert stories[0] == stories[1]


def counts(database: Database) -> dict[str, int]:
    """Rows per table."""
    with database.engine.connect() as connection:
        return {
            table.name: connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0
            for table in metadata.sorted_tables
        }


def test_unfinished_collection_is_not_believed(database: Database) -> None:
    """What a collection wrote is not seen by any run before it is closed."""
    collect(database, FIRST, at=1)
    write(database, [a_phone(3, at=2, name="Changed"), a_phone(4, at=2)], at=2)
    assert fleet(database, at=1)[0].sightings[0].last_seen_at == night(1)
    discard_unfinished(database)
    names = {one.sightings[0].record.name for one in fleet(database, at=2)}
    assert "Will change" in names
    assert len(names) == 2
