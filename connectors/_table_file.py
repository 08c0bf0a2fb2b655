"""The rows of a table's file: how it is encoded, and whether it is CSV, NDJSON or JSON."""

from __future__ import annotations

import io
import re
from typing import IO, TYPE_CHECKING

from connectors._table import MAX_LINE, Lines
from connectors._table_csv import csv_rows
from connectors._table_json import is_object, json_rows, ndjson_rows, parsed
from fleet.errors import Unreachable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from connectors._table import Row, Table
    from fleet.model.device import Rejected

_DELIMITERS = ",;\t|"
_CSV_SUFFIXES = {".csv", ".tsv", ".tab", ".txt"}
_NDJSON_SUFFIXES = {".ndjson", ".jsonl"}


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


def _rows(file: io.TextIOWrapper, table: Table) -> Iterator[Row | Rejected]:
    shape = _shape(file, table)
    file.seek(0)
    if shape == "json":
        return json_rows(file, table)
    if shape == "ndjson":
        return ndjson_rows(file, table)
    return csv_rows(Lines(file, table), table, delimiter=shape)


def _shape(file: io.TextIOWrapper, table: Table) -> str:
    """`json`, `ndjson`, or the delimiter of a CSV file."""
    suffix = table.path.suffix.lower()
    first, second = _opening(file, table, whole=suffix in _CSV_SUFFIXES | _NDJSON_SUFFIXES)
    if suffix in _NDJSON_SUFFIXES:
        return "ndjson"
    if suffix not in _CSV_SUFFIXES and first[0] in "[{":
        lined = first[0] == "{" and second.startswith("{") and is_object(parsed(first))
        return "ndjson" if lined else "json"
    if suffix == ".json":
        raise table.bad("is not JSON; look at what writes it")
    # Delimiters within quotes are part of a column's name.
    bare = re.sub(r'"[^"]*("|$)', "", first)
    return max(_DELIMITERS, key=bare.count)


def _opening(file: io.TextIOWrapper, table: Table, *, whole: bool) -> tuple[str, str]:
    """The first two lines that hold anything; a JSON array may be one long line (`whole` is False)."""
    lines: Iterable[str] = Lines(file, table) if whole else iter(lambda: file.readline(MAX_LINE), "")
    filled = (line.strip() for line in lines if line.strip())
    first = next(filled, None)
    if first is None:
        raise table.bad("is empty, not even a header; look at what writes it")
    return first, next(filled, "")
