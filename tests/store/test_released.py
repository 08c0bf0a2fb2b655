"""Databases that released versions wrote: the newest program brings them up to date and goes on as if nothing were."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from alembic.script import ScriptDirectory

from fleet.model.finding import Action, State
from fleet.store import schema, waivers
from fleet.store.database import damage
from tests.databases import opened
from tests.nightly.a_night import Office, night, serial
from tests.store.released import MAKE, NIGHTS, place_of, restore, revisions, sources
from tests.store.test_migrations import drift

if TYPE_CHECKING:
    from tests.databases import Place

CHANGED = f"""
The databases that are kept of revision {schema.HEAD} are not of the schema that it makes now.
- Before the version that brings {schema.HEAD} is released: `{MAKE}`, and commit what it writes.
- After its release neither may change: undo the change to {schema.HEAD}, and write a new revision instead.
"""


def test_every_revision_has_its_databases() -> None:
    """A revision comes with one database of each kind that was written at it."""
    known = [one.revision for one in ScriptDirectory(str(schema.migrations())).walk_revisions()]
    missing = [
        one for one in known if not all(place_of(one, kind).exists() for kind in ("sqlite", "postgresql"))
    ]
    assert missing == [], f"there are no databases of {missing}: `{MAKE}`"
    assert revisions() == sorted(known)


def test_the_newest_is_what_its_revision_makes(place: Place) -> None:
    """The databases of the newest revision have its schema; else the message says what to do, and when."""
    url = place.empty()
    restore(schema.HEAD, url)
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with closing(engine.connect()):
        assert drift(engine) == [], CHANGED


@pytest.mark.parametrize("revision", revisions())
def test_the_newest_program_goes_on(place: Place, revision: str) -> None:
    """After the upgrade a past run is made again, tickets keep their ids and go on, and nothing is lost or new."""
    url = place.empty()
    restore(revision, url)
    with opened(url) as database:
        assert schema.state(database.engine) is schema.State.CURRENT
        assert drift(database.engine) == []
        assert damage(database) == []
        office = Office(database, names=["hq", "lab", "apart", "both"])
        before = office.again(NIGHTS)
        assert sorted(before.devices) == [serial(number) for number in range(1, 8)]
        assert before.told(2) == (State.OPEN, Action.NONE)
        assert before.finding(7).state is State.WAIVED
        office.with_terms(waivers=tuple(waivers.in_force(database, night(NIGHTS + 1))))
        after = office.night(NIGHTS + 1, *sources(NIGHTS + 1))
        assert after.devices.keys() == before.devices.keys()
        for number in (2, 6):
            assert after.finding(number).external_id == before.finding(number).external_id
            assert after.told(number) == (State.OPEN, Action.NONE)
        assert after.finding(7).state is State.WAIVED
        assert office.again(NIGHTS) == before
