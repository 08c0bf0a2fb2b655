"""Judging: one pass over the fleet from the database, through merge, checks and life cycle, to whoever listens.

The pass reads what was collected and never what is in flight, with the policy, the waivers and the catalogue that
stand in the run's ledger entry. So a past run can be made again, byte for byte, by the same pass.
"""

from __future__ import annotations

import hashlib
import json
import logging
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

from fleet import __version__
from fleet.apple.catalog import Catalog
from fleet.checks import installed, storage_filling
from fleet.checks._check import Case, Reading
from fleet.checks.assess import Assessment, assess, status_of
from fleet.checks.plan import plan_for
from fleet.errors import SettingsError
from fleet.lifecycle import Clock, Memory, Step, Tonight, advance, fingerprint
from fleet.merge import merge
from fleet.model.device import Device, Sighting, Standing
from fleet.model.finding import Clear, Finding, Problem, Severity, Status
from fleet.model.policy import Policy
from fleet.model.run import DeviceReport, Outcome, RunReport, Totals
from fleet.model.waiver import Waiver
from fleet.store import ledger
from fleet.store.history import Readings, Sighted
from fleet.store.open_run import OpenRun, open_run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from fleet.store.database import Database
    from fleet.store.ledger import Basis

log = logging.getLogger(__name__)

SMALL_FLEET = 20
"""Below this many assessable devices a percentage of them says nothing, and the mass-change brake is off."""
READINGS_DAYS = 45


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """All that a judgement depends on besides the facts; stored with the run, so that it can be made again.

    Attributes:
        plans: GB of iCloud storage assumed per source, where that differs from the policy.
    """

    policy: Policy
    waivers: tuple[Waiver, ...] = ()
    plans: Mapping[str, float] = field(default_factory=dict[str, float])
    title: str = "iCloud Backup"
    base_url: str = ""

    def to_json(self) -> dict[str, Any]:
        """As plain data for the ledger; holds no secrets."""
        plain: dict[str, Any] = json.loads(json.dumps(asdict(self), default=str))
        return plain

    @staticmethod
    def from_json(plain: Mapping[str, Any]) -> Terms:
        """What `to_json` wrote."""
        return Terms(
            policy=Policy(**plain["policy"]),
            waivers=tuple(_waiver(one) for one in plain["waivers"]),
            plans=plain["plans"],
            title=plain["title"],
            base_url=plain["base_url"],
        )


def _waiver(plain: Mapping[str, Any]) -> Waiver:
    values: dict[str, Any] = dict(plain)
    for name in ("checks", "serials", "sites", "groups", "models", "sources"):
        values[name] = tuple(values[name])
    values["expires"] = date.fromisoformat(values["expires"])
    return Waiver(**values)


class Listener(Protocol):
    """Whoever wants each device as it is judged."""

    def device(self, report: DeviceReport) -> None:
        """Take one device, in the order of keys."""
        ...

    def again(self) -> None:
        """Forget all devices: the pass starts over."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """One run to be made, or made again.

    Attributes:
        run_id: its number in the ledger.
        chained: later runs go on from its findings; not so for a second look at a past night.
        previous: the chained run that it goes on from, by number and `as_of`.
    """

    run_id: int
    as_of: datetime
    terms: Terms
    catalog: Catalog
    basis: Sequence[Basis]
    chained: bool
    previous: tuple[int, datetime] | None

    @property
    def outcomes(self) -> dict[str, Outcome]:
        """How whole each source's collection was."""
        return {one.report.name: one.report.outcome for one in self.basis}


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
) -> RunReport:
    """Judge the fleet as it was known at `as_of`, write down what became of findings, and report.

    Args:
        names: the configured sources, in their order.
        now: the wall clock, for the ledger alone.
        accept_mass_change: the admin has seen that much changed and says that it is true.

    Raises:
        SettingsError: nothing had been collected by then.
    """
    basis = ledger.basis_at(database, names, as_of)
    if not basis:
        raise SettingsError(
            f"nothing was collected by {as_of:%Y-%m-%dT%H:%M:%SZ}; run `fleetkeep collect` first"
        )
    judgement = _begin(database, terms, catalog, basis, as_of=as_of, started_at=now(), notes=notes)
    for hold in (False, True):
        with open_run(database, judgement.run_id, _number(judgement), basis, write=True) as run:
            totals, moved = _pass(database, run, judgement, listener, hold=hold)
            if not hold and not accept_mass_change and _too_much(moved, totals, judgement):
                listener.again()
                continue
            run.finish(finished_at=now(), hold=hold, totals=totals)
            break
    return rebuilt(database, judgement.run_id, totals)


