"""Cisco Meraki Systems Manager: the devices of every network, with storage, system, owner and restrictions.

Paths and limits: Meraki Dashboard API v1 (OpenAPI 1.42 to 1.72, "Rate limit", "Pagination"), read 2026-11-22.
"""

from __future__ import annotations

from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Annotated
from urllib.parse import quote

from pydantic import AfterValidator, Field, SecretStr

from connectors import _rows, _wire
from connectors._auth import FixedHeaders, bearer
from connectors._connector import Connector, Page, Permission, SourceSettings, Surroundings
from connectors._http import Api, RateLimit, open_api, origin_url
from connectors._meraki_lists import (
    ADMINISTRATORS,
    API_ACCESS,
    ORGANIZATION_SETTINGS,
    READ_ONLY,
    SMALLEST_PAGE,
    device_hauls,
    networks,
    no_such_network,
    whole_list,
)
from connectors._meraki_record import FIELDS, Network, read_record
from connectors._meraki_restrictions import restricted, restrictions_of
from connectors._one_by_one import OneByOne
from connectors._probe import anything, tried
from fleet.errors import BadAnswer, NotFound, PermissionMissing, ServerTrouble, SourceError
from fleet.model.fact import Fact, Gap
from fleet.model.run import Trouble

if TYPE_CHECKING:
    from collections.abc import Iterator

_REQUESTS_PER_SECOND = 10
_CONNECTIONS, _MOST_CONNECTIONS = 5, 10
_SIDE_ERRORS = (PermissionMissing, NotFound, ServerTrouble, BadAnswer)


class MerakiSettings(SourceSettings):
    """The keys of `kind = "meraki"`; `network_ids` are those to read, all of the organization if not given."""

    api_key: SecretStr
    organization_id: Annotated[str, Field(min_length=1)]
    network_ids: Annotated[tuple[str, ...], Field(min_length=1)] | None = None
    url: Annotated[str, AfterValidator(origin_url)] = "https://api.meraki.com/api/v1"
    profiles: bool = True


def walk(settings: MerakiSettings, around: Surroundings) -> Iterator[Page]:
    """Every device of every network; raises `SourceError` where it cannot go on.

    A network that cannot be read does not keep the others from being read; the error comes after them.
    """
    unread: list[SourceError] = []
    with _open(settings, around) as api:
        for network_id, name in networks(api, settings.organization_id, settings.network_ids).items():
            try:
                yield from _devices(api, settings, around, network_id, name)
            except PermissionMissing as error:
                unread.append(error)
            except NotFound:
                unread.append(no_such_network(network_id))
    if unread:
        raise unread[0]


def _devices(
    api: Api, settings: MerakiSettings, around: Surroundings, network_id: str, name: Fact[str]
) -> Iterator[Page]:
    path = f"/networks/{quote(network_id, safe='')}/sm"
    owners, troubles = _owners(api, path)
    network = Network(network_id, name, owners)
    restrictions = OneByOne(
        partial(restrictions_of, api, path),
        settings,
        around,
        vendor="Meraki",
        lacking="restrictions",
        ahead=_connections(settings),
        wanted=settings.profiles,
        switch="profiles = false",
    )
    first_row = 1
    for haul in device_hauls(api, f"{path}/devices", settings.page_size):
        places = (f"network {network_id}, row {number}" for number in count(first_row))
        rows = [read_record(row, place, network) for row, place in zip(haul.rows, places, strict=False)]
        yield Page(rows=restrictions.completed(rows, restricted), troubles=troubles + haul.troubles)
        first_row, troubles = first_row + len(haul.rows), ()
    yield Page(troubles=tuple(restrictions.troubles()))
    restrictions.raise_outage()


def _owners(api: Api, path: str) -> tuple[dict[str, str], tuple[Trouble, ...]]:
    """Full names by e-mail address and by user name, in lower case."""
    try:
        rows = api.get(f"{path}/users", whole_list, permission=READ_ONLY)
    except _SIDE_ERRORS:
        why = f'Owners could not be read, so user_name is the login: grant "{READ_ONLY}" ({ADMINISTRATORS})'
        return {}, (Trouble("owners_unread", why),)
    named = ((row, _wire.text(_rows.field(row, "fullName"))) for row in rows)
    known = ((row, name) for row, name in named if not isinstance(name, Gap))
    keyed = (
        (_wire.text(_rows.field(row, key)), name) for row, name in known for key in ("username", "email")
    )
    return {key.casefold(): name for key, name in keyed if not isinstance(key, Gap)}, ()


