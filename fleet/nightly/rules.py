"""Whether the device changed or the rules did: what the thresholds and catalogue of the run before would have said.

The same facts are judged a second time by the former rules. Where those would have left a ticket as it stood and
tonight's do not, the change is the rules' own. It costs nothing on a night whose rules are those of the night
before, and little on another: only devices whose ticket would move are judged twice. What a new version of the
program judges differently cannot be told apart in this way; the run says so in a note.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

from fleet.apple.catalog import Catalog
from fleet.checks.assess import BACKUP, Assessment, assess
from fleet.checks.plan import plan_for
from fleet.model.policy import Policy
from fleet.nightly.terms import Terms
from fleet.store import runs
from fleet.ticket import last_told, told

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from fleet.checks._check import Case, Check
    from fleet.model.memory import Memory
    from fleet.store.database import Database
    from fleet.store.runs import RunRow


@dataclass(frozen=True, slots=True)
class Rules:
    """By what one run judged: its thresholds, and its catalogue."""

    terms: Terms
    catalog: Catalog

    def applied(self, case: Case) -> Case:
        """The same facts before this bench."""
        source = case.device.sightings[0].source
        return replace(
            case,
            policy=self.terms.policy_for(source),
            plan_known=source in self.terms.plans,
            catalog=self.catalog,
        )

    def moved(
        self,
        case: Case,
        checks: tuple[Check, ...],
        tonight: tuple[Assessment, str | None],
        memories: Mapping[str, Memory],
    ) -> frozenset[str]:
        """The problems whose ticket moves tonight, and by these rules would stay as it is.

        Args:
            tonight: what tonight's rules say of the case, and its cause.
        """
        says, stood = _by_problem(*tonight), {name: last_told(one) for name, one in memories.items()}
        moving = {name for name in (*says, *stood) if says.get(name) != stood.get(name)}
        if not moving:
            return frozenset()
        former = self.applied(case)
        assessment = assess(former, checks, broke=_said_already)
        said = _by_problem(assessment, plan_for(former, assessment).cause)
        return frozenset(name for name in moving if said.get(name) == stood.get(name))


def _said_already(_check: Check, _error: Exception) -> None:
    """What breaks by these rules broke by tonight's."""


def _by_problem(assessment: Assessment, cause: str | None) -> dict[str, str]:
    return {
        one.problem: told(one.check, one.severity, cause if one.problem == BACKUP else None)
        for one in assessment.problems
    }


def former_rules(database: Database, run_id: int | None, terms: Terms, content: str) -> Rules | None:
    """The rules of that run, if they differ from those of `terms` and of the catalogue with that content."""
    row = runs.load_run(database, run_id) if run_id is not None else None
    if row is None:
        return None
    former = Terms.from_json(row.settings)
    if (former.policy, former.plans, row.catalog) == (terms.policy, terms.plans, content):
        return None
    return Rules(former, Catalog.from_json(row.catalog, date=row.catalog_date))


def changes(before: RunRow, now: RunRow) -> Iterator[str]:
    """What differs between the rules of two runs, in sentences for the report."""
    old, new = Terms.from_json(before.settings).policy, Terms.from_json(now.settings).policy
    if differing := [_change(one.name, old, new) for one in fields(Policy) if _differs(one.name, old, new)]:
        yield (
            f"Thresholds changed since the run before: {', '.join(differing)}. Findings that moved by that alone are "
            "marked rule_changed."
        )
    if before.catalog != now.catalog:
        yield (
            f"Apple's catalogue changed since the run before, from that of {before.catalog_date} to that of "
            f"{now.catalog_date}. Findings that moved by that alone are marked rule_changed."
        )
    if before.version != now.version:
        yield (
            f"This is the first run of fleetkeep {now.version} after {before.version}: some findings may have moved "
            "because its checks did."
        )


def _differs(name: str, old: Policy, new: Policy) -> bool:
    return getattr(old, name) != getattr(new, name)


def _change(name: str, old: Policy, new: Policy) -> str:
    return f"{name} {getattr(old, name):g} → {getattr(new, name):g}"
