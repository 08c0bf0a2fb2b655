"""Judging: one pass over the fleet from the database, through merge, checks and life cycle, to whoever listens.

The pass reads what was collected and never what is in flight, with the policy, the waivers and the catalogue that
stand in the run's ledger entry. So a past run can be made again, byte for byte, by the same pass.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from itertools import repeat
from typing import TYPE_CHECKING, Protocol

from fleet import __version__
from fleet.apple.catalog import Catalog
from fleet.errors import SettingsError
from fleet.model.finding import Status
from fleet.model.run import Outcome, RunReport, Totals
from fleet.model.waiver import use_of
from fleet.nightly import remarks, rules
from fleet.nightly.bench import Bench, Judgement
from fleet.nightly.recall import Recall
from fleet.nightly.terms import Terms, waiver_from
from fleet.store import ledger, runs
from fleet.store.open_run import OpenRun, open_run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from fleet.model.device_report import DeviceReport
    from fleet.model.memory import Memory
    from fleet.model.outage import SystemStatus
    from fleet.model.run import Incident
    from fleet.model.waiver import Waiver, WaiverUse
    from fleet.store.database import Database
    from fleet.store.history import Sighted
    from fleet.store.ledger import Basis
    from fleet.store.runs import RunRow

LOOKS = timedelta(days=30)
"""How far back it counts what Apple said of its services: a wave is found days after what caused it."""
SMALL_FLEET = 20
"""Below this many assessable devices a percentage of them says nothing, and the mass-change brake is off."""


@dataclass(frozen=True, slots=True)
class Passed:
    """What one walk over the fleet came to.

    Attributes:
        moved: devices that changed sides.
        notes: sentences about what held findings back, and about checks that broke.
        incomplete: not every check had its say.
    """

    totals: Totals
    moved: int
    incidents: tuple[Incident, ...]
    notes: tuple[str, ...]
    incomplete: bool = False


class Listener(Protocol):
    """Whoever wants each device as it is judged."""

    def device(self, report: DeviceReport) -> None:
        """Take one device, in the order of keys."""
        ...

    def again(self) -> None:
        """Forget all devices: the pass starts over."""
        ...


def judge(
    database: Database,
    terms: Terms,
    catalog: Catalog,
    *,
    names: Sequence[str],
    as_of: datetime,
    now: Callable[[], datetime],
    listener: Listener,
    accept_mass_change: bool = False,
    notes: Sequence[str] = (),
    status: SystemStatus | None = None,
    history: bool = False,
    shared_run_id: int | None = None,
) -> RunReport:
    """Judge the fleet as it was known at `as_of`, write down what became of findings, and report.

    Args:
        names: the configured sources, in their order.
        now: the wall clock, for the ledger alone.
        accept_mass_change: the admin has seen that much changed and says that it is true.
        status: what Apple says of its services; None where it was not asked or did not answer.
        history: the listener shows what devices at risk were like on earlier nights, so that is looked up.
        shared_run_id: the shared run that this evaluates.

    Raises:
        SettingsError: nothing had been collected by then.
    """
    basis = ledger.basis_at(database, names, as_of)
    if all(one.removed for one in basis):
        raise SettingsError(
            f"nothing was collected by {as_of:%Y-%m-%dT%H:%M:%SZ}; run `fleetkeep collect` first"
        )
    judgement = _begin(
        database,
        terms,
        catalog,
        basis,
        as_of=as_of,
        started_at=now(),
        notes=notes,
        status=status,
        shared_run_id=shared_run_id,
    )
    for hold in (False, True):
        with open_run(database, judgement.run_id, number(judgement), basis, write=True) as run:
            passed = _pass(database, run, judgement, listener, hold=hold, history=history)
            if not hold and not accept_mass_change and _too_much(database, passed, judgement):
                listener.again()
                continue
            run.finish(finished_at=now(), hold=hold, totals=passed.totals, incomplete=passed.incomplete)
            return rebuilt(database, judgement.run_id, passed)
    raise AssertionError("a held pass is always the last")


def judge_again(
    database: Database, run_id: int | None, listener: Listener, *, history: bool = False
) -> RunReport:
    """Make a past run again from what the ledger holds of it; the newest without `run_id`.

    Raises:
        SettingsError: there is no such run, or what it judged was pruned.
    """
    judgement, hold = remade(database, run_id)
    with open_run(database, judgement.run_id, number(judgement), judgement.basis, write=False) as run:
        passed = _pass(database, run, judgement, listener, hold=hold, history=history)
    return rebuilt(database, judgement.run_id, passed)


def waivers_now(database: Database, waivers: Sequence[Waiver], at: datetime) -> list[WaiverUse]:
    """How those waivers stand at a moment, by what each covered in the newest run."""
    plain = runs.last_covered(database)
    covered = {waiver_from(one): findings for one, findings in plain}
    return [use_of(waiver, covered.get(waiver), at) for waiver in waivers]


def remade(database: Database, run_id: int | None) -> tuple[Judgement, bool]:
    """A past run's judgement from the ledger, and whether its ticket actions were held."""
    row = runs.load_run(database, run_id)
    if row is None:
        wanted = f"no run {run_id}" if run_id is not None else "no run yet"
        raise SettingsError(f"there is {wanted} in {database.place}; `fleetkeep run` makes one")
    if row.pruned:
        raise SettingsError(
            f"the facts of run {row.id} were pruned from {database.place}; only younger runs can be made again"
        )
    basis = ledger.basis_of_run(database, row.id)
    previous = (row.previous_id, row.previous_at) if row.previous_id and row.previous_at else None
    terms = Terms.from_json(row.settings)
    judgement = Judgement(
        run_id=row.id,
        as_of=row.as_of,
        terms=terms,
        catalog=Catalog.from_json(row.catalog, date=row.catalog_date),
        status=row.status,
        looks=_looks(database, row.id, row.as_of),
        basis=basis,
        chained=row.chained,
        previous=previous,
        seen_before=ledger.collections_of_run(database, previous[0]) if previous else frozenset(),
        former=rules.former_rules(database, row.previous_id, terms, row.catalog),
    )
    return judgement, row.hold


