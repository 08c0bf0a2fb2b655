"""Reading a TOML file as checked tables, and telling what is wrong with one: place, key, what was found and is allowed.

What could hold a secret or a person's name is never repeated: an address, the value of an unknown key.
"""

from __future__ import annotations

import difflib
import json
import math
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar, cast, get_args

from pydantic import BaseModel, SecretStr, ValidationError

from fleet.errors import SettingsError
from fleet.secrets import WAYS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from pathlib import Path

    from pydantic_core import ErrorDetails

MAX_BYTES = 1024 * 1024
M = TypeVar("M", bound=BaseModel)


def parsed(path: Path) -> dict[str, object]:
    """The file's tables; raises SettingsError with line and column where it is not TOML."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise SettingsError(
            f"{path}: cannot be read ({error.strerror}); correct its path or its mode"
        ) from error
    if len(content) > MAX_BYTES:
        raise SettingsError(f"{path}: is larger than {MAX_BYTES // 1024} KiB; this is no settings file")
    try:
        tables = tomllib.loads(content.decode("utf-8-sig"), parse_float=_finite)
        json.dumps(tables, default=str)  # depth and numbers that no reader could take are refused here
    except UnicodeDecodeError as error:
        raise SettingsError(
            f"{path}: is not UTF-8 text from byte {error.start} on; save it as UTF-8"
        ) from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path}: is not TOML: {error}; {_AS_TOML}") from None
    except (ValueError, RecursionError):
        raise SettingsError(f"{path}: holds an infinite or endless number, or is nested too deeply") from None
    return tables


_AS_TOML = (
    'text stands in straight quotes on one line, as in name = "hq"; true, false and numbers stand in none'
)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


@dataclass(frozen=True, slots=True)
class Table:
    """One table of the file, and the list that takes what is wrong with it."""

    title: str
    rows: Mapping[str, object]
    faults: list[str]

    def fault(self, key: str, sentence: str) -> None:
        """Take down what is wrong with `key`, or with the table itself without one; of a key the first alone."""
        place = f"{self.title} {plain(key)}: " if key else f"{self.title}: "
        if not key or not any(fault.startswith(place) for fault in self.faults):
            self.faults.append(place + sentence)


@dataclass(frozen=True, slots=True)
class File:
    """The parsed file, and the list that takes what is wrong with it."""

    tables: Mapping[str, object]
    faults: list[str]

    def one(self, name: str) -> Table:
        """The table `[name]`, empty where there is none."""
        found = self.tables.get(name, {})
        if not isinstance(found, dict):
            self.faults.append(f"[{name}]: should be one table that starts with [{name}]")
            found = {}
        return Table(f"[{name}]", cast("dict[str, object]", found), self.faults)

    def many(self, name: str) -> list[Table]:
        """The tables `[[name]]`."""
        found = self.tables.get(name, [])
        rows = cast("list[object]", found if isinstance(found, list) else [found])
        if not isinstance(found, list) or not all(isinstance(row, dict) for row in rows):
            self.faults.append(f"[{name}]: should be tables that each start with [[{name}]]")
            return []
        tables = cast("list[dict[str, object]]", rows)
        return [Table(_title(name, number, row), row, self.faults) for number, row in enumerate(tables, 1)]

    def refuse_unknown(self, known: Collection[str]) -> None:
        """Take down every table that is not one of `known`."""
        for name in self.tables:
            if name not in known:
                self.faults.append(f"[{plain(name)}]: unknown table; {nearest(name, known)}")


def _title(name: str, number: int, row: Mapping[str, object]) -> str:
    called = row.get("name")
    return f"[[{name}]] {shown(called)}" if isinstance(called, str) else f"[[{name}]] number {number}"


def checked(table: Table, model: type[M]) -> M | None:
    """The table as `model`; None after taking down what is wrong with it."""
    try:
        # By way of JSON, because strict JSON still takes text for a path and a list for a tuple.
        return model.model_validate_json(json.dumps(table.rows, default=str), strict=True)
    except ValidationError as error:
        details = error.errors(include_url=False, include_context=False)
    by_place: dict[str, list[ErrorDetails]] = {}
    for detail in details:
        by_place.setdefault(_place(detail, table.rows), []).append(detail)
    for place, found in by_place.items():
        table.fault(place, _sentence(place, found, model))
    return None


def _place(detail: ErrorDetails, rows: object) -> str:
    """The dotted key of an error, without places in a list and pydantic's names for parts of a union."""
    parts: list[str] = []
    for part in detail["loc"]:
        if not isinstance(rows, dict) or (part not in rows and detail["type"] != "missing"):
            break
        parts.append(str(part))
        rows = cast("dict[object, object]", rows).get(part)
    return ".".join(parts)


def _sentence(place: str, details: list[ErrorDetails], model: type[BaseModel]) -> str:
    first = details[0]
    if first["type"] == "missing":
        return f"is required; {WAYS}" if place in keys_of(model, SecretStr) else "is required"
    if first["type"] == "extra_forbidden":
        return f"unknown key; {nearest(place, model.model_fields)}"
    allowed = " or ".join(dict.fromkeys(map(_allowed, details))).replace(" or should", " or")
    return f"found {shown(first['input'])}; {allowed}" if place else allowed


def _allowed(detail: ErrorDetails) -> str:
    if detail["msg"] in _PLAINLY:
        return _PLAINLY[detail["msg"]]
    message = detail["msg"].removeprefix("Value error, ").partition(" after validation")[0]
    _, should, rest = message.partition("should ")
    return message if detail["type"] == "value_error" or not should else f"{should}{rest}"


_PLAINLY = {
    "Input should be a valid boolean": "should be true or false (no quotes)",
    "Input should be a valid boolean, unable to interpret input": "should be true or false (no quotes)",
    "Input should be a valid string": "should be a text in quotes",
    "String should match pattern '^[a-z0-9-]+$'": "should be of small letters a-z, digits and hyphens alone",
}
"""What pydantic says in words that no admin uses."""


def nearest(found: str, known: Iterable[str]) -> str:
    """What was meant, perhaps: the nearest of `known`, and all of them."""
    names = list(known)
    close = difflib.get_close_matches(found[:100], names, n=1, cutoff=0) if found else []
    listed = ", ".join(names) or "none"
    return f'the nearest known is "{close[0]}" (known: {listed})' if close else f"known: {listed}"


def shown(value: object) -> str:
    """What was found, fit to be printed: short, on one line, without addresses of people or machines."""
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float():
            return f"{value}"[:40]
        case str():
            return _text_shown(value)
        case list():
            return "a list"
        case dict():
            return "a table"
        case _:
            return "a date or time"


def _text_shown(value: str) -> str:
    scheme, mark, _ = value.partition("://")
    if mark and scheme.replace("+", "").isalnum():
        return f"{plain(scheme)}://…"
    return "a text" if mark or "@" in value else f'"{plain(value)}"'


def plain(text: str) -> str:
    """`text` on one line, without control characters, and not long."""
    return repr(text[:60])[1:-1] + ("…" if len(text) > 60 else "")  # noqa: PLR2004 - fits a line


def keys_of(model: type[BaseModel], wanted: type) -> list[str]:
    """The keys of a model that are declared to hold a `wanted`."""
    return [key for key, field in model.model_fields.items() if _mentions(field.annotation, wanted)]


def _mentions(annotation: object, wanted: type) -> bool:
    return annotation is wanted or any(_mentions(part, wanted) for part in get_args(annotation))
