"""Why a device has a backup problem, if it has one, and what to do about all that was found on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fleet import guide
from fleet.checks import BY_ID
from fleet.checks._system import model_of
from fleet.checks.assess import BACKUP, Assessment
from fleet.checks.causes import causes_of, named, ruled_out
from fleet.checks.order import Situation, ordered
from fleet.checks.storage_full import GB
from fleet.model.device_report import ANY_DEVICE, Cause, Handling, PlanStep, RuledOut, Strength
from fleet.model.fact import Gap, MissingFact
from fleet.model.finding import Found, Severity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fleet.checks._check import Case


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Why one device has a problem, and what to do about it.

    Attributes:
        cause: a check id, `unexplained` where nothing that can be observed explains a backup problem, or None
            where there is no backup problem.
        causes: the probable ones, the likeliest first; empty without a backup problem.
        ruled_out: what the evidence excludes; likewise.
        steps: the fixes to try, in their order.
        handling: how their instructions are to be worded.
    """

    cause: str | None = None
    causes: tuple[Cause, ...] = ()
    ruled_out: tuple[RuledOut, ...] = ()
    steps: tuple[PlanStep, ...] = ()
    handling: Handling = ANY_DEVICE


_NOTHING = Plan()


def plan_for(case: Case, assessment: Assessment) -> Plan:
    """The causes of a device's backup problem, if it has one, and the steps to take in their order."""
    if not assessment.problems:
        return _NOTHING
    verdicts = assessment.verdicts
    found = {check: verdict for check, verdict in verdicts.items() if type(verdict) is Found}
    handling = guide.handling_of(case.device, case.catalog)
    if assessment.problems[0].problem != BACKUP:
        return Plan(steps=_steps(_situation(case, assessment, found, (), handling), found), handling=handling)
    causes = causes_of(case, verdicts)
    return Plan(
        cause=named(causes),
        causes=causes,
        ruled_out=ruled_out(case, verdicts),
        steps=_steps(_situation(case, assessment, found, causes, handling), found),
        handling=handling,
    )


def _situation(
    case: Case,
    assessment: Assessment,
    found: Mapping[str, Found],
    causes: tuple[Cause, ...],
    handling: Handling,
) -> Situation:
    device = case.device
    unsupported = found.get("os-unsupported")
    below = unsupported is not None and unsupported.severity is Severity.CRITICAL
    return Situation(
        backup=bool(causes),
        found=tuple(found),
        causes=tuple([(c.cause, c.strength) for c in causes if c.strength is not Strength.UNSEEN]),
        foreign=tuple([(p.check, p.fixes) for p in assessment.problems if p.check not in BY_ID]),
        possible=guide.possible(handling, managed=guide.managed(device)),
        switch_unknown=isinstance(device.backup_enabled, Gap),
        restriction_unknown=isinstance(device.backup_restricted, Gap),
        below_minimum=below,
        worth_updating=below and _worth_updating(case),
        short_of_room="os-outdated" in found and _short_of_room(case, found["os-outdated"]),
        lost=device.lost_mode is True,
    )


def _worth_updating(case: Case) -> bool:
    """Whether the hardware can have a system with which iCloud Backup works."""
    try:
        model = model_of(case)
    except MissingFact:
        return False
    return model is not None and model.icloud_backup_capable


def _short_of_room(case: Case, outdated: Found) -> bool:
    """Whether less is free than the update downloads, as far as both are known."""
    free, least = case.device.available_bytes, outdated.evidence.get("download_gb_least")
    return not isinstance(free, Gap) and isinstance(least, float) and free < least * GB


def _steps(situation: Situation, found: Mapping[str, Found]) -> tuple[PlanStep, ...]:
    """The steps in words: most are the same for every device, the others quote what was found on this one."""
    return tuple(
        [
            step
            if check is None
            else PlanStep(fix=step.fix, audience=step.audience, why=found[check].summary)
            for step, check in ordered(situation)
        ]
    )
