"""Walking Jamf Pro's device list: its pages, the ids in it, and one device asked for alone."""

from __future__ import annotations

import itertools
from math import ceil
from typing import TYPE_CHECKING
from urllib.parse import quote

from connectors import _pages, _rows, _wire
from connectors._jamf_page import BROKEN, LIST, READ_DEVICES, DevicePages, Haul
from connectors._jamf_single import as_list_row
from connectors._probe import anything
from fleet.errors import ServerTrouble

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping
    from datetime import datetime

    from connectors._http import Answer, Api

_SMALL_PAGE = 100


class DeviceList:
    """The list with the given sections, page by page; threads may share it.

    With `since`, of the devices alone that have sent an inventory since then; `ids` and `total` are of all.

    Every method raises `SourceError` where it cannot go on.

    Attributes:
        page_size: rows on a page, as far as is known what the server grants.
    """

    def __init__(
        self, api: Api, page_size: int, sections: Mapping[str, str], since: datetime | None = None
    ) -> None:
        self._api = api
        self.page_size = page_size
        self._pages = DevicePages(api, sections, since)

    def hauls(self, ahead: int) -> Generator[Haul, None, None]:
        """Every page in order, up to `ahead` fetched at once."""
        first, size = self._first()
        self.page_size = size
        yield first
        if first.size:
            last = None if first.total is None else ceil(first.total / size) - 1
            yield from _pages.by_number(
                lambda number: self._pages.page(number, size),
                lambda haul: haul.size,
                first=1,
                ahead=ahead,
                last=last,
            )

    def ids(self) -> Iterator[str]:
        """The id of every device, from the list that holds little else and so rarely breaks."""
        pages = _pages.by_number(self._page_of_ids, len)
        return itertools.chain.from_iterable(pages)

    def total(self) -> int | None:
        """How many devices there are; None where the server does not say."""
        params = [("page", 0), ("page-size", 1)]
        return self._api.get(LIST, _total, params=params, permission=READ_DEVICES)

    def alone(self, native_id: str) -> object | None:
        """One device's row, asked for by its id; None where the server cannot read it even so.

        Raises `NotFound` for a device that has been deleted.
        """
        path = f"{LIST}/{quote(native_id, safe='')}/detail"
        try:
            return self._api.get(path, _row, permission=READ_DEVICES)
        except ServerTrouble as error:
            if error.status != BROKEN:
                raise
            return None

    def _first(self) -> tuple[Haul, int]:
        haul = self._pages.whole(0, self.page_size)
        if haul is None:
            # Which size the server would have granted is not known; a small one it grants for certain.
            size = min(self.page_size, _SMALL_PAGE)
            return self._pages.page(0, size), size
        # The server caps the size without a word: what arrived is what it grants.
        capped = haul.total is not None and 0 < haul.size < min(self.page_size, haul.total)
        return haul, haul.size if capped else self.page_size

    def _page_of_ids(self, number: int) -> tuple[str, ...]:
        params = [("page", number), ("page-size", self.page_size), ("sort", "id:asc")]
        return self._api.get(LIST, _ids, params=params, permission=READ_DEVICES)


def _row(answer: Answer) -> object:
    single = _rows.mapping(anything(answer))
    if single is None:
        raise ValueError("no device")
    return as_list_row(single)


def _total(answer: Answer) -> int | None:
    return _rows.total(_rows.field(anything(answer), "totalCount"))


def _ids(answer: Answer) -> tuple[str, ...]:
    listed = _rows.rows(_rows.field(anything(answer), "results"))
    ids = (_wire.any_id(_rows.field(row, "id")) for row in listed)
    return tuple(native_id for native_id in ids if native_id is not None)