def judge_again(database: Database, run_id: int | None, listener: Listener) -> RunReport:
    """Make a past run again from what the ledger holds of it; the newest without `run_id`.

    Raises:
        SettingsError: there is no such run, or what it judged was pruned.
    """
    judgement, hold = remade(database, run_id)
    with open_run(database, judgement.run_id, _number(judgement), judgement.basis, write=False) as run:
        totals, _ = _pass(database, run, judgement, listener, hold=hold)
    return rebuilt(database, judgement.run_id, totals)


def judge_device(database: Database, serial: str, run_id: int | None = None) -> DeviceReport | None:
    """One device as a past run judged it; the newest run without `run_id`. None if that run did not know it."""
    judgement, hold = remade(database, run_id)
    with open_run(database, judgement.run_id, _number(judgement), judgement.basis, write=False) as run:
        bench = _Bench(database, run, judgement, hold=hold or not judgement.chained)
        for sighted in run.devices(serial=serial):
            memories = {memory.problem: memory for _, memory in run.memories(device_id=sighted.device_id)}
            return bench.report(sighted, memories)[0]
    return None


def remade(database: Database, run_id: int | None) -> tuple[Judgement, bool]:
    """A past run's judgement from the ledger, and whether its ticket actions were held."""
    row = ledger.load_run(database, run_id)
    if row is None:
        wanted = f"no run {run_id}" if run_id is not None else "no run yet"
        raise SettingsError(f"there is {wanted} in {database.place}; `fleetkeep run` makes one")
    basis = ledger.basis_of_run(database, row.id)
    if not basis:
        raise SettingsError(
            f"the facts of run {row.id} were pruned from {database.place}; only younger runs can be made again"
        )
    previous = (row.previous_id, row.previous_at) if row.previous_id and row.previous_at else None
    judgement = Judgement(
        run_id=row.id,
        as_of=row.as_of,
        terms=Terms.from_json(row.settings),
        catalog=Catalog.from_json(row.catalog),
        basis=basis,
        chained=row.chained,
        previous=previous,
    )
    return judgement, row.hold


def rebuilt(database: Database, run_id: int, totals: Totals) -> RunReport:
    """The head of a finished run's reports; the same for ever, so a report can be made again."""
    row = ledger.load_run(database, run_id)
    if row is None:
        raise SettingsError(f"run {run_id} is not in {database.place}")
    terms = Terms.from_json(row.settings)
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
        sources=tuple(one.report for one in ledger.basis_of_run(database, row.id)),
        totals=totals,
        trend=ledger.trend_before(database, row.id),
        notes=row.notes,
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
) -> Judgement:
    previous = ledger.previous_run(database, as_of)
    chained = ledger.is_newest(database, as_of)
    content = catalog.to_json()
    run_id = ledger.begin_run(
        database,
        as_of=as_of,
        started_at=started_at,
        outcome=_outcome(basis),
        chained=chained,
        previous_id=previous[0] if previous else None,
        version=__version__,
        settings=terms.to_json(),
        policy_hash=terms.policy.fingerprint(),
        catalog=(hashlib.sha256(content.encode()).hexdigest(), catalog.date, content),
        notes=notes,
        basis=basis,
    )
    return Judgement(
        run_id=run_id,
        as_of=as_of,
        terms=terms,
        catalog=catalog,
        basis=basis,
        chained=chained,
        previous=previous,
    )


def _outcome(basis: Sequence[Basis]) -> Outcome:
    outcomes = {one.report.outcome for one in basis}
    if len(outcomes) == 1:
        return outcomes.pop()
    return Outcome.PARTIAL


