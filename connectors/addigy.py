"""Addigy: every device with its backup, storage and system by facts, page by page.

Paths, paging and limits: Addigy API v2 specification and "API Documentation v2", read 2026-11-22.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, SecretStr

from connectors import _rows
from connectors._addigy_beside import CONSOLE, VIEW_DEVICES, VIEW_USERS, SideData, first_assignments, org_of
from connectors._addigy_record import FACTS, FIELDS, PAGE, read_record
from connectors._auth import FixedHeaders
from connectors._connector import Connector, Page, Permission, SourceSettings, Surroundings
from connectors._http import Answer, Api, RateLimit, open_api, origin_url
from connectors._pages import by_number
from connectors._probe import tried
from connectors._tally import Tally, walks
from fleet.errors import PermissionMissing, SourceError, Throttled
from fleet.model.fact import ABSENT

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator


_DEVICES = "/devices"
_USUAL_PAGE = 100
_MOST_CONNECTIONS = 3
# A fifth of what Addigy allows at most, for other tools use the same allowance and overdrawing it costs a day.
_REQUESTS, _SECONDS = 100, 10.0


class AddigySettings(SourceSettings):
    """The keys of `kind = "addigy"`; `detail` reads the people of devices and pending updates."""

    api_key: SecretStr
    url: Annotated[str, AfterValidator(origin_url)] = "https://api.addigy.com/api/v2"
    detail: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class _Haul:
    """One page of the list, with what it says of the whole."""

    items: list[object]
    pages: int
    total: int | None


def walk(settings: AddigySettings, around: Surroundings) -> Iterator[Page]:
    """Every device, and at the end what could not be read; raises `SourceError` where it cannot go on.

    The list has no snapshot. If it changed under the walk, or did not bring as many devices as it promised,
    it is walked once more; devices then come again.
    """
    with _open(settings, around) as api:
        side = SideData(api, settings.detail)
        tally = Tally()
        for tally in walks():
            with closing(_hauls(api, settings)) as hauls:
                for haul in hauls:
                    pairs = enumerate(zip(haul.items, side.of(haul.items), strict=True), tally.rows + 1)
                    read = [read_record(item, f"row {place}", more) for place, (item, more) in pairs]
                    yield Page(rows=tally.add(read, haul.total), expected=tally.expected)
        yield Page(rows=tally.rejected, expected=tally.expected, troubles=tuple(side.troubles.values()))


def _hauls(api: Api, settings: AddigySettings) -> Generator[_Haul, None, None]:
    """The pages up to the number that the first one states; a later one is not asked for, an empty one ends it."""
    ask = partial(_page, api, settings.page_size or _USUAL_PAGE)
    first = ask(1)
    yield first
    if first.items:
        no_more = _Haul(items=[], pages=first.pages, total=None)
        yield from by_number(
            lambda number: ask(number) if number <= first.pages else no_more,
            lambda haul: len(haul.items),
            first=2,
            ahead=_connections(settings),
        )


def _page(api: Api, size: int, number: int) -> _Haul:
    # Filters are left out: the server was seen to ignore them without a word.
    body: dict[str, object] = {
        "desired_fact_identifiers": FACTS,
        "page": number,
        "per_page": size,
        "query": {"filters": [], "policy_id": "", "search_any": ""},
        "sort_direction": "asc",
        "sort_field": "serial_number",
    }
    return api.post(_DEVICES, _haul, json=body, permission=VIEW_DEVICES)


def _haul(answer: Answer) -> _Haul:
    page = _rows.decode(PAGE, answer.body)
    stated = partial(_rows.field, page["metadata"])
    items, pages = page["items"] or [], _rows.total(stated("page_count"))
    if pages is None:
        raise ValueError("no number of pages")
    return _Haul(items=items, pages=pages, total=_rows.total(stated("total")))


def probe(settings: AddigySettings, around: Surroundings) -> Iterator[tuple[str, str | None]]:
    """Login and each permission; people can only be tried once a device tells the organisation."""
    with _open(settings, around) as api:
        try:
            items = _page(api, 1, 1).items
        except PermissionMissing as error:
            yield from (("login", None), (VIEW_DEVICES, str(error)))
            return
        except SourceError as error:
            yield "login", str(error)
            return
        yield from (("login", None), (VIEW_DEVICES, None))
        org = org_of(items[0]) if items else ABSENT
        if settings.detail and isinstance(org, str):
            yield tried(VIEW_USERS, partial(first_assignments, api, org))


def _open(settings: AddigySettings, around: Surroundings) -> Api:
    return open_api(
        settings,
        settings.url,
        around,
        FixedHeaders({"x-api-key": settings.api_key.get_secret_value()}),
        connections=_connections(settings),
        limit=RateLimit(_REQUESTS, _SECONDS, around),
        # Elsewhere a 429 is waited out. Here it is a ban for a day, which no patience ends.
        meanings={HTTPStatus.TOO_MANY_REQUESTS: _banned},
    )


def _banned(_place: str) -> Throttled:
    return Throttled(
        "Addigy refuses requests (429): over 1,000 in 10 seconds block an organisation for 24 hours; find what else "
        "uses its API, and run again tomorrow"
    )


def _connections(settings: AddigySettings) -> int:
    return min(settings.max_concurrency or _MOST_CONNECTIONS, _MOST_CONNECTIONS)


_EXAMPLE = """\
# Account > Integrations > API & Webhooks > V2 > New API Token, with "View Devices" and, for the people of devices,
# "View end users". The token is shown once.
api_key = { env = "ADDIGY_TOKEN" }
# url = "https://api.addigy.com/api/v2"
# detail = false           # without people of devices and pending updates: about a quarter of the requests
# page_size = 100
"""

_DETAIL = frozenset({"user_name", "user_email", "department", "pending_os_version"})
_ALL = frozenset(FIELDS) | _DETAIL | {"platform"}

CONNECTOR = Connector(
    kind="addigy",
    title="Addigy",
    settings=AddigySettings,
    provides=_ALL,
    fields=FIELDS,
    provides_of=lambda settings: _ALL if settings.detail else _ALL - _DETAIL,
    permissions=(
        Permission(VIEW_DEVICES, "everything", CONSOLE),
        Permission(VIEW_USERS, "user_name, user_email and department", CONSOLE, optional=True),
    ),
    walk=walk,
    probe=probe,
    example=_EXAMPLE,
    confirmed="Addigy API v2 specification (2026-07), support pages, client typings, and a recording of v1, "
    "read 2026-11-22; no tenant of our own",
    remarks={
        "backup_enabled": "hidden under User Enrolment; Macs say nothing of iCloud Backup",
        "last_cloud_backup_at": "a missing date is absent, also where backup is on: Addigy does not tell never from "
        "not reported; hidden under User Enrolment",
        "serial": "hidden under User Enrolment, like udid",
        "platform": "by the model, for iPads are said to run iOS",
        "managed": "not reported: devices that left stay listed for years, and show as silent",
        "shared_ipad": "true where there is room for resident users, else absent: nothing else marks one",
        "checkin_at": "when MDM last connected",
        "groups": "names of policies, for one request a night",
        "user_name": "assigned end users: one request per 100 assignments and per 100 end users; off by "
        "detail = false, like user_email and department",
        "pending_os_version": "one request per page of devices; off by detail = false",
        "account_active": "no such fact",
        "asset_tag": "only as a fact of your own making",
        "backup_restricted": "payloads can be listed, but neither their keys nor on which devices they act",
        "vpn_configured": "installed profiles come as identifiers only",
    },
)
