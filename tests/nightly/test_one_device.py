"""Nights on which it shows whose records are one device: no ticket is orphaned, and no past night changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fleet.model.fact import ABSENT
from fleet.model.finding import Action, State
from tests.nightly.a_night import Heard, Office, a_phone, a_source, ill, serial

if TYPE_CHECKING:
    from fleet.model.finding import Finding
    from fleet.store.database import Database
    from tests.fleet_of import Value

OPEN_NONE = (State.OPEN, Action.NONE)


@pytest.fixture
def office(database: Database) -> Office:
    """A database with its nightly work."""
    return Office(database, names=["serials", "udids", "both"])


def told(heard: Heard) -> dict[str, tuple[State, Action, str | None]]:
    """State, action and reason of every backup finding of the night, by external id."""
    return {one.external_id: (one.state, one.action, one.reason) for one in findings(heard)}


def findings(heard: Heard) -> list[Finding]:
    return [one for device in heard.devices.values() for one in device.findings if one.problem == "backup"]


def by_serial(at: int, **signals: Value) -> Value:
    return ill(1, at, **{"native_id": "s", "udid": ABSENT, **signals})


def by_udid(at: int, **signals: Value) -> Value:
    return ill(1, at, **{"native_id": "u", "serial": ABSENT, **signals})


def apart(office: Office, at: int = 1, **signals: Value) -> tuple[str, str, Heard]:
    """A night on which one ill phone is two devices, each with a ticket; the older's comes first."""
    office.collect(at, a_source([by_serial(at, **signals)], name="serials"))
    heard = office.night(at, a_source([by_udid(at, **signals)], name="udids"))
    first = heard.devices[serial(1)].findings[0].external_id
    (second,) = told(heard).keys() - {first}
    assert set(told(heard).values()) == {(State.NEW, Action.CREATE, None)}
    return first, second, heard


def together(office: Office, at: int, *, accept: bool = False, **signals: Value) -> Heard:
    """A later night on which a third source knows the phone by both its numbers."""
    return office.night(
        at,
        a_source([by_serial(at, **signals)], name="serials"),
        a_source([by_udid(at, **signals)], name="udids"),
        a_source([ill(1, at, native_id="b", **signals)], name="both"),
        accept=accept,
    )


def test_the_younger_ticket_ends_and_the_older_goes_on(office: Office) -> None:
    """When two devices turn out to be one, the older keeps its ticket and the younger's is closed with the reason."""
    older, younger, before = apart(office)
    now = together(office, 2)
    assert len(now.devices) == 1
    assert told(now) == {
        older: (*OPEN_NONE, None),
        younger: (State.RESOLVED, Action.RESOLVE, "superseded"),
    }
    assert now.run.totals.changes["resolved"] == 1
    assert told(together(office, 3)) == {older: (*OPEN_NONE, None)}
    assert office.again(before.run.id) == before
    assert office.again(now.run.id) == now


def test_a_problem_that_only_the_younger_had_gets_a_ticket_of_the_older(office: Office) -> None:
    """Where only the younger device was known to be ill, its ticket ends and one of the older device begins."""
    office.collect(1, a_source([a_phone(1, 1, native_id="s", udid=ABSENT)], name="serials"))
    first = office.night(1, a_source([by_udid(1)], name="udids"))
    (younger,) = told(first)
    now = together(office, 2)
    assert told(now).pop(younger) == (State.RESOLVED, Action.RESOLVE, "superseded")
    assert (*told(now).values(),)[0] == (State.NEW, Action.CREATE, None)
    assert len(told(now)) == 2


def test_a_held_night_closes_the_younger_ticket_later(office: Office) -> None:
    """A night whose ticket actions are held forgets nothing: the younger's ticket is closed by the next."""
    well = [a_phone(number, 1, native_id=str(number)) for number in range(10, 40)]
    office.collect(1, a_source([by_serial(1), *well], name="serials"))
    first = office.night(1, a_source([by_udid(1)], name="udids"))
    (older,) = (one.external_id for one in first.devices[serial(1)].findings)
    (younger,) = told(first).keys() - {older}
    for at, expected in ((2, (State.RESOLVED, Action.NONE)), (3, (State.RESOLVED, Action.RESOLVE))):
        ills = [ill(number, at, native_id=str(number)) for number in range(10, 40)]
        now = office.night(
            at,
            a_source([by_serial(at), *ills], name="serials"),
            a_source([by_udid(at)], name="udids"),
            a_source([ill(1, at, native_id="b")], name="both"),
        )
        assert now.run.hold == (at == 2)
        assert told(now)[younger] == (*expected, "superseded")


def test_a_record_whose_serial_is_another_devices(office: Office) -> None:
    """A record that had no number and turns out to be a known phone leaves no ticket behind."""
    office.collect(1, a_source([ill(1, 1, native_id="s")], name="serials"))
    first = office.night(1, a_source([by_udid(1, udid=ABSENT)], name="udids"))
    assert len(told(first)) == 2
    now = office.night(
        2,
        a_source([ill(1, 2, native_id="s")], name="serials"),
        a_source([by_udid(2, serial=serial(1))], name="udids"),
    )
    assert len(now.devices) == 1
    assert sorted(told(now).values()) == [
        (*OPEN_NONE, None),
        (State.RESOLVED, Action.RESOLVE, "superseded"),
    ]


def test_a_reused_record_leaves_its_phone_gone(office: Office) -> None:
    """When a vendor's id begins to tell of another phone, the ticket of the first lives on as that of a gone device."""
    first = office.night(1, a_source([ill(1, 1, native_id="a")], name="serials"))
    (ticket,) = told(first)
    other = a_source([a_phone(2, 2, native_id="a")], name="serials")
    now = office.night(2, other)
    assert told(now) == {ticket: (State.GONE, Action.NONE, "device_gone")}
    assert set(now.devices) == {serial(1), serial(2)}
    late = office.night(40, a_source([a_phone(2, 40, native_id="a")], name="serials"))
    assert told(late) == {ticket: (State.RESOLVED, Action.RESOLVE, "device_gone")}
    assert office.again(first.run.id) == first


def test_a_source_that_goes_leaves_what_it_showed(office: Office) -> None:
    """Two devices that a source showed to be one stay one, under the same key, when that source is taken away."""
    older, _, _ = apart(office)
    together(office, 2)
    office.names = ["serials", "udids"]
    now = office.night(3, a_source([by_serial(3)], name="serials"), a_source([by_udid(3)], name="udids"))
    assert told(now) == {older: (*OPEN_NONE, None)}
    assert set(now.devices) == {serial(1)}
