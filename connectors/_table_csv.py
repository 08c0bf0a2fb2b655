"""The rows of a CSV file, streamed."""

from __future__ import annotations

import csv
import re
from typing import TYPE_CHECKING

from connectors._table import Row
from connectors._wire import clean
from fleet.model.device import Rejected

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from connectors._table import Lines, Table

# What a line of data holds and a line of column names does not: an address, a number, a date, a truth value.
_DATA = re.compile(r"\S+@\S+|[\d.,:/+ TZ-]*\d[\d.,:/+ TZ-]*|true|false", re.IGNORECASE)


def csv_rows(lines: Lines, table: Table, *, delimiter: str) -> Iterator[Row | Rejected]:
    """Every row that holds anything; raises `BadAnswer` where the file is cut, or lacks a mapped column."""
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
