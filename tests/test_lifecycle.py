from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.lifecycle import Clock, Step, Tonight, advance
from fleet.model.finding import Action, Basis, Problem, Severity, State
from fleet.model.fingerprint import fingerprint
from fleet.model.memory import Condition, Memory, Ticket
from tests.fleet_of import NOW, Value, ago, days

if TYPE_CHECKING:
    from datetime import datetime

YESTERDAY, EARLIER = ago(1), ago(9)
UNTIL = NOW + days(30)
PROBLEM = Problem(
    problem="backup",
    check="backup-stale",
    held=("backup-stale",),
    basis=Basis.OBSERVED,
    severity=Severity.HIGH,
    summary="The last backup is 20 days old.",
    evidence={"age_days": 20},
    fixes=("wifi-and-power",),
    sources=("hq",),
    observed_at=ago(0.25),
)
TOLD = "backup-stale/high/"
FOUND = Tonight(problem=PROBLEM)
CLEAR = Tonight(clear=True)
UNKNOWN = Tonight()


def remembered(condition: Condition, ticket: Ticket, **more: Value) -> Memory:
    """A finding that the night before left like that."""
    standing = condition in {Condition.OPEN, Condition.WAIVED}
    memory = Memory(
        external_id="f" * 32,
        problem="backup",
        condition=condition,
        check="backup-stale",
        held=("backup-stale",),
        basis=Basis.OBSERVED,
        severity=Severity.HIGH,
        summary=PROBLEM.summary,
        evidence=PROBLEM.evidence,
        fixes=PROBLEM.fixes,
        sources=PROBLEM.sources,
        observed_at=YESTERDAY,
        first_seen=EARLIER,
        last_seen=None if standing else EARLIER,
        opened_at=EARLIER,
        ticket=ticket,
        told=None if ticket is Ticket.NONE else TOLD,
    )
    return replace(memory, **more)


OPEN = remembered(Condition.OPEN, Ticket.OPEN)
HELD = remembered(Condition.OPEN, Ticket.NONE)
WAIVED = remembered(Condition.WAIVED, Ticket.NONE, reason="waived", waiver_until=YESTERDAY)
WAIVED_LATER = remembered(Condition.WAIVED, Ticket.CLOSED, reason="waived", waiver_until=YESTERDAY, told=TOLD)
WAIVED_TO_COME = replace(WAIVED_LATER, waiver_until=UNTIL)
WAIVED_AND_GONE = replace(WAIVED_LATER, condition=Condition.GONE, reason="device_gone")
CHANGED = remembered(Condition.OPEN, Ticket.OPEN, reason="rule_changed")
RESOLVED = remembered(Condition.RESOLVED, Ticket.CLOSED)
GONE = remembered(Condition.GONE, Ticket.OPEN, reason="device_gone")
N, S, R, E, W, G = State.NEW, State.OPEN, State.REOPENED, State.RESOLVED, State.WAIVED, State.GONE
OPENED, CLOSED, UNTOLD = Ticket.OPEN, Ticket.CLOSED, Ticket.NONE


def found(**more: Value) -> Tonight:
    return replace(FOUND, **more)


def worse(*, by_rule: bool = False, **changes: Value) -> Tonight:
    return found(problem=replace(PROBLEM, **changes), by_rule=by_rule)


def step(memory: Memory | None, tonight: Tonight, **clock: Value) -> Step | None:
    at = Clock(now=NOW, previous=YESTERDAY, **clock)
    return advance(memory, tonight, at, external_id="f" * 32)


