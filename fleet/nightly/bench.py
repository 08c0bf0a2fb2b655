"""The bench: one device after another through merge, checks and life cycle, with all that is the same for every one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from fleet.checks import installed, storage_filling
from fleet.checks._check import Case, Reading
from fleet.checks.assess import BACKUP, Assessment, assess, status_of
from fleet.checks.plan import plan_for
from fleet.lifecycle import Clock, Step, Tonight, advance
from fleet.merge import merge
from fleet.model.device import Device, Sighting, Standing
from fleet.model.device_report import DeviceReport, Past
from fleet.model.finding import Clear, Finding, Problem, Severity, Status
from fleet.model.fingerprint import fingerprint
from fleet.model.memory import Condition, Memory
from fleet.model.waiver import Waivers
from fleet.nightly import held_back
from fleet.nightly.broken import BrokenChecks
from fleet.nightly.evidence import APPLICABLE, may_close, may_open
from fleet.nightly.incidents import Incidents
from fleet.store.readings import Readings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from fleet.apple.catalog import Catalog
    from fleet.model.fact import Fact
    from fleet.model.outage import SystemStatus
    from fleet.model.run import Outcome
    from fleet.nightly.rules import Rules
    from fleet.nightly.terms import Terms
    from fleet.store.database import Database
    from fleet.store.history import Sighted
    from fleet.store.ledger import Basis
    from fleet.store.open_run import OpenRun

_NOTHING: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """One run to be made, or made again.

    Attributes:
        run_id: its number in the ledger.
        status: what Apple said of its services; None where that is not known.
        looks: what Apple said to this run and those of the last weeks, the latest first.
        chained: later runs go on from its findings; not so for a second look at a past night.
        previous: the chained run that it goes on from, by number and `as_of`.
        seen_before: the collections that that run judged.
        former: the rules that it judged by, where they differ from tonight's.
    """

    run_id: int
    as_of: datetime
    terms: Terms
    catalog: Catalog
    basis: Sequence[Basis]
    chained: bool
    previous: tuple[int, datetime] | None
    seen_before: frozenset[int] = frozenset()
    former: Rules | None = None
    status: SystemStatus | None = None
    looks: tuple[SystemStatus, ...] = ()

    @property
    def outcomes(self) -> dict[str, Outcome]:
        """How whole each source's collection was."""
        return {one.report.name: one.report.outcome for one in self.basis if not one.removed}

    @property
    def news(self) -> frozenset[str]:
        """The sources whose collection the run before had not seen."""
        return frozenset(one.report.name for one in self.basis if one.collection_id not in self.seen_before)


