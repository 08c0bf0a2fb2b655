"""What Iru is asked for: devices by offset, Prism and users by cursor, custom profiles by page, one device's details.

Iru API collection and "Pagination" examples of its support scripts, read 2026-11-22.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, quote

from connectors import _pages, _rows
from connectors._iru_record import PAGE, identity
from fleet.errors import AuthRefused, PermissionMissing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from connectors._http import Answer, Api

DEVICES = "/api/v1/devices"
WHERE = "Settings > Access > API Token"
DEVICE_LIST = "Device list (/devices)"
DEVICE_DETAILS = "Device details (/devices/{device_id}/details)"
LARGEST_PAGE = 300


@dataclass(frozen=True, slots=True)
class Chunk:
    """One page of devices.

    Attributes:
        first_row: its first row's place in the list, from 1; not compared, to notice a repeated page.
        fresh: rows beyond the one that overlaps with the page before.
    """

    first_row: int = field(compare=False)
    rows: tuple[object, ...]
    fresh: int


class DeviceList:
    """The list of devices; each page begins with the last row of the one before.

    A device that is removed meanwhile moves all later ones up by one, and the first of the next page would be
    missed. The overlapping row shows that, because another stands in its place.

    Attributes:
        moved: the list changed under the latest walk.
    """

    def __init__(self, api: Api, page_size: int | None) -> None:
        self._api = api
        self._size = max(2, min(page_size or LARGEST_PAGE, LARGEST_PAGE))
        self._last: str | None = None
        self.moved = False

    def chunks(self) -> Iterator[Chunk]:
        """Every page in order; raises `SourceError` where it cannot go on."""
        self.moved = False
        return _pages.by_offset(self._chunk, lambda chunk: chunk.fresh)

    def _chunk(self, rows_before: int) -> Chunk:
        overlap = min(rows_before, 1)
        offset = rows_before - overlap
        params = [("limit", self._size), ("offset", offset), ("ordering", "device_id")]
        rows = self._api.get(DEVICES, _device_rows, params=params, permission=DEVICE_LIST)
        if overlap and (not rows or identity(rows[0]) != self._last):
            self.moved = True
        if rows:
            self._last = identity(rows[-1])
        return Chunk(offset + 1, rows, max(0, len(rows) - overlap))


def details_of(api: Api, native_id: str) -> object:
    """What only the details of one device say; raises `SourceError` where there are none."""
    path = f"{DEVICES}/{quote(native_id, safe='')}/details"
    try:
        return api.get(path, _details, permission=DEVICE_DETAILS)
    except AuthRefused as refusal:
        # Which of 401 and 403 a missing tick gives is not documented; that the token itself is good is proven before.
        raise PermissionMissing(f'{refusal}; grant "{DEVICE_DETAILS}" to the token ({WHERE})') from refusal


def _details(answer: Answer) -> object:
    details = _rows.mapping(_rows.anything(answer.body))
    if details is None:
        raise ValueError("no details")
    return details


def _device_rows(answer: Answer) -> tuple[object, ...]:
    return tuple(_rows.decode(PAGE, answer.body))


def prism(api: Api, path: str, permission: str) -> Iterator[object]:
    """Every row of the Prism list at `path`, of iPhones and iPads; raises `SourceError` where it cannot go on."""
    families = [("limit", LARGEST_PAGE), ("device_families", "iPhone,iPad")]

    def fetch(cursor: str | None) -> _Leaf:
        params = [*families, ("cursor", cursor)] if cursor else families
        return api.get(path, partial(_leaf, key="data"), params=params, permission=permission)

    leaves = _pages.by_cursor(fetch, lambda leaf: leaf.named("cursor"), rows=lambda leaf: leaf.rows)
    return chain.from_iterable(leaf.rows for leaf in leaves)


def linked(api: Api, path: str, key: str, permission: str) -> Iterator[object]:
    """Every row of a list whose next page is the one that `next` names by its parameter `key`.

    The link itself leads to the console's host, where the token must not go.
    """

    def fetch(value: str | None) -> _Leaf:
        params = [(key, value)] if value else []
        return api.get(path, partial(_leaf, key="results"), params=params, permission=permission)

    def following(leaf: _Leaf) -> str | None:
        query = (leaf.named("next") or "").partition("?")[2]
        return parse_qs(query).get(key, [None])[0]

    return chain.from_iterable(
        leaf.rows for leaf in _pages.by_cursor(fetch, following, rows=lambda leaf: leaf.rows)
    )


@dataclass(frozen=True, slots=True)
class _Leaf:
    """One page of a list that names the next."""

    page: object
    rows: list[object]

    def named(self, key: str) -> str | None:
        """What names the next page, as it is: a cursor may be of any length."""
        value = _rows.field(self.page, key)
        return value if isinstance(value, str) else None


def _leaf(answer: Answer, key: str) -> _Leaf:
    page = _rows.anything(answer.body)
    return _Leaf(page, _rows.rows(_rows.field(page, key)))
