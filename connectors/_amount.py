"""Sizes and shares as people and programs write them into a table: with units, groups of digits, percent signs.

Readers take `object`, because a cell may come from JSON; what they cannot read is `UNREADABLE`, never a guess.
"""

from __future__ import annotations

import re

from connectors._wire import number, percent, size, text
from fleet.model.fact import ABSENT, UNREADABLE, Fact, Gap

UNITS = {"b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "kib": 2**10, "mib": 2**20, "gib": 2**30}
"""Bytes in each unit that the settings know, by its name in lower case."""
# An iPad of a terabyte is written so in its cell, though no column is counted in it.
_WRITTEN_UNITS = UNITS | {"tb": 10**12, "tib": 2**40}


def bytes_of(value: object, *, unit: int) -> Fact[int]:
    """A size in bytes; the number counts `unit` bytes unless a unit is written behind it. Zero is zero."""
    if not isinstance(value, str):
        return 0 if number(value) == 0 else size(value, unit=unit)
    written = text(value)
    if isinstance(written, Gap):
        return written
    said = re.fullmatch(r"(.*\d)\s*([a-z]*)", written, re.IGNORECASE)
    count = quantity(said[1]) if said else None
    written_unit = said[2].lower() if said else ""
    if count is None or (written_unit and written_unit not in _WRITTEN_UNITS):
        return UNREADABLE
    return 0 if count == 0 else size(count, unit=_WRITTEN_UNITS.get(written_unit, unit))


def quantity(written: str) -> float | None:
    """A number that is not negative as people write it, or None where it could be two numbers.

    A point is a decimal point and a comma a decimal comma, unless it repeats or another mark follows. `1,234`
    may be either, so it is neither; `0,234` and `1234,5` can be only one.
    """
    written = re.sub(r"\s", " ", written.strip())
    if len(written) > 40 or re.fullmatch(r"[1-9]\d{0,2},\d{3}", written):  # noqa: PLR2004 - longer is no size
        return None
    if re.fullmatch(r"\d+([.,]\d+)?", written):
        return float(written.replace(",", "."))
    grouped = re.fullmatch(r"([1-9]\d{0,2}([ ,.])\d{3}(?:\2\d{3})*)(?:(?!\2)[.,](\d+))?", written)
    return float(re.sub(r"\D", "", grouped[1]) + "." + (grouped[3] or "0")) if grouped else None


def percent_of(value: object) -> Fact[int]:
    """0 to 100 from `67`, `67%` or the fraction `0.67`; -1 is how systems write unknown."""
    if not isinstance(value, str):
        return percent(value, scale=100 if isinstance(value, float) and value <= 1 else 1)
    said = value.strip()
    if said in {"", "-1", "-1.0"}:
        return ABSENT
    count = quantity(said.removesuffix("%"))
    if count is None:
        return UNREADABLE
    fraction = count <= 1 and not said.isdigit() and not said.endswith("%")
    return percent(count, scale=100 if fraction else 1)
