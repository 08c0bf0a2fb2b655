"""The kinds of columns that importers know: how a value becomes a cell, and which cells are right.

Only text that other people wrote is guarded against spreadsheets. A date, a number or a word of a closed set is
spelt by us, and a guard would only spoil it.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeAlias

from reports._csv import guard

if TYPE_CHECKING:
    from collections.abc import Callable

Value: TypeAlias = str | int | datetime | None
CUT = " […]"
# Steering characters of right-to-left scripts would turn the text around them; the harmless marks may stay.
_STEERING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_UNPRINTABLE = frozenset({"Cc", "Cs", "Zl", "Zp"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What the cells of a column are.

    Attributes:
        allowed: what a cell may be, for the sentence that says that one is wrong.
        spell: the cell for a value; a missing value is an empty cell of every kind.
        fits: True for a right cell; an empty one is not asked.
        text: its words may be other people's.
    """

    allowed: str
    spell: Callable[[Value], str]
    fits: Callable[[str], bool]
    text: bool = False


def line(limit: int = 255) -> Kind:
    """Other people's text on one line, of at most `limit` bytes in UTF-8."""

    def spell(value: Value) -> str:
        return guard(cut(flat(str(value)), limit - 1))

    def fits(cell: str) -> bool:
        return "\n" not in cell and "\r" not in cell and _safe(cell, limit)

    return Kind(
        allowed=f"one line of at most {limit} bytes that no spreadsheet takes for a formula",
        spell=spell,
        fits=fits,
        text=True,
    )


def prose(limit: int) -> Kind:
    """Text of several lines with other people's words in it, of at most `limit` bytes in UTF-8."""

    def spell(value: Value) -> str:
        text = str(value)
        if not text.replace("\n", "").isprintable():
            text = "\n".join(_printable(each).rstrip() for each in text.split("\n"))
        return guard(cut(text, limit - 1))

    return Kind(
        allowed=f"text of at most {limit} bytes that no spreadsheet takes for a formula",
        spell=spell,
        fits=lambda cell: _safe(cell, limit),
        text=True,
    )


def one_of(*words: str) -> Kind:
    """One word of a closed set."""
    known = frozenset(words)
    return Kind(allowed=f"one of: {', '.join(words)}", spell=str, fits=lambda cell: cell in known)


def matching(pattern: str, allowed: str) -> Kind:
    """A word of our own making that a pattern describes."""
    right = re.compile(pattern)
    return Kind(allowed=allowed, spell=str, fits=lambda cell: right.fullmatch(cell) is not None)


def number() -> Kind:
    """A whole number, not below zero."""
    return matching("[0-9]+", "a whole number")


def fingerprint() -> Kind:
    """One of our fingerprints."""
    return matching("[0-9a-f]{32}", "32 hexadecimal digits in lower case")


def link(*, absolute: bool) -> Kind:
    """The address of a place in the report; an `absolute` one has to start with its scheme."""
    if absolute:
        return matching(r"https?://[^\s]+", "an address that starts with https:// or http://")
    return matching(r"[^\s]+", "an address without blanks")


def moment(pattern: str, written: str) -> Kind:
    """A time in UTC, by a `strftime` pattern that the product writes as `written`."""

    def spell(value: Value) -> str:
        return f"{value.astimezone(UTC):{pattern}}" if isinstance(value, datetime) else str(value)

    def fits(cell: str) -> bool:
        try:
            return f"{datetime.strptime(cell, pattern).replace(tzinfo=UTC):{pattern}}" == cell
        except ValueError:
            return False

    return Kind(allowed=f"a time in UTC written as {written}", spell=spell, fits=fits)


def flat(text: str) -> str:
    """`text` on one line, without what cannot be printed or would steer the text around it."""
    return " ".join((text if text.isprintable() else _printable(text)).split())


def _printable(text: str) -> str:
    return "".join(
        " " if char.isspace() or unicodedata.category(char) in _UNPRINTABLE else char
        for char in text
        if char not in _STEERING
    )


def cut(text: str, limit: int) -> str:
    """`text`, or as much of it as fits into `limit` bytes of UTF-8 together with the sign that it was cut."""
    encoded = text.encode("utf-8", "replace")
    if len(encoded) <= limit:
        return text
    return encoded[: limit - len(CUT.encode())].decode("utf-8", "ignore").rstrip() + CUT


def _safe(cell: str, limit: int) -> bool:
    return len(cell.encode("utf-8", "replace")) <= limit and guard(cell) == cell
