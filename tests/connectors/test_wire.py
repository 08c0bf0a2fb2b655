"""Readers of values whose rule several vendors share; the others are shown at each vendor's fields."""

from __future__ import annotations

import pytest

from connectors import _wire
from fleet.model.fact import ABSENT, NOT_PERMITTED, UNREADABLE, Fact


@pytest.mark.parametrize(
    ("capacity", "free", "facts"),
    [
        (64, 9.5, (64_000_000_000, 9_500_000_000)),
        (64, 64, (64_000_000_000, 64_000_000_000)),
        (64, 0, (64_000_000_000, 0)),
        (64, None, (64_000_000_000, ABSENT)),
        (64, 65, (64_000_000_000, UNREADABLE)),
        (64, -1, (64_000_000_000, UNREADABLE)),
        (64, False, (64_000_000_000, UNREADABLE)),
        (0, 0, (ABSENT, ABSENT)),
        (0, 5, (ABSENT, ABSENT)),
        (None, 5, (ABSENT, ABSENT)),
        (None, None, (ABSENT, ABSENT)),
        ("64", 5, (UNREADABLE, 5_000_000_000)),
        ("64", 0, (UNREADABLE, ABSENT)),
        (-1, 5, (UNREADABLE, 5_000_000_000)),
        (2**80, "5", (UNREADABLE, UNREADABLE)),
    ],
)
def test_storage(capacity: object, free: object, facts: tuple[object, object]) -> None:
    """Nothing of nothing is not full, a full device has a capacity, and nobody has more free than there is."""
    assert _wire.storage(capacity, free, unit=_wire.GB) == facts


@pytest.mark.parametrize(
    ("facts", "known"),
    [
        (("a", "b"), "a"),
        ((ABSENT, "b"), "b"),
        ((UNREADABLE, "b"), "b"),
        ((ABSENT, UNREADABLE), UNREADABLE),
        ((NOT_PERMITTED, ABSENT), NOT_PERMITTED),
    ],
)
def test_the_first_that_is_known(facts: tuple[Fact[str], ...], known: Fact[str]) -> None:
    """A second place fills in for the first, and what stands there unread is not passed off as missing."""
    assert _wire.first_known(*facts) == known


@pytest.mark.parametrize(
    ("fact", "hidden", "seen"),
    [
        ("S1", True, "S1"),
        ("S1", False, "S1"),
        (ABSENT, True, NOT_PERMITTED),
        (ABSENT, False, ABSENT),
        (UNREADABLE, True, UNREADABLE),
    ],
)
def test_what_user_enrolment_hides(fact: Fact[str], hidden: bool, seen: Fact[str]) -> None:
    """A serial number that Apple keeps back is not permitted, one that came all the same is a fact."""
    assert _wire.unless_hidden(fact, hidden=hidden) == seen
