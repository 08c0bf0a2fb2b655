"""Waivers of the command line in the database."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from fleet.model.waiver import Waiver
from fleet.store import waivers
from tests.store.keeping import a_phone, collect, night

if TYPE_CHECKING:
    from fleet.store.database import Database

KIOSK = Waiver(
    checks=("backup-disabled", "*"),
    serials=("C39X1",),
    groups=("Kiosk", "Lobby"),
    reason="Kiosk iPads hold no data",
    owner="it@example.com",
    expires=night(30).date(),
)


def test_a_waiver_is_kept_with_who_and_when(database: Database) -> None:
    """What was given reads back as it was, with its number, until it is taken back, once, with who and when."""
    number = waivers.give(database, KIOSK, at=night(1), by="admin")
    (kept,) = waivers.stored(database)
    assert (kept.made_at, kept.made_by, kept.revoked_at) == (night(1), "admin", None)
    assert waivers.in_force(database, night(2)) == (kept.waiver,)
    assert kept.waiver == replace(KIOSK, id=number)
    assert waivers.revoke(database, number, at=night(3), by="another")
    assert not waivers.revoke(database, number, at=night(4), by="a third")
    assert not waivers.revoke(database, 99, at=night(4), by="a third")
    (gone,) = waivers.stored(database)
    assert (gone.revoked_at, gone.revoked_by) == (night(3), "another")
    assert waivers.in_force(database, night(3)) == ()


def test_an_ended_waiver_is_news_for_a_month(usual_database: Database) -> None:
    """Runs are told of an ended waiver for thirty days, and then no more."""
    waivers.give(usual_database, KIOSK, at=night(1), by="admin")
    assert [len(waivers.in_force(usual_database, night(30) + timedelta(days=n))) for n in (1, 30, 31)] == [
        1,
        1,
        0,
    ]


def test_known_serials(usual_database: Database) -> None:
    """A serial is known in any spelling once a source told of it."""
    collect(usual_database, [a_phone(1, serial="C39XTEST1")])
    assert [
        waivers.knows_serial(usual_database, one) for one in ("c39xtest1", "C39X-TEST1", "C39XTEST2")
    ] == [
        True,
        True,
        False,
    ]