@pytest.mark.parametrize(
    ("memory", "tonight", "state", "action", "ticket", "reason"),
    [
        # a problem begins
        (None, FOUND, N, Action.CREATE, OPENED, None),
        (None, found(waived_until=UNTIL), W, Action.NONE, UNTOLD, "waived"),
        # it goes on
        (OPEN, FOUND, S, Action.NONE, OPENED, None),
        (OPEN, found(may_open=False), S, Action.NONE, OPENED, None),
        (OPEN, worse(severity=Severity.CRITICAL), S, Action.UPDATE, OPENED, None),
        (OPEN, worse(check="backup-disabled"), S, Action.UPDATE, OPENED, None),
        (OPEN, found(cause="storage-full"), S, Action.UPDATE, OPENED, None),
        (OPEN, worse(summary="The last backup is 21 days old."), S, Action.NONE, OPENED, None),
        # it cannot be said
        (OPEN, UNKNOWN, S, Action.NONE, OPENED, None),
        (OPEN, replace(CLEAR, may_close=False), S, Action.NONE, OPENED, None),
        (HELD, UNKNOWN, S, Action.NONE, UNTOLD, None),
        # it ends, and comes back
        (OPEN, CLEAR, E, Action.RESOLVE, CLOSED, None),
        (OPEN, replace(CLEAR, reason="shared_ipad"), E, Action.RESOLVE, CLOSED, "shared_ipad"),
        (HELD, CLEAR, E, Action.NONE, UNTOLD, None),
        (RESOLVED, FOUND, R, Action.REOPEN, OPENED, None),
        # the device goes, and comes back
        (OPEN, replace(UNKNOWN, gone=True), G, Action.NONE, OPENED, "device_gone"),
        (OPEN, Tonight(gone=True, retired=True), E, Action.RESOLVE, CLOSED, "device_gone"),
        (GONE, Tonight(gone=True, retired=True), E, Action.RESOLVE, CLOSED, "device_gone"),
        (GONE, FOUND, S, Action.NONE, OPENED, None),
        (GONE, UNKNOWN, S, Action.NONE, OPENED, None),
        (GONE, CLEAR, E, Action.RESOLVE, CLOSED, None),
        # a waiver begins
        (OPEN, found(waived_until=UNTIL), W, Action.RESOLVE, CLOSED, "waived"),
        (OPEN, replace(UNKNOWN, waived_until=UNTIL), W, Action.RESOLVE, CLOSED, "waived"),
        (GONE, replace(UNKNOWN, waived_until=UNTIL), W, Action.RESOLVE, CLOSED, "waived"),
        # it goes on
        (WAIVED, found(waived_until=UNTIL), W, Action.NONE, UNTOLD, "waived"),
        (WAIVED, replace(UNKNOWN, waived_until=UNTIL), W, Action.NONE, UNTOLD, "waived"),
        (WAIVED, replace(CLEAR, waived_until=UNTIL), E, Action.NONE, UNTOLD, None),
        (WAIVED, replace(UNKNOWN, gone=True), G, Action.NONE, UNTOLD, "device_gone"),
        # it ends
        (WAIVED, FOUND, N, Action.CREATE, OPENED, "waiver_expired"),
        (WAIVED_LATER, FOUND, R, Action.REOPEN, OPENED, "waiver_expired"),
        (WAIVED_LATER, found(may_open=False), R, Action.REOPEN, OPENED, "waiver_expired"),
        (WAIVED_LATER, UNKNOWN, S, Action.NONE, CLOSED, "waiver_expired"),
        (WAIVED, UNKNOWN, S, Action.NONE, UNTOLD, "waiver_expired"),
        # it is taken back before its end, or ends while the device is away
        (WAIVED_TO_COME, FOUND, R, Action.REOPEN, OPENED, "no_longer_waived"),
        (WAIVED_TO_COME, UNKNOWN, S, Action.NONE, CLOSED, "no_longer_waived"),
        (WAIVED_AND_GONE, FOUND, S, Action.REOPEN, OPENED, "waiver_expired"),
        (WAIVED_AND_GONE, UNKNOWN, S, Action.NONE, CLOSED, "waiver_expired"),
        # the rules change, and the device does not
        (None, found(by_rule=True), N, Action.CREATE, OPENED, "rule_changed"),
        (OPEN, worse(severity=Severity.CRITICAL, by_rule=True), S, Action.UPDATE, OPENED, "rule_changed"),
        (OPEN, replace(CLEAR, by_rule=True), E, Action.RESOLVE, CLOSED, "rule_changed"),
        (RESOLVED, found(by_rule=True), R, Action.REOPEN, OPENED, "rule_changed"),
        (CHANGED, FOUND, S, Action.NONE, OPENED, None),
        (CHANGED, worse(severity=Severity.CRITICAL), S, Action.UPDATE, OPENED, None),
        (replace(CHANGED, told="backup-stale/medium/"), FOUND, S, Action.UPDATE, OPENED, "rule_changed"),
        # what was held back comes later
        (HELD, FOUND, S, Action.CREATE, OPENED, None),
        (remembered(Condition.OPEN, CLOSED), FOUND, S, Action.REOPEN, OPENED, None),
        (remembered(Condition.RESOLVED, OPENED), CLEAR, E, Action.RESOLVE, CLOSED, None),
        (remembered(Condition.RESOLVED, OPENED), FOUND, R, Action.NONE, OPENED, None),
        (
            remembered(Condition.WAIVED, OPENED),
            found(waived_until=UNTIL),
            W,
            Action.RESOLVE,
            CLOSED,
            "waived",
        ),
    ],
)
def test_one_night(  # noqa: PLR0917 - the columns of the table
    memory: Memory | None, tonight: Tonight, state: State, action: Action, ticket: Ticket, reason: str | None
) -> None:
    """What a ticketing system is told follows from what it was told before and what tonight's evidence says."""
    after = step(memory, tonight)
    assert after is not None
    assert after.finding is not None
    assert (after.finding.state, after.finding.action, after.memory.ticket) == (state, action, ticket)
    assert (after.finding.reason, after.memory.reason) == (reason, reason)


