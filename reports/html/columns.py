"""Columns that hold a fleet compactly while it streams by.

Values come a few hundred rows at a time: a column that takes them in one call costs a tenth of one that takes them
one by one. A column is bytes from the first row on: a number per row, or text with every string once. In the page
the bytes of a number are laid apart (all lowest bytes, then all second ones, …), because equal bytes beside each
other is what compression lives on.
"""

from __future__ import annotations

import re
import zlib
from array import array
from collections import Counter
from io import BytesIO
from itertools import islice
from operator import itemgetter
from typing import TYPE_CHECKING, Any, cast

from fleet.model.fact import Gap
from reports.html.numbers import Numbers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from reports.html.blob import Blob, Spec

_TELLING_ROWS = 65_536
_NARROW = 32
_BREAKS = str.maketrans("\n\0", "  ")
_SEPARATORS = str.maketrans("\n\0\x1c\x1d\x1e\x1f", "      ")
_WHOLE_NUMBERS = re.compile(r"(?<!\d)(0|[1-9]\d{0,8})(?!\d)", re.ASCII)
_PLACE = "\x1d"


class _Numbered(dict[Any, int]):
    """The number of each value's spelling, in the order in which spellings first came; 0 is the empty one."""

    def __init__(self, spell: Callable[[Any], str]) -> None:
        super().__init__()
        self.entries = {"": 0}
        self._spell = spell

    def __missing__(self, value: object) -> int:
        number = self.entries.setdefault(self._spell(value), len(self.entries))
        self[value] = number
        return number


class Text:
    """Strings, each stored once; None and a gap read as an empty string.

    A column whose strings hardly repeat (serial numbers) is stored row by row instead: the index would cost more
    than it saves.

    Args:
        spell: how a value reads; asked once for equal values.
    """

    def __init__(self, spell: Callable[[Any], str] | None = None) -> None:
        self._spell = spell or spelled
        self._numbered: _Numbered | None = _Numbered(self._spell)
        self._codes = Numbers()
        self._lines = bytearray()
        self._count = 0
        self._next_look = _TELLING_ROWS

    def extend(self, values: Sequence[object]) -> None:
        """Take some rows. Line breaks and NUL become spaces, half surrogates question marks."""
        self._count += len(values)
        if self._numbered is None:
            self._lines += b"".join(map(_line, map(self._spell, values)))
            return
        self._codes.extend(list(map(self._numbered.__getitem__, values)))
        if self._count >= self._next_look:
            self._next_look += _TELLING_ROWS
            if _hardly_repeat(self._numbered.entries, self._count):
                self._unroll(self._numbered.entries)

    def counts(self) -> Counter[str]:
        """How many rows each string has."""
        if self._numbered is None:
            return Counter(self._lines.decode().split("\n")[:-1])
        rows = Counter(self._codes)
        return Counter({entry: rows[number] for entry, number in self._numbered.entries.items()})

    def pack(self, blob: Blob) -> Spec:
        """The strings joined by line breaks, and the rows' numbers among them (null: in the order of the rows)."""
        if self._numbered is not None and _hardly_repeat(self._numbered.entries, self._count):
            self._unroll(self._numbered.entries)
        if self._numbered is None:
            rows, self._lines = bytes(self._lines), bytearray()
            return {"kind": "text", **_laid(rows, blob), "codes": None}
        entries, codes = self._numbered.entries, self._codes
        self._numbered, self._codes = None, Numbers()
        lines, moved = _sorted(entries, codes)
        if len(entries) > self._count // 4:
            rows = codes.picked([_line(entry) for entry in entries])
            if _packed(rows, _upright(rows)) < _packed(lines) + sum(map(_packed, moved.planes())):
                return {"kind": "text", **_laid(rows, blob), "codes": None}
        return {"kind": "text", "at": blob.add(lines), "bytes": len(lines), "codes": moved.pack(blob)}

    def _unroll(self, entries: Iterable[str]) -> None:
        self._lines = bytearray(self._codes.picked([_line(entry) for entry in entries]))
        self._codes = Numbers()
        self._numbered = None


class Joint:
    """Text columns that go together (a model and its name), stored as one: each combination once.

    Attributes:
        extend: takes some rows, each a tuple with a value for every column.
        counts: how many rows each combination has; its parts are separated by U+001E.
    """

    def __init__(self, width: int) -> None:
        self._text = Text(_side_by_side)
        self._spec: Spec | None = None
        self.extend = self._text.extend
        self.counts = self._text.counts
        self.columns = [Part(self, place) for place in range(width)]

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

    def counts(self) -> Counter[str]:
        """How many rows each string has."""
        found: Counter[str] = Counter()
        for entry, rows in self._joint.counts().items():
            found[entry.split("\x1e")[self._place] if entry else ""] += rows
        return found

    def pack(self, blob: Blob) -> Spec:
        """The joint column, and which part of its entries is meant."""
        return {**self._joint.pack(blob), "part": self._place}


