"""Fleet: every host from one list, and for each managed iPhone and iPad what only its details hold.

Paths, paging and roles: Fleet's REST API reference and its source (fleetdm/fleet), read 2026-11-22.
"""

from __future__ import annotations

import itertools
from functools import partial
from typing import TYPE_CHECKING

from connectors import _pages, _rows
from connectors._auth import FixedHeaders
from connectors._connector import Connector, Page, Permission, Surroundings
from connectors._fleet_details import (
    API,
    CONNECTIONS,
    OBSERVER,
    SIDE_FAULTS,
    FleetSettings,
    one_host,
    too_old,
)
from connectors._fleet_host import DETAIL_ONLY, FIELDS, PAGE, identity, read_host, without_details
from connectors._http import Answer, Api, open_api
from connectors._one_by_one import OneByOne, Row, worth_asking
from connectors._probe import anything, signed_in, tried
from fleet.model.device import DeviceRecord, Enrollment, Rejected
from fleet.model.fact import Gap
from fleet.model.run import Trouble

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_CONSOLE = "Settings > Users: the role of the API-only user (fleetctl user create --api-only makes one)"
_WALKS = 2
_PAGE_SIZE = 100


def walk(settings: FleetSettings, around: Surroundings) -> Iterator[Page]:
    """Every host, and at the end what could not be read; raises `SourceError` where it cannot go on.

    The list has no snapshot: a host that is deleted meanwhile moves another one to a page already read. A list that
    brought fewer hosts than were counted is walked once more, for the hosts not seen yet.
    """
    with _open(settings, around) as api:
        details = OneByOne(
            partial(one_host, api),
            settings,
            around,
            vendor="Fleet",
            lacking="backups",
            ahead=settings.max_concurrency or CONNECTIONS,
            wanted=settings.detail,
        )
        useless = too_old(api) if settings.detail else None
        seen: set[str] = set()
        rejected: list[Rejected] = []
        expected = None
        for _ in range(_WALKS):
            rejected, expected = [], _count(api)
            for hosts in _walked_once(api, settings.page_size or _PAGE_SIZE, rejected):
                new = {key: host for key, host in hosts.items() if key not in seen}
                seen.update(new)
                yield Page(rows=_detailed(new, details, asks=useless is None), expected=expected)
            if expected is None or len(seen) + len(rejected) >= expected:
                break
        troubles = (*filter(None, [useless]), *details.troubles(), *_uncounted(expected))
        yield Page(rows=rejected, expected=expected, troubles=troubles)
        details.raise_outage()


def _detailed(
    hosts: Mapping[str, object], details: OneByOne[Mapping[str, object]], *, asks: bool
) -> list[Row]:
    """The record of each host, by its id."""

    def put_in(record: DeviceRecord, detail: Mapping[str, object] | Gap) -> Row:
        if isinstance(detail, Gap):
            return without_details(record, detail)
        row = _rows.mapping(hosts[record.native_id]) or {}
        return read_host({**row, **detail}, f"host {record.native_id}")

    rows = [read_host(host, f"host {key}") for key, host in hosts.items()]
    # Apple hides the backup of a device under User Enrolment from every MDM.
    return details.completed(
        rows,
        put_in,
        asks=lambda record: asks and worth_asking(record) and record.enrollment is not Enrollment.USER,
    )


def _walked_once(api: Api, size: int, rejected: list[Rejected]) -> Iterator[dict[str, object]]:
    """The hosts of each page by id; rows without one go to `rejected`."""
    rows = itertools.count(1)
    for page in _pages.by_number(lambda number: _listed(api, number, size), len):
        hosts: dict[str, object] = {}
        for host, row in zip(page, rows, strict=False):
            key = identity(host)
            if key is None:
                rejected.append(Rejected(f"row {row}", "no usable id"))
            else:
                hosts[key] = host
        yield hosts


def _listed(api: Api, number: int, size: int) -> Sequence[object]:
    # By id and page: with `after` and any other order Fleet repeats rows for ever (issue 34105, read 2026-11-22).
    params = [("page", number), ("per_page", size), ("order_key", "id"), ("device_mapping", "true")]
    return api.get(f"{API}/hosts", _hosts, params=params, permission=OBSERVER)