@pytest.mark.parametrize(
    ("memory", "tonight"),
    [
        (None, CLEAR),
        (None, found(may_open=False)),
        (None, replace(UNKNOWN, gone=True)),
        (RESOLVED, CLEAR),
        (RESOLVED, UNKNOWN),
        (RESOLVED, found(may_open=False)),
        (RESOLVED, Tonight(gone=True, retired=True)),
        (GONE, replace(UNKNOWN, gone=True)),
    ],
)
def test_nothing_to_show(memory: Memory | None, tonight: Tonight) -> None:
    """Nothing is shown of what never was, of what ended before, and of what only old facts of an unread device say."""
    after = step(memory, tonight)
    assert after is None or (after.finding is None and after.memory.ticket is (memory and memory.ticket))


@pytest.mark.parametrize(
    ("memory", "tonight", "moved"),
    [
        (None, FOUND, True),
        (None, found(waived_until=UNTIL), False),
        (OPEN, worse(severity=Severity.LOW), False),
        (OPEN, CLEAR, True),
        (OPEN, UNKNOWN, False),
        (OPEN, found(waived_until=UNTIL), False),
        (OPEN, Tonight(gone=True, retired=True), False),
        (RESOLVED, FOUND, True),
        (HELD, FOUND, False),
        (remembered(Condition.RESOLVED, OPENED), CLEAR, False),
    ],
)
def test_what_the_brake_counts(memory: Memory | None, tonight: Tonight, *, moved: bool) -> None:
    """Newly found and resolved findings move; what was decided by an admin, or told late, does not."""
    after = step(memory, tonight)
    assert after is not None
    assert after.moved is moved


def test_dates() -> None:
    """A finding keeps when it was first seen, and counts its days from when it opened last."""
    begun = told(step(None, FOUND))
    assert (begun.first_seen, begun.opened_at, begun.last_seen) == (NOW, NOW, NOW)
    gone_on = told(step(OPEN, FOUND))
    assert (gone_on.first_seen, gone_on.opened_at, gone_on.last_seen) == (EARLIER, EARLIER, NOW)
    unseen = told(step(OPEN, UNKNOWN))
    assert (unseen.opened_at, unseen.last_seen) == (EARLIER, YESTERDAY)
    back = told(step(RESOLVED, FOUND))
    assert (back.first_seen, back.opened_at, back.last_seen) == (EARLIER, NOW, NOW)
    for ended, tonight in ((WAIVED_LATER, UNKNOWN), (WAIVED_AND_GONE, UNKNOWN), (WAIVED_AND_GONE, FOUND)):
        expired = told(step(ended, tonight))
        assert (expired.first_seen, expired.opened_at) == (EARLIER, NOW)
    returned = told(step(GONE, FOUND))
    assert (returned.first_seen, returned.opened_at) == (EARLIER, EARLIER)


def told(after: Step | None) -> Value:
    assert after is not None
    return after.finding


def test_waiver_that_was_prolonged() -> None:
    """The end that is shown is that of the waiver in force, whether or not the problem was seen tonight."""
    for tonight in (found(waived_until=UNTIL), replace(UNKNOWN, waived_until=UNTIL)):
        assert told(step(WAIVED, tonight)).waiver_until == UNTIL
    for tonight in (FOUND, UNKNOWN):
        assert told(step(WAIVED, tonight)).waiver_until is None


