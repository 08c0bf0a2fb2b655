"""Nights in a store: what sources said, written and read back, without anybody's judgement."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from fleet.apple.catalog import bundled
from fleet.model.device import SIGNALS
from fleet.model.run import Outcome, Totals
from fleet.store import inventory, ledger, runs
from fleet.store.open_run import open_run
from tests.fleet_of import NOW, Value, a_record, days

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from fleet.model.device import DeviceRecord, Sighting, Standing
    from fleet.store.database import Database
    from fleet.store.history import Sighted

START = NOW - days(100)
CATALOG = bundled()


def night(number: int) -> datetime:
    """The moment of the night with that number."""
    return START + days(number)


def a_phone(number: int = 1, *, at: int = 1, **signals: Value) -> DeviceRecord:
    """A healthy phone of its own, as its source lists it in the night `at`."""
    own: dict[str, Value] = {"native_id": str(number), "serial": f"SERIAL{number}", "udid": f"UDID-{number}"}
    times: dict[str, Value] = {"enrolled_at": START - days(400)}
    return a_record(now=night(at), **{**own, **times, **signals})


def write(
    database: Database, rows: Iterable[DeviceRecord], *, at: int = 1, source: str = "hq"
) -> inventory.CollectionWriter:
    """A collection under way, with one page in it."""
    writer = inventory.begin_collection(
        database, name=source, kind="made_up", as_of=night(at), started_at=night(at), reported=SIGNALS
    )
    writer.add(rows)
    return writer


def collect(
    database: Database,
    rows: Iterable[DeviceRecord],
    *,
    at: int = 1,
    source: str = "hq",
    outcome: Outcome = Outcome.COMPLETE,
    unread_ids: Sequence[str] = (),
    anonymous: int = 0,
) -> None:
    """A closed collection of one page."""
    write(database, rows, at=at, source=source).close(
        outcome=outcome,
        finished_at=night(at),
        expected=None,
        unreadable=len(unread_ids) + anonymous,
        unread_ids=unread_ids,
        anonymous=anonymous,
        problems=[],
    )


def look(database: Database, *, at: int = 1, sources: Sequence[str] = ("hq",)) -> int:
    """A finished run over what was collected by then; its number."""
    basis = basis_of(database, sources, at)
    run_id = begin_look(database, at=at, sources=sources)
    with open_run(database, run_id, None, basis, write=True) as run:
        run.finish(finished_at=night(at), hold=False, totals=Totals())
    return run_id


def begin_look(database: Database, *, at: int = 1, sources: Sequence[str] = ("hq",)) -> int:
    """A run that has begun and not finished."""
    content = CATALOG.facts_json()
    return runs.begin_run(
        database,
        as_of=night(at),
        started_at=night(at),
        outcome=Outcome.COMPLETE,
        chained=True,
        previous_id=None,
        version="1",
        settings={},
        policy_hash="0" * 16,
        catalog=("0" * 64, content),
        catalog_date=CATALOG.date,
        notes=[],
        basis=basis_of(database, sources, at),
    )


def basis_of(database: Database, sources: Sequence[str], at: int) -> list[ledger.Basis]:
    """What there is to judge of `sources` by that night; other sources are left out of it."""
    return [one for one in ledger.basis_at(database, sources, night(at)) if not one.removed]


def devices_of(database: Database, run_id: int) -> list[Sighted]:
    """The devices as that run sees them, in the order of keys."""
    basis = ledger.basis_of_run(database, run_id)
    with open_run(database, run_id, None, basis, write=False) as run:
        return list(run.devices())


def fleet(database: Database, *, at: int = 1, sources: Sequence[str] = ("hq",)) -> list[Sighted]:
    """The devices as a new run of that night sees them."""
    return devices_of(database, look(database, at=at, sources=sources))


def sightings(devices: Iterable[Sighted]) -> dict[tuple[str, str], Sighting]:
    """Every sighting by source and native id."""
    return {(s.source, s.record.native_id): s for device in devices for s in device.sightings}


def standings(devices: Iterable[Sighted]) -> dict[str, Standing]:
    """How each record stands, by native id."""
    return {native_id: sighting.standing for (_, native_id), sighting in sightings(devices).items()}


def records(devices: Iterable[Sighted]) -> dict[str, DeviceRecord]:
    """Each record by native id."""
    return {native_id: sighting.record for (_, native_id), sighting in sightings(devices).items()}


def joined(devices: Iterable[Sighted]) -> set[frozenset[tuple[str, str]]]:
    """Which records are held to be of one device."""
    return {frozenset((s.source, s.record.native_id) for s in device.sightings) for device in devices}


def rows_in(database: Database, table: sa.Table) -> int:
    """How many rows the table has."""
    with database.engine.connect() as connection:
        return connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0