def _number(judgement: Judgement) -> int | None:
    return judgement.previous[0] if judgement.previous else None


def _too_much(moved: int, totals: Totals, judgement: Judgement) -> bool:
    """The mass-change brake: too many of the assessable devices changed sides in one night."""
    assessable = totals.devices - totals.statuses[Status.NOT_APPLICABLE]
    if judgement.previous is None or not judgement.chained or assessable < SMALL_FLEET:
        return False
    return moved * 100 > judgement.terms.policy.mass_change_percent * assessable


def _pass(
    database: Database, run: OpenRun, judgement: Judgement, listener: Listener, *, hold: bool
) -> tuple[Totals, int]:
    """One walk over the fleet; returns the totals and how many devices changed sides."""
    bench = _Bench(database, run, judgement, hold=hold or not judgement.chained)
    totals, moved = Totals(), 0
    for sighted, memories in _beside(run.devices(), run.memories()):
        report, changed_sides = bench.report(sighted, memories)
        moved += changed_sides
        if report is not None:
            totals.add(report)
            listener.device(report)
    return totals, moved


def _beside(
    devices: Iterator[Sighted], memories: Iterator[tuple[str, Memory]]
) -> Iterator[tuple[Sighted, dict[str, Memory]]]:
    """Each device with what is remembered of it; both streams come in the order of keys."""
    key, memory = next(memories, (None, None))
    for sighted in devices:
        while key is not None and key < sighted.key:
            key, memory = next(memories, (None, None))
        own: dict[str, Memory] = {}
        while memory is not None and key == sighted.key:
            own[memory.problem] = memory
            key, memory = next(memories, (None, None))
        yield sighted, own