def rebuilt(database: Database, run_id: int, passed: Passed) -> RunReport:
    """The head of a finished run's reports; the same for ever, so a report can be made again."""
    row = runs.load_run(database, run_id)
    if row is None:
        raise SettingsError(f"run {run_id} is not in {database.place}")
    terms = Terms.from_json(row.settings)
    before = runs.load_run(database, row.previous_id) if row.previous_id else None
    waivers = tuple(map(use_of, terms.waivers, passed.totals.covered, repeat(row.as_of)))
    return RunReport(
        id=row.id,
        as_of=row.as_of,
        generated_at=row.finished_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
        outcome=row.outcome,
        version=row.version,
        title=terms.title,
        base_url=terms.base_url or None,
        policy=terms.policy,
        policy_hash=row.policy_hash,
        catalog_date=row.catalog_date,
        hold=row.hold,
        sources=tuple(one.report for one in ledger.basis_of_run(database, row.id) if not one.removed),
        totals=passed.totals,
        incidents=passed.incidents,
        waivers=waivers,
        trend=runs.trend_before(database, row.id),
        previous_at=before.as_of if before else None,
        notes=(*row.notes, *passed.notes, *remarks.sentences(before, row, waivers, passed.totals)),
    )


def _begin(
    database: Database,
    terms: Terms,
    catalog: Catalog,
    basis: Sequence[Basis],
    *,
    as_of: datetime,
    started_at: datetime,
    notes: Sequence[str],
    status: SystemStatus | None,
    shared_run_id: int | None,
) -> Judgement:
    previous = runs.previous_run(database, as_of)
    chained = runs.is_newest(database, as_of)
    content = catalog.facts_json()
    run_id = runs.begin_run(
        database,
        as_of=as_of,
        started_at=started_at,
        outcome=_outcome(basis),
        chained=chained,
        previous_id=previous[0] if previous else None,
        shared_run_id=shared_run_id,
        version=__version__,
        settings=terms.to_json(),
        policy_hash=terms.policy.fingerprint(),
        catalog=(hashlib.sha256(content.encode()).hexdigest(), content),
        catalog_date=catalog.date,
        status=status,
        notes=notes,
        basis=basis,
    )
    looks = _looks(database, run_id, as_of)
    return Judgement(
        seen_before=ledger.collections_of_run(database, previous[0]) if previous else frozenset(),
        former=rules.former_rules(database, previous[0] if previous else None, terms, content),
        run_id=run_id,
        as_of=as_of,
        terms=terms,
        catalog=catalog,
        # As it was stored: what a report shows has to be the same when it is made again.
        status=looks[0] if status else None,
        looks=looks,
        basis=basis,
        chained=chained,
        previous=previous,
    )


