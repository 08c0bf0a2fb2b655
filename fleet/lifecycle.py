"""The life of a finding: what was remembered, what tonight says, and what follows for reports and tickets.

A pure function. Three rules carry it. Only evidence closes: a problem ends when every check that held is clear on
facts from sources whose collection was complete. Only evidence opens: a finding starts when the device was read
tonight. And the ticket follows the truth: an action is the difference between what stands and what the ticketing
system was last told, so that a night whose actions were held back needs no memory of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from fleet import ticket
from fleet.model.finding import Action, Finding, Problem, Severity, State
from fleet.model.frozen import frozen
from fleet.model.memory import Condition, Memory, Ticket

if TYPE_CHECKING:
    from datetime import datetime

WAIVED = "waived"
WAIVER_EXPIRED = "waiver_expired"
NO_LONGER_WAIVED = "no_longer_waived"
"""A waiver that was taken back before its end, or that the device moved out of."""
RULE_CHANGED = "rule_changed"
"""Thresholds or the catalogue changed, and by them the verdict; the device did not."""
DEVICE_GONE = "device_gone"
SUPERSEDED = "superseded"
"""Its device turned out to be another one that was known before, whose own findings go on."""


@frozen
class Tonight:
    """What tonight says about one problem of one device.

    Attributes:
        problem: the problem as found; None where it was not.
        clear: every check that held before is clear tonight, or no longer applies to the device.
        may_open: a source whose facts carry the problem read the device tonight.
        may_close: every source that carried the evidence is complete and accounts for the device.
        news: the evidence comes from a collection that the run before had not seen.
        gone: the device is in no complete collection any more; `retired`: for longer than the grace.
        superseded: the device turned out to be another one, whose findings go on in place of this one.
        waived_until: the end of the waiver that covers it tonight.
        cause: the device's most probable cause, part of what a ticket is told.
        by_rule: by the rules of the run before, tonight's facts would have left everything as it stood.
        reason: why a clear problem is clear, where that is not the evidence itself.
    """

    problem: Problem | None = None
    clear: bool = False
    may_open: bool = True
    may_close: bool = True
    news: bool = True
    gone: bool = False
    retired: bool = False
    superseded: bool = False
    waived_until: datetime | None = None
    cause: str | None = None
    by_rule: bool = False
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """The two moments that a step in life needs: tonight and the run before it; and two settings."""

    now: datetime
    previous: datetime | None
    resolve_after_clean_runs: int = 1
    hold: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """What became of one finding tonight.

    Attributes:
        memory: what the next run is to remember.
        finding: what tonight's report shows; None where there is nothing to show.
        moved: newly found or resolved tonight, as the mass-change brake counts it.
    """

    memory: Memory
    finding: Finding | None
    moved: bool


def advance(memory: Memory | None, tonight: Tonight, clock: Clock, *, external_id: str) -> Step | None:
    """One finding, one night on; None where there is nothing and was nothing."""
    before = memory.condition if memory else None
    was = memory.severity if memory and before in {Condition.OPEN, Condition.GONE} else None
    found = tonight.problem
    if found and (tonight.may_open or before in _STANDING):
        memory = _found(memory, found, tonight, clock, external_id)
    elif memory:
        memory = _not_found(memory, tonight, clock)
    else:
        return None
    state = _state(before, memory, found=found is not None and memory.last_seen is None)
    ticket_check = ticket.told_check(memory)
    action, memory = ticket.tell(
        memory, found=tonight.problem is not None, cause=tonight.cause, hold=clock.hold
    )
    if not _shown(before, memory, action):
        return Step(memory, None, moved=False)
    moved = before != memory.condition and state in _MOVES and memory.reason not in _NO_MOVES
    finding = _finding(memory, state, action, clock, ticket_check=ticket_check, severity_before=was)
    return Step(memory, finding, moved=moved)


_STANDING = frozenset({Condition.OPEN, Condition.WAIVED, Condition.GONE})
_MOVES = frozenset({State.NEW, State.REOPENED, State.RESOLVED})
_NO_MOVES = frozenset({DEVICE_GONE, WAIVED, SUPERSEDED})


def _found(
    memory: Memory | None, problem: Problem, tonight: Tonight, clock: Clock, external_id: str
) -> Memory:
    stood = memory is not None and memory.condition in {Condition.OPEN, Condition.GONE}
    stood = stood and not _was_waived(memory)
    condition = Condition.WAIVED if tonight.waived_until else Condition.OPEN
    return Memory(
        external_id=external_id,
        problem=problem.problem,
        condition=condition,
        check=problem.check,
        held=problem.held,
        basis=problem.basis,
        severity=problem.severity,
        summary=problem.summary,
        evidence=problem.evidence,
        fixes=problem.fixes,
        sources=problem.sources,
        observed_at=problem.observed_at,
        first_seen=memory.first_seen if memory else clock.now,
        last_seen=None,
        opened_at=clock.now
        if memory is None or (condition is Condition.OPEN and not stood)
        else memory.opened_at,
        ticket=memory.ticket if memory else Ticket.NONE,
        told=memory.told if memory else None,
        reason=_found_reason(memory, tonight, clock),
        waiver_until=tonight.waived_until,
    )


def _found_reason(memory: Memory | None, tonight: Tonight, clock: Clock) -> str | None:
    if tonight.waived_until:
        return WAIVED
    if memory and _was_waived(memory):
        return _why_not_waived(memory, clock)
    if tonight.by_rule:
        return RULE_CHANGED
    kept = memory is not None and memory.condition is Condition.OPEN and _still_true(memory)
    return memory.reason if memory and kept else None


def _still_true(memory: Memory) -> bool:
    """A reason goes with the opening it belongs to; a change of rules is said until the ticket was told of it."""
    if memory.reason == RULE_CHANGED:
        return not (ticket.last_told(memory) or "").startswith(
            ticket.told(memory.check, memory.severity, None)
        )
    return memory.reason in {WAIVER_EXPIRED, NO_LONGER_WAIVED}


def _was_waived(memory: Memory | None) -> bool:
    """Waived by the last run, or when its device went away."""
    ended = {Condition.WAIVED, Condition.GONE}
    return memory is not None and memory.condition in ended and memory.waiver_until is not None


def _why_not_waived(memory: Memory, clock: Clock) -> str:
    early = memory.waiver_until is not None and clock.now <= memory.waiver_until
    return NO_LONGER_WAIVED if early else WAIVER_EXPIRED


def _not_found(memory: Memory, tonight: Tonight, clock: Clock) -> Memory:
    if memory.last_seen is None:
        memory = replace(memory, last_seen=clock.previous or clock.now)
    if memory.condition is Condition.RESOLVED:
        return memory
    if tonight.superseded:
        return replace(
            memory, condition=Condition.RESOLVED, reason=SUPERSEDED, clean_runs=0, waiver_until=None
        )
    if tonight.gone or tonight.retired:
        ended = Condition.RESOLVED if tonight.retired else Condition.GONE
        return replace(memory, condition=ended, reason=DEVICE_GONE, clean_runs=0)
    if tonight.clear and tonight.may_close:
        return _cleaner(memory, tonight, clock)
    return _unproven(memory, tonight, clock)


def _cleaner(memory: Memory, tonight: Tonight, clock: Clock) -> Memory:
    clean_runs = memory.clean_runs + (1 if tonight.news or not memory.clean_runs else 0)
    by_rule = tonight.by_rule or (memory.clean_runs > 0 and memory.reason == RULE_CHANGED)
    if clean_runs < clock.resolve_after_clean_runs:
        waiting = _unproven(replace(memory, clean_runs=clean_runs), tonight, clock)
        silent = waiting.condition is Condition.OPEN and waiting.reason is None
        return replace(waiting, reason=RULE_CHANGED) if by_rule and silent else waiting
    reason = tonight.reason or (RULE_CHANGED if by_rule else None)
    return replace(
        memory, condition=Condition.RESOLVED, clean_runs=clean_runs, reason=reason, waiver_until=None
    )


def _unproven(memory: Memory, tonight: Tonight, clock: Clock) -> Memory:
    """Neither shown nor ended tonight, so it stands; waivers begin and end for it as for any other."""
    if tonight.waived_until:
        until = tonight.waived_until
        return replace(memory, condition=Condition.WAIVED, reason=WAIVED, waiver_until=until)
    if _was_waived(memory):
        why = _why_not_waived(memory, clock)
        ended = replace(memory, condition=Condition.OPEN, reason=why, waiver_until=None)
        return replace(ended, opened_at=clock.now)
    if memory.condition is Condition.GONE:
        return replace(memory, condition=Condition.OPEN, reason=None)
    return memory


def _state(before: Condition | None, memory: Memory, *, found: bool) -> State:
    if memory.condition is not Condition.OPEN:
        return State(memory.condition.value)
    if before is None:
        return State.NEW
    if before in {Condition.OPEN, Condition.GONE} or not found:
        return State.OPEN
    if before is Condition.WAIVED and memory.ticket is Ticket.NONE:
        return State.NEW
    return State.REOPENED


def _shown(before: Condition | None, memory: Memory, action: Action) -> bool:
    if memory.condition in {Condition.OPEN, Condition.WAIVED}:
        return True
    return before is not memory.condition or action is not Action.NONE


def _finding(
    memory: Memory,
    state: State,
    action: Action,
    clock: Clock,
    *,
    ticket_check: str | None,
    severity_before: Severity | None,
) -> Finding:
    return Finding(
        external_id=memory.external_id,
        problem=memory.problem,
        check=memory.check,
        basis=memory.basis,
        severity=memory.severity,
        state=state,
        action=action,
        first_seen=memory.first_seen,
        last_seen=memory.last_seen or clock.now,
        opened_at=memory.opened_at,
        summary=memory.summary,
        evidence=memory.evidence,
        fixes=memory.fixes,
        sources=memory.sources,
        observed_at=memory.observed_at,
        reason=memory.reason,
        waiver_until=memory.waiver_until,
        ticket_check=ticket_check,
        severity_before=severity_before,
    )
