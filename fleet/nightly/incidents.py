"""What concerns the fleet as a whole: counted while devices pass, judged when all have, kept like any finding."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from fleet.checks import backup_wave, icloud_outage
from fleet.checks._one_day import of_one_day
from fleet.checks._rollout import WITHIN, after_changes
from fleet.checks._stops import Stops, begin_of, factors_of
from fleet.checks.assess import BACKUP
from fleet.lifecycle import Tonight, advance
from fleet.model.fact import ABSENT
from fleet.model.finding import CLEAR, Clear, Finding, Found, Problem, Undetermined
from fleet.model.fingerprint import fingerprint
from fleet.model.memory import Condition
from fleet.model.run import Incident, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from fleet.checks._fleet import FleetCheck
    from fleet.checks._stops import Factor
    from fleet.checks._wave import Place, Wave
    from fleet.lifecycle import Clock
    from fleet.model.device import Device
    from fleet.model.fact import Fact
    from fleet.model.finding import Evidence, Verdict
    from fleet.model.memory import Memory
    from fleet.model.outage import Outage, SystemStatus
    from fleet.store.open_run import OpenRun

_APPLE = "Apple System Status"
_A_DAY = timedelta(days=1)
_SIGNAL_OF: dict[str, tuple[str, bool | None]] = {
    "restriction": ("backup_restricted", True),
    "os_version": ("os_version", None),
}


class Incidents:
    """The fleet-level checks of one pass.

    Args:
        outcomes: how whole each source's collection is; `news`: those that the run before had not seen.
        status: tonight's look at Apple's status; None where it was not asked or did not answer.
        looks: the looks of the last weeks, this one included, the latest first.
        keep: the run's findings are remembered.

    Attributes:
        held_until: until when an outage holds findings back; None where none does.
        held_back: devices whose backup problem it holds back, as counted so far.
    """

    def __init__(
        self,
        run: OpenRun,
        clock: Clock,
        *,
        outcomes: Mapping[str, Outcome],
        news: frozenset[str],
        status: SystemStatus | None,
        looks: Sequence[SystemStatus],
        keep: bool,
    ) -> None:
        self._run = run
        self._clock = clock
        self._outcomes = outcomes
        self._news = news
        self._status = status
        self._looks = looks
        self._keep = keep
        self._memories = run.incidents()
        self._stops = Stops()
        self.held_until = icloud_outage.held_until(looks[0] if looks else None, clock.now)
        self.held_back = 0

    def device(self, device: Device, outcome: Verdict, findings: Iterable[Finding]) -> Fact[datetime] | None:
        """Count one device in, by what tonight says of its backup, or else by the finding that stands.

        The answer is its last backup, if it counts as one that stopped; see `DeviceReport.stopped_at`.
        """
        if outcome is CLEAR:
            self._stops.well(factors_of(device))
            return None
        finding = next((one for one in findings if one.problem == BACKUP), None)
        if isinstance(outcome, Found):
            if finding is None or finding.state != "waived":
                return self._stopped(device, _last_backup(device, finding and finding.evidence))
        elif finding is not None and finding.state.standing:
            return self._stopped(device, _last_backup(None, finding.evidence))
        return None

    def gone(self, device: Device, memories: Iterable[Memory]) -> Fact[datetime] | None:
        """Count in a device that no source lists any more, while its backup problem is remembered; answer as above."""
        for memory in memories:
            if memory.problem == BACKUP and memory.condition is Condition.GONE:
                return self._stopped(device, _last_backup(device, memory.evidence))
        return None

    def _stopped(self, device: Device, last: datetime | None) -> Fact[datetime]:
        self._stops.stopped(factors_of(device), last)
        return ABSENT if last is None else last

    def judged(self) -> Iterator[Incident]:
        """Every incident that tonight's report shows; asked once, when all devices have passed."""
        yield from self._outage()
        known = [memory for memory in self._memories.values() if memory.check == backup_wave.CHECK.id]
        explained: list[Place] = []
        for memory in known:
            wave, verdict = backup_wave.counted(self._stops, memory.evidence)
            explained.append(_explained(wave.place, verdict))
            yield from self._known_wave(memory, wave, verdict)
        for wave in self._new_waves(explained):
            yield from self._new_wave(wave)

    def _new_waves(self, explained: list[Place]) -> Iterator[Wave]:
        for wave in of_one_day(self._stops, self._clock.now, explained):
            explained.append(wave.place)
            yield wave
        yield from after_changes(self._stops, self._clock.now, explained, self._came_to)

    def _came_to(self, factor: Factor) -> list[datetime]:
        signal, value = _SIGNAL_OF[factor[0]]
        return self._run.last_backups_before(signal, factor[1] if value is None else value, within=WITHIN)

    def notes(self) -> Iterator[str]:
        """What holds findings back tonight, in a sentence."""
        if self.held_until:
            until = icloud_outage.in_words(self.held_until)
            devices = f"{self.held_back:,} device" + ("s are" if self.held_back != 1 else " is")
            yield (
                f"Because of Apple's trouble with iCloud Backup no finding opens, or gets worse, by the age of a backup"
                f" alone until {until} at the earliest; {devices} held back."
            )

    def _outage(self) -> Iterator[Incident]:
        verdict = icloud_outage.judge(self._status, self._clock.now)
        tonight = Tonight(clear=isinstance(verdict, Clear))
        if isinstance(verdict, Found):
            observed_at = self._status.checked_at if self._status else self._clock.now
            found = _problem(icloud_outage.CHECK, verdict, observed_at=observed_at, sources=(_APPLE,))
            tonight = replace(tonight, problem=found)
        for finding in self._advanced(icloud_outage.CHECK.id, tonight):
            yield _incident(finding, self.held_back)

    def _known_wave(self, memory: Memory, wave: Wave, verdict: Verdict) -> Iterator[Incident]:
        tonight = Tonight(
            clear=isinstance(verdict, Clear),
            may_close=self._complete(memory.sources),
            news=self._news_of(memory),
        )
        if isinstance(verdict, Found):
            sources = tuple(dict.fromkeys((*memory.sources, *wave.sources)))
            tonight = replace(tonight, problem=self._wave_problem(wave, verdict, sources, memory.problem))
        yield from self._shown_wave(memory.problem, tonight)

    def _new_wave(self, wave: Wave) -> Iterator[Incident]:
        outages = list(_at_that_time(self._looks, wave))
        kind, value = wave.place.factor or ("", "")
        day = begin_of(wave.place.half_day)
        problem = f"{backup_wave.CHECK.id}:{fingerprint(kind, value, day.isoformat())[:16]}"
        found = self._wave_problem(wave, backup_wave.found(wave, None, outages), wave.sources, problem)
        read = any(self._outcomes.get(name) is not Outcome.FAILED for name in wave.sources)
        excused = self.held_until is not None and bool(outages)
        yield from self._shown_wave(problem, Tonight(problem=found, may_open=read and not excused))

    def _wave_problem(self, wave: Wave, found: Found, sources: tuple[str, ...], problem: str) -> Problem:
        made = _problem(backup_wave.CHECK, found, observed_at=self._clock.now, sources=sources)
        return replace(made, problem=problem, fixes=backup_wave.fixes_of(wave))

    def _shown_wave(self, problem: str, tonight: Tonight) -> Iterator[Incident]:
        for finding in self._advanced(problem, tonight):
            devices = finding.evidence["devices"]
            yield _incident(finding, devices if isinstance(devices, int) else 0)

    def _complete(self, sources: Iterable[str]) -> bool:
        """Every one of these that is configured still was read to its end."""
        return all(self._outcomes.get(name, Outcome.COMPLETE) is Outcome.COMPLETE for name in sources)

    def _news_of(self, memory: Memory) -> bool:
        return not self._news.isdisjoint(memory.sources)

    def _advanced(self, problem: str, tonight: Tonight) -> Iterator[Finding]:
        memory = self._memories.get(problem)
        step = advance(memory, tonight, self._clock, external_id=fingerprint("incident", problem))
        if step and self._keep:
            self._run.keep(None, memory, step.memory)
        if step and step.finding:
            yield step.finding


