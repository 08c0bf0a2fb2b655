"""ManageEngine's answers: the list, page by page, and what it tells of one device.

Sources: ManageEngine MDM API, "Devices" and "Pagination", and a public client, read 2026-11-22.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote

from connectors import _pages, _rows, _wire
from connectors._manageengine_record import identity, number_in, worth_asking
from fleet.errors import BadAnswer, NotFound, ServerTrouble, SourceError
from fleet.model.fact import Gap
from fleet.model.run import Trouble

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from connectors._http import Answer, Api

DEVICES = "/api/v1/mdm/devices"
_WALKS = 2
_HOPELESS = 5
_CODE = re.compile(r"[A-Z]{2,8}[0-9]{2,8}")
_LACKING = "so their backups and storage are absent"


@dataclass(frozen=True, slots=True)
class Chunk:
    """One page: its rows, how many the list says it has, and the link to the next page."""

    rows: list[object]
    total: int | None
    following: str | None


@dataclass(frozen=True, slots=True)
class Listing:
    """A whole list: every row with the place that it stood in, and how many the list says it has."""

    rows: list[tuple[str, object]]
    total: int | None


def listed(api: Api, size: int, scope: str) -> Listing:
    """Every device of the list, each once; raises `SourceError` where a page cannot be had.

    The list has no snapshot: where fewer devices came than it promised, it is walked once more.
    """
    found: dict[str, tuple[str, object]] = {}
    total: int | None = None
    for _ in range(_WALKS):
        place = 0
        for chunk in _chunks(api, size, scope):
            total = chunk.total
            for row in chunk.rows:
                place += 1
                where = f"row {place}"
                found.setdefault(identity(row) or where, (where, row))
        if total is None or len(found) >= total:
            break
    return Listing(list(found.values()), total)


def _chunks(api: Api, size: int, scope: str) -> Iterator[Chunk]:
    before: list[object] = []
    seen = 0

    def following(chunk: Chunk) -> str | None:
        nonlocal before, seen
        seen += len(chunk.rows)
        if chunk.following or not chunk.rows or (chunk.total is not None and seen >= chunk.total):
            return chunk.following
        if chunk.rows == before:
            raise BadAnswer("the list repeats itself: one page came twice in a row; report it to the vendor")
        before = chunk.rows
        # Not every server names the next page: then it is the one after what came so far.
        return page_at(seen, size)

    return _pages.by_cursor(
        lambda link: api.get(link or page_at(0, size), read_chunk, permission=scope), following
    )


def page_at(offset: int, size: int) -> str:
    """The path of the page after `offset` devices."""
    return f"{DEVICES}?limit={size}&offset={offset}&exclude_removed=true"


def read_chunk(answer: Answer) -> Chunk:
    """A page of the list; raises ValueError where it is none, `BadAnswer` for an error with status 200."""
    page = _sound(answer)
    link = _rows.field(_rows.field(page, "paging"), "next")
    if link is not None and not isinstance(link, str):
        raise ValueError("no link")
    total = _wire.number(number_in(_rows.field(_rows.field(page, "metadata"), "total_record_count")))
    stated = None if isinstance(total, Gap) else _rows.total(int(total))
    return Chunk(_rows.rows(page.get("devices")), stated, link)


def _sound(answer: Answer) -> Mapping[str, object]:
    page = _rows.mapping(_rows.anything(answer.body))
    if page is None:
        raise ValueError("no object")
    code = page.get("error_code")
    if code is not None:
        quoted = code if isinstance(code, str) and _CODE.fullmatch(code) else "without a code"
        raise BadAnswer(
            f"ManageEngine answered with an error of its own ({quoted}): check url, and the right to read devices"
        )
    return page


@dataclass(slots=True)
class Details:
    """Asks for one device after the other, until that is in vain or the time is spent; threads may share it.

    Attributes:
        now: monotonic seconds.
        until: the moment after which no more devices are asked about.
        failed: devices whose answer could not be read.
        left_out: devices that were not asked about.
        obstacle: why no more are asked about.
    """

    api: Api
    scope: str
    now: Callable[[], float]
    until: float
    failed: list[str] = field(default_factory=list[str])
    left_out: list[str] = field(default_factory=list[str])
    obstacle: str | None = None

    def of(self, row: object) -> object:
        """What is told of the device in that row of the list; None where it is not wanted or cannot be had."""
        native_id = identity(row)
        if native_id is None or not worth_asking(row):
            return None
        if self.obstacle is not None or self.now() >= self.until:
            self.left_out.append(native_id)
            return None
        return self._asked(native_id)

    def _asked(self, native_id: str) -> object:
        try:
            return one_device(self.api, native_id, self.scope)
        except NotFound:
            # Removed since it was listed.
            return None
        except (ServerTrouble, BadAnswer) as error:
            self.failed.append(native_id)
            if len(self.failed) >= _HOPELESS:
                self.obstacle = str(error)
        except SourceError as error:
            # The list is read, and stays good without the rest.
            self.left_out.append(native_id)
            self.obstacle = str(error)
        return None

    def troubles(self) -> Iterator[Trouble]:
        """What the report should say of answers that are missing."""
        if self.failed:
            why = f"ManageEngine could not give the details of some devices, {_LACKING}"
            yield Trouble("details_unread", why, len(self.failed))
        if self.left_out:
            why = self.obstacle or "the time was spent: raise deadline_minutes"
            yield Trouble(
                "details_left_out",
                f"Not every device could be asked about, {_LACKING}: {why}",
                len(self.left_out),
            )


def one_device(api: Api, native_id: str, scope: str) -> Mapping[str, object]:
    """What is told of one device; raises `SourceError` where it cannot be had."""

    def decode(answer: Answer) -> Mapping[str, object]:
        detail = _sound(answer)
        # The id stands, if at all, one level down.
        if identity(detail.get("os")) not in {None, native_id}:
            raise ValueError("another device")
        return detail

    return api.get(f"{DEVICES}/{quote(native_id, safe='')}", decode, permission=scope)
