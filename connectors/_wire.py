"""From a vendor's JSON values to facts: one small reader per kind of value.

Readers take `object`, so a value of the wrong type becomes `UNREADABLE` and costs neither its row nor its page.
None and blank text are `ABSENT`. Hostile text is cleaned here, once: control characters and lone surrogates go (a
database refuses them), and nothing is longer than `MAX_TEXT` characters.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, tzinfo
from math import isnan
from typing import TypeVar, cast

from connectors._rows import field, rows
from fleet.model.device import Platform
from fleet.model.fact import ABSENT, NEVER, UNREADABLE, Fact, Gap, Never

MAX_TEXT = 255
GB = 10**9
_FIRST_REAL_DAY = datetime(1970, 1, 3, tzinfo=UTC)
_TOO_LARGE = 2**63
_NUMBER = re.compile(r"-?[0-9]{1,20}(?:\.[0-9]{1,20})?")
E = TypeVar("E")


def text(value: object) -> Fact[str]:
    """A line of text without control characters, cut at `MAX_TEXT` with an ellipsis."""
    if value is None:
        return ABSENT
    if not isinstance(value, str):
        return UNREADABLE
    cleaned = clean(value)
    return cleaned or ABSENT


def clean(value: str) -> str:
    """`value` on one line, without control characters and lone surrogates, cut at `MAX_TEXT`."""
    if not value.isprintable():
        value = "".join(" " if char in "\t\r\n" else char for char in value if not _unsafe(char))
    value = value.strip()
    return value if len(value) <= MAX_TEXT else value[: MAX_TEXT - 1] + "…"


def _unsafe(char: str) -> bool:
    return char not in "\t\r\n" and unicodedata.category(char) in {"Cc", "Cs"}


def number_id(value: object) -> str | None:
    """A whole number over 0 that is somebody's id, as text; None for anything else."""
    usable = isinstance(value, int) and not isinstance(value, bool) and 0 < value < _TOO_LARGE
    return str(value) if usable else None


def any_id(value: object) -> str | None:
    """An id that is such a number or text; None where there is none to rely on."""
    said = text(number_id(value) or value)
    return None if isinstance(said, Gap) else said


def numeric(value: object) -> object:
    """A number that stands as text, as a number, and None for blank text; anything else as it is, for its reader."""
    if not isinstance(value, str):
        return value
    said = value.strip()
    return float(said) if _NUMBER.fullmatch(said) else said or None


def flag(value: object) -> Fact[bool]:
    """A JSON boolean; `0`, `"true"` and the like are not one."""
    if value is None:
        return ABSENT
    return value if isinstance(value, bool) else UNREADABLE


def number(value: object) -> Fact[float]:
    """A finite JSON number within 64 bits, which is what databases hold."""
    if value is None:
        return ABSENT
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or abs(value) >= _TOO_LARGE
        or isnan(value)
    ):
        return UNREADABLE
    return value


def size(value: object, *, unit: float, zero: Fact[int] = ABSENT) -> Fact[int]:
    """A size in bytes from a count of `unit` bytes; `zero` is what a zero means (a capacity of 0 is no capacity)."""
    count = number(value)
    if isinstance(count, Gap):
        return count
    if count == 0:
        return zero
    return round(count * unit) if 0 < count * unit < 2**63 else UNREADABLE


def storage(
    capacity: object, free: object, *, unit: float, none_free: Fact[int] = 0
) -> tuple[Fact[int], Fact[int]]:
    """Capacity and free space in bytes, from counts of `unit` bytes.

    0 of 0 is no full device, for without a capacity neither says anything. Beside a capacity that is known, a free
    space of 0 is `none_free`; more free than there is cannot be read.
    """
    total = size(capacity, unit=unit)
    if total is ABSENT:
        return ABSENT, ABSENT
    if isinstance(total, Gap):
        return total, size(free, unit=unit)
    available = size(free, unit=unit, zero=none_free)
    too_much = not isinstance(available, Gap) and available > total
    return total, UNREADABLE if too_much else available


def percent(value: object, *, scale: float = 1) -> Fact[int]:
    """A share as 0 to 100 whole percent from a number counted in `scale` (100 for a fraction); -1 is unknown."""
    share = number(value)
    if isinstance(share, Gap):
        return share
    if share < 0:
        return ABSENT
    return round(share * scale) if share * scale <= 100 else UNREADABLE  # noqa: PLR2004 - percent


