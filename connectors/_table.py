"""Tables that people export: their rows out of CSV, NDJSON and JSON.

A row that cannot be read is `Rejected` with its line and costs no other row. What is wrong with the file as a
whole is one error that names the file, the place and the remedy. Neither ever quotes a cell.
"""

from __future__ import annotations

import csv
import io
import json
import os
import re
from dataclasses import dataclass
from itertools import islice
from typing import IO, TYPE_CHECKING, TypeGuard

from connectors._wire import clean
from fleet.errors import BadAnswer, Unreachable
from fleet.model.device import Rejected

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

MAX_LINE = 1 << 22
"""Characters in one line: room for a device with all its apps, none for a file without line ends."""
_SHOWN = 60
_DELIMITERS = ",;\t|"
_CSV_SUFFIXES = {".csv", ".tsv", ".tab", ".txt"}
_NDJSON_SUFFIXES = {".ndjson", ".jsonl"}
_MISSING = object()
# What a line of data holds and a line of column names does not: an address, a number, a date, a truth value.
_DATA = re.compile(r"\S+@\S+|[\d.,:/+ TZ-]*\d[\d.,:/+ TZ-]*|true|false", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table.

    Attributes:
        where: its place, `line 12` or (in a JSON array) `object 12`.
        cells: per signal what its column holds; a JSON object may lack some.
    """

    where: str
    cells: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A file, and which of its columns are wanted.

    Attributes:
        source: the name by which errors call the source.
        columns: per signal the name of its column; in JSON a dotted path.
        max_bytes: the largest JSON array that may be held in memory.
    """

    path: Path
    source: str
    columns: Mapping[str, str]
    max_bytes: int

    def bad(self, what: str) -> BadAnswer:
        """The error that says `what` of this file."""
        return BadAnswer(f"{self.source}: {self.path.name} {what}")

    def lacks(self, signals: Sequence[str], found: Iterable[str]) -> BadAnswer:
        """The error for mapped columns that the file does not have."""
        wanted = ", ".join(f'"{clean(self.columns[signal])}"' for signal in signals)
        shown = ", ".join(clean(name) for name in islice(found, _SHOWN)) or "none"
        noun = "column" if len(signals) == 1 else "columns"
        return self.bad(
            f"has no {noun} {wanted}; columns found: {shown}; mend [source.columns] {', '.join(signals)}"
        )


def rows(table: Table) -> Iterator[Row | Rejected]:
    """Every row that holds anything, in the order of the file; CSV and NDJSON are streamed.

    Raises:
        Unreachable: the file is not there or may not be read.
        BadAnswer: it is empty, cut, not text in UTF-8 or UTF-16, malformed as a whole, lacks a mapped column,
            or is a JSON array larger than `max_bytes`.
    """
    try:
        if not table.path.is_file():
            raise Unreachable(f"{table.source}: no file at {table.path}; check `path` and the nightly export")
        with table.path.open("rb") as raw, _text(raw, table) as lines:
            try:
                yield from _rows(lines, table)
            except UnicodeDecodeError as error:
                offset = raw.tell() - len(error.object) + error.start
                raise table.bad(f"is not UTF-8 at byte {offset}; save it as UTF-8") from None
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise Unreachable(
            f"{table.source}: cannot read {table.path}: {reason}; check its permissions"
        ) from None


def _text(raw: IO[bytes], table: Table) -> io.TextIOWrapper:
    mark = raw.read(2)
    if not mark:
        raise table.bad("is empty, not even a header; look at what writes it")
    raw.seek(0)
    encoding = "utf-16" if mark in {b"\xff\xfe", b"\xfe\xff"} else "utf-8-sig"
    return io.TextIOWrapper(raw, encoding=encoding, newline="")


class _Lines:
    """The lines of the file with their ends; `ended` says whether the latest one had any."""

    def __init__(self, file: io.TextIOWrapper, table: Table) -> None:
        self._file = file
        self._table = table
        self.number = 0
        self.ended = True

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._file.readline(MAX_LINE)
        if not line:
            raise StopIteration
        self.number += 1
        self.ended = line.endswith(("\n", "\r"))
        if "\0" in line:
            raise self._table.bad(f"holds a NUL byte in line {self.number}; save it as UTF-8")
        if len(line) == MAX_LINE and not self.ended:
            raise self._table.bad(
                f"has no end to line {self.number}; save it as NDJSON or CSV, a device per line"
            )
        return line


def _rows(file: io.TextIOWrapper, table: Table) -> Iterator[Row | Rejected]:
    shape = _shape(file, table)
    file.seek(0)
    if shape == "json":
        return _json_rows(file, table)
    lines = _Lines(file, table)
    if shape == "ndjson":
        _require((record for _, record in _objects(lines)), table)
        file.seek(0)
        return _ndjson_rows(_Lines(file, table), table)
    return _csv_rows(lines, table, delimiter=shape)


def _shape(file: io.TextIOWrapper, table: Table) -> str:
    """`json`, `ndjson`, or the delimiter of a CSV file."""
    suffix = table.path.suffix.lower()
    first, second = _opening(file, table, whole=suffix in _CSV_SUFFIXES | _NDJSON_SUFFIXES)
    if suffix in _NDJSON_SUFFIXES:
        return "ndjson"
    if suffix not in _CSV_SUFFIXES and first[0] in "[{":
        lined = first[0] == "{" and second.startswith("{") and _is_object(_parsed(first))
        return "ndjson" if lined else "json"
    if suffix == ".json":
        raise table.bad("is not JSON; look at what writes it")
    # Delimiters within quotes are part of a column's name.
    bare = re.sub(r'"[^"]*("|$)', "", first)
    return max(_DELIMITERS, key=bare.count)


def _opening(file: io.TextIOWrapper, table: Table, *, whole: bool) -> tuple[str, str]:
    """The first two lines that hold anything; a JSON array may be one long line (`whole` is False)."""
    lines: Iterable[str] = _Lines(file, table) if whole else iter(lambda: file.readline(MAX_LINE), "")
    filled = (line.strip() for line in lines if line.strip())
    first = next(filled, None)
    if first is None:
        raise table.bad("is empty, not even a header; look at what writes it")
    return first, next(filled, "")


def _csv_rows(lines: _Lines, table: Table, *, delimiter: str) -> Iterator[Row | Rejected]:
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    short = False
    try:
        header = [name.strip() for name in next(filter(_filled, reader), list[str]())]
        places = _places(header, table)
        start = reader.line_num + 1
        for cells in reader:
            where, start = f"line {start}", reader.line_num + 1
            short = _filled(cells) and len(cells) != len(header)
            if short:
                yield Rejected(where, f"{len(cells)} cells where the header has {len(header)}")
            elif _filled(cells):
                yield Row(where, {signal: cells[place] for signal, place in places.items()})
    except csv.Error:
        raise table.bad(
            f"has a quotation mark out of place up to line {lines.number}; export it again"
        ) from None
    if short and not lines.ended:
        raise table.bad(f"ends in the middle of line {lines.number}; export it again")


def _filled(cells: Sequence[str]) -> bool:
    return any(cell.strip() for cell in cells)


def _places(header: Sequence[str], table: Table) -> dict[str, int]:
    """Per signal the place of its column."""
    missing = [signal for signal, column in table.columns.items() if column not in header]
    if missing and any(_DATA.fullmatch(clean(name)) for name in header):
        raise table.bad("begins with a line of data; export it with a line of column names above")
    if missing:
        raise table.lacks(missing, header)
    for column in table.columns.values():
        if header.count(column) > 1:
            raise table.bad(f'has more than one column "{clean(column)}"; rename all but one')
    return {signal: header.index(column) for signal, column in table.columns.items()}


def _ndjson_rows(lines: _Lines, table: Table) -> Iterator[Row | Rejected]:
    bad = False
    for place, record in _objects(lines):
        bad = not _is_object(record)
        yield _row(f"line {place}", record, table)
    if bad and not lines.ended:
        raise table.bad(f"ends in the middle of line {lines.number}; export it again")


def _objects(lines: _Lines) -> Iterator[tuple[int, object]]:
    return ((lines.number, _parsed(line)) for line in lines if line.strip())


def _json_rows(file: io.TextIOWrapper, table: Table) -> Iterator[Row | Rejected]:
    if os.fstat(file.fileno()).st_size > table.max_bytes:
        raise table.bad(
            f"is larger than max_body_mb ({table.max_bytes} bytes) allows; save it as NDJSON or CSV"
        )
    records = _array(_parsed(file.read()))
    if records is None:
        raise table.bad(
            "is no whole JSON array, nor an object with one array of objects in it; export it again"
        )
    _require(records, table)
    for place, record in enumerate(records, start=1):
        yield _row(f"object {place}", record, table)


def _parsed(line: str) -> object:
    """The JSON value, or `_MISSING` where it is not one."""
    try:
        return json.loads(line, parse_int=_whole)
    except (ValueError, RecursionError):
        return _MISSING


def _whole(digits: str) -> float:
    # An integer of four hundred digits is valid JSON, and no float function takes it.
    return int(digits) if len(digits) < 20 else float(digits)  # noqa: PLR2004 - 64 bits have 19 digits


def _array(value: object) -> Sequence[object] | None:
    """The records: the array itself, or the only one of an object's values that is an array of objects."""
    if _is_list(value):
        return value
    lists = [inner for inner in value.values() if _is_list(inner)] if _is_object(value) else []
    of_objects = [inner for inner in lists if any(_is_object(record) for record in inner)]
    found = of_objects or [inner for inner in lists if not inner]
    return found[0] if len(found) == 1 else None


def _require(records: Iterable[object], table: Table) -> None:
    """See every mapped column in at least one of the objects, or raise; stops as soon as all were seen."""
    missing, found, empty = list(table.columns), dict[str, None](), True
    for record in records:
        empty = False
        if _is_object(record):
            missing = [signal for signal in missing if _at(record, table.columns[signal]) is _MISSING]
            if not missing:
                return
            if len(found) < _SHOWN:
                found.update(dict.fromkeys(_paths(record)))
    if not empty:
        raise table.lacks(missing, found)


def _row(where: str, record: object, table: Table) -> Row | Rejected:
    if not _is_object(record):
        return Rejected(where, "not a JSON object")
    cells = {signal: _at(record, column) for signal, column in table.columns.items()}
    return Row(where, {signal: cell for signal, cell in cells.items() if cell is not _MISSING})


def _at(record: Mapping[str, object], path: str) -> object:
    """What stands at a dotted path; a key that itself holds dots wins."""
    found: object = record
    for step in (path,) if path in record else path.split("."):
        if not _is_object(found) or step not in found:
            return _MISSING
        found = found[step]
    return found


def _paths(record: Mapping[str, object]) -> Iterator[str]:
    for key, value in record.items():
        if _is_object(value):
            yield from (f"{key}.{inner}" for inner in value)
        else:
            yield key


def _is_object(value: object) -> TypeGuard[Mapping[str, object]]:
    return isinstance(value, dict)


def _is_list(value: object) -> TypeGuard[Sequence[object]]:
    return isinstance(value, list)
