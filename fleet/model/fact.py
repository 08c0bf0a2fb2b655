"""A fact is a value, or a gap that says why there is none."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import NoReturn, TypeAlias, TypeVar

T = TypeVar("T")


class Reason(StrEnum):
    """Why a signal has no value."""

    NOT_REPORTED = "not_reported"
    """This kind of source never reports it."""
    NOT_PERMITTED = "not_permitted"
    """This credential or this kind of enrolment may not see it."""
    ABSENT = "absent"
    """It is not in this record."""
    UNREADABLE = "unreadable"
    """It is there, but not in a form that we understand."""


@dataclass(frozen=True, slots=True)
class Gap:
    """A missing value, with the reason. It has no truth value and no order, so it cannot pass for one."""

    reason: Reason

    def __bool__(self) -> NoReturn:
        raise TypeError(f"a gap ({self.reason}) is neither true nor false")


class Never(Enum):
    """The one value of a date that says: this has not happened yet."""

    NEVER = "never"


NEVER = Never.NEVER
NOT_REPORTED = Gap(Reason.NOT_REPORTED)
NOT_PERMITTED = Gap(Reason.NOT_PERMITTED)
ABSENT = Gap(Reason.ABSENT)
UNREADABLE = Gap(Reason.UNREADABLE)
GAPS = {gap.reason: gap for gap in (NOT_REPORTED, NOT_PERMITTED, ABSENT, UNREADABLE)}

Fact: TypeAlias = T | Gap


class MissingFact(Exception):  # noqa: N818 - a signal to the check engine, never an error that anyone sees
    """Raised by `need` and turned into an undetermined verdict by the check engine."""


def need(fact: Fact[T]) -> T:
    """The value of `fact`; a gap ends the check that asked for it."""
    if isinstance(fact, Gap):
        raise MissingFact
    return fact


def known(fact: Fact[T]) -> T | None:
    """The value of `fact`, or None: for those who write it down, as null or an empty cell, and judge nothing by it."""
    return None if isinstance(fact, Gap) else fact