class Phrases:
    """Sentences that differ in their numbers (`24 days old`): each wording once, and the numbers by themselves."""

    _kind = "phrases"

    def __init__(self) -> None:
        self._wordings = Text(_as_it_is)
        self._numbers = Numbers()

    def extend(self, sentences: Sequence[str]) -> None:
        """Take some rows."""
        self._take(list(map(plain, sentences)))

    def _take(self, sentences: Sequence[str]) -> None:
        wordings: list[str] = []
        numbers: list[str] = []
        for sentence in sentences:
            parts = _WHOLE_NUMBERS.split(sentence)
            if len(parts) > 1:
                sentence = _PLACE.join(parts[::2])  # noqa: PLW2901 - what is left of it
                numbers += parts[1::2]
            wordings.append(sentence)
        self._wordings.extend(wordings)
        self._numbers.extend(list(map(int, numbers)))

    def pack(self, blob: Blob) -> Spec:
        """Two columns: the wordings, and the numbers that fill their places."""
        count = len(self._numbers)
        return {
            "kind": self._kind,
            "numbers": self._numbers.pack(blob),
            "wordings": self._wordings.pack(blob),
            "count": count,
        }


class Prints:
    """Fingerprints of 32 hex digits, of which only those are stored that the page cannot make again by itself.

    They are random, so each stored one costs its full length.
    """

    def __init__(self) -> None:
        self._hows = Numbers()
        self._whole = bytearray()

    def extend(self, fingerprints: Sequence[str], hows: Sequence[int]) -> None:
        """Take some rows; `hows` tells the page what each is made of, 0 that it stands here whole."""
        self._hows.extend(hows)
        if 0 in hows:
            whole = [one for one, how in zip(fingerprints, hows, strict=True) if not how]
            self._whole += bytes.fromhex("".join(whole))

    def pack(self, blob: Blob) -> Spec:
        """How each is made, and where the whole ones start."""
        hows = self._hows.pack(blob)
        return {"kind": "prints", "hows": hows, "at": blob.add(bytes(self._whole))}


def spelled(value: object) -> str:
    """A fact as the page keeps it: text that holds none of the characters that separate entries."""
    if type(value) is str:  # most are
        return plain(value)
    if value is None or type(value) is Gap:
        return ""
    match value:
        case bool():
            return "yes" if value else "no"
        case tuple():
            return joined(map(str, cast("tuple[object, ...]", value)))
        case _:
            return plain(str(value))


def joined(values: Iterable[str]) -> str:
    """Several strings as one entry of a text column."""
    return "\x1f".join(map(plain, values))


def plain(value: str) -> str:
    """`value` without the characters that separate entries and their parts; spaces stand in for them."""
    return value if value.isprintable() else value.translate(_SEPARATORS)


def _side_by_side(values: Sequence[object]) -> str:
    return "\x1e".join(map(spelled, values))


def _as_it_is(value: str) -> str:
    return value


def _hardly_repeat(entries: dict[str, int], rows: int) -> bool:
    return len(entries) > 1 + rows // 2


def _sorted(entries: dict[str, int], codes: Numbers) -> tuple[bytes, Numbers]:
    """The entries in the order of the alphabet, where neighbours begin alike and pack to half, and their codes."""
    order = sorted(entries.items(), key=itemgetter(0))
    places = array("I", bytes(4 * len(order)))
    for place, (_, number) in enumerate(order):
        places[number] = place
    return b"".join([_line(entry) for entry, _ in order]), codes.moved(places)


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
    planes = [bytearray() for _ in range(width)]
    for square in _squares(lines, width):
        for place, plane in enumerate(planes):
            plane.extend(square[place::width])
    return b"".join(planes)


def _squares(lines: bytes, width: int) -> Iterator[bytes]:
    """The lines without their ends, filled up to one length; some thousand of them at a time."""
    rows = BytesIO(lines)
    while some := list(islice(rows, _TELLING_ROWS)):
        yield b"".join([line[:-1].ljust(width, b"\0") for line in some])


def _width(lines: bytes) -> int:
    return max(map(len, BytesIO(lines)), default=1) - 1


def _packed(*choices: bytes) -> int:
    return min(len(zlib.compress(choice, 1)) for choice in choices)
