"""What the findings in one ticket amount to.

The ticket stood open before tonight if that of one of its findings did, and is open from now on if that of one of them
is. So its actions need no memory of their own, and a night on hold asks for nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fleet.model.finding import Action, Finding, State

if TYPE_CHECKING:
    from collections.abc import Sequence

_STATES = {Action.CREATE: State.NEW, Action.REOPEN: State.REOPENED, Action.RESOLVE: State.RESOLVED}


def weight(finding: Finding) -> tuple[bool, int]:
    """Standing before ended, worst first; stable among equals."""
    return not finding.state.standing, -finding.severity.rank


def check_from_now_on(finding: Finding) -> str | None:
    """The check by which the finding's ticket is known once tonight's action is done; None where none is open."""
    if finding.action is Action.NONE:
        return finding.ticket_check
    return None if finding.action is Action.RESOLVE else finding.check


def action_of(findings: Sequence[Finding]) -> Action:
    """What the ticket of all these findings needs tonight."""
    return combined(
        before=any(finding.ticket_check is not None for finding in findings),
        after=any(check_from_now_on(finding) is not None for finding in findings),
        actions={finding.action for finding in findings},
    )


def combined(*, before: bool, after: bool, actions: set[Action]) -> Action:
    """What a ticket needs that stood open before, is open from now on, and whose findings need these actions."""
    if actions <= {Action.NONE}:
        return Action.NONE
    if not before:
        return (Action.REOPEN if Action.REOPEN in actions else Action.CREATE) if after else Action.NONE
    return Action.UPDATE if after else Action.RESOLVE


def state_of(action: Action, findings: Sequence[Finding]) -> State:
    """Where the ticket stands; the finding that weighs most comes first."""
    if action in _STATES:
        return _STATES[action]
    return State.OPEN if findings[0].state.standing else findings[0].state
