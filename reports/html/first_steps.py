"""Where an hour of work takes most risk away: the fixes with which the plans of the devices at risk begin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reports.html import words
from reports.html.links import link
from reports.html.tally import WEIGHTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fleet.guide import Fix
    from fleet.model.finding import Severity
    from reports.html.tally import FirstStep, Tally

SHOWN = 5
_USUAL_MINUTES = 10
"""For a fix that is not in the guide."""


def first_steps(tally: Tally, at_risk: int, fixes: Mapping[str, Fix]) -> dict[str, object] | None:
    """The first steps, ranked by the risk that they go for and the minutes that they take; None without any.

    Each device at risk counts once, with the first step of its plan, so shares add up.
    """
    ranked = sorted(
        tally.first_steps.values(), key=lambda step: (-step.risk / _minutes(step, fixes), step.fix)
    )
    if not ranked or not tally.risk:
        return None
    rows = [_row(step, tally.risk, fixes) for step in ranked]
    shown = ranked[:SHOWN]
    cleared = 100 * sum(step.risk for step in shown) / tally.risk
    return {
        "sentence": _sentence(len(shown), cleared),
        "rows": rows[:SHOWN],
        "more": rows[SHOWN:],
        "left": at_risk - sum(step.devices for step in ranked),
        "left_link": link(status="at_risk", fix=""),
        "weights": _weights(),
    }


def _sentence(fixes: int, cleared: float) -> str:
    start = "This fix clears" if fixes == 1 else f"These {fixes} fixes clear"
    return f"{start} up to {cleared:.0f} % of the risk."


def _row(step: FirstStep, risk: int, fixes: Mapping[str, Fix]) -> dict[str, object]:
    fix = fixes.get(step.fix)
    return {
        "title": fix.title if fix else step.fix,
        "why": fix.why if fix else "",
        "who": words.AUDIENCES.get(step.audience, step.audience),
        "minutes": f"about {words.count(fix.cost.minutes, 'minute')} each" if fix else "",
        "devices": words.count(step.devices, "device"),
        "share": f"{100 * step.risk / risk:.0f} %",
        "width": f"{100 * step.risk / risk:.2f}",
        "link": link(status="at_risk", fix=step.fix),
    }


def _minutes(step: FirstStep, fixes: Mapping[str, Fix]) -> int:
    return fixes[step.fix].cost.minutes if step.fix in fixes else _USUAL_MINUTES


def _weights() -> str:
    weighed: list[tuple[Severity, int]] = [pair for pair in WEIGHTS.items() if pair[1] > 1]
    return ", ".join(f"{words.SEVERITIES[severity][1].lower()} {weight}" for severity, weight in weighed)
