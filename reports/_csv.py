"""Safe CSV for everyone who writes some: RFC 4180, and no cell that a spreadsheet would run as a formula.

Commas, CRLF, quotes doubled where they are needed, UTF-8. Whoever fills a table guards the columns that hold other
people's text; columns of our own making (ids, words of a closed set, dates, numbers) stay as they are. A table that
people open in a spreadsheet also begins with a byte order mark, and text in it that looks like a number or a date is
kept from becoming one.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from typing import TYPE_CHECKING, TypeAlias

from reports._format import Written
from reports.directory import writing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path
    from typing import TextIO

Cell: TypeAlias = str | int | None
LINE_END = "\r\n"
_TOGETHER = 200
BYTE_ORDER_MARK = "\ufeff"
_STARTS_A_FORMULA = frozenset("=+-@＝＋－＠")  # noqa: RUF001 - spreadsheets take the full-width forms for the plain ones
_INVISIBLE = frozenset({"Cc", "Cf", "Zl", "Zp", "Zs"})
_MONTH = (
    "(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    "|nov(?:ember)?|dec(?:ember)?)"
)
_CHANGES_IN_A_SPREADSHEET = re.compile(
    # Digits with nothing but signs between them: 0123, 353912101234567, 14.6, 1,5, 3-4, 26.7.1, 12:30, 50 %, (5), $5.
    r"(?=\D*\d)[\s\d.,:/%()$€£¥-]+"
    r"|\d+(?:[.,]\d+)?e[+-]?\d+"  # 1E5
    rf"|\d{{1,4}}[\s./-]*{_MONTH}(?:[\s,./-]*\d{{1,4}})?"  # 3 May, 1-Sep-26
    rf"|{_MONTH}[\s./-]*\d{{1,4}}(?:[\s,./-]+\d{{1,4}})?"  # MAR1, Sept 2026
    r"|\d{1,2}(?::\d{2})*\s*[ap]m?"  # 1 AM
    r"|true|false",
    re.IGNORECASE,
)


class Table:
    """One CSV file, header first; without a row it is a header alone."""

    def __init__(self, path: Path, columns: Sequence[str]) -> None:
        self.path = path
        self._rows = -1
        self._waiting: list[Iterable[Cell]] = []
        with writing(path):
            # A lone surrogate that came through all cleaning costs its character, not the report.
            self._file = path.open("w", encoding="utf-8", errors="replace", newline="")
        self._write = csv.writer(self._file, lineterminator=LINE_END).writerows
        self.add(columns)

    def add(self, row: Iterable[Cell]) -> None:
        """Write one row, at once or together with others; its text is guarded already."""
        self._waiting.append(row)
        if len(self._waiting) >= _TOGETHER:
            self._flush()

    def close(self) -> Written:
        """Complete the file; the header is not counted."""
        self._flush()
        with writing(self.path):
            self._file.close()
        return Written(self.path.name, self._rows)

    def _flush(self) -> None:
        with writing(self.path):
            self._write(self._waiting)
        self._rows += len(self._waiting)
        self._waiting.clear()


def row_writer(file: TextIO) -> Callable[[Iterable[Cell]], object]:
    """Writes rows into `file`, which must not translate line ends."""
    return csv.writer(file, lineterminator=LINE_END).writerow


def guard(text: str) -> str:
    """`text` for a cell: with an apostrophe before it where a spreadsheet would take it for a formula.

    That is where its first visible character is one of `= + - @` or their full-width forms, or where it
    starts with a tab, a line break or NUL (wider than OWASP ASVS 1.2.10 and CWE-1236, read 2026-11-23).
    """
    if not text or text[0].isalnum():
        return text
    first = next((char for char in text if unicodedata.category(char) not in _INVISIBLE), "")
    return f"'{text}" if first in _STARTS_A_FORMULA or text[0] in "\t\r\n\0" else text


def kept_as_text(text: str) -> str:
    """`text` for a spreadsheet: with an apostrophe before it where it would become a number, a date or a truth value.

    Excel drops leading zeros, keeps fifteen digits, and takes 3-4 and MAR1 for dates (known; English month names only).
    """
    return f"'{text}" if _CHANGES_IN_A_SPREADSHEET.fullmatch(text) else text
