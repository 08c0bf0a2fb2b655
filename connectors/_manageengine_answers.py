"""ManageEngine's answers: the list, page by page, and what it tells of one device.

Sources: ManageEngine MDM API, "Devices" and "Pagination", and a public client, read 2026-11-22.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote

from connectors import _pages, _rows, _wire
from connectors._manageengine_record import identity, number_in
from connectors._whole_list import Chunk, WholeList, read_whole
from fleet.errors import BadAnswer
from fleet.model.fact import Gap

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from connectors._http import Answer, Api

DEVICES = "/api/v1/mdm/devices"
_CODE = re.compile(r"[A-Z]{2,8}[0-9]{2,8}")


def listed(api: Api, size: int, scope: str) -> WholeList:
    """Every device of the list, each once; raises `SourceError` where a page cannot be had."""
    return read_whole(lambda: _chunks(api, size, scope), identity)


def _chunks(api: Api, size: int, scope: str) -> Iterator[Chunk]:
    seen = 0

    def following(chunk: Chunk) -> str | None:
        nonlocal seen
        seen += len(chunk.rows)
        if chunk.following or not chunk.rows or (chunk.total is not None and seen >= chunk.total):
            return chunk.following
        # Not every server names the next page: then it is the one after what came so far.
        return page_at(seen, size)

    return _pages.by_cursor(
        lambda link: api.get(link or page_at(0, size), read_chunk, permission=scope),
        following,
        rows=lambda chunk: chunk.rows,
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


def one_device(api: Api, scope: str, native_id: str) -> Mapping[str, object]:
    """What is told of one device; raises `SourceError` where it cannot be had."""

    def decode(answer: Answer) -> Mapping[str, object]:
        detail = _sound(answer)
        # The id stands, if at all, one level down.
        if identity(detail.get("os")) not in {None, native_id}:
            raise ValueError("another device")
        return detail

    return api.get(f"{DEVICES}/{quote(native_id, safe='')}", decode, permission=scope)