def _explained(place: Place, verdict: Verdict) -> Place:
    """Where a day's devices cannot be told from others any more, whatever stopped on that day may be theirs."""
    lost = isinstance(verdict, Undetermined) and not place.after_changes
    return replace(place, factor=None) if lost else place


def _last_backup(device: Device | None, evidence: Evidence | None) -> datetime | None:
    """When the last backup was made: by tonight's facts, else by those that the finding rests on."""
    last = device.last_cloud_backup_at if device else None
    if isinstance(last, datetime):
        return last
    told = evidence.get("last_cloud_backup_at") if evidence else None
    try:
        return datetime.fromisoformat(str(told))
    except ValueError:  # `never`, or not told
        return None


def _at_that_time(looks: Sequence[SystemStatus], wave: Wave) -> Iterator[Outage]:
    """What Apple reported from a day before the wave to its end, each outage once, as last told."""
    place = wave.place
    begin, end = begin_of(place.half_day), begin_of(place.half_day + place.half_days)
    told = {(one.service, one.began_at): one for look in reversed(looks) for one in look.outages}
    for one in told.values():
        if one.began_at < end + _A_DAY and (one.ended_at is None or one.ended_at > begin):
            yield one


def _problem(check: FleetCheck, found: Found, *, observed_at: datetime, sources: tuple[str, ...]) -> Problem:
    return Problem(
        problem=check.id,
        check=check.id,
        held=(check.id,),
        basis=check.basis,
        severity=found.severity,
        summary=found.summary,
        evidence=found.evidence,
        fixes=check.fixes,
        sources=sources,
        observed_at=observed_at,
    )


def _incident(finding: Finding, devices: int) -> Incident:
    return Incident(
        check=finding.check,
        severity=finding.severity,
        summary=finding.summary,
        devices=devices,
        since=datetime.fromisoformat(str(finding.evidence["since"])),
        finding=finding,
    )
