"""What an outage at Apple changes for one device: nothing opens, or gets worse, by the age of its backup alone."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from fleet import guide
from fleet.checks import icloud_outage
from fleet.checks.assess import BACKUP, Assessment
from fleet.model.device_report import PlanStep
from fleet.model.memory import Condition, Memory

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

REASON = "apple_outage"
CAUSE = icloud_outage.CHECK.id
_WHY = "Apple reports trouble with iCloud Backup, or did so until two days ago: it may back up by itself."


def held_back(
    assessment: Assessment, memories: Mapping[str, Memory], beside: Collection[str]
) -> tuple[Assessment, bool]:
    """The assessment as it counts during an outage, and whether it holds a backup problem back.

    A problem by age that stands already goes on as severe as it was. One that does not is left out, and with it what
    only matters beside it.

    Args:
        beside: ids of the checks that only matter beside a backup problem.
    """
    backup = next((problem for problem in assessment.problems if problem.problem == BACKUP), None)
    if backup is None or not icloud_outage.is_by_age(backup):
        return assessment, False
    others = tuple(problem for problem in assessment.problems if problem is not backup)
    memory = memories.get(BACKUP)
    if memory and _stands(memory):
        calm = min(backup.severity, memory.severity, key=lambda severity: severity.rank)
        return replace(assessment, problems=(replace(backup, severity=calm), *others)), False
    left = tuple(
        problem for problem in others if problem.check not in beside or _stands(memories.get(problem.problem))
    )
    return replace(assessment, problems=left), True


def waiting() -> PlanStep:
    """The one step for a device that is held back."""
    fix = "system-status"
    return PlanStep(fix=fix, audience=guide.load()[fix].audience, why=_WHY)


def _stands(memory: Memory | None) -> bool:
    return memory is not None and memory.condition is not Condition.RESOLVED
