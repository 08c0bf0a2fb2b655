"""Questions about the past, answered from the database alone: a device, its nights, and how the fleet stood."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby, islice
from operator import itemgetter
from typing import TYPE_CHECKING

from fleet.errors import SettingsError
from fleet.merge import merge
from fleet.model.finding import Severity
from fleet.nightly.bench import Bench
from fleet.nightly.judge import beside, number, remade
from fleet.store import ledger, runs
from fleet.store.open_run import open_run

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from datetime import datetime

    from fleet.model.device import Device
    from fleet.model.device_report import DeviceReport
    from fleet.model.memory import Memory
    from fleet.nightly.bench import Judgement
    from fleet.store.database import Database
    from fleet.store.life import Life
    from fleet.store.open_run import OpenRun
    from fleet.store.runs import RunRow


@dataclass(frozen=True, slots=True)
class Seen:
    """One device as a run judged it.

    Attributes:
        device: what was last known of it.
        report: None where it had left the fleet before that run.
        life: what the nights up to that run knew of it.
    """

    device: Device
    report: DeviceReport | None
    life: Life


@dataclass(frozen=True, slots=True)
class AtRisk:
    """A device at risk, with the findings that stood, the worst first."""

    device: Device
    findings: tuple[Memory, ...]


@dataclass(frozen=True, slots=True)
class Fleet:
    """How the fleet stood when one run was over.

    Attributes:
        counted: standing findings of devices by check and severity; None where the night was pruned.
        at_risk: streams the devices at risk, in the order of keys; None where the night was pruned.
    """

    run: RunRow
    counted: list[tuple[str, Severity, int]] | None
    incidents: list[Memory] | None
    at_risk: Iterator[AtRisk] | None


@contextmanager
def run_of(database: Database, run_id: int | None) -> Generator[tuple[Judgement, OpenRun, bool]]:
    """A past run, open for questions, and whether its ticket actions were held."""
    judgement, hold = remade(database, run_id)
    with open_run(database, judgement.run_id, number(judgement), judgement.basis, write=False) as run:
        yield judgement, run, hold


def devices_by(database: Database, name: str, run_id: int | None = None) -> tuple[Judgement, list[Seen]]:
    """The devices that go by a name, as a past run judged them; the newest run without `run_id`.

    It is one device, or none that the run knew; two where a run of long ago took for two what is one.

    Args:
        name: its serial number, UDID or key, or the external id of one of its findings; in any spelling.

    Raises:
        SettingsError: there is no such run, or what it judged was pruned.
    """
    with run_of(database, run_id) as (judgement, run, hold):
        bench = Bench(database, run, judgement, hold=hold or not judgement.chained, whole_fleet=False)
        among = run.named(name)
        found: list[Seen] = []
        for sighted, own, superseded in beside(run.devices(among=among), run.memories(among=among)):
            report, _ = bench.report(sighted, own, superseded)
            device = report.device if report else merge(sighted.key, sighted.sightings)
            found.append(Seen(device, report, run.life({sighted.device_id}, chained=judgement.chained)))
        return judgement, found


@contextmanager
def fleet_at(database: Database, moment: datetime) -> Generator[Fleet]:
    """How the fleet stood after the last run that judged that moment or an earlier one.

    Raises:
        SettingsError: there was no run by then.
    """
    run_id = runs.run_by(database, moment)
    row = runs.load_run(database, run_id) if run_id is not None else None
    if row is None:
        raise SettingsError(_before_the_first(database, moment))
    if row.pruned:
        yield Fleet(row, None, None, None)
        return
    basis = ledger.basis_of_run(database, row.id)
    with open_run(database, row.id, row.id, basis, write=False) as run:
        incidents = [one for one in run.incidents().values() if one.condition == "open"]
        yield Fleet(row, run.counted(), incidents, _at_risk(run))


def _before_the_first(database: Database, moment: datetime) -> str:
    first = runs.first_kept(database)
    if first is None:
        return f"there is no run yet in {database.place}; `fleetkeep run` makes one"
    return (
        f"no run judged {moment:%Y-%m-%d %H:%M} UTC or an earlier moment; the first one judged "
        f"{first:%Y-%m-%d %H:%M} UTC"
    )


def _at_risk(run: OpenRun) -> Iterator[AtRisk]:
    """At risk is who has a standing finding of medium or worse: as the run itself counted."""
    ill = (
        (device_id, [memory for _, _, memory in group])
        for device_id, group in groupby(run.standing(), key=itemgetter(0))
    )
    ill = ((device_id, memories) for device_id, memories in ill if _worst(memories) >= Severity.MEDIUM.rank)
    while some := dict(islice(ill, _CHUNK)):
        for sighted in run.devices(among=frozenset(some)):
            memories = sorted(some[sighted.device_id], key=lambda one: -one.severity.rank)
            yield AtRisk(merge(sighted.key, sighted.sightings), tuple(memories))


_CHUNK = 500


def _worst(memories: list[Memory]) -> int:
    return max(memory.severity.rank for memory in memories)
