"""The ticket follows the truth: what a ticketing system is told of a finding, and what it was told last."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from fleet.model.finding import Action
from fleet.model.memory import Condition, Ticket

if TYPE_CHECKING:
    from fleet.model.finding import Severity
    from fleet.model.memory import Memory


def tell(memory: Memory, *, found: bool, cause: str | None, hold: bool) -> tuple[Action, Memory]:
    """The action that brings the ticket to the truth, and the memory of having said so.

    Args:
        found: tonight showed the problem; what merely stands opens and changes no ticket.
        hold: nothing is told tonight.
    """
    now_told = told(memory.check, memory.severity, cause)
    action = _action(memory, now_told, found=found)
    if hold or action is Action.NONE:
        return Action.NONE, memory
    ticket = Ticket.CLOSED if action is Action.RESOLVE else Ticket.OPEN
    return action, replace(memory, ticket=ticket, told=memory.told if action is Action.RESOLVE else now_told)


def _action(memory: Memory, now_told: str, *, found: bool) -> Action:
    match memory.condition, memory.ticket:
        case Condition.OPEN, Ticket.NONE:
            return Action.CREATE if found else Action.NONE
        case Condition.OPEN, Ticket.CLOSED:
            return Action.REOPEN if found else Action.NONE
        case Condition.OPEN, Ticket.OPEN:
            return Action.UPDATE if found and now_told != memory.told else Action.NONE
        case ((Condition.WAIVED | Condition.RESOLVED), Ticket.OPEN):
            return Action.RESOLVE
        case _:
            return Action.NONE


def told(check: str, severity: Severity, cause: str | None) -> str:
    """What a ticket is told: check, severity and cause; where these stay, there is no update."""
    return f"{check}/{severity}/{cause or ''}"


def last_told(memory: Memory | None) -> str | None:
    """What a ticket that stands open was told last; None where none stands open."""
    return memory.told if memory and memory.ticket is Ticket.OPEN else None


def told_check(memory: Memory) -> str | None:
    """The check that the ticketing system was last told of, while the ticket that it was told of stands open."""
    if memory.ticket is not Ticket.OPEN or memory.told is None:
        return None
    return memory.told.split("/", 1)[0]
