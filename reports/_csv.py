"""Safe CSV for everyone who writes some: RFC 4180, and no cell that a spreadsheet would run as a formula.

Commas, CRLF, quotes doubled where they are needed, UTF-8. Whoever fills a table guards the columns that hold other
people's text; columns of our own making (ids, words of a closed set, dates, numbers) stay as they are.
"""

from __future__ import annotations

import csv
import unicodedata
from typing import TYPE_CHECKING, TypeAlias

from reports._format import Written
from reports.directory import writing

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

Cell: TypeAlias = str | int | None
LINE_END = "\r\n"
_STARTS_A_FORMULA = frozenset("=+-@＝＋－＠")  # noqa: RUF001 - spreadsheets take the full-width forms for the plain ones
_INVISIBLE = frozenset({"Cc", "Cf", "Zl", "Zp", "Zs"})


class Table:
    """One CSV file, header first; without a row it is a header alone."""

    def __init__(self, path: Path, columns: Sequence[str]) -> None:
        self.path = path
        self._rows = -1
        with writing(path):
            # A lone surrogate that came through all cleaning costs its character, not the report.
            self._file = path.open("w", encoding="utf-8", errors="replace", newline="")
        self._csv = csv.writer(self._file, lineterminator=LINE_END)
        self.add(columns)

    def add(self, row: Iterable[Cell]) -> None:
        """Write one row; its text is guarded already."""
        with writing(self.path):
            self._csv.writerow(row)
        self._rows += 1

    def close(self) -> Written:
        """Complete the file; the header is not counted."""
        with writing(self.path):
            self._file.close()
        return Written(self.path.name, self._rows)


def guard(text: str) -> str:
    """`text` for a cell: with an apostrophe before it where a spreadsheet would take it for a formula.

    That is where its first visible character is one of `= + - @` or their full-width forms, or where it
    starts with a tab, a line break or NUL (wider than OWASP ASVS 1.2.10 and CWE-1236, read 2026-11-23).
    """
    if not text or text[0].isalnum():
        return text
    first = next((char for char in text if unicodedata.category(char) not in _INVISIBLE), "")
    return f"'{text}" if first in _STARTS_A_FORMULA or text[0] in "\t\r\n\0" else text
