"""From the bytes of a page to its rows, so that one bad value costs neither its row nor its page.

A page is a TypedDict whose leaves are `object`: only keys named there are kept, and the readers of `_wire`
judge each value. A section of a row is declared as `Section | object` (see `Loose`), so that one of the wrong
kind arrives as it is, and `field` makes it unreadable.
"""

from __future__ import annotations

import json
import re
from functools import partial
from typing import TYPE_CHECKING, TypeVar, cast

from pydantic import Field, TypeAdapter, ValidationError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

P = TypeVar("P")

Loose = Field(union_mode="left_to_right")
"""For `Annotated[Section | object, Loose]`: the section if it can be one, else whatever was sent."""

_MISREAD = object()
_LONGEST_WHOLE = 400
_TOO_DEEP = 64
_STRUCTURE = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?\Z)|[\[\]{}]', re.DOTALL)


def decode(page: TypeAdapter[P], body: bytes) -> P:
    """`body` as a page; raises ValueError where it is no JSON or has another shape at the top.

    Read strictly first, which is several times as fast. What only the strict reader refuses (lone surrogates,
    bytes that are no UTF-8, numbers of a thousand digits, nesting without end) is let in and left to the readers of
    single values.
    """
    try:
        return page.validate_json(body)
    except ValidationError:
        text = shallow(body.decode("utf-8-sig", errors="replace"))
        return page.validate_python(json.loads(text, parse_int=_whole))


def anything(body: bytes) -> object:
    """The answer as it is, for one of which we want a key or two."""
    return decode(_ANYTHING, body)


_ANYTHING = TypeAdapter[object](object)


def shallow(text: str) -> str:
    """`text` with a zero in place of whatever lies deeper than anything that is read: to read it would overflow."""
    kept: list[str] = []
    depth = kept_to = 0
    for token in _STRUCTURE.finditer(text):
        if token[0] in "[{":
            depth += 1
            if depth == _TOO_DEEP:
                kept.append(text[kept_to : token.start()])
        elif token[0] in "]}":
            if depth == _TOO_DEEP:
                kept.append("0")
                kept_to = token.end()
            depth -= 1
    return "".join(kept) + text[kept_to:] if depth < _TOO_DEEP else ""


def _whole(digits: str) -> object:
    return int(digits) if len(digits) < _LONGEST_WHOLE else float("nan")


def field(section: object, key: str) -> object:
    """The value at `key`, None where the key or the section is missing.

    Where the section is no object, the value is one that no reader of `_wire` accepts.
    """
    if isinstance(section, dict):
        return cast("dict[str, object]", section).get(key)
    return None if section is None else _MISREAD


def reader(section: object) -> Callable[[str], object]:
    """`field` of that section, for the many keys of a row."""
    return cast("dict[str, object]", section).get if isinstance(section, dict) else partial(field, section)


def has(section: object, key: str) -> bool:
    """True if the section is an object with that key, whatever its value."""
    return key in (mapping(section) or {})


def mapping(value: object) -> Mapping[str, object] | None:
    """`value` if it is a JSON object, else None."""
    return cast("Mapping[str, object]", value) if isinstance(value, dict) else None


def rows(value: object) -> list[object]:
    """`value` if it is a JSON array; raises ValueError where it is anything else, a missing one included."""
    if not isinstance(value, list):
        raise ValueError("no list of rows")  # noqa: TRY004 - the sign of an unusable answer
    return cast("list[object]", value)


def total(value: object) -> int | None:
    """A stated total; None where it is missing or no count."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53 else None
