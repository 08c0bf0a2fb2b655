"""What concerns the fleet as a whole: counted while devices pass, judged when all have, kept like any finding."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from fleet.checks import icloud_outage
from fleet.lifecycle import Tonight, advance, fingerprint
from fleet.model.finding import Clear, Finding, Found, Problem
from fleet.model.run import Incident

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fleet.checks._fleet import FleetCheck
    from fleet.lifecycle import Clock, Memory
    from fleet.model.outage import SystemStatus
    from fleet.store.open_run import OpenRun

_APPLE = "Apple System Status"


class Incidents:
    """The fleet-level checks of one pass.

    Args:
        status: tonight's look at Apple's status; None where it was not asked or did not answer.
        look: the last look that there is.
        keep: the run's findings are remembered.

    Attributes:
        held_back: devices whose backup problem an outage holds back, as counted so far.
    """

    def __init__(
        self,
        run: OpenRun,
        clock: Clock,
        *,
        status: SystemStatus | None,
        look: SystemStatus | None,
        keep: bool,
    ) -> None:
        self._run = run
        self._clock = clock
        self._status = status
        self._keep = keep
        self._memories = run.incidents()
        self.held_until = icloud_outage.held_until(look, clock.now)
        self.held_back = 0

    def judged(self) -> list[Incident]:
        """Every incident that tonight's report shows; asked once, when all devices have passed."""
        return list(self._outage())

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
        finding = self._advance(icloud_outage.CHECK.id, tonight)
        if finding:
            yield _incident(finding, self.held_back)

    def _advance(self, problem: str, tonight: Tonight) -> Finding | None:
        memory: Memory | None = self._memories.get(problem)
        step = advance(memory, tonight, self._clock, external_id=fingerprint("incident", problem))
        if step and self._keep:
            self._run.keep(None, memory, step.memory)
        return step.finding if step else None


def _problem(
    check: FleetCheck, found: Found, *, observed_at: datetime, sources: tuple[str, ...], problem: str = ""
) -> Problem:
    return Problem(
        problem=problem or check.id,
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
