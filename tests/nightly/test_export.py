"""Grouped tickets over whole nights: an importer that only follows our actions ends up with the truth."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from fleet.errors import BadAnswer, SettingsError
from fleet.model.finding import Action
from fleet.model.fingerprint import fingerprint
from fleet.nightly.export import export, night_of
from fleet.store.findings import remembered
from reports.ticketing._grouping import Grouping
from reports.ticketing.generic import PROFILE
from tests.fleet_of import days
from tests.nightly.a_night import Office, a_phone, a_source, ill, night, serial
from tests.reports.exporting import header_of, listening

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from fleet.store.database import Database
    from tests.nightly.a_night import Row

DOWN = BadAnswer("page 1 is HTML")
FULL = "The device's storage is nearly full"


@dataclass(slots=True)
class Rows:
    """Keeps the rows of one export."""

    kept: list[dict[str, str]] = field(default_factory=list[dict[str, str]])

    def add(self, row: Sequence[str]) -> None:
        """Keep it by its header."""
        self.kept.append(dict(zip(header_of(PROFILE), row, strict=True)))

    def close(self) -> list[Path]:
        """Nothing is written."""
        return []


def rows_of(office: Office, grouping: Grouping, run_id: int | None = None) -> list[dict[str, str]]:
    """A run's export."""
    about, sink = night_of(office.database, run_id), Rows()
    export(office.database, about.run.id, listening(PROFILE, sink, about, grouping=grouping))
    return sink.kept


@dataclass(slots=True)
class Desk:
    """A service desk that does what it is told and knows nothing else."""

    open: set[str] = field(default_factory=set[str])
    closed: set[str] = field(default_factory=set[str])

    def take(self, rows: Sequence[dict[str, str]]) -> None:
        """Follow each row's action, which has to make sense for the ticket."""
        for row in rows:
            ticket, action = row["external_id"], row["action"]
            if action in {"create", "reopen"}:
                assert ticket not in self.open
                assert action == "create" or ticket in self.closed
                self.open.add(ticket)
            elif action == "update":
                assert ticket in self.open
            elif action == "resolve":
                self.open.remove(ticket)
                self.closed.add(ticket)


def standing(office: Office, run_id: int) -> dict[Grouping, set[str]]:
    """The tickets that should be open: those of findings that a ticketing system was told of."""
    with office.database.engine.connect() as connection:
        told = [memory for _, memory, _ in remembered(connection, run_id) if memory.ticket == "open"]
    return {
        Grouping.FINDING: {memory.external_id for memory in told},
        Grouping.CHECK: {fingerprint("ticket", (memory.told or "").split("/")[0]) for memory in told},
    }


def any_phone(dice: random.Random, number: int, at: int) -> Row:
    return dice.choice(
        [
            a_phone(number, at),
            a_phone(number, at),
            ill(number, at),
            ill(number, at, backup_restricted=True),
            a_phone(number, at, last_cloud_backup_at=night(at) - days(20)),
            a_phone(number, at, available_bytes=0),
        ]
    )


@pytest.mark.parametrize("seed", range(4))
def test_a_desk_that_follows_grouped_actions_ends_up_with_the_truth(
    usual_database: Database, seed: int
) -> None:
    """Over nights of all sorts, a source that fails among them, open tickets are those that should be, each night."""
    office, dice = Office(usual_database), random.Random(seed)
    desks = {Grouping.FINDING: Desk(), Grouping.CHECK: Desk()}
    for at in range(1, 12):
        phones = [any_phone(dice, number, at) for number in range(1, 6)]
        heard = office.night(at, a_source(phones, error=DOWN if dice.random() < 0.2 else None), accept=True)
        truth = standing(office, heard.run.id)
        for grouping, desk in desks.items():
            desk.take(rows_of(office, grouping))
            assert desk.open == truth[grouping], (at, grouping)


def test_a_device_has_one_ticket_whatever_is_wrong_with_it(usual_database: Database) -> None:
    """Grouped by device the ticket opens with the first problem, changes with the second, and closes with the last."""
    office = Office(usual_database)
    nights = [
        (ill(1, 1), "create", "iCloud Backup is off"),
        (
            ill(1, 2, available_bytes=0),
            "update",
            f"{FULL}; iCloud Backup is off; The iCloud plan may be too small",
        ),
        (a_phone(1, 3, available_bytes=0), "update", FULL),
        (a_phone(1, 4, available_bytes=0), "none", FULL),
        (a_phone(1, 5), "resolve", FULL),
        (ill(1, 6), "reopen", "iCloud Backup is off"),
    ]
    keys: set[str] = set()
    for at, (phone, action, title) in enumerate(nights, 1):
        office.night(at, a_source([phone]))
        (row,) = rows_of(office, Grouping.DEVICE)
        assert (row["action"], row["title"], row["serial"]) == (action, title, serial(1))
        keys.add(row["external_id"])
    assert len(keys) == 1


def test_a_check_has_one_ticket_with_its_devices(usual_database: Database) -> None:
    """Grouped by check a ticket names its devices, and a device whose problem changes moves on to another ticket."""
    office = Office(usual_database)
    office.night(1, a_source([ill(1, 1), ill(2, 1), a_phone(3, 1)]))
    (row,) = rows_of(office, Grouping.CHECK)
    assert (row["title"], row["devices"], row["serial"]) == ("iCloud Backup is off: 2 devices", "2", "")
    assert serial(1) in row["admin_text"]
    assert serial(3) not in row["admin_text"]
    office.night(2, a_source([ill(1, 2, backup_restricted=True), a_phone(2, 2), a_phone(3, 2)]))
    moved = {row["check_id"]: row["action"] for row in rows_of(office, Grouping.CHECK)}
    assert moved == {"backup-disabled": "resolve", "backup-restricted": "create"}


def test_a_past_run_is_exported_as_it_was(usual_database: Database) -> None:
    """The export of an older run is the same tomorrow, whatever happened since."""
    office = Office(usual_database)
    office.night(1, a_source([ill(1, 1)]))
    first = rows_of(office, Grouping.FINDING)
    office.night(2, a_source([a_phone(1, 2)]))
    assert rows_of(office, Grouping.FINDING, run_id=1) == first
    (row,) = rows_of(office, Grouping.FINDING)
    assert (row["action"], row["run_id"]) == (Action.RESOLVE, "2")
    _, _, verdict = row["admin_text"].split("\n", 3)[:3]
    assert verdict == "iCloud Backup is off (backup-disabled, high, observed)"
    assert row["admin_text"].split("\n")[3] == (
        "Closed: the newest facts show that the problem is gone. Nothing is left to do."
    )


def test_a_night_on_hold_exports_no_action(usual_database: Database) -> None:
    """While so much changed at once, every row says none; the next quiet night releases the actions."""
    office = Office(usual_database)
    office.night(1, a_source([a_phone(number, 1) for number in range(25)]))
    office.night(2, a_source([ill(number, 2) for number in range(25)]))
    for grouping in Grouping:
        assert {row["action"] for row in rows_of(office, grouping)} <= {"none"}
    office.night(3, a_source([ill(number, 3) for number in range(25)]))
    released = {row["check_id"]: row["action"] for row in rows_of(office, Grouping.CHECK)}
    assert released["backup-disabled"] == "create"


def test_without_a_run_there_is_nothing_to_export(usual_database: Database) -> None:
    """An empty database says what makes a run."""
    with pytest.raises(SettingsError, match="no run yet"):
        night_of(usual_database, None)
