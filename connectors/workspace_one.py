"""Omnissa Workspace ONE UEM: every iPhone and iPad with its storage, system, owner and iCloud Backup switch.

Sources: UEM API explorer (MDM API V1 and V2, build 2025.11), "Using UEM functionality with REST API", read
2026-11-22. The API holds no date of any backup. Only GET is ever sent there: `POST /devices/bulk` deletes devices.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from connectors import _rows
from connectors._connector import Connector, Page, Permission, Surroundings
from connectors._http import Answer, Api, RateLimit, open_api
from connectors._pages import by_number
from connectors._probe import tried
from connectors._tally import Tally, walks
from connectors._workspace_one_login import WorkspaceOneSettings, credential
from connectors._workspace_one_profiles import (
    CONSOLE,
    READ_PROFILES,
    SEARCH,
    VERSION_2,
    judged,
    read_profiles,
)
from connectors._workspace_one_record import FIELDS, read_record

if TYPE_CHECKING:
    from collections.abc import Iterator

LIST = "/API/mdm/devices/search"
READ_DEVICES = "REST API Devices Read"
_LARGEST_PAGE = 500


def walk(settings: WorkspaceOneSettings, around: Surroundings) -> Iterator[Page]:
    """Every device of the account's organisation group; raises `SourceError` where it cannot go on.

    Pages are offsets into a list that moves: where fewer devices came than it promised, it is walked once more.
    """
    with _open(settings, around) as api:
        # An OAuth client lives at the top group and sees every profile; an account may see only those below it.
        whole = settings.client_id is not None
        profiles = read_profiles(api, whole=whole) if settings.profiles else None
        tally = Tally()
        for tally in walks():
            for found in _searched(api, min(settings.page_size or _LARGEST_PAGE, _LARGEST_PAGE)):
                read = [
                    read_record(row, f"row {place}", around.collected_at)
                    for place, row in enumerate(found.rows, tally.rows + 1)
                ]
                records = tally.add(read, found.total)
                rows = records if profiles is None else [judged(record, profiles) for record in records]
                yield Page(rows=rows, expected=tally.expected)
        troubles = tuple(profiles.troubles) if profiles is not None else ()
        yield Page(rows=tally.rejected, expected=tally.expected, troubles=troubles)


@dataclass(frozen=True, slots=True)
class _Found:
    """One page: its rows, the total, and how many rows the server puts on a page, which may be fewer than asked."""

    rows: list[object]
    total: int | None
    size: int | None


def _searched(api: Api, size: int) -> Iterator[_Found]:
    fetch = partial(_search, api, size)
    for number, found in enumerate(by_number(fetch, lambda page: len(page.rows))):
        yield found
        if found.total is None or found.size is None or len(found.rows) >= found.size:
            # A full page is followed even where the total says that it was the last.
            continue
        if (number + 1) * found.size >= found.total:
            return


def _search(api: Api, size: int, number: int) -> _Found:
    params = [("platform", "Apple"), ("page", number), ("pagesize", size), ("orderby", "deviceid")]
    return api.get(
        LIST, _found, params=[*params, ("sortorder", "ASC")], headers=VERSION_2, permission=READ_DEVICES
    )


def _found(answer: Answer) -> _Found:
    if not answer.body:
        # No devices are a 204, and no list.
        return _Found([], None, None)
    said = _rows.anything(answer.body)
    devices = _rows.rows(_rows.field(said, "Devices"))
    return _Found(
        devices, _rows.total(_rows.field(said, "Total")), _rows.total(_rows.field(said, "PageSize"))
    )


def probe(settings: WorkspaceOneSettings, around: Surroundings) -> Iterator[tuple[str, str | None]]:
    """Login and each permission, with the error or None; without a login nothing else is tried.

    A Basic administrator signs in with every request, so there the first permission proves the login too.
    """
    with _open(settings, around) as api:
        if settings.token_url is not None:
            login = tried("login", api.sign_in)
            yield login
            if login[1] is not None:
                return
        yield tried(READ_DEVICES, partial(_search, api, 1, 0))
        if settings.profiles:
            profiles = partial(api.get, SEARCH, _anything, headers=VERSION_2, permission=READ_PROFILES)
            yield tried(READ_PROFILES, partial(profiles, params=[("platform", "Apple"), ("pagesize", 1)]))


def _anything(answer: Answer) -> object:
    return _rows.anything(answer.body) if answer.body else None


def _open(settings: WorkspaceOneSettings, around: Surroundings) -> Api:
    # The tenant's default is 5000 requests a minute for everybody; this takes three fifths.
    limit = RateLimit(50, 1, around)
    return open_api(settings, settings.url, around, credential(settings, around), connections=1, limit=limit)


_EXAMPLE = """\
# The console's address with "as" in place of "cn".
url = "https://as1234.awmdm.com"
# In the UEM console, Accounts > Administrators > Roles: add a role with API > REST > Devices: Read (and Profiles:
# Read, for restrictions and VPN). At the top organisation group, Groups & Settings > Configurations > OAuth Client
# Management: add a client with that role; its secret is shown once.
client_id = "0123456789abcdef"
client_secret = { env = "WS1_CLIENT_SECRET" }
# The region of the tenant: na, emea, apac or uat.
token_url = "https://emea.uemauth.workspaceone.com/connect/token"
# Or, on premises, a Basic administrator (directory accounts cannot use the API) and the key of Groups & Settings >
# All Settings > System > Advanced > API > REST API:
# username = "fleetkeep"
# password = { env = "WS1_PASSWORD" }
# api_key = { env = "WS1_API_KEY" }
# profiles = true          # restrictions and VPN
# page_size = 500          # at most 500
"""

_PROFILES = frozenset({"backup_restricted", "vpn_configured"})


def provided(settings: WorkspaceOneSettings) -> frozenset[str]:
    """The signals that a source with these settings reports."""
    return frozenset(FIELDS) | (_PROFILES if settings.profiles else frozenset[str]())


CONNECTOR = Connector(
    kind="workspace_one",
    title="Omnissa Workspace ONE UEM",
    settings=WorkspaceOneSettings,
    provides=frozenset(FIELDS) | _PROFILES,
    fields=FIELDS,
    permissions=(
        Permission(READ_DEVICES, "everything", CONSOLE),
        Permission(READ_PROFILES, "backup_restricted and vpn_configured", CONSOLE, optional=True),
    ),
    walk=walk,
    probe=probe,
    provides_of=provided,
    example=_EXAMPLE,
    confirmed="UEM API explorer of build 2025.11 (MDM API V1, V2 and V3), vendor documentation and public recordings, "
    "read 2026-11-22; no tenant of our own",
    remarks={
        "backup_enabled": "false is also the default: it counts as off only of a device seen within 7 days whose "
        "capacity and serial number are known and that is not corporate shared, else the signal is absent",
        "last_cloud_backup_at": "never: no API of Workspace ONE holds it",
        "last_local_backup_at": "never: no API of Workspace ONE holds it",
        "backup_restricted": "three searches, a request per profile found, and one per 500 devices on which one that "
        "forbids backups is installed; proves the contrary only for an OAuth client; off by profiles = false",
        "vpn_configured": "read with backup_restricted: VPN profiles with on-demand enabled",
        "enrollment": "only automated can be told; User Enrolment cannot be told from enrolment by hand",
        "shared_ipad": "never: only enrolment profiles hold it, and nothing of the device list",
        "model_identifier": "never: the API's own is an Apple part number, not an identifier",
        "model_name": "without capacity and colour",
        "supervised": "false is also the default: absent of a device without an inventory; roaming likewise",
        "available_bytes": "absent of a device that never told it",
        "pending_os_version": "never: a request per device out of a daily quota that all integrations share, for what "
        "Apple offers",
        "lost_mode": "never: in no answer of the API",
        "account_active": "never: in no answer of the API",
        "department": "never: of the directory's users, not of devices",
        "site": "the organisation group",
    },
)