def _count(api: Api) -> int | None:
    try:
        return _rows.total(_rows.field(api.get(f"{API}/hosts/count", anything), "count"))
    except SIDE_FAULTS:
        return None


def _uncounted(expected: int | None) -> Iterator[Trouble]:
    if expected is None:
        why = f'Fleet would not say how many hosts it has: allow "GET {API}/hosts/count" to the API-only user'
        yield Trouble("total_unknown", why)


def _hosts(answer: Answer) -> Sequence[object]:
    return _rows.decode(PAGE, answer.body)["hosts"]


def probe(settings: FleetSettings, around: Surroundings) -> Iterator[tuple[str, str | None]]:
    """Login, the list, and one host's details, each with its error or None; without a login nothing else is tried."""
    with _open(settings, around) as api:
        login = signed_in(partial(api.get, f"{API}/version", anything))
        yield login
        if login[1] is None:
            yield tried(OBSERVER, partial(_listed, api, 0, 1))
            if settings.detail:
                yield tried(f"{OBSERVER}: details of a host", partial(_first_detail, api))


def _first_detail(api: Api) -> None:
    for key in filter(None, map(identity, _listed(api, 0, 1))):
        one_host(api, key)


def _open(settings: FleetSettings, around: Surroundings) -> Api:
    token = FixedHeaders({"Authorization": f"Bearer {settings.api_token.get_secret_value()}"})
    connections = settings.max_concurrency or CONNECTIONS
    return open_api(settings, settings.url, around, token, connections=connections)


def _reported(settings: FleetSettings) -> frozenset[str]:
    return _PROVIDES if settings.detail else _PROVIDES - DETAIL_ONLY


_EXAMPLE = """\
url = "https://fleet.example.com"
# Make a user with `fleetctl user create --api-only`; its role, to be seen in Fleet under Settings > Users, must be
# "Observer". One that is limited to some fleets (teams) sees their hosts alone. Its token does not expire.
api_token = { env = "FLEET_API_TOKEN" }
# detail = true           # one more request per iPhone and iPad: without it nothing about backups is known
# page_size = 100
# max_concurrency = 5
"""

_PROVIDES = frozenset(FIELDS)

CONNECTOR = Connector(
    kind="fleet",
    title="Fleet",
    settings=FleetSettings,
    provides=_PROVIDES,
    fields=FIELDS,
    provides_of=_reported,
    per_device=DETAIL_ONLY,
    permissions=(Permission(OBSERVER, "everything", _CONSOLE),),
    walk=walk,
    probe=probe,
    example=_EXAMPLE,
    confirmed="Fleet's REST API reference, source and pull requests up to 4.91, read 2026-11-22; no server of our own",
    remarks={
        "serial": "hidden under User Enrolment, where Fleet shows an enrolment id instead",
        "udid": "hidden under User Enrolment",
        "managed": "Fleet also says off once Apple's push service calls the device unregistered",
        "enrollment": "as Fleet words it; personal enrolment by a profile is told by its serial number",
        "ownership": "personal and automated enrolment only; enrolment by hand says nothing of it",
        "supervised": "Fleet does not say; automated enrolment is not taken as proof",
        "shared_ipad": "Fleet does not say",
        "capacity_bytes": "as Apple's answer counts, which older systems count in GiB",
        "available_bytes": "as Apple's answer counts, which older systems count in GiB",
        "backup_enabled": "Fleet 4.91 and newer; hidden under User Enrolment",
        "last_cloud_backup_at": "Fleet 4.91 and newer; no date is absent, not never",
        "backup_restricted": "profiles are listed by name only, not with what they forbid",
        "vpn_configured": "profiles are listed by name only, not with what they configure",
        "pending_os_version": "a fleet's minimum version is a setting, not an update that waits",
        "os_build": "Fleet 4.91 and newer for iPhone and iPad",
        "battery_percent": "Fleet 4.91 and newer",
        "roaming": "Fleet 4.91 and newer, devices with a subscription",
        "account_active": "Fleet 4.91 and newer; hidden under User Enrolment",
        "lost_mode": "Fleet 4.91 and newer; hidden under User Enrolment",
        "user_name": "where an identity provider is connected",
        "department": "where an identity provider is connected",
        "site": "the fleet (formerly team) of the host",
        "groups": "labels, without Fleet's own",
    },
)
