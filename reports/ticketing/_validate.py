"""Whether a file is one that the product will take: header, cells, row limit, and no row twice.

A complaint names the line and the column and says what is allowed. It does not repeat what was found there: that may
be a person's name.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fleet.errors import SettingsError
from reports._csv import BYTE_ORDER_MARK, kept_as_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from typing import TextIO

    from reports.ticketing._profile import AnyProfile, Asset, Column
    from reports.ticketing._ticket import Ticket

_LARGEST_CELL = 10_000_000


@dataclass(frozen=True, slots=True)
class Complaint:
    """One thing that is wrong.

    Attributes:
        line: where the row begins in the file, counted from 1.
        column: its header; empty where the whole line is meant.
        why: what is allowed there.
    """

    line: int
    column: str
    why: str

    def __str__(self) -> str:
        place = f"line {self.line}" + (f", {self.column}" if self.column else "")
        return f"{place}: {self.why}"


class Validator:
    """Checks one file; `rows` counts those that were read."""

    def __init__(self, profile: AnyProfile, *, spreadsheet: bool) -> None:
        self._profile = profile
        self._spreadsheet = spreadsheet
        self._columns = profile.columns
        self._unique = next(
            (place for place, column in enumerate(self._columns) if column.name == profile.unique), None
        )
        self._seen: set[str] = set()
        self.rows = 0

    def complaints(self, path: Path) -> Iterator[Complaint]:
        """Everything that is wrong in the file at `path`, in the order of its lines.

        Raises:
            SettingsError: it cannot be read.
        """
        try:
            yield from self._of_encoding(path)
            with path.open(encoding="utf-8-sig", newline="") as file:
                yield from self._of_lines(file)
        except OSError as error:
            raise SettingsError(f"cannot read {path}: {error.strerror}; name a file that is there") from error
        except UnicodeDecodeError:
            yield Complaint(self.rows + 2, "", "the file has to be UTF-8 to its end")

    def _of_encoding(self, path: Path) -> Iterator[Complaint]:
        mark = BYTE_ORDER_MARK.encode()
        with path.open("rb") as file:
            marked = file.read(len(mark)) == mark
        if marked and not self._spreadsheet:
            yield Complaint(1, "", "the file may not begin with a byte order mark")
        if self._spreadsheet and not marked:
            yield Complaint(1, "", "the file has to begin with a byte order mark, for the spreadsheet")

    def _of_lines(self, file: TextIO) -> Iterator[Complaint]:
        usual = csv.field_size_limit(_LARGEST_CELL)  # the module's, and so everybody's: given back at the end
        reader = csv.reader(file, strict=True)
        try:
            header = next(reader, None)
            if header != [column.name for column in self._columns]:
                yield Complaint(
                    1, "", f"the header has to be: {','.join(column.name for column in self._columns)}"
                )
                return
            begins = reader.line_num + 1
            for row in reader:
                self.rows += 1
                yield from self._of_row(begins, row)
                begins = reader.line_num + 1
        except csv.Error as error:
            yield Complaint(reader.line_num, "", f"the file has to be RFC 4180 CSV ({error})")
        finally:
            csv.field_size_limit(usual)

    def _of_row(self, line: int, row: Sequence[str]) -> Iterator[Complaint]:
        limit = self._profile.row_limit
        if limit is not None and self.rows == limit + 1:
            yield Complaint(line, "", f"{self._profile.product} takes at most {limit:,} rows from one file")
        if len(row) != len(self._columns):
            yield Complaint(
                line, "", f"every line has to have {len(self._columns)} cells; this one has {len(row)}"
            )
            return
        for column, cell in zip(self._columns, row, strict=True):
            why = self._wrong(column, cell)
            if why is not None:
                yield Complaint(line, column.name, why)
        yield from self._twice(line, row)

    def _wrong(self, column: Column[Ticket] | Column[Asset], cell: str) -> str | None:
        if not cell:
            return "may not be empty" if column.required else None
        if not column.kind.fits(cell):
            return f"has to be {column.kind.allowed}"
        if self._spreadsheet and column.kind.text and kept_as_text(cell) != cell:
            return "would become a number or a date in a spreadsheet; put an apostrophe before it"
        return None

    def _twice(self, line: int, row: Sequence[str]) -> Iterator[Complaint]:
        if self._unique is None:
            return
        if row[self._unique] in self._seen:
            yield Complaint(line, self._columns[self._unique].name, "stands in an earlier line already")
        self._seen.add(row[self._unique])
