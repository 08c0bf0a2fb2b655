"""The rows of an NDJSON file, streamed, and of a JSON array, which is held whole."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, TypeGuard

from connectors._rows import shallow
from connectors._table import SHOWN, Lines, Row
from fleet.model.device import Rejected

if TYPE_CHECKING:
    import io
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from connectors._table import Table

_MISSING = object()


def ndjson_rows(file: io.TextIOWrapper, table: Table) -> Iterator[Row | Rejected]:
    """Every line that holds anything; raises `BadAnswer` where the file is cut, or lacks a mapped column."""
    _require((record for _, record in _objects(Lines(file, table))), table)
    file.seek(0)
    lines, bad = Lines(file, table), False
    for place, record in _objects(lines):
        bad = not is_object(record)
        yield _row(f"line {place}", record, table)
    if bad and not lines.ended:
        raise table.bad(f"ends in the middle of line {lines.number}; export it again")


def _objects(lines: Lines) -> Iterator[tuple[int, object]]:
    return ((lines.number, parsed(line)) for line in lines if line.strip())


def json_rows(file: io.TextIOWrapper, table: Table) -> Iterator[Row | Rejected]:
    """Every record of the array; raises `BadAnswer` where there is none, it is too large or lacks a mapped column."""
    if os.fstat(file.fileno()).st_size > table.max_bytes:
        raise table.bad(
            f"is larger than max_body_mb ({table.max_bytes} bytes) allows; save it as NDJSON or CSV"
        )
    records = _array(parsed(file.read()))
    if records is None:
        raise table.bad(
            "is no whole JSON array, nor an object with one array of objects in it; export it again"
        )
    _require(records, table)
    for place, record in enumerate(records, start=1):
        yield _row(f"object {place}", record, table)


def parsed(line: str) -> object:
    """The JSON value, or `_MISSING` where it is not one."""
    try:
        return json.loads(line, parse_int=_whole)
    except RecursionError:
        return parsed(shallow(line))
    except ValueError:
        return _MISSING


def _whole(digits: str) -> float:
    # An integer of four hundred digits is valid JSON, and no float function takes it.
    return int(digits) if len(digits) < 20 else float(digits)  # noqa: PLR2004 - 64 bits have 19 digits


def _array(value: object) -> Sequence[object] | None:
    """The records: the array itself, or the only one of an object's values that is an array of objects."""
    if _is_list(value):
        return value
    lists = [inner for inner in value.values() if _is_list(inner)] if is_object(value) else []
    of_objects = [inner for inner in lists if any(is_object(record) for record in inner)]
    found = of_objects or [inner for inner in lists if not inner]
    return found[0] if len(found) == 1 else None


def _require(records: Iterable[object], table: Table) -> None:
    """See every mapped column in at least one of the objects, or raise; stops as soon as all were seen."""
    missing, found, empty = list(table.columns), dict[str, None](), True
    for record in records:
        empty = False
        if is_object(record):
            missing = [signal for signal in missing if _at(record, table.columns[signal]) is _MISSING]
            if not missing:
                return
            if len(found) < SHOWN:
                found.update(dict.fromkeys(_paths(record)))
    if not empty:
        raise table.lacks(missing, found)


def _row(where: str, record: object, table: Table) -> Row | Rejected:
    if not is_object(record):
        return Rejected(where, "not a JSON object")
    cells = {signal: _at(record, column) for signal, column in table.columns.items()}
    return Row(where, {signal: cell for signal, cell in cells.items() if cell is not _MISSING})


def _at(record: Mapping[str, object], path: str) -> object:
    """What stands at a dotted path; a key that itself holds dots wins."""
    found: object = record
    for step in (path,) if path in record else path.split("."):
        if not is_object(found) or step not in found:
            return _MISSING
        found = found[step]
    return found


def _paths(record: Mapping[str, object]) -> Iterator[str]:
    for key, value in record.items():
        if is_object(value):
            yield from (f"{key}.{inner}" for inner in value)
        else:
            yield key


def is_object(value: object) -> TypeGuard[Mapping[str, object]]:
    return isinstance(value, dict)


def _is_list(value: object) -> TypeGuard[Sequence[object]]:
    return isinstance(value, list)