def probe(settings: MerakiSettings, around: Surroundings) -> Iterator[tuple[str, str | None]]:
    """Login and each permission, with the error or None; without a login nothing else is tried."""
    with _open(settings, around) as api:
        login = tried("login", partial(api.get, "/organizations", anything))
        yield login
        if login[1] is None:
            yield tried(API_ACCESS, partial(_prove_api_access, api, settings))
            yield tried(READ_ONLY, partial(_prove_devices, api, settings))


def _prove_api_access(api: Api, settings: MerakiSettings) -> None:
    for row in api.get("/organizations", whole_list):
        if _rows.field(row, "id") == settings.organization_id:
            if _rows.field(_rows.field(row, "api"), "enabled") is False:
                raise PermissionMissing(
                    f'"{API_ACCESS}" is off in organization {settings.organization_id}: switch it on '
                    f"({ORGANIZATION_SETTINGS})"
                )
            return


def _prove_devices(api: Api, settings: MerakiSettings) -> None:
    for network_id in networks(api, settings.organization_id, settings.network_ids):
        path = f"/networks/{quote(network_id, safe='')}/sm/devices?perPage={SMALLEST_PAGE}"
        try:
            api.get(path, anything, permission=READ_ONLY)
        except NotFound:
            raise no_such_network(network_id) from None


def _open(settings: MerakiSettings, around: Surroundings) -> Api:
    key = FixedHeaders(bearer(settings.api_key.get_secret_value(), None).headers)
    limit = RateLimit(_REQUESTS_PER_SECOND, 1, around)
    return open_api(settings, settings.url, around, key, connections=_connections(settings), limit=limit)


def _connections(settings: MerakiSettings) -> int:
    return min(settings.max_concurrency or _CONNECTIONS, _MOST_CONNECTIONS)


def _provided(settings: MerakiSettings) -> frozenset[str]:
    return _PROVIDES if settings.profiles else _PROVIDES - {"backup_restricted"}


_PROVIDES = frozenset(FIELDS) | {"site"}

_EXAMPLE = """\
# In the dashboard: Organization > Settings, switch on "Dashboard API access"; Organization > Administrators, give
# an admin "Read-only" access to the organization (or to its Systems Manager networks); as that admin, My profile >
# API access, generate the key.
api_key = { env = "MERAKI_API_KEY" }
organization_id = "123456"   # GET /organizations lists yours
# network_ids = ["N_24680"]  # all Systems Manager networks if left out
# url = "https://api.meraki.com/api/v1"   # api.meraki.ca, .cn, .in or api.gov-meraki.com for those regions
# profiles = true            # one request per iPhone and iPad, for restrictions; 10,000 devices take 17 minutes
# page_size = 1000           # at most 1000
# max_concurrency = 5        # at most 10
"""

CONNECTOR = Connector(
    kind="meraki",
    title="Cisco Meraki Systems Manager",
    settings=MerakiSettings,
    provides=_PROVIDES,
    fields=FIELDS,
    provides_of=_provided,
    per_device=frozenset({"backup_restricted"}),
    permissions=(
        Permission(API_ACCESS, "everything", ORGANIZATION_SETTINGS),
        Permission(READ_ONLY, "everything", ADMINISTRATORS),
    ),
    walk=walk,
    probe=probe,
    example=_EXAMPLE,
    confirmed="Meraki Dashboard API schemas 1.42 to 1.72 and the code of public clients for the units of fields that "
    "the schemas leave open, read 2026-11-22; no tenant of our own",
    remarks={
        "backup_enabled": "not in the API, nor is any date of a backup",
        "backup_restricted": "one request per iPhone and iPad at ten a second (off by profiles = false); false only "
        "where a profile allows it by name",
        "capacity_bytes": "unreadable below 4 GB: Meraki names no unit",
        "checkin_at": "the last contact; Meraki gives no time of the inventory",
        "enrolled_at": "when Meraki created the record",
        "enrollment": "not in the API: User Enrolment cannot be told from device enrolment, nor a Shared iPad",
        "os_version": "the number in the system's name",
        "site": "the network's name",
        "udid": "Meraki's uuid",
        "user_name": "the owner's full name, else the login",
        "vpn_configured": "profiles can be listed per device, but what they hold has no documented shape",
    },
)