class Bench:
    """Where one device after another is judged, with all that is the same for every one of them.

    Args:
        whole_fleet: False where only a few devices will come: what costs a look at all is then asked for each.

    Attributes:
        fleet: what the devices that passed come to together.
        waivers: those in force, with how many findings each covered.
        broken: the checks that ended with an error.
        readings: the past of the fast signals.
    """

    def __init__(
        self, database: Database, run: OpenRun, judgement: Judgement, *, hold: bool, whole_fleet: bool = True
    ) -> None:
        self._run = run
        self._judgement = judgement
        self._clock = Clock(
            now=judgement.as_of,
            previous=judgement.previous[1] if judgement.previous else None,
            resolve_after_clean_runs=judgement.terms.policy.resolve_after_clean_runs,
            hold=hold,
        )
        self.waivers = Waivers(judgement.terms.waivers, judgement.as_of)
        self._outcomes = judgement.outcomes
        self._news = judgement.news
        self._checks = installed()
        self.broken = BrokenChecks()
        self._reads = {check.id: check.reads for check in self._checks}
        self._beside = frozenset(check.id for check in self._checks if check.beside_backup)
        self.fleet = Incidents(
            run,
            self._clock,
            outcomes=self._outcomes,
            news=self._news,
            status=judgement.status,
            looks=judgement.looks,
            keep=judgement.chained,
        )
        self.readings = Readings(database, judgement.run_id, as_of=judgement.as_of)
        self._falling = self._fallen() if whole_fleet else None
        self._retired_before = judgement.as_of - timedelta(days=judgement.terms.policy.retire_after_days)

    def notes(self) -> tuple[str, ...]:
        """What a reader has to know of this pass: what was held back, and which checks broke."""
        return (*self.fleet.notes(), *self.broken.notes())

    def report(
        self, sighted: Sighted, memories: Mapping[str, Memory], superseded: Sequence[Memory] = ()
    ) -> tuple[DeviceReport | None, bool]:
        """The device's report, or None once it has left the fleet; and whether it changed sides tonight.

        Args:
            memories: what is remembered of it, by problem.
            superseded: what is remembered of devices that turned out to be this one.
        """
        ended = self._ended(sighted, superseded)
        current = [sighting for sighting in sighted.sightings if not self._retired(sighting)]
        device = merge(sighted.key, current or sighted.sightings)
        gone = all(sighting.standing is Standing.ABSENT for sighting in device.sightings)
        if gone:
            steps = self._advance_gone(sighted, device, memories, retired=not current)
            found = [*(step.finding for step in steps if step.finding), *ended]
            stopped_at = self.fleet.gone(device, (step.memory for step in steps))
            if not current and not found:
                return None, False
            return _gone(device, found, stopped_at), False
        return self._judged(sighted, device, memories, ended)

    def _ended(self, sighted: Sighted, superseded: Sequence[Memory]) -> list[Finding]:
        """The findings that end because their device is this one, which has findings of its own."""
        steps = (
            self._advance(sighted.device_id, sighted.key, memory.problem, memory, Tonight(superseded=True))
            for memory in superseded
        )
        return [step.finding for step in steps if step and step.finding]

    def _fallen(self, among: Sequence[int] | None = None) -> frozenset[int]:
        """The records whose storage may be filling up, by a glance; of all, or of a few."""
        return self.readings.falling(
            full_within_days=storage_filling.FILLED_AT_HALF_PACE_DAYS,
            over_days=storage_filling.SPAN.days,
            among=among,
        )

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
        self, sighted: Sighted, device: Device, memories: Mapping[str, Memory], ended: Sequence[Finding]
    ) -> tuple[DeviceReport, bool]:
        record_ids = _counted(sighted, device)
        case = Case(
            device=device,
            policy=self._judgement.terms.policy_for(device.sightings[0].source),
            plan_known=device.sightings[0].source in self._judgement.terms.plans,
            now=self._judgement.as_of,
            catalog=self._judgement.catalog,
            readings=lambda: _past(self.readings, record_ids),
            falling=not (self._fallen(record_ids) if self._falling is None else self._falling).isdisjoint(
                record_ids
            ),
            seen=any(sighting.standing is Standing.READ for sighting in device.sightings),
        )
        assessment = assess(case, self._checks, broke=self.broken.broke)
        held = False
        if self.fleet.held_until:
            assessment, held = held_back.held_back(assessment, memories, self._beside)
        plan = plan_for(case, assessment)
        if held:
            plan = replace(plan, cause=held_back.CAUSE, steps=(held_back.waiting(), *plan.steps))
            self.fleet.held_back += 1
        former = self._judgement.former
        by_rule = former.moved(case, self._checks, (assessment, plan.cause), memories) if former else _NOTHING
        steps = [
            step
            for problem, tonight in self._tonight(device, assessment, memories, plan.cause, by_rule)
            if (step := self._advance(sighted.device_id, device.key, problem, memories.get(problem), tonight))
        ]
        found = (*(step.finding for step in steps if step.finding), *ended)
        outcome = assessment.outcomes.get(BACKUP)
        stopped_at = self.fleet.device(device, outcome, found) if outcome else None
        status, reason = status_of(assessment, found, case)
        if held and status is Status.UNKNOWN:
            reason = held_back.REASON
        report = DeviceReport(
            device=device,
            status=status,
            reason=reason,
            severity=_worst(found),
            cause=plan.cause,
            findings=found,
            plan=plan.steps,
            beyond_catalog=assessment.beyond_catalog,
            causes=plan.causes,
            ruled_out=plan.ruled_out,
            handling=plan.handling,
            past=tuple(_ended_before(steps)) if memories else (),
            stopped_at=stopped_at,
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

    def _tonight(
        self,
        device: Device,
        assessment: Assessment,
        memories: Mapping[str, Memory],
        cause: str | None,
        by_rule: frozenset[str],
    ) -> Iterator[tuple[str, Tonight]]:
        """What tonight says of every problem that is found or remembered."""
        found = {problem.problem: problem for problem in assessment.problems}
        for name in (*found, *(name for name in memories if name not in found)):
            problem, memory = found.get(name), memories.get(name)
            clear = memory is not None and problem is None and _clear(memory, assessment)
            yield (
                name,
                Tonight(
                    problem=problem,
                    clear=clear,
                    may_open=problem is not None and may_open(device, problem),
                    may_close=clear and memory is not None and self._may_close(device, memory, assessment),
                    news=any(sighting.source in self._news for sighting in device.sightings),
                    waived_until=self._waived_until(device, problem, memory),
                    cause=cause if name == "backup" else None,
                    by_rule=name in by_rule,
                    reason=assessment.not_applicable,
                ),
            )

    def _may_close(self, device: Device, memory: Memory, assessment: Assessment) -> bool:
        held = [self._reads.get(check, _NOTHING) for check in memory.held]
        signals = APPLICABLE if assessment.not_applicable else _NOTHING.union(*held)
        return may_close(device, memory, self._outcomes, signals)

    def _waived_until(
        self, device: Device, problem: Problem | None, memory: Memory | None
    ) -> datetime | None:
        stands = memory if memory and memory.condition is not Condition.RESOLVED else None
        one = problem or stands
        return self.waivers.until(device, one.check) if one else None


def _clear(memory: Memory, assessment: Assessment) -> bool:
    """Every check that held is clear tonight; none of them applies to a device that is not applicable."""
    if assessment.not_applicable is not None:
        return True
    return all(isinstance(assessment.verdicts.get(check, Clear()), Clear) for check in memory.held)


def _counted(sighted: Sighted, device: Device) -> tuple[int, ...]:
    """The records that count: a wiped device's readings from before say nothing about it now."""
    if len(sighted.record_ids) == 1:
        return sighted.record_ids
    pairs = zip(sighted.record_ids, sighted.sightings, strict=True)
    return tuple(number for number, sighting in pairs if any(sighting is one for one in device.sightings))


def _past(readings: Readings, record_ids: Sequence[int]) -> list[Reading]:
    return [
        Reading(one.observed_at, one.available_bytes, one.battery_percent) for one in readings.of(record_ids)
    ]


def _ended_before(steps: Sequence[Step]) -> Iterator[Past]:
    """What is remembered and has nothing to show tonight."""
    for step in steps:
        memory = step.memory
        if step.finding is None and memory.condition is Condition.RESOLVED and memory.last_seen is not None:
            yield Past(
                check=memory.check,
                severity=memory.severity,
                first_seen=memory.first_seen,
                last_seen=memory.last_seen,
                reason=memory.reason,
            )


def _worst(found: Sequence[Finding]) -> Severity | None:
    standing = [finding.severity for finding in found if finding.state.standing]
    return max(standing, key=lambda severity: severity.rank, default=None)


def _gone(device: Device, found: Sequence[Finding], stopped_at: Fact[datetime] | None) -> DeviceReport:
    return DeviceReport(
        device=device,
        status=Status.UNKNOWN,
        reason="gone",
        severity=None,
        cause=None,
        findings=tuple(found),
        plan=(),
        stopped_at=stopped_at,
    )