def test_several_clean_runs() -> None:
    """Where two clean runs are wanted, one does not resolve, and a problem in between starts the count anew."""
    states: list[State] = []
    memory: Memory | None = OPEN
    for tonight in (CLEAR, FOUND, CLEAR, UNKNOWN, CLEAR):
        after = step(memory, tonight, resolve_after_clean_runs=2)
        assert after is not None
        memory = after.memory
        states.append(told(after).state)
    assert states == [S, S, S, S, E]


def test_rule_that_makes_a_finding_clear_in_two_runs() -> None:
    """Where the second clean run resolves what a changed rule made clear in the first, that is still the reason."""
    first = step(OPEN, replace(CLEAR, by_rule=True), resolve_after_clean_runs=2)
    assert (told(first).state, told(first).reason) == (S, "rule_changed")
    assert first is not None
    second = told(step(first.memory, CLEAR, resolve_after_clean_runs=2))
    assert (second.state, second.action, second.reason) == (E, Action.RESOLVE, "rule_changed")


def test_clean_run_of_a_device_that_came_back() -> None:
    """A finding that waits for its second clean run is open, and not for the reason of a device that is gone."""
    after = told(step(GONE, CLEAR, resolve_after_clean_runs=2))
    assert (after.state, after.reason) == (S, None)


def test_fingerprint() -> None:
    """A fingerprint is 32 hex digits that depend on every part and on where the parts end."""
    assert len(fingerprint("serial", "C39X")) == 32
    assert (
        len({fingerprint("a", "bc"), fingerprint("ab", "c"), fingerprint("abc"), fingerprint("a", "b", "c")})
        == 4
    )


# A made-up fleet of one device and one source, over any sequence of nights.


@dataclass(frozen=True, slots=True)
class Night:
    """How the device truly is, and what the source's collection amounts to.

    Attributes:
        fact: what the device would say: it is ill, it is well, or the fact is missing.
        seen: `read`, `unread` in a collection that is not complete, `unreadable` in one that is, `absent` from one
            that is, or `partial`: read in a collection that is not complete.
    """

    fact: str
    seen: str
    waived: bool
    hold: bool
    cause: str


NIGHTS = st.lists(
    st.builds(
        Night,
        fact=st.sampled_from(["ill", "well", "missing"]),
        seen=st.sampled_from(["read", "read", "read", "unread", "unreadable", "absent", "partial"]),
        waived=st.sampled_from([False, False, False, True]),
        hold=st.sampled_from([False, False, True]),
        cause=st.sampled_from(["", "storage-full"]),
    ),
    max_size=14,
)
GRACE = 3


@dataclass(slots=True)
class World:
    """The device's last known fact, the finding's memory, and an importer that follows nothing but our actions."""

    memory: Memory | None = None
    fact: str = "missing"
    absent_for: int = 0
    now: datetime = NOW
    actions: list[Action] = field(default_factory=list[Action])
    ticket: str = "none"

    def tonight(self, night: Night) -> Tonight:
        """What a judgement of that night says."""
        self.absent_for = self.absent_for + 1 if night.seen == "absent" else 0
        if night.seen in {"read", "partial"}:
            self.fact = night.fact
        if self.absent_for:
            return Tonight(gone=True, retired=self.absent_for > GRACE)
        return Tonight(
            problem=PROBLEM if self.fact == "ill" else None,
            clear=self.fact == "well",
            may_open=night.seen in {"read", "partial"},
            may_close=night.seen == "read",
            waived_until=self.now + days(1) if night.waived else None,
            cause=night.cause,
        )

    def live(self, tonight: Tonight, *, hold: bool) -> Step | None:
        """One night on."""
        self.now += timedelta(days=1)
        clock = Clock(now=self.now, previous=self.now - timedelta(days=1), hold=hold)
        after = advance(self.memory, tonight, clock, external_id="f" * 32)
        self.memory = after.memory if after else self.memory
        self.follow(after.finding.action if after and after.finding else Action.NONE)
        return after

    def follow(self, action: Action) -> None:
        """Do as told; being told what makes no sense is an error."""
        expected = {
            Action.CREATE: ({"none"}, "open"),
            Action.REOPEN: ({"closed"}, "open"),
            Action.RESOLVE: ({"open"}, "closed"),
            Action.UPDATE: ({"open"}, "open"),
            Action.NONE: ({"none", "open", "closed"}, self.ticket),
        }
        before, after = expected[action]
        assert self.ticket in before, f"told to {action} a ticket that is {self.ticket}"
        self.ticket = after
        self.actions.append(action)


