"""Iru (formerly Kandji): devices, inventory, owners and profiles from lists, free storage device by device.

Paths, permissions and limits: Iru API collection and overview, read 2026-11-22. Iru says nothing of backups.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated

import httpx
from pydantic import AfterValidator, SecretStr

from connectors import _rows
from connectors._auth import FixedHeaders, bearer
from connectors._connector import Connector, Page, Permission, SourceSettings, Surroundings
from connectors._http import Api, RateLimit, open_api, origin_url
from connectors._iru_details import BY_DETAILS, with_details
from connectors._iru_lists import (
    DEVICE_DETAILS,
    DEVICE_LIST,
    DEVICES,
    WHERE,
    Chunk,
    DeviceList,
    details_of,
)
from connectors._iru_record import FIELDS, SideData, identity, read_record
from connectors._iru_side import CELLULAR, CUSTOM, INFORMATION, INSTALLED, PATHS, USERS, side_data
from connectors._one_by_one import OneByOne
from connectors._probe import anything, signed_in, tried
from fleet.model.device import DeviceRecord, Rejected

if TYPE_CHECKING:
    from collections.abc import Iterator

    from connectors._http import Answer

_BURST, _PER_SECOND = 600, 2
_CONNECTIONS = 4
_WALKS = 2


def api_url(value: str) -> str:
    """`value` as `origin_url` takes it; raises ValueError for the console's address, which has no API."""
    url = origin_url(value)
    host = httpx.URL(url).host
    if host.endswith((".kandji.io", ".iru.com")) and ".api." not in host:
        raise ValueError("is the console's: take the API URL that Settings > Access shows")
    return url


class IruSettings(SourceSettings):
    """The keys of `kind = "iru"`; `detail` costs a request per device, `profiles` some pages of lists."""

    url: Annotated[str, AfterValidator(api_url)]
    api_token: SecretStr
    detail: bool = True
    profiles: bool = True


def walk(settings: IruSettings, around: Surroundings) -> Iterator[Page]:
    """Every device, and at the end what could not be read; raises `SourceError` where it cannot go on.

    A list that moved under the walk is walked once more, for the devices that slipped through.
    """
    with _open(settings, around) as api:
        _first_device(api)
        side, troubles = side_data(api, profiles=settings.profiles)
        yield Page(troubles=troubles)
        details = OneByOne(
            partial(details_of, api),
            settings,
            around,
            vendor="Iru",
            lacking="free storage and supervision",
            ahead=_connections(settings),
            wanted=settings.detail,
        )
        devices, seen = DeviceList(api, settings.page_size), set[str]()
        for _ in range(_WALKS):
            for chunk in devices.chunks():
                rows = list(_new(chunk, side, seen))
                yield Page(rows=details.completed(rows, with_details))
            if not devices.moved:
                break
        yield Page(troubles=tuple(details.troubles()))
        details.raise_outage()


def _new(chunk: Chunk, side: SideData, seen: set[str]) -> Iterator[DeviceRecord | Rejected]:
    """The rows that no earlier page had; each page repeats one of the page before."""
    for number, row in enumerate(chunk.rows, chunk.first_row):
        record = read_record(row, f"row {number}", side)
        name = record.where if isinstance(record, Rejected) else record.native_id
        if name not in seen:
            seen.add(name)
            yield record


def probe(settings: IruSettings, around: Surroundings) -> Iterator[tuple[str, str | None]]:
    """Login and each permission, with the error or None; without a login nothing else is tried."""
    with _open(settings, around) as api:
        login = signed_in(partial(_first_device, api))
        yield login
        if login[1] is not None:
            return
        yield tried(DEVICE_LIST, partial(_first_device, api))
        if settings.detail:
            yield tried(DEVICE_DETAILS, partial(_prove_details, api))
        for permission in (INFORMATION, CELLULAR, USERS, *((INSTALLED, CUSTOM) if settings.profiles else ())):
            yield tried(permission, partial(_prove, api, permission))


def _first_device(api: Api) -> str | None:
    """The id of one device; the cheapest request that proves the token."""
    row = api.get(DEVICES, _first_row, params=[("limit", 1)], permission=DEVICE_LIST)
    return identity(row)


