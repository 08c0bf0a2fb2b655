"""Columns that hold a fleet compactly while it streams by, and their form in the page.

A column is bytes from the first device on: a number per row, or text with every string once. In the page the bytes
of a number are laid apart (all lowest bytes, then all second ones, …), because equal bytes beside each other is what
compression lives on.
"""

from __future__ import annotations

import base64
import json
import sys
import zlib
from array import array
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

Spec: TypeAlias = dict[str, object]

_CHUNK = 3 * 65536  # of three bytes each, so that base64 needs no padding in between
_TELLING_ROWS = 65_536
_NARROW = 32
_BREAKS = str.maketrans("\n\0", "  ")
_SEPARATORS = str.maketrans("\n\0\x1e\x1f", "    ")


class Blob:
    """Binary parts behind one another, each known by where it starts."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []
        self.size = 0

    def add(self, part: bytes) -> int:
        """Where `part` starts, in bytes."""
        start = self.size
        self.parts.append(part)
        self.size += len(part)
        return start


class Column(Protocol):
    """One value per row."""

    def pack(self, blob: Blob) -> Spec:
        """Lay the bytes into `blob`; the answer tells the page where they are and how to read them."""
        ...


class Numbers:
    """Whole numbers from 0 to 2**32 - 1."""

    def __init__(self) -> None:
        self._rows = array("I")
        self.append = self._rows.append

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[int]:
        return iter(self._rows)

    def planes(self) -> list[bytes]:
        """One part per byte of the numbers, the lowest first; the highest parts are left out while all zero."""
        rows = self._rows
        if sys.byteorder == "big":
            rows = array("I", rows)
            rows.byteswap()
        planes = [rows.tobytes()[place :: rows.itemsize] for place in range(rows.itemsize)]
        while planes and not any(planes[-1]):
            planes.pop()
        return planes

    def pack(self, blob: Blob) -> Spec:
        """Where each part of `planes` starts."""
        return {"kind": "numbers", "planes": [blob.add(plane) for plane in self.planes()]}


class Text:
    """Strings, each stored once; `None` reads as an empty string.

    A column whose strings hardly repeat (serial numbers) is stored row by row instead: the index would cost more
    than it saves.
    """

    def __init__(self) -> None:
        self._codes: Numbers | None = Numbers()
        self._entries: dict[str, int] = {"": 0}
        self._lines = bytearray()
        self._count = 0

    def append(self, value: str | None) -> None:
        """Take one row. Line breaks and NUL become spaces, half surrogates question marks."""
        self._count += 1
        if self._codes is None:
            self._lines += _line(value or "")
            return
        self._codes.append(self._entries.setdefault(value or "", len(self._entries)))
        if self._count % _TELLING_ROWS == 0 and self._hardly_repeats():
            self._unroll(self._codes)

    def pack(self, blob: Blob) -> Spec:
        """The strings joined by line breaks, and the rows' numbers among them (null: in the order of the rows)."""
        if self._codes is not None and self._hardly_repeats():
            self._unroll(self._codes)
        if self._codes is None:
            return {"kind": "text", **_laid(bytes(self._lines), blob), "codes": None}
        lines, codes = self._sorted(self._codes)
        if len(self._entries) > self._count // 4:
            rows = b"".join(self._rows(self._codes))
            if _packed(rows, _upright(rows)) < _packed(lines) + sum(map(_packed, codes.planes())):
                return {"kind": "text", **_laid(rows, blob), "codes": None}
        return {"kind": "text", "at": blob.add(lines), "bytes": len(lines), "codes": codes.pack(blob)}

    def _sorted(self, codes: Numbers) -> tuple[bytes, Numbers]:
        """The entries in the order of the alphabet, where neighbours begin alike and pack to half, and their codes."""
        order = sorted(self._entries)
        place = {self._entries[entry]: number for number, entry in enumerate(order)}
        moved = Numbers()
        for code in codes:
            moved.append(place[code])
        return b"".join(map(_line, order)), moved

    def _rows(self, codes: Numbers) -> list[bytes]:
        lines = [_line(entry) for entry in self._entries]
        return [lines[code] for code in codes]

    def _hardly_repeats(self) -> bool:
        return len(self._entries) > 1 + self._count * 3 // 4

    def _unroll(self, codes: Numbers) -> None:
        self._lines = bytearray(b"".join(self._rows(codes)))
        self._codes = None
        self._entries = {}


