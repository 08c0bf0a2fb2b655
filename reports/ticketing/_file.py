"""Where the rows go: one file, several where the product takes only so many rows from one, or standard output.

Files are written beside their place, private, and put in place together at the end, so that whoever imports them never
meets a half one.
"""

from __future__ import annotations

import io
import os
import tempfile
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, Self

from reports._csv import BYTE_ORDER_MARK, row_writer
from reports.directory import writing

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import TracebackType
    from typing import BinaryIO

ELSEWHERE = "or name another place with --out"


class Sink(Protocol):
    """Takes rows of cells."""

    def add(self, row: Sequence[str]) -> None:
        """Take one row."""
        ...

    def close(self) -> list[Path]:
        """Complete what was written and say where it is."""
        ...


class Stream:
    """All rows into one open stream, whatever their number; it stays open."""

    def __init__(self, stream: BinaryIO, header: Sequence[str], *, mark: bool) -> None:
        self._text = io.TextIOWrapper(stream, encoding="utf-8", errors="replace", newline="")
        self._text.write(BYTE_ORDER_MARK if mark else "")
        self._write = row_writer(self._text)
        self._write(header)

    def add(self, row: Sequence[str]) -> None:
        """Write one row."""
        self._write(row)

    def close(self) -> list[Path]:
        """Hand over the last bytes."""
        self._text.flush()
        self._text.detach()
        return []


class Files:
    """Rows into `path`, and from the limit on into its numbered neighbours; use it in a `with` block.

    Raises:
        OutputError: a file could not be written; what stood there before is untouched.
    """

    def __init__(self, path: Path, header: Sequence[str], *, mark: bool, limit: int | None) -> None:
        self._path = path
        self._header = list(header)
        self._mark = mark
        self._limit = limit
        self._parts: list[Path] = []
        self._rows = 0
        self._next()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):
            self._file.close()
        for part in self._parts:
            part.unlink(missing_ok=True)

    def add(self, row: Sequence[str]) -> None:
        """Write one row, into the next file where this one is full."""
        if self._limit is not None and self._rows == self._limit:
            self._next()
        with writing(self._path, ELSEWHERE):
            self._write(row)
        self._rows += 1

    def close(self) -> list[Path]:
        """Put all files in place, and take away the numbered ones that an earlier, longer export left."""
        with writing(self._path, ELSEWHERE):
            self._settle()
            places = [self._place(number) for number in range(1, len(self._parts) + 1)]
            for part, place in zip(self._parts, places, strict=True):
                part.replace(place)
            for leftover in self._leftovers(len(self._parts) + 1):
                leftover.unlink()
        self._parts.clear()
        return places

    def _next(self) -> None:
        with writing(self._path, ELSEWHERE):
            if self._parts:
                self._settle()
            handle, name = tempfile.mkstemp(prefix=f".{self._path.name}.", dir=self._path.parent)  # mode 0600
            self._parts.append(Path(name))
            self._file = os.fdopen(handle, "w", encoding="utf-8", errors="replace", newline="")
            self._file.write(BYTE_ORDER_MARK if self._mark else "")
            self._write = row_writer(self._file)
            self._write(self._header)
        self._rows = 0

    def _settle(self) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()

    def _place(self, number: int) -> Path:
        return self._path if number == 1 else self._path.with_stem(f"{self._path.stem}-{number}")

    def _leftovers(self, first: int) -> Iterator[Path]:
        """Numbered neighbours with our header: an importer that takes them all would import last week's rows."""
        header = io.StringIO()
        row_writer(header)(self._header)
        for number in count(first):
            place = self._place(number)
            if not place.is_file() or not _starts_with(place, header.getvalue()):
                return
            yield place


def _starts_with(path: Path, header: str) -> bool:
    expected = header.encode()
    with path.open("rb") as file:
        start = file.read(len(expected) + 3)
    return start.removeprefix(BYTE_ORDER_MARK.encode()).startswith(expected)