def instant(value: object, *, zone: tzinfo | None = None) -> Fact[datetime]:
    """A time in UTC from ISO 8601 text; a time up to 1970-01-02 is how systems write none.

    Text without a zone is in `zone`, and cannot be read where the vendor does not tell which that is.
    """
    said = text(value)
    if isinstance(said, Gap):
        return said
    try:
        moment = datetime.fromisoformat(said)
    except ValueError:
        return UNREADABLE
    return utc(moment if moment.tzinfo else moment.replace(tzinfo=zone))


def epoch(value: object, *, per_second: int = 1) -> Fact[datetime]:
    """A time in UTC from a count since 1970 (`per_second=1000` for milliseconds); 0 and less is how none is written."""
    count = number(value)
    if isinstance(count, Gap) or count <= 0:
        return count if isinstance(count, Gap) else ABSENT
    try:
        return utc(datetime.fromtimestamp(count / per_second, UTC))
    except (OverflowError, ValueError, OSError):
        return UNREADABLE


def utc(moment: datetime) -> Fact[datetime]:
    """`moment` in UTC with whole seconds; without a zone it cannot be read, before 1970-01-03 it is no date."""
    if moment.tzinfo is None:
        return UNREADABLE
    if moment.year < _FIRST_REAL_DAY.year:
        return ABSENT
    try:
        moment = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    except OverflowError:
        return UNREADABLE
    moment = moment.replace(microsecond=0) if moment.microsecond else moment
    return moment if moment >= _FIRST_REAL_DAY else ABSENT


def or_never(fact: Fact[datetime]) -> Fact[datetime | Never]:
    """For a source whose empty last backup means that there was none."""
    return NEVER if fact is ABSENT else fact


def word(value: object, words: Mapping[str, E]) -> Fact[E]:
    """One of the vendor's `words` (lower case); any other is unreadable, not a default."""
    said = text(value)
    return said if isinstance(said, Gap) else words.get(said.lower(), UNREADABLE)


def first_known(*facts: Fact[E]) -> Fact[E]:
    """The first of several facts that is known; where none is, unreadable if one was, else the first's reason."""
    unknown = UNREADABLE if UNREADABLE in facts else facts[0]
    return next((fact for fact in facts if not isinstance(fact, Gap)), unknown)


def roaming(lines: object, key: str) -> Fact[bool]:
    """True if any line (SIM) says so at `key`; a line that says nothing, as an empty slot, does not count."""
    if lines is None:
        return ABSENT
    try:
        said = [flag(field(line, key)) for line in rows(lines)]
    except ValueError:
        return UNREADABLE
    return next((fact for fact in (True, UNREADABLE, False) if fact in said), ABSENT)


def names(values: object) -> Fact[tuple[str, ...]]:
    """A list of names, cleaned, without blanks and repeats, in the order given; unreadable where one of them is."""
    if values is None:
        return ABSENT
    if isinstance(values, str | Mapping) or not isinstance(values, Iterable):
        return UNREADABLE
    found = [text(value) for value in cast("Iterable[object]", values)]
    if UNREADABLE in found:
        return UNREADABLE
    return tuple(dict.fromkeys(name for name in found if not isinstance(name, Gap)))


_BY_MODEL = {
    "iphone": Platform.IOS,
    "ipod": Platform.IOS,
    "ipad": Platform.IPADOS,
    "appletv": Platform.TVOS,
    "audioaccessory": Platform.TVOS,
    "realitydevice": Platform.VISIONOS,
    "watch": Platform.WATCHOS,
    "apple vision": Platform.VISIONOS,
    "apple tv": Platform.TVOS,
    "apple watch": Platform.WATCHOS,
    "mac": Platform.MACOS,
    "imac": Platform.MACOS,
}


def platform_of_model(*models: Fact[str]) -> Fact[Platform]:
    """The platform that a model identifier ("iPad11,6") or a marketing name ("iPad Air") begins with."""
    for model in models:
        if not isinstance(model, Gap):
            lowered = model.lower()
            for prefix, platform in _BY_MODEL.items():
                if lowered.startswith(prefix):
                    return platform
    return ABSENT


def platform_by_model(said: Fact[Platform], *models: Fact[str]) -> Fact[Platform]:
    """What the vendor says, unless that is iOS or nothing: many call iPads so, and then the model tells.

    Where no model does, the vendor's word stands.
    """
    if not isinstance(said, Gap) and said is not Platform.IOS:
        return said
    by_model = platform_of_model(*models)
    return said if isinstance(by_model, Gap) else by_model
