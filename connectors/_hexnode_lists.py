"""What Hexnode is asked for: its lists, whose pages name the next one, and the page of one device.

Sources: Hexnode API documentation, a public recording of 2022 and public clients, read 2026-11-22.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from connectors import _pages, _rows, _wire
from connectors._whole_list import Chunk, WholeList, read_whole
from fleet.errors import AuthRefused, BadAnswer, NotFound
from fleet.model.fact import Gap

if TYPE_CHECKING:
    from collections.abc import Iterator

    from connectors._http import Answer, Api, Meanings

DEVICES = "/devices/"
GROUPS = "/devicegroups/"
CONSOLE = "Admin > API"
LARGEST_PAGE = 100


def _key_refused(place: str) -> AuthRefused:
    return AuthRefused(
        f"{place} does not accept the API key (403): check api_key, and that API access is enabled ({CONSOLE})"
    )


MEANINGS: Meanings = {403: _key_refused}
"""Keys have no rights of their own, so a 403 can only speak of the key itself."""


def listed(api: Api, path: str, size: int) -> WholeList:
    """Every row of the list at `path`, each once; raises `SourceError` where a page cannot be had."""
    return read_whole(lambda: _chunks(api, path, size), identity)


def _chunks(api: Api, path: str, size: int) -> Iterator[Chunk]:
    came = False
    first = f"{path}?per_page={size}&page=1"
    try:
        for chunk in _pages.by_link(
            lambda link: api.get(link, _chunk),
            lambda chunk: chunk.following,
            first=first,
            rows=lambda chunk: chunk.rows,
        ):
            came = True
            yield chunk
    except NotFound:
        # Said of a page past the end too: the list became shorter under the walk.
        if not came:
            raise


def _chunk(answer: Answer) -> Chunk:
    page = _rows.anything(answer.body)
    link = _rows.field(page, "next")
    if link is not None and not isinstance(link, str):
        raise ValueError("no link")
    return Chunk(_rows.rows(_rows.field(page, "results")), _rows.total(_rows.field(page, "count")), link)


def identity(row: object) -> str | None:
    """The row's `id`, None where there is none to rely on."""
    return _wire.number_id(_rows.field(row, "id"))


def page_of(api: Api, native_id: str) -> object:
    """The page of the device with that id; raises `SourceError` where it cannot be had."""

    def decode(answer: Answer) -> object:
        page = _rows.mapping(_rows.anything(answer.body))
        # Not every page was seen to name its device; one that does must name this one.
        if page is None or identity(page) not in {None, native_id}:
            raise ValueError("not the page of that device")
        return page

    return api.get(f"{DEVICES}{quote(native_id, safe='')}/", decode)


def group_names(api: Api) -> dict[str, list[str]]:
    """The names of its device groups by device, at the cost of a request per group that has members.

    Raises `SourceError`, also where a group does not show as many members as it says it has: a device that is
    missing there would seem to be in no group.
    """
    names: dict[str, list[str]] = {}
    for _, group in listed(api, GROUPS, LARGEST_PAGE).rows:
        key, name = identity(group), _wire.text(_rows.field(group, "groupname"))
        if key is None or isinstance(name, Gap):
            raise BadAnswer("Hexnode lists a device group without an id or a name: report it to the vendor")
        stated = _rows.total(_rows.field(group, "device_count"))
        for member in _members(api, key, stated) if stated != 0 else ():
            names.setdefault(member, []).append(name)
    return names


def _members(api: Api, key: str, stated: int | None) -> list[str]:
    members = map(identity, api.get(f"{GROUPS}{quote(key, safe='')}/", _devices))
    known = [member for member in members if member is not None]
    if stated is not None and len(known) < stated:
        raise BadAnswer("Hexnode shows fewer members of a device group than it counts")
    return known


def _devices(answer: Answer) -> list[object]:
    return _rows.rows(_rows.field(_rows.anything(answer.body), "devices"))
