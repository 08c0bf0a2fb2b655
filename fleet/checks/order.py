"""In which order to try the fixes for what was found: what reaches the device, what the evidence says, harm last.

1. A device that does not answer is brought back first: nothing else reaches it or can be seen to have worked.
2. Where the only backup is about to be deleted, or none can be made, a copy on a computer comes next.
3. The cures of causes that explain the problem or are likely, the heaviest first.
4. Without an explanation: Wi-Fi and power, the condition of every backup and every update; then the cures of possible
   causes and of the device's other problems; then what cures the causes that nobody can see, in the guide's order.
5. What can lose data comes last, behind a copy on a computer. The cure of the likeliest cause keeps its place, but
   behind such a copy too; a device that cannot be backed up to a computer is spared what can lose data.

A fix that the model, the system or the enrolment cannot take is left out.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from fleet import guide
from fleet.checks import BY_ID
from fleet.checks.causes import QUOTA
from fleet.checks.cures import COPY, COPY_FIRST, FORBIDDEN, cures
from fleet.model.device_report import PlanStep, Strength

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Wanted: TypeAlias = "Iterator[tuple[str, str | None, str | None]]"
"""A fix, the sentence that says why, and the check whose finding says it where there is no sentence."""

RISKY = 2
_BASIC = "wifi-and-power"
_LATE = guide.ORDER[guide.ORDER.index(COPY) :]
_OTHERS = ("storage-full", "storage-filling", "os-outdated", "os-unsupported", "account-inactive")
_STRONG = (Strength.EXPLAINS, Strength.LIKELY)
_ONLY_COPY = "No iCloud backup can be made with this system, so a copy on a computer is the only one."
_LOST = "It is in Managed Lost Mode: nobody can use it until it is found."
_SWITCH = "No source says whether iCloud Backup is switched on."
_AT_LAST = "What is left can only be seen by Apple."


class Situation(NamedTuple):
    """All that the order depends on; the devices of a fleet share a few hundred of them.

    Attributes:
        backup: there is a backup problem.
        found: the checks that found something, in the order of the catalogue.
        causes: those among them that may be its cause, the heaviest first.
        foreign: the fixes that checks of other packages name, by check.
        possible: the fixes that the device can take.
        switch_unknown: no source says whether iCloud Backup is on.
        restriction_unknown: no source says whether a profile forbids it.
        below_minimum: no iCloud backup can be made with its system.
        worth_updating: the same, and its hardware can have a system with which one can.
        short_of_room: the update that it wants does not fit on it.
        lost: it is in Managed Lost Mode.
    """

    backup: bool
    found: tuple[str, ...]
    causes: tuple[tuple[str, Strength], ...]
    foreign: tuple[tuple[str, tuple[str, ...]], ...]
    possible: frozenset[str]
    switch_unknown: bool
    restriction_unknown: bool
    below_minimum: bool
    worth_updating: bool
    short_of_room: bool
    lost: bool

    @property
    def strong(self) -> list[str]:
        """The checks whose findings explain the problem or are likely its cause."""
        return [cause for cause, strength in self.causes if strength in _STRONG]

    @property
    def guessing(self) -> bool:
        """Whether nothing explains the backup problem."""
        return self.backup and not any(strength is Strength.EXPLAINS for _, strength in self.causes)


@lru_cache(maxsize=16384)
def ordered(situation: Situation) -> tuple[tuple[PlanStep, str | None], ...]:
    """The steps in their order; where a check stands beside one, that check's finding is the reason."""
    firm = _first(_firm(situation))
    rest = _first(_rest(situation))
    order = [*firm, *(fix for fix in rest if fix not in _LATE), *(fix for fix in _LATE if fix in rest)]
    whys = {COPY: (COPY_FIRST, None)} | rest | firm
    return tuple(_step(fix, *whys[fix]) for fix in _safe(order, situation.possible))


def _step(fix: str, sentence: str | None, check: str | None) -> tuple[PlanStep, str | None]:
    step = PlanStep(fix=fix, audience=guide.load()[fix].audience, why=sentence or "")
    return step, None if sentence else check


def _first(wanted: Wanted) -> dict[str, tuple[str | None, str | None]]:
    """Each fix at its first place, with its first reason."""
    whys: dict[str, tuple[str | None, str | None]] = {}
    for fix, sentence, check in wanted:
        whys.setdefault(fix, (sentence, check))
    return whys


def _firm(situation: Situation) -> Wanted:
    """What keeps its place whatever it risks: it reaches the device, saves the data, or cures the likeliest cause."""
    if "silent-device" in situation.found:
        yield "check-in", None, "silent-device"
    elif situation.lost:
        yield "check-in", _LOST, None
    if situation.below_minimum:
        yield COPY, _ONLY_COPY, None
    if not situation.backup:
        return
    expiring = "backup-expiring" in situation.found
    if expiring and situation.guessing:
        yield COPY, None, "backup-expiring"
    for place, check in enumerate(situation.strong):
        yield from (each for each in _cures([check], situation) if not place or each[0] not in _LATE)
    if expiring:
        yield COPY, None, "backup-expiring"


def _rest(situation: Situation) -> Wanted:
    if situation.guessing:
        yield _BASIC, guide.load()[_BASIC].unseen, None
    yield from _cures([cause for cause, strength in situation.causes if strength not in _STRONG], situation)
    yield from _cures([*_OTHERS, *dict(situation.foreign)], situation)
    if situation.guessing:
        yield from _walk(situation)


def _cures(checks: Iterable[str], situation: Situation) -> Wanted:
    for check in checks:
        if check in situation.found:
            yield from ((fix, sentence, check) for fix, sentence in cures(check, situation))


def _walk(situation: Situation) -> Wanted:
    """What cures the causes that nobody can see, then what is left to do when nothing has helped."""
    for fix in guide.load().values():
        hint = QUOTA if QUOTA in situation.found and fix.id in BY_ID[QUOTA].fixes else None
        sentence = fix.unseen or _unsaid(fix.id, situation)
        if sentence:
            yield fix.id, None if hint else sentence, hint
    yield COPY, COPY_FIRST, None
    yield "apple-support", _AT_LAST, None


def _unsaid(fix: str, situation: Situation) -> str:
    """What is worth a look because no source of this device says it, though others do."""
    if fix == "enable-backup" and situation.switch_unknown:
        return _SWITCH
    unsaid = situation.switch_unknown and situation.restriction_unknown
    return FORBIDDEN if fix == "lift-restriction" and unsaid else ""


def _safe(order: Iterable[str], possible: frozenset[str]) -> list[str]:
    """What the device can take, nothing risky without a copy before it."""
    taken: dict[str, None] = {}
    for fix in order:
        risky = fix in guide.load() and guide.load()[fix].risk >= RISKY
        if fix not in possible or (risky and COPY not in possible):
            continue
        if risky:
            taken.setdefault(COPY)
        taken.setdefault(fix)
    return list(taken)