class Joint:
    """Text columns that go together (a model and its name), stored as one: each combination once."""

    def __init__(self, width: int) -> None:
        self.columns = [Part(self, place) for place in range(width)]
        self._row: list[str] = []
        self._text = Text()
        self._spec: Spec | None = None

    def take(self, value: str | None) -> None:
        """One value of the row at hand; the columns come in their order."""
        self._row.append(value or "")
        if len(self._row) == len(self.columns):
            self._text.append("\x1e".join(self._row))
            self._row.clear()

    def pack(self, blob: Blob) -> Spec:
        """As `Text.pack`; laid into the blob once, however many columns ask."""
        if self._spec is None:
            self._spec = self._text.pack(blob)
        return self._spec


class Part:
    """One column of a joint one."""

    def __init__(self, joint: Joint, place: int) -> None:
        self._joint = joint
        self._place = place
        self.append = joint.take

    def pack(self, blob: Blob) -> Spec:
        """The joint column, and which part of its entries is meant."""
        return {**self._joint.pack(blob), "part": self._place}


class Ids:
    """Fingerprints of 32 hex digits.

    They are random, so each costs its full length. Up to `whole_up_to` rows they stand whole; a larger table keeps
    the first 8 digits, or as many more as tell its rows apart.
    """

    whole_up_to = 20_000
    _short = 4

    def __init__(self) -> None:
        self._rows = bytearray()
        self._count = 0

    def append(self, fingerprint: str) -> None:
        """Take one row. Raises ValueError for anything but hex digits."""
        self._rows += bytes.fromhex(fingerprint)
        self._count += 1

    def pack(self, blob: Blob) -> Spec:
        """One part per byte of the fingerprint, the first byte first."""
        full = len(self._rows) // self._count if self._count else 0
        kept = full if self._count <= self.whole_up_to else self._telling(full)
        return {"kind": "ids", "planes": [blob.add(bytes(self._rows[place::full])) for place in range(kept)]}

    def _telling(self, full: int) -> int:
        rows = bytes(self._rows)
        for kept in range(self._short, full):
            if len({rows[start : start + kept] for start in range(0, len(rows), full)}) == self._count:
                return kept
        return full


def payload(head: Mapping[str, object], tables: Mapping[str, Mapping[str, Column]]) -> Iterator[str]:
    """Everything the page's script reads, as pieces of base64 text of one gzip stream.

    Inside: the length of the head (4 bytes, lowest first), the head as JSON with `tables` in it, the columns' bytes.
    The same input gives the same text: the gzip head carries no time.
    """
    blob = Blob()
    packed = {
        name: {key: column.pack(blob) for key, column in table.items()} for name, table in tables.items()
    }
    text = json.dumps({**head, "tables": packed}, ensure_ascii=False, separators=(",", ":")).encode(
        errors="replace"
    )
    return _base64(_gzip([len(text).to_bytes(4, "little"), text, *blob.parts]))


def joined(values: Iterable[str]) -> str:
    """Several strings as one entry of a text column."""
    return "\x1f".join(map(plain, values))


def plain(value: str) -> str:
    """`value` without the characters that separate entries and their parts; spaces stand in for them."""
    return value.translate(_SEPARATORS) if not value.isprintable() else value


def _line(value: str) -> bytes:
    return (value if value.isprintable() else value.translate(_BREAKS)).encode(errors="replace") + b"\n"


def _laid(lines: bytes, blob: Blob) -> Spec:
    """Lines as they are or upright, whichever packs better."""
    upright = _upright(lines)
    if _packed(upright) < _packed(lines):
        return {"at": blob.add(upright), "bytes": len(upright), "width": _width(lines)}
    return {"at": blob.add(lines), "bytes": len(lines)}


def _upright(lines: bytes) -> bytes:
    """All first bytes of the lines, then all second ones, …: random text of one length packs better so."""
    width = _width(lines)
    if not 0 < width <= _NARROW:
        return lines
    square = b"".join(line.ljust(width, b"\0") for line in lines.split(b"\n")[:-1])
    return b"".join(square[place::width] for place in range(width))


def _width(lines: bytes) -> int:
    return max(map(len, lines.split(b"\n")), default=0)


def _packed(*choices: bytes) -> int:
    return min(len(zlib.compress(choice, 1)) for choice in choices)


def _gzip(parts: Iterable[bytes]) -> Iterator[bytes]:
    # 31: a gzip stream. zlib itself writes no time into its head, which gzip.open would.
    squeeze = zlib.compressobj(level=6, wbits=31)
    for part in parts:
        yield squeeze.compress(part)
    yield squeeze.flush()


def _base64(parts: Iterable[bytes]) -> Iterator[str]:
    held = bytearray()
    for part in parts:
        held += part
        while len(held) >= _CHUNK:
            yield base64.b64encode(held[:_CHUNK]).decode()
            del held[:_CHUNK]
    yield base64.b64encode(held).decode()
