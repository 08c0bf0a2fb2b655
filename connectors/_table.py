"""A table that people export: which of its columns are wanted, its rows as they come, its lines.

A row that cannot be read is `Rejected` with its line and costs no other row. What is wrong with the file as a
whole is one error that names the file, the place and the remedy. Neither ever quotes a cell.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from connectors._wire import clean
from fleet.errors import BadAnswer

if TYPE_CHECKING:
    import io
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

MAX_LINE = 1 << 22
"""Characters in one line: room for a device with all its apps, none for a file without line ends."""
SHOWN = 60
"""The most columns that an error names."""


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
        shown = ", ".join(clean(name) for name in islice(found, SHOWN)) or "none"
        noun = "column" if len(signals) == 1 else "columns"
        return self.bad(
            f"has no {noun} {wanted}; columns found: {shown}; mend [source.columns] {', '.join(signals)}"
        )


class Lines:
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
