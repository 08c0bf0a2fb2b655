"""Where packed columns go: a file of bytes, so that a million devices need not fit into memory a second time."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator

Spec: TypeAlias = dict[str, object]
_PIECE = 1 << 18  # bytes


class Blob:
    """Binary parts behind one another, each known by where it starts.

    Args:
        file: an empty file for them, which the caller closes.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._size = 0

    def add(self, part: bytes) -> int:
        """Where `part` starts, in bytes. Raises OSError where the disk is full."""
        start = self._size
        self._file.write(part)
        self._size += len(part)
        return start

    def pieces(self) -> Iterator[bytes]:
        """All of it, from the start."""
        self._file.seek(0)
        while piece := self._file.read(_PIECE):
            yield piece


class Column(Protocol):
    """One value per row."""

    def pack(self, blob: Blob) -> Spec:
        """Lay the bytes into `blob`, once and for all: the column lets its rows go.

        The answer tells the page where they are and how to read them.
        """
        ...
