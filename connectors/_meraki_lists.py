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
from connectors._meraki_record import ASKED_FOR, PAGE
from fleet.errors import BadAnswer, NotFound
from fleet.model.fact import ABSENT, UNREADABLE, Fact, Gap
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
    listed = [_network(row) for row in _listed_networks(api, organization_id)]
    found = {key: name for key, name, managed in listed if key is not None and managed is True}
    if network_ids is not None:
        # One that is asked for and not listed is tried all the same: its own answer says what is wrong.
        return {key: found.get(key, ABSENT) for key in network_ids}
    if any(isinstance(managed, Gap) or (managed and key is None) for key, _, managed in listed):
        # It may be one of Systems Manager's, and then its devices would seem to have left.
        raise BadAnswer(
            f"organization {organization_id} lists a network whose id or productTypes cannot be read: name yours in "
            "network_ids, and report it to Meraki"
        )
    if not found:
        raise NotFound(
            f"organization {organization_id} shows this key no Systems Manager network: check "
            f"organization_id, and that the key's admin may see it ({ADMINISTRATORS})"
        )
    return found


def _listed_networks(api: Api, organization_id: str) -> list[object]:
    path = f"/organizations/{quote(organization_id, safe='')}/networks"
    try:
        return [row for haul in _hauls(api, path) for row in haul.rows]
    except NotFound:
        raise NotFound(
            f"organization {organization_id} is unknown to this key: check organization_id (the "
            f'answer of GET /organizations has it) and "{API_ACCESS}" ({ORGANIZATION_SETTINGS})'
        ) from None


def _network(row: object) -> tuple[str | None, Fact[str], Fact[bool]]:
    """A network's id and name, and whether it is one of Systems Manager."""
    managed = _is_systems_manager(_rows.field(row, "productTypes"))
    return _wire.any_id(_rows.field(row, "id")), _wire.text(_rows.field(row, "name")), managed


def _is_systems_manager(product_types: object) -> Fact[bool]:
    try:
        kinds = [_wire.text(kind) for kind in _rows.rows(product_types)]
    except ValueError:
        return UNREADABLE
    if "systemsManager" in kinds:
        return True
    return UNREADABLE if any(isinstance(kind, Gap) for kind in kinds) else False


def _hauls(api: Api, path: str) -> Iterator[Haul]:
    """Every page of the list at `path`; raises `SourceError` where it cannot go on."""
    first = f"{path}?perPage={LARGEST_PAGE}"
    return _pages.by_link(partial(_haul_at, api, whole_list), _following, first=first, rows=_rows_of)


def device_hauls(api: Api, path: str, page_size: int | None) -> Iterator[Haul]:
    """Like any list for the devices of one network, with every field that we can use.

    Pages are of `page_size` devices within what Meraki allows, and of the most where it is None. Where Meraki
    refuses the fields, it is the default ones, and a trouble that says so.
    """
    size = max(SMALLEST_PAGE, min(page_size or LARGEST_PAGE, LARGEST_PAGE))
    whole = f"{path}?{urlencode([('perPage', size), *(('fields[]', name) for name in ASKED_FOR)])}"

    def fetch(link: str) -> Haul:
        try:
            return _haul_at(api, _device_rows, link)
        except BadAnswer:
            if link != whole:
                raise
        # A single name that Meraki does not know costs the whole answer.
        return replace(_haul_at(api, _device_rows, f"{path}?perPage={size}"), troubles=(_FIELDS_REFUSED,))

    return _pages.by_link(fetch, _following, first=whole, rows=_rows_of)


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


def _rows_of(haul: Haul) -> list[object]:
    return haul.rows
