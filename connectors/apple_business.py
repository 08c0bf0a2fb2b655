"""Apple Business: the devices in Apple's built-in device management, with storage, system and owner, without backups.

Paths, paging and limits: Apple Business API 2.4, third-party copies of its reference and client sources, read
2026-11-22. A device under another vendor's management is only a line of a catalogue there; it is not told as a device,
because nothing is known of it that it said itself.
"""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import quote

from connectors import _rows
from connectors._apple_business_lists import (
    DEVICES,
    MANAGER,
    OWNED,
    USERS,
    VIEW_USERS,
    listed_page,
    pages_of,
    read_directory,
)
from connectors._apple_business_login import CONSOLE, AppleBusinessSettings, Login
from connectors._apple_business_record import DETAIL_ONLY, FIELDS, Directory, by_id, identity, read_record
from connectors._auth import FetchedToken
from connectors._connector import Connector, Page, Permission, Surroundings
from connectors._http import Answer, Api, open_api
from connectors._one_by_one import OneByOne, Row
from connectors._probe import anything, tried
from fleet.errors import NotFound
from fleet.model.device import DeviceRecord, Rejected
from fleet.model.fact import ABSENT
from fleet.model.run import Trouble

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from collections.abc import Set as AbstractSet

_CONNECTIONS = 5


def walk(settings: AppleBusinessSettings, around: Surroundings) -> Iterator[Page]:
    """Every device in Apple's built-in device management; raises `SourceError` where it cannot go on."""
    with _open(settings, around) as api:
        directory, troubles = read_directory(api, settings)
        details = OneByOne(
            partial(_details_of, api),
            settings,
            around,
            vendor="Apple Business",
            lacking="system, storage, check-in and lost mode",
            ahead=settings.max_concurrency or _CONNECTIONS,
            wanted=settings.detail,
        )
        seen: set[str] = set()
        count = 0
        for page in pages_of(api, DEVICES, settings, MANAGER):
            rejected, new = _identified(page.rows, count, seen)
            yield Page(rows=[*rejected, *_detailed(new, details, directory)], expected=page.total)
            seen.update(new)
            count += len(page.rows)
        yield Page(troubles=(*troubles, *details.troubles(), *_elsewhere(directory, seen)))
        details.raise_outage()


def _identified(rows: list[object], before: int, seen: set[str]) -> tuple[list[Rejected], dict[str, object]]:
    new: dict[str, object] = {}
    rejected: list[Rejected] = []
    for number, row in enumerate(rows, before + 1):
        key = identity(row)
        if key is None:
            rejected.append(Rejected(f"row {number}", "no usable id"))
        elif key not in seen:
            new[key] = row
    return rejected, new


def _detailed(rows: Mapping[str, object], details: OneByOne[object], directory: Directory) -> list[Row]:
    """The records of `rows`, by their ids."""

    def put_in(record: DeviceRecord, detail: object) -> Row:
        if record.native_id in details.unread | details.left_out:
            # Without its check-in the record would pass for one of today; so its last known facts stay.
            where, why = f"device {record.native_id}", "its details cannot be read"
            return Rejected(where, why, record.native_id)
        return read_record(record.native_id, rows[record.native_id], detail, directory)

    records: list[Row] = [read_record(key, row, ABSENT, directory) for key, row in rows.items()]
    return details.completed(records, put_in)


def _detail_path(key: str) -> str:
    return f"{DEVICES}/{quote(key, safe='')}/details"


def _details_of(api: Api, key: str) -> object:
    return api.get(_detail_path(key), _detail, permission=MANAGER)


def _detail(answer: Answer) -> object:
    attributes = _rows.field(_rows.field(_rows.anything(answer.body), "data"), "attributes")
    if _rows.mapping(attributes) is None:
        raise ValueError("no attributes")
    return attributes


def _elsewhere(directory: Directory, seen: AbstractSet[str]) -> Iterator[Trouble]:
    count = len(directory.held() - seen)
    if count:
        why = (
            "Devices of the organization are not enrolled in Apple's built-in device management, so nothing is "
            "known of them here: add the MDM that manages them as a source"
        )
        yield Trouble("enrolled_elsewhere", why, count)


def probe(settings: AppleBusinessSettings, around: Surroundings) -> Iterator[tuple[str, str | None]]:
    """Login and each permission, with the error or None; without a login nothing else is tried."""
    with _open(settings, around) as api:
        login = tried("login", api.sign_in)
        yield login
        if login[1] is None:
            yield tried(MANAGER, partial(_try_devices, api, settings))
            yield tried(VIEW_USERS, partial(api.get, f"{USERS}?limit=1", anything, permission=VIEW_USERS))


def _try_devices(api: Api, settings: AppleBusinessSettings) -> None:
    api.get(f"{OWNED}?limit=1", anything, permission=MANAGER)
    page = api.get(f"{DEVICES}?limit=1", listed_page, permission=MANAGER)
    for key in by_id(page.rows) if settings.detail else ():
        with suppress(NotFound):
            _details_of(api, key)


def _open(settings: AppleBusinessSettings, around: Surroundings) -> Api:
    token = FetchedToken(Login(settings, around), around.now)
    return open_api(
        settings, settings.url, around, token, connections=settings.max_concurrency or _CONNECTIONS
    )


def provided(settings: AppleBusinessSettings) -> frozenset[str]:
    """The signals that a source with these settings reports."""
    return _PROVIDES if settings.detail else _PROVIDES - DETAIL_ONLY


_PROVIDES = DETAIL_ONLY | {
    "serial",
    "name",
    "model_identifier",
    "model_name",
    "platform",
    "managed",
    "ownership",
    "user_name",
    "user_email",
    "department",
}

_EXAMPLE = """\
# In Apple Business, Settings > API, as Organization Administrator: add an API account with the role "Device
# Management Manager", or a custom role that may only view device management and users; no role is known to be
# read-only by itself. Note its client ID and key ID, and keep the .pem: Apple lets it be downloaded once.
client_id = "BUSINESSAPI.00000000-0000-0000-0000-000000000000"
key_id = "00000000-0000-0000-0000-000000000000"
private_key = { file = "/etc/fleetkeep/apple-business.pem" }
# detail = false           # without a request per device: no system, storage, check-in and lost mode
# page_size = 1000         # at most 1000
# max_concurrency = 5
"""

CONNECTOR = Connector(
    kind="apple_business",
    title="Apple Business",
    settings=AppleBusinessSettings,
    provides=_PROVIDES,
    fields=FIELDS,
    provides_of=provided,
    per_device=DETAIL_ONLY,
    permissions=(
        Permission(MANAGER, "everything", CONSOLE),
        Permission(VIEW_USERS, "names, mail and department of users", CONSOLE, optional=True),
    ),
    walk=walk,
    probe=probe,
    example=_EXAMPLE,
    confirmed="copies of Apple's reference, client sources and their fake servers, read 2026-11-22; no answer of a "
    "real iPhone was seen, no organization of our own",
    remarks={
        "serial": "only devices in Apple's built-in device management are told, not those of other MDMs",
        "backup_enabled": "Apple's API does not tell it",
        "last_cloud_backup_at": "Apple's API does not tell it",
        "backup_restricted": "Apple's API does not tell what a configuration forbids",
        "capacity_bytes": "from the details; the catalogue's nominal size does not go with the free space",
        "enrolled_at": "the catalogue's dates are of the purchase, not of the enrolment",
        "ownership": "the organization's where its catalogue lists the device and has not released it",
        "checkin_at": "without it, as with detail = false, facts count as old as the collection",
    },
)
