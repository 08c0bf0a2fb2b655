"""Walking Meraki's lists, which the header `Link` leads through.

The reference forbids to make up the token of the next page, and the body is the bare list (Meraki Dashboard API v1,
"Pagination", read 2026-11-22).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

import httpx

from connectors import _pages, _rows, _wire
from connectors._meraki_record import FIELDS, PAGE
from fleet.errors import BadAnswer, NotFound
from fleet.model.fact import ABSENT, Fact, Gap
from fleet.model.run import Trouble

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from connectors._http import Answer, Api

READ_ONLY = "Read-only"
"""The least access of an administrator, in the console's word."""
ADMINISTRATORS = "Organization > Administrators"
API_ACCESS = "Dashboard API access"
ORGANIZATION_SETTINGS = "Organization > Settings"
SMALLEST_PAGE, LARGEST_PAGE = 3, 1000
_FIELDS_REFUSED = Trouble(
    "fields_refused",
    "Meraki answered with its default fields alone, so storage, check-in, battery, supervision and owner are "
    "absent: look for a newer version of this program",
)


@dataclass(frozen=True, slots=True)
class Haul:
    """One page of a list, and the link to the next."""

    rows: list[object]
    following: str | None
    troubles: tuple[Trouble, ...] = ()


def no_such_network(network_id: str) -> NotFound:
    """The error for a network that gives no devices."""
    return NotFound(
        f"network {network_id} shows this key no devices (404): check network_ids, that it is a Systems Manager "
        f"network, and that the key's admin may see it ({ADMINISTRATORS})"
    )


def networks(api: Api, organization_id: str, network_ids: tuple[str, ...] | None) -> dict[str, Fact[str]]:
    """The networks to read, by id, with their names: `network_ids`, else all that are Systems Manager's."""
    found = _systems_manager_networks(api, organization_id)
    if not found:
        raise NotFound(
            f"organization {organization_id} shows this key no Systems Manager network: check "
            f"organization_id, and that the key's admin may see it ({ADMINISTRATORS})"
        )
    # One that is asked for and not listed is tried all the same: its own answer says what is wrong.
    return {key: found.get(key, ABSENT) for key in network_ids or found}


def _systems_manager_networks(api: Api, organization_id: str) -> dict[str, Fact[str]]:
    path = f"/organizations/{quote(organization_id, safe='')}/networks"
    try:
        listed = [row for haul in _hauls(api, path) for row in haul.rows]
    except NotFound:
        raise NotFound(
            f"organization {organization_id} is unknown to this key: check organization_id (the "
            f'answer of GET /organizations has it) and "{API_ACCESS}" ({ORGANIZATION_SETTINGS})'
        ) from None
    rows = (row for row in listed if "systemsManager" in _words(_rows.field(row, "productTypes")))
    named = ((_wire.text(_rows.field(row, "id")), _wire.text(_rows.field(row, "name"))) for row in rows)
    return {key: name for key, name in named if not isinstance(key, Gap)}


def _words(value: object) -> tuple[str, ...]:
    named = _wire.names(value)
    return () if isinstance(named, Gap) else named


def _hauls(api: Api, path: str) -> Iterator[Haul]:
    """Every page of the list at `path`; raises `SourceError` where it cannot go on."""
    first = f"{path}?perPage={LARGEST_PAGE}"
    return _pages.by_link(partial(_haul_at, api, whole_list), _following, first=first)


def device_hauls(api: Api, path: str, page_size: int | None) -> Iterator[Haul]:
    """Like any list for the devices of one network, with every field that we can use.

    Pages are of `page_size` devices within what Meraki allows, and of the most where it is None. Where Meraki
    refuses the fields, it is the default ones, and a trouble that says so.
    """
    size = max(SMALLEST_PAGE, min(page_size or LARGEST_PAGE, LARGEST_PAGE))
    whole = f"{path}?{urlencode([('perPage', size), *(('fields[]', name) for name in FIELDS)])}"

    def fetch(link: str) -> Haul:
        try:
            return _haul_at(api, _device_rows, link)
        except BadAnswer:
            if link != whole:
                raise
        # A single name that Meraki does not know costs the whole answer.
        return replace(_haul_at(api, _device_rows, f"{path}?perPage={size}"), troubles=(_FIELDS_REFUSED,))

    return _pages.by_link(fetch, _following, first=whole)


def whole_list(answer: Answer) -> list[object]:
    """The rows of a list that comes in one answer; raises ValueError where it is none."""
    return _rows.rows(_rows.anything(answer.body))


def _device_rows(answer: Answer) -> list[object]:
    return list(_rows.decode(PAGE, answer.body))


def _haul_at(api: Api, rows: Callable[[Answer], list[object]], link: str) -> Haul:
    def decode(answer: Answer) -> Haul:
        links = httpx.Response(200, headers={"link": answer.headers.get("link", "")}).links
        return Haul(rows(answer), links.get("next", {}).get("url"))

    return api.get(link, decode, permission=READ_ONLY)


def _following(haul: Haul) -> str | None:
    return haul.following
