"""One page of Jamf Pro's device list, although single records can make the server fail.

One record that Jamf cannot read turns the whole page that holds it into a 500, and asking again is no help.
So a failing page goes down a ladder: once more, leniently (Jamf Pro 11.29 and newer), without the optional
sections, and then in smaller and smaller pages until the record stands alone (release notes of 11.29 and
jamf/powerbi on GitHub, read 2026-11-22).
"""

from __future__ import annotations

import itertools
import re
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from connectors import _rows
from connectors._jamf_record import PAGE, DetailPage
from connectors._probe import anything
from fleet.errors import ServerTrouble, SourceError
from fleet.model.run import Trouble

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from connectors._http import Answer, Api

READ_DEVICES = "Read Mobile Devices"
LIST = "/api/v2/mobile-devices"
SECTIONS = {
    "GENERAL": "general",
    "HARDWARE": "hardware",
    "USER_AND_LOCATION": "userAndLocation",
    "SECURITY": "security",
    "NETWORK": "network",
    "GROUPS": "groups",
}
"""Section on the wire, and its key in a row."""

PROFILES = {"PROFILES": "profiles"}
_OPTIONAL = {"SECURITY", "NETWORK", "GROUPS", "PROFILES"}
_LENIENT_SINCE = (11, 29)
_MOST_EXTRA_REQUESTS = 3000
_HOPELESS_STREAK = 20
BROKEN = 500
"""The status by which Jamf Pro says that a record broke the answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Haul:
    """What one page brought.

    Attributes:
        first_row: its first row's place in the whole list, from 1; not compared, to notice a repeated page.
        lost: places of rows that no attempt could read.
    """

    first_row: int = field(compare=False)
    rows: tuple[object, ...]
    total: int | None = None
    lost: tuple[str, ...] = ()
    troubles: tuple[Trouble, ...] = ()

    @property
    def size(self) -> int:
        """Rows that stand in the list here, readable or not."""
        return len(self.rows) + len(self.lost)


class DevicePages:
    """The pages of the list with the given sections (see `SECTIONS`); threads may share it.

    With `since`, of the devices that have sent an inventory since then (RSQL; a time without fractions is taken by
    every release, one with a single digit by none).

    Every method raises `SourceError` where it cannot go on.
    """

    def __init__(self, api: Api, sections: Mapping[str, str], since: datetime | None = None) -> None:
        self._api = api
        self._sections = sections
        self._filter = [("filter", f'lastInventoryUpdateDate>="{since:%Y-%m-%dT%H:%M:%SZ}"')] if since else []
        self._extra = itertools.count(1)
        self._version_lock = threading.Lock()
        self._lenient: bool | None = None

    def page(self, number: int, size: int) -> Haul:
        """The page, without the rows that no attempt could read."""
        return self.whole(number, size) or self._isolated(number, size)

    def whole(self, number: int, size: int) -> Haul | None:
        """The page by the first rung of the ladder that holds; None where all break."""
        if haul := self._attempt(number, size):
            return haul
        lenient = self._is_lenient()
        rungs = [_Rung()] + [_Rung(lenient=True)] * lenient + [_Rung(lenient=lenient, bare=True)]
        return next(filter(None, (self._again(number, size, rung) for rung in rungs)), None)

    def _isolated(self, number: int, size: int) -> Haul:
        pieces = list(self._pieces(number, size, []))
        totals = [piece.total for piece in pieces if piece.total is not None]
        return Haul(
            first_row=number * size + 1,
            rows=tuple(row for piece in pieces for row in piece.rows),
            total=totals[-1] if totals else None,
            lost=tuple(place for piece in pieces for place in piece.lost),
            troubles=tuple(dict.fromkeys(trouble for piece in pieces for trouble in piece.troubles)),
        )

    def _pieces(self, number: int, size: int, streak: list[str]) -> Iterator[Haul]:
        """A broken page in smaller ones; dividing by a factor keeps page numbers aligned with the rows."""
        if size == 1:
            yield self._single(number, streak)
            return
        parts = next(factor for factor in range(2, size + 1) if size % factor == 0)
        smaller = size // parts
        for piece_number in range(number * parts, (number + 1) * parts):
            haul = self._again(piece_number, smaller, _Rung(lenient=self._is_lenient()))
            if haul is None:
                yield from self._pieces(piece_number, smaller, streak)
                continue
            streak.clear()
            yield haul
            if not haul.rows:
                return

    def _single(self, number: int, streak: list[str]) -> Haul:
        haul = self._again(number, 1, _Rung(lenient=self._is_lenient(), bare=True))
        if haul is not None:
            streak.clear()
            return haul
        place = f"row {number + 1}"
        streak.append(place)
        if len(streak) > _HOPELESS_STREAK:
            message = f"no row from {streak[0]} on can be read: the server itself is in trouble; see its log"
            raise ServerTrouble(message, status=BROKEN)
        return Haul(first_row=number + 1, rows=(), lost=(place,))

    def _again(self, number: int, size: int, rung: _Rung) -> Haul | None:
        if next(self._extra) > _MOST_EXTRA_REQUESTS:
            message = f"unreadable records cost over {_MOST_EXTRA_REQUESTS} requests: see the server's log"
            raise ServerTrouble(message, status=BROKEN)
        return self._attempt(number, size, rung)

    def _attempt(self, number: int, size: int, rung: _Rung | None = None) -> Haul | None:
        rung = rung or _Rung()
        params = [
            *rung.params(self._sections),
            ("page", number),
            ("page-size", size),
            ("sort", "mobileDeviceId:asc"),
            *self._filter,
        ]
        try:
            page = self._api.get(f"{LIST}/detail", _detail_page, params=params, permission=READ_DEVICES)
        except ServerTrouble as error:
            if error.status != BROKEN:
                raise
            return None
        return Haul(
            first_row=number * size + 1,
            rows=tuple(page["results"]),
            total=_rows.total(page.get("totalCount")),
            troubles=(self._dropped(),) if rung.bare else (),
        )

    def _dropped(self) -> Trouble:
        optional = ", ".join(name for name in self._sections if name in _OPTIONAL)
        return Trouble(
            "sections_dropped",
            f"Jamf Pro could not give {optional} for some pages: what they hold is absent there; "
            "see the server's log for the record behind it",
        )

    def _is_lenient(self) -> bool:
        with self._version_lock:
            if self._lenient is None:
                self._lenient = self._version() >= _LENIENT_SINCE
            return self._lenient

    def _version(self) -> tuple[int, int]:
        try:
            said = _rows.field(self._api.get("/api/v1/jamf-pro-version", anything), "version")
        except SourceError:
            return (0, 0)
        numbers = re.match(r"(\d{1,4})\.(\d{1,4})", said) if isinstance(said, str) else None
        return (int(numbers[1]), int(numbers[2])) if numbers else (0, 0)


@dataclass(frozen=True, slots=True)
class _Rung:
    """One way to ask for a page; `bare` leaves the optional sections out."""

    lenient: bool = False
    bare: bool = False

    def params(self, sections: Iterable[str]) -> list[tuple[str, str]]:
        sections = [name for name in sections if not (self.bare and name in _OPTIONAL)]
        return [("section", name) for name in sections] + [("exception-handling", "LENIENT")] * self.lenient


def _detail_page(answer: Answer) -> DetailPage:
    return _rows.decode(PAGE, answer.body)