@given(NIGHTS)
def test_tickets_follow_the_truth(nights: list[Night]) -> None:
    """Whoever follows nothing but our actions is never told nonsense, and is right on every night that is not held."""
    world = World()
    for night in nights:
        tonight = world.tonight(night)
        after = world.live(tonight, hold=night.hold)
        if night.hold:
            assert world.actions[-1] is Action.NONE
        elif tonight.retired or tonight.waived_until or (tonight.clear and tonight.may_close):
            assert world.ticket != "open"
        elif tonight.problem and (tonight.may_open or (after and after.finding)):
            assert world.ticket == "open"


@given(NIGHTS)
def test_only_evidence_resolves(nights: list[Night]) -> None:
    """A finding resolves on a night whose complete collection showed the device well, or when the device retired."""
    world = World()
    for night in nights:
        was = world.memory and world.memory.condition
        after = world.live(world.tonight(night), hold=night.hold)
        if after and after.memory.condition is Condition.RESOLVED and was is not Condition.RESOLVED:
            well = night.seen == "read" and night.fact == "well"
            assert well or world.absent_for > GRACE
            assert after.memory.reason == (None if well else "device_gone")


@given(NIGHTS)
def test_only_evidence_opens(nights: list[Night]) -> None:
    """A finding begins, or begins again after its end, on a night that read the device ill."""
    world = World()
    for night in nights:
        ended = world.memory is None or world.memory.condition is Condition.RESOLVED
        after = world.live(world.tonight(night), hold=night.hold)
        if ended and after and after.memory.condition is not Condition.RESOLVED:
            assert night.fact == "ill"
            assert night.seen in {"read", "partial"}


@given(NIGHTS)
def test_same_input_twice(nights: list[Night]) -> None:
    """Judging the same facts a second time asks nothing of anybody."""
    world = World()
    for night in nights:
        tonight = world.tonight(night)
        world.live(tonight, hold=False)
        before = world.memory
        world.live(tonight, hold=False)
        assert world.actions[-1] is Action.NONE
        assert (world.memory and world.memory.condition) is (before and before.condition)


@given(NIGHTS)
def test_release_after_hold(nights: list[Night]) -> None:
    """What a held night withheld, the next unchanged night releases, neither more nor less."""
    free, held = World(), World()
    for night in nights:
        tonight = free.tonight(night)
        assert held.tonight(night) == tonight
        free.live(tonight, hold=False)
        held.live(tonight, hold=True)
        held.live(tonight, hold=False)
        free.now = held.now
        assert held.actions[-1] is free.actions[-1]
        assert held.ticket == free.ticket


@given(NIGHTS)
def test_external_id_stays(nights: list[Night]) -> None:
    """Whatever happens to a finding, it keeps its id and the day on which it was first seen."""
    world = World()
    first: tuple[str, datetime] | None = None
    for night in nights:
        after = world.live(world.tonight(night), hold=night.hold)
        if after and after.finding:
            first = first or (after.finding.external_id, after.finding.first_seen)
            assert (after.finding.external_id, after.finding.first_seen) == first


@pytest.mark.parametrize(
    ("memory", "tonight", "check", "ticket_check"),
    [
        (None, FOUND, "backup-stale", None),
        (HELD, FOUND, "backup-stale", None),
        (OPEN, FOUND, "backup-stale", "backup-stale"),
        (OPEN, worse(check="backup-disabled"), "backup-disabled", "backup-stale"),
        (replace(OPEN, check="backup-disabled"), worse(check="backup-disabled"), "backup-disabled", "backup-stale"),
        (OPEN, CLEAR, "backup-stale", "backup-stale"),
        (RESOLVED, FOUND, "backup-stale", None),
        (replace(OPEN, told=None), FOUND, "backup-stale", None),
    ],
)  # fmt: skip
def test_which_ticket_stood_open(
    memory: Memory | None, tonight: Tonight, check: str, ticket_check: str | None
) -> None:
    """Whoever groups tickets by check learns where the problem stood before tonight, on hold too."""
    for hold in (False, True):
        ended = step(memory, tonight, hold=hold)
        assert ended is not None
        assert ended.finding is not None or (hold and tonight is CLEAR)
        if ended.finding:
            assert (ended.finding.check, ended.finding.ticket_check) == (check, ticket_check)
