"""Forgetting a device or a person: gone from every table, every text and every byte."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from fleet.model.fact import ABSENT, NOT_REPORTED
from fleet.model.waiver import Waiver
from fleet.store import tables as t
from fleet.store import waivers
from fleet.store.database import damage
from fleet.store.forgetting import forget_device, forget_person
from tests.nightly.a_night import Office, a_phone, a_source, ill, night

if TYPE_CHECKING:
    from fleet.store.database import Database

ZOE = {"name": "Zoë's iPad", "user_name": "Zoë Canary", "user_email": "zoe.canary@contoso.example"}
LOAN = {"name": "Zoë's iPad 2", "user_name": "Loan Desk", "user_email": "loan@contoso.example"}
WORDS = ("SERIAL0001", "serial-00 01", "UDID-1", "Zoë Canary", "zoe.canary", "Canary")


def nights(database: Database) -> Office:
    """Three nights: one device ill, another well, the first with a waiver once and named in a problem's text."""
    office = Office(database)
    for at in (1, 2, 3):
        first = ill(1, at, **ZOE) if at > 1 else a_phone(1, at, **ZOE)
        office.night(at, a_source([first, a_phone(2, at, **LOAN), a_phone(3, at, user_name=ABSENT)]))
    for serials in (("serial-00 01",), ("SERIAL0001", "SERIAL0002")):
        given = Waiver(
            checks=("*",), serials=serials, reason="Zoë Canary is away", owner="it", expires=date(2030, 1, 1)
        )
        waivers.give(database, given, at=night(3), by="it")
    with database.engine.begin() as connection:
        problems = [["odd", "SERIAL0001 (Zoë Canary) is odd, SERIAL00011 is not", 1]]
        connection.execute(t.collection.update().values(problems=problems))
    return office


def dump(database: Database) -> str:
    """Everything in every table."""
    with database.engine.connect() as connection:
        return "\n".join(
            str(tuple(row))
            for table in t.metadata.sorted_tables
            for row in connection.execute(sa.select(table))
        )


def test_a_forgotten_device_is_nowhere(database: Database) -> None:
    """No table, no text and no byte names it; the others are as they were, and past runs say what happened."""
    office = nights(database)
    before = office.again(2)
    assert before.devices["SERIAL0001"].findings
    ticket = before.finding(1).external_id
    found = forget_device(database, " serial-0001 ")
    assert found is not None
    assert found.left == ()
    assert (found.runs, found.sources, found.open_tickets) == (frozenset({1, 2, 3}), ("hq",), (ticket,))
    assert (found.removed["devices"], found.removed["readings"], found.removed["findings"]) == (1, 3, 1)
    said = dump(database)
    assert "SERIAL00011" in said
    said = said.replace("SERIAL00011", "")
    assert [word for word in WORDS if word in said] == []
    if database.path:
        content = database.path.read_bytes().replace(b"SERIAL00011", b"")
        assert [word for word in WORDS if word.encode() in content] == []
    assert damage(database) == []
    after = office.again(2)
    assert after.devices == {name: one for name, one in before.devices.items() if name != "SERIAL0001"}
    assert after.run.totals.devices == 2
    assert any("forgotten since, on request" in note for note in after.run.notes)
    assert forget_device(database, "SERIAL0001") is None


def test_the_nights_go_on(database: Database) -> None:
    """The next night is judged as ever; a device that its source still lists comes back as a new one."""
    office = nights(database)
    assert forget_device(database, "UDID-1") is not None
    on = office.night(4, a_source([ill(1, 4), a_phone(2, 4), a_phone(3, 4)]))
    assert on.told(1) == ("new", "create")
    assert not any("forgotten since" in note for note in on.run.notes)


def test_a_forgotten_person_leaves_the_device(database: Database) -> None:
    """Name and address of the person, and the name of the device, are gone; the device is judged as before."""
    office = nights(database)
    before = office.again(3)
    found = forget_person(database, "Zoe.Canary@Contoso.example")
    assert found is not None
    assert found.left == ()
    said = dump(database)
    assert [word for word in WORDS[3:] if word in said] == []
    if database.path:
        assert [word for word in WORDS[3:] if word.encode() in database.path.read_bytes()] == []
    after = office.again(3)
    device = after.devices["SERIAL0001"].device
    assert (device.user_name, device.user_email, device.name) == (NOT_REPORTED,) * 3
    assert after.finding(1) == before.finding(1)
    assert after.devices["SERIAL0002"] == before.devices["SERIAL0002"]
    assert any("forgotten since, on request" in note for note in after.run.notes)
    assert forget_person(database, "zoe.canary@contoso.example") is None


def test_a_person_whom_the_source_still_names_comes_back(usual_database: Database) -> None:
    """What is true at the source is true here again, though it says the same as before."""
    office = nights(usual_database)
    forget_person(usual_database, ZOE["user_email"])
    again = office.night(4, a_source([ill(1, 4, **ZOE), a_phone(2, 4, **LOAN), a_phone(3, 4)]))
    assert again.devices["SERIAL0001"].device.user_email == ZOE["user_email"]


@pytest.mark.parametrize("name", ["SERIAL9999", "", "%", "nobody@contoso.example"])
def test_nobody_is_forgotten_by_mistake(usual_database: Database, name: str) -> None:
    """A name that nobody has forgets nobody, wildcards of the database among them."""
    nights(usual_database)
    before = dump(usual_database)
    assert forget_device(usual_database, name) is None
    assert forget_person(usual_database, name) is None
    assert dump(usual_database) == before