def _first_row(answer: Answer) -> object:
    return next(iter(_rows.rows(_rows.anything(answer.body))), None)


def _prove_details(api: Api) -> None:
    device = _first_device(api)
    if device is not None:
        details_of(api, device)


def _prove(api: Api, permission: str) -> None:
    path = PATHS[permission]
    params = [("limit", 1)] if "/prism/" in path else []
    api.get(path, anything, params=params, permission=permission)


def _open(settings: IruSettings, around: Surroundings) -> Api:
    token = FixedHeaders(bearer(settings.api_token.get_secret_value(), None).headers)
    # 600 at once and two a second from then on stay below 8,000 of the 10,000 that a tenant has in an hour.
    limit = RateLimit(_BURST, _BURST / _PER_SECOND, around)
    return open_api(settings, settings.url, around, token, connections=_connections(settings), limit=limit)


def _connections(settings: IruSettings) -> int:
    # Iru names no limit of connections, but one of 50 requests in a second.
    return min(settings.max_concurrency or _CONNECTIONS, _CONNECTIONS)


def _provided(settings: IruSettings) -> frozenset[str]:
    spared = frozenset[str]() if settings.detail else BY_DETAILS
    return _PROVIDES - spared - (frozenset[str]() if settings.profiles else _BY_PROFILES)


_BY_PROFILES = frozenset({"backup_restricted", "vpn_configured"})
_PROVIDES = frozenset(FIELDS) | _BY_PROFILES | {"department"}

_EXAMPLE = """\
url = "https://yourorg.api.kandji.io"   # the API URL of Settings > Access; with .eu for tenants in Europe
# In Iru, Settings > Access > API Token: add a token and tick "Device list"; "Device details" for free storage;
# under Prism "Device information", "Cellular" and "Installed profiles"; the lists of users and custom profiles.
api_token = { env = "IRU_API_TOKEN" }
# detail = true         # one request per iPhone and iPad, two a second: 10,000 take 90 minutes
# deadline_minutes = 60 # time for the details of some 6,500 devices; 100 for 10,000
# profiles = true       # reads the installed profiles of the fleet, 300 to a request
# page_size = 300       # at most 300
# max_concurrency = 4   # at most 4
"""

CONNECTOR = Connector(
    kind="iru",
    title="Iru (Kandji)",
    settings=IruSettings,
    provides=_PROVIDES,
    fields=FIELDS,
    provides_of=_provided,
    per_device=BY_DETAILS,
    permissions=(
        Permission(DEVICE_LIST, "everything", WHERE),
        Permission(DEVICE_DETAILS, "free storage, supervision, UDID, enrolment", WHERE, optional=True),
        Permission(INFORMATION, "model identifier, storage, Shared iPad, inventory", WHERE, optional=True),
        Permission(CELLULAR, "roaming", WHERE, optional=True),
        Permission(USERS, "departments", WHERE, optional=True),
        Permission(INSTALLED, "restrictions and VPN", WHERE, optional=True),
        Permission(CUSTOM, "what custom profiles restrict", WHERE, optional=True),
    ),
    walk=walk,
    probe=probe,
    example=_EXAMPLE,
    confirmed="Iru API collections of 2025 and 2026, the vendor's scripts and a public recording of 2023, read "
    "2026-11-22; the tick boxes beyond the device ones are named by their paths; no tenant of our own",
    remarks={
        "available_bytes": "one request per iPhone and iPad, two a second (off by detail = false); what "
        "deadline_minutes leaves no time for is absent, and the report says how many",
        "backup_enabled": "not in the API, nor is any date of a backup",
        "backup_restricted": "one request per 300 installed profiles (off by profiles = false); false where the "
        "device has no restrictions profile, true by a custom profile; those that Iru makes itself stay unknown",
        "battery_percent": "Iru reports the battery's health alone",
        "department": "of the assigned user",
        "enrollment": "automated or unknown: Iru does not tell User Enrolment",
        "roaming": "by the first SIM",
        "shared_ipad": "of iPads alone",
        "vpn_configured": "like backup_restricted, by VPN profiles",
    },
)