def _looks(database: Database, run_id: int, as_of: datetime) -> tuple[SystemStatus, ...]:
    return runs.looks_at_apple(database, run_id, since=as_of - LOOKS)


def _outcome(basis: Sequence[Basis]) -> Outcome:
    outcomes = {one.report.outcome for one in basis if not one.removed}
    if len(outcomes) == 1:
        return outcomes.pop()
    return Outcome.PARTIAL


def number(judgement: Judgement) -> int | None:
    """The run that a judgement goes on from."""
    return judgement.previous[0] if judgement.previous else None


def _too_much(database: Database, passed: Passed, judgement: Judgement) -> bool:
    """The mass-change brake: too many of the assessable devices changed sides in one night."""
    assessable = passed.totals.devices - passed.totals.statuses[Status.NOT_APPLICABLE]
    if judgement.previous is None or not judgement.chained or assessable < SMALL_FLEET:
        return False
    if passed.moved * 100 <= judgement.terms.policy.mass_change_percent * assessable:
        return False
    return not _saw_nothing(runs.load_run(database, judgement.previous[0]))


def _saw_nothing(run: RunRow | None) -> bool:
    """A run that read nothing, as for a wrong address, is no night to compare with: the next one is the first."""
    return run is not None and run.outcome is Outcome.FAILED and run.totals["devices"] == 0


def _pass(
    database: Database,
    run: OpenRun,
    judgement: Judgement,
    listener: Listener,
    *,
    hold: bool,
    history: bool,
) -> Passed:
    """One walk over the fleet, and what follows for it as a whole."""
    bench = Bench(database, run, judgement, hold=hold or not judgement.chained)
    recall = Recall(bench.readings if history else None, listener.device)
    totals, moved = Totals(), 0
    for sighted, own, superseded in beside(run.devices(), run.memories()):
        report, changed_sides = bench.report(sighted, own, superseded)
        moved += changed_sides
        if report is not None:
            totals.add(report)
            recall.take(report, sighted)
    recall.flush()
    totals.covered = bench.waivers.covered
    incidents = tuple(bench.fleet.judged())
    for incident in incidents:
        totals.add_incident(incident)
    return Passed(totals, moved, incidents, bench.notes(), incomplete=bool(bench.broken))


def beside(
    devices: Iterator[Sighted], memories: Iterator[tuple[str, Memory, bool]]
) -> Iterator[tuple[Sighted, dict[str, Memory], list[Memory]]]:
    """Each device with what is remembered of it, and of those that turned out to be it.

    Both streams come in the order of keys.
    """
    one = next(memories, None)
    for sighted in devices:
        while one is not None and one[0] < sighted.key:
            one = next(memories, None)
        own: dict[str, Memory] = {}
        superseded: list[Memory] = []
        while one is not None and one[0] == sighted.key:
            _, memory, of_another = one
            if of_another:
                superseded.append(memory)
            else:
                own[memory.problem] = memory
            one = next(memories, None)
        yield sighted, own, superseded
