"""What becomes of problems in the night in which they are first seen, for tests that want a device's status."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fleet.checks.assess import assess, status_of
from fleet.model.finding import Action, Finding, Problem, State, Status
from tests.fleet_of import NOW

if TYPE_CHECKING:
    from fleet.checks._check import Case


def a_finding(problem: Problem, state: State = State.NEW) -> Finding:
    """The finding of a problem that nobody has seen before."""
    return Finding(
        external_id="0" * 32,
        problem=problem.problem,
        check=problem.check,
        basis=problem.basis,
        severity=problem.severity,
        state=state,
        action=Action.CREATE,
        first_seen=NOW,
        last_seen=NOW,
        opened_at=NOW,
        summary=problem.summary,
        evidence=problem.evidence,
        fixes=problem.fixes,
        sources=problem.sources,
        observed_at=problem.observed_at,
    )


def status(case: Case, state: State = State.NEW) -> tuple[Status, str | None]:
    """The status of a device whose problems are all in this state."""
    assessment = assess(case)
    return status_of(assessment, [a_finding(p, state) for p in assessment.problems], case)
