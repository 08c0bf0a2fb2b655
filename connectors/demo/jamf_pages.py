"""A Jamf Pro server in the same process: one night of the made-up fleet, in pages of Jamf Pro's shape.

Source: Jamf Pro API reference 11.30, `/v2/mobile-devices/detail`, read 2026-11-22.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

import httpx
import orjson

from connectors.demo.deck import PLACES, Source
from connectors.demo.jamf_record import SECTIONS, Json
from connectors.demo.press import Order, printed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from connectors.demo.fleet import Fleet
    from connectors.demo.press import Press

CLIENT_ID = "a-made-up-client"
CLIENT_SECRET = "a-made-up-secret"  # noqa: S105 - opens nothing but this module
_TOKEN = "a-made-up-token"  # noqa: S105 - likewise
_MOST_PER_PAGE = 2000
_VERSION = "11.30.1-t1789000000"


@dataclass(frozen=True, slots=True)
class Desk:
    """What one server knows on one night.

    Attributes:
        at: the time of the collection, UTC.
        fails_from_page: from this page on the server answers 503, for ever.
        press: prints its records.
    """

    fleet: Fleet
    night: int
    at: datetime
    sources: tuple[Source, ...]
    fails_from_page: int | None = None
    press: Press = printed
    _orders: dict[str, array[int]] = field(default_factory=dict[str, "array[int]"], repr=False)

    def transport(self) -> httpx.MockTransport:
        """Takes the place of the network for this server; safe to use from several threads."""
        return httpx.MockTransport(self.answer)

    def answer(self, request: httpx.Request) -> httpx.Response:
        """The server's answer to one request; 401 without a token, 404 for what it does not have."""
        if request.url.path == "/api/v1/oauth/token":
            return _token(request)
        if request.headers.get("authorization") != f"Bearer {_TOKEN}":
            return _refusal(401, "INVALID_TOKEN")
        match request.url.path:
            case "/api/v1/jamf-pro-version":
                return _json({"version": _VERSION})
            case "/api/v1/sites":
                return _json(self._sites())
            case "/api/v2/mobile-devices/detail":
                return self._detail(request.url.params)
            case _:
                return _refusal(404, "NOT_FOUND")

    def _sites(self) -> list[Json]:
        places = (place for source in self.sources for place in PLACES[source])
        return [{"id": place.site_id, "name": place.site, "divisionId": "-1"} for place in places]

    def _detail(self, asked: httpx.QueryParams) -> httpx.Response:
        page, size = int(asked.get("page", 0)), min(int(asked.get("page-size", 100)), _MOST_PER_PAGE)
        if self.fails_from_page is not None and page >= self.fails_from_page:
            return _refusal(503, "SERVICE_UNAVAILABLE")
        sections = frozenset(asked.get_list("section")) or frozenset({"GENERAL"})
        ids = self._order(asked.get("sort", "displayName:asc"))
        if ids is None or not sections <= SECTIONS.keys():
            return _refusal(400, "INVALID_FIELD")
        fleet, asked_ids = self.fleet, list(ids[page * size : (page + 1) * size])
        records = self.press(
            Order(fleet.devices, fleet.nights, fleet.seed, self.night, self.at, asked_ids, sections)
        )
        return _sent(b'{"totalCount":%d,"results":%b}' % (len(ids), records))

    def _order(self, sort: str) -> Sequence[int] | None:
        """The listed ids in the order asked for; None for an order that this server does not know."""
        column, _, direction = sort.partition(":")
        if column not in _SORT_KEYS or direction not in {"", "asc", "desc"}:
            return None
        if sort not in self._orders:
            key = _SORT_KEYS[column]
            ids = sorted(self._listed(), key=lambda record_id: key(self.fleet, record_id))
            self._orders[sort] = array("L", reversed(ids) if direction == "desc" else ids)
        return self._orders[sort]

    def _listed(self) -> array[int]:
        return self.fleet.listed(self.night, *self.sources)


def _token(request: httpx.Request) -> httpx.Response:
    form = parse_qs(request.content.decode())
    if form.get("client_id") != [CLIENT_ID] or form.get("client_secret") != [CLIENT_SECRET]:
        return httpx.Response(401, json={"error": "invalid_client"})
    return _json({"access_token": _TOKEN, "scope": "api-role:1", "token_type": "Bearer", "expires_in": 599})


def _refusal(status: int, code: str) -> httpx.Response:
    error: Json = {"code": code, "description": "", "id": "0", "field": None}
    return _json({"httpStatus": status, "errors": [error]}, status)


def _json(value: Json, status: int = 200) -> httpx.Response:
    return _sent(orjson.dumps(value), status)


def _sent(body: bytes, status: int = 200) -> httpx.Response:
    return httpx.Response(status, content=body, headers={"content-type": "application/json"})


_SORT_KEYS: dict[str, Callable[[Fleet, int], str | int]] = {
    "mobileDeviceId": lambda _, record_id: record_id,
    "displayName": lambda fleet, record_id: fleet.record(record_id).name,
}
