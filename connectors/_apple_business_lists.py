"""The lists of the Apple Business API: devices, the organization's catalogue, its people, page after page.

Paging: a next link or a next cursor names another page, neither is the end (Apple Business API, "Paging", third-party
copies, read 2026-11-22).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlencode

from connectors import _pages, _rows
from connectors._apple_business_record import PAGE, Directory, by_id
from fleet.errors import BadAnswer, NotFound, PermissionMissing, ServerTrouble
from fleet.model.fact import ABSENT, NOT_PERMITTED, Gap
from fleet.model.run import Trouble

if TYPE_CHECKING:
    from collections.abc import Iterator

    from connectors._apple_business_login import AppleBusinessSettings
    from connectors._http import Answer, Api

MANAGER = "Device Management Manager"
VIEW_USERS = "view users"
DEVICES, OWNED, USERS = "/v1/mdmDevices", "/v1/orgDevices", "/v1/users"
_FIELDS = {OWNED: {"fields[orgDevices]": "serialNumber,deviceModel,productType,releasedFromOrgDateTime"}}
_LARGEST_PAGE = 1000
_SIDE_FAULTS = (PermissionMissing, NotFound, ServerTrouble, BadAnswer)


class Listed(NamedTuple):
    """One page of a list: its rows, what leads to the next one, and the total, where they are stated."""

    rows: list[object]
    link: str | None
    cursor: str | None
    total: int | None


def pages_of(api: Api, path: str, settings: AppleBusinessSettings, permission: str) -> Iterator[Listed]:
    """Every page of the list at `path`."""
    size = min(settings.page_size or _LARGEST_PAGE, _LARGEST_PAGE)
    first = f"{path}?{urlencode({'limit': size, **_FIELDS.get(path, {})})}"

    def following(page: Listed) -> str | None:
        return page.link or (page.cursor and f"{first}&{urlencode({'cursor': page.cursor})}")

    return _pages.by_link(
        lambda link: api.get(link, listed_page, permission=permission),
        following,
        first=first,
        rows=lambda page: page.rows,
    )


def listed_page(answer: Answer) -> Listed:
    """One page; raises ValueError for an answer that is none."""
    page = _rows.decode(PAGE, answer.body)
    paging = _rows.field(page.get("meta"), "paging")
    return Listed(
        page["data"],
        _pointer(_rows.field(page.get("links"), "next")),
        _pointer(_rows.field(paging, "nextCursor")),
        _rows.total(_rows.field(paging, "total")),
    )


def _pointer(value: object) -> str | None:
    if value is not None and not isinstance(value, str):
        raise ValueError("a next page that cannot be asked for")
    return value or None


def read_directory(api: Api, settings: AppleBusinessSettings) -> tuple[Directory, list[Trouble]]:
    """The lists beside the devices; one that cannot be read costs what it tells, and the report says so."""
    troubles: list[Trouble] = []
    owned: dict[str, object] = {}
    users: dict[str, object] | Gap = {}
    try:
        owned = _by_id(api, OWNED, settings, MANAGER)
    except _SIDE_FAULTS as fault:
        troubles.append(Trouble("organization_unread", f"Model identifier and ownership are absent: {fault}"))
    try:
        users = _by_id(api, USERS, settings, VIEW_USERS)
    except _SIDE_FAULTS as fault:
        users = NOT_PERMITTED if isinstance(fault, PermissionMissing) else ABSENT
        troubles.append(Trouble("users_unread", f"Names, mail and department are unknown: {fault}"))
    return Directory(owned, users), troubles


def _by_id(api: Api, path: str, settings: AppleBusinessSettings, permission: str) -> dict[str, object]:
    pages = pages_of(api, path, settings, permission)
    return by_id(row for page in pages for row in page.rows)