class _Bench:
    """Where one device after another is judged, with all that is the same for every one of them."""

    def __init__(self, database: Database, run: OpenRun, judgement: Judgement, *, hold: bool) -> None:
        self._run = run
        self._judgement = judgement
        self._clock = Clock(
            now=judgement.as_of,
            previous=judgement.previous[1] if judgement.previous else None,
            resolve_after_clean_runs=judgement.terms.policy.resolve_after_clean_runs,
            hold=hold,
        )
        self._outcomes = judgement.outcomes
        self._checks = installed()
        self._readings = Readings(database, judgement.run_id, as_of=judgement.as_of, days=READINGS_DAYS)
        self._falling = self._readings.falling(
            full_within_days=storage_filling.FILLED_AT_HALF_PACE_DAYS, over_days=storage_filling.SPAN.days
        )
        self._retired_before = judgement.as_of - timedelta(days=judgement.terms.policy.retire_after_days)

    def report(self, sighted: Sighted, memories: Mapping[str, Memory]) -> tuple[DeviceReport | None, bool]:
        """The device's report, or None once it has left the fleet; and whether it changed sides tonight."""
        current = [sighting for sighting in sighted.sightings if not self._retired(sighting)]
        device = merge(sighted.key, current or sighted.sightings)
        gone = all(sighting.standing is Standing.ABSENT for sighting in device.sightings)
        if gone:
            steps = self._advance_gone(sighted, device, memories, retired=not current)
            found = [step.finding for step in steps if step.finding]
            if not current and not found:
                return None, False
            return _gone(device, found), False
        return self._judged(sighted, device, memories)

    def _retired(self, sighting: Sighting) -> bool:
        return sighting.standing is Standing.ABSENT and sighting.last_seen_at < self._retired_before

    def _advance_gone(
        self, sighted: Sighted, device: Device, memories: Mapping[str, Memory], *, retired: bool
    ) -> list[Step]:
        tonight = Tonight(gone=True, retired=retired)
        return [
            step
            for problem in memories
            if (step := self._advance(sighted.device_id, device.key, problem, memories.get(problem), tonight))
        ]

    def _judged(
        self, sighted: Sighted, device: Device, memories: Mapping[str, Memory]
    ) -> tuple[DeviceReport, bool]:
        case = Case(
            device=device,
            policy=self._policy(device),
            now=self._judgement.as_of,
            catalog=self._judgement.catalog,
            readings=lambda: _past(self._readings, sighted),
            falling=not self._falling.isdisjoint(sighted.record_ids),
            seen=any(sighting.standing is Standing.READ for sighting in device.sightings),
        )
        assessment = assess(case, self._checks)
        cause, plan = plan_for(case, assessment)
        steps = [
            step
            for problem, tonight in self._tonight(device, assessment, memories, cause)
            if (step := self._advance(sighted.device_id, device.key, problem, memories.get(problem), tonight))
        ]
        found = tuple(step.finding for step in steps if step.finding)
        status, reason = status_of(assessment, found, case)
        report = DeviceReport(
            device=device,
            status=status,
            reason=reason,
            severity=_worst(found),
            cause=cause,
            findings=found,
            plan=plan,
        )
        return report, any(step.moved for step in steps)

    def _advance(
        self, device_id: int, key: str, problem: str, memory: Memory | None, tonight: Tonight
    ) -> Step | None:
        external_id = memory.external_id if memory else fingerprint("finding", key, problem)
        step = advance(memory, tonight, self._clock, external_id=external_id)
        if step and self._judgement.chained:
            self._run.keep(device_id, memory, step.memory)
        return step

    def _policy(self, device: Device) -> Policy:
        policy = self._judgement.terms.policy
        plan = self._judgement.terms.plans.get(device.sightings[0].source)
        return policy if plan is None else replace(policy, icloud_plan_gb=plan)

    def _tonight(
        self, device: Device, assessment: Assessment, memories: Mapping[str, Memory], cause: str | None
    ) -> Iterator[tuple[str, Tonight]]:
        """What tonight says of every problem that is found or remembered."""
        found = {problem.problem: problem for problem in assessment.problems}
        for name in (*found, *(name for name in memories if name not in found)):
            problem, memory = found.get(name), memories.get(name)
            yield (
                name,
                Tonight(
                    problem=problem,
                    clear=memory is not None and problem is None and _clear(memory, assessment),
                    may_open=problem is not None and self._may_open(device, problem),
                    may_close=memory is not None and self._may_close(device, memory),
                    waived_until=self._waived_until(
                        device, problem.check if problem else memory and memory.check
                    ),
                    cause=cause if name == "backup" else None,
                    reason=assessment.not_applicable,
                ),
            )

    def _may_open(self, device: Device, problem: Problem) -> bool:
        return any(
            sighting.source in problem.sources and sighting.standing is Standing.READ
            for sighting in device.sightings
        )

    def _may_close(self, device: Device, memory: Memory) -> bool:
        """Every source that carried the evidence, and every one that speaks tonight, is complete and has spoken."""
        speakers = {
            sighting.source: sighting.standing for sighting in (*device.superseded, *device.sightings)
        }
        involved = (set(memory.sources) & self._outcomes.keys()) | {device.sightings[0].source}
        return all(
            self._outcomes[name] is Outcome.COMPLETE and speakers.get(name) is not Standing.UNREAD
            for name in involved
        )

    def _waived_until(self, device: Device, check: str | None) -> datetime | None:
        return max(
            (
                waiver.until
                for waiver in self._judgement.terms.waivers
                if check and waiver.matches(device, check, self._judgement.as_of)
            ),
            default=None,
        )


def _clear(memory: Memory, assessment: Assessment) -> bool:
    """Every check that held is clear tonight; none of them applies to a device that is not applicable."""
    if assessment.not_applicable is not None:
        return True
    return all(isinstance(assessment.verdicts.get(check, Clear()), Clear) for check in memory.held)


def _past(readings: Readings, sighted: Sighted) -> list[Reading]:
    return [
        Reading(one.observed_at, one.available_bytes, one.battery_percent)
        for one in readings.of(sighted.record_ids)
    ]


def _worst(found: Sequence[Finding]) -> Severity | None:
    standing = [finding.severity for finding in found if finding.state.standing]
    return max(standing, key=lambda severity: severity.rank, default=None)


def _gone(device: Device, found: Sequence[Finding]) -> DeviceReport:
    return DeviceReport(
        device=device,
        status=Status.UNKNOWN,
        reason="gone",
        severity=None,
        cause=None,
        findings=tuple(found),
        plan=(),
    )
