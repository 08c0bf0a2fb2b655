"""A column of whole numbers."""

from __future__ import annotations

import sys
from array import array
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from reports.html.blob import Blob, Spec

_WIDER = {"B": "H", "H": "I"}


class Numbers:
    """Whole numbers from 0 to 2**32 - 1, in as many bytes each as the largest so far needs."""

    def __init__(self) -> None:
        self._rows = array("B")

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[int]:
        return iter(self._rows)

    def extend(self, numbers: Collection[int]) -> None:
        """Take some rows. Raises OverflowError for what is not from 0 to 2**32 - 1."""
        before = len(self._rows)
        try:
            self._rows.extend(numbers)
        except OverflowError:
            del self._rows[before:]
            if self._rows.typecode not in _WIDER:
                raise
            self._rows = array(_WIDER[self._rows.typecode], self._rows)
            self.extend(numbers)

    def moved(self, places: Sequence[int]) -> Numbers:
        """The same rows with `places[number]` in place of each number."""
        moved = Numbers()
        moved._rows = array("I", map(places.__getitem__, self._rows))
        return moved

    def picked(self, entries: Sequence[bytes]) -> bytes:
        """The entries that the numbers name, one behind the other."""
        return b"".join(map(entries.__getitem__, self._rows))

    def planes(self) -> Iterator[bytes]:
        """One part per byte of the numbers, the lowest first; the highest parts are left out while all zero."""
        rows, size = self._rows, self._rows.itemsize
        whole, needed = rows.tobytes(), -(-max(rows, default=0).bit_length() // 8)
        for power in range(needed):
            yield whole[power if sys.byteorder == "little" else size - 1 - power :: size]

    def pack(self, blob: Blob) -> Spec:
        """Where each part of `planes` starts."""
        starts = [blob.add(plane) for plane in self.planes()]
        self._rows = array("B")
        return {"kind": "numbers", "planes": starts}
