"""ManageEngine MDM, in the cloud or on a server of one's own: devices from a list, backups and storage one by one.

Paths, scopes and the two logins: ManageEngine MDM API, "Devices" and "Authentication", read 2026-11-22.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from connectors._connector import Connector, Page, Permission, Surroundings
from connectors._http import Api, open_api
from connectors._manageengine_answers import listed, one_device, page_at, read_chunk
from connectors._manageengine_login import CLOUD_SCOPE, SERVER_SCOPE, ManageEngineSettings, credential
from connectors._manageengine_record import BY_DETAILS, FIELDS, identity, read_record, with_details
from connectors._one_by_one import OneByOne
from connectors._probe import tried
from fleet.errors import PermissionMissing

if TYPE_CHECKING:
    from collections.abc import Iterator

_USUAL_PAGE = 50
_CONNECTIONS = 4
_ROWS_PER_PAGE = 100


def walk(settings: ManageEngineSettings, around: Surroundings) -> Iterator[Page]:
    """Every device, and at the end what could not be read; raises `SourceError` where it cannot go on.

    The list comes first and at once: it has no snapshot, and asking about the devices one by one takes long.
    """
    with _open(settings, around) as api:
        details = OneByOne(
            partial(one_device, api, settings.scope),
            settings,
            around,
            vendor="ManageEngine",
            lacking="backups and storage",
            ahead=_connections(settings),
            wanted=settings.detail,
        )
        devices = listed(api, settings.page_size or _USUAL_PAGE, settings.scope)
        yield Page(expected=devices.total)
        for first in range(0, len(devices.rows), _ROWS_PER_PAGE):
            cut = devices.rows[first : first + _ROWS_PER_PAGE]
            rows = [read_record(row, place) for place, row in cut]
            yield Page(rows=details.completed(rows, with_details), expected=devices.total)
        yield Page(expected=devices.total, troubles=tuple(details.troubles()))
        details.raise_outage()


def probe(settings: ManageEngineSettings, around: Surroundings) -> Iterator[tuple[str, str | None]]:
    """Login and the right to read devices, with the error or None; without a login nothing else is tried."""
    with _open(settings, around) as api:
        login = tried("login", partial(_signed_in, api, settings.scope))
        yield login
        if login[1] is None:
            yield tried(settings.scope, partial(_prove, api, settings))


def _signed_in(api: Api, scope: str) -> None:
    api.sign_in()
    try:
        # A bare key is only looked at with a request.
        api.get(page_at(0, 1), read_chunk, permission=scope)
    except PermissionMissing:
        return


def _prove(api: Api, settings: ManageEngineSettings) -> None:
    rows = api.get(page_at(0, 1), read_chunk, permission=settings.scope).rows
    native_id = next((found for found in map(identity, rows) if found is not None), None)
    if settings.detail and native_id is not None:
        one_device(api, settings.scope, native_id)


def _open(settings: ManageEngineSettings, around: Surroundings) -> Api:
    # No limit of requests is published.
    proof = credential(settings, around)
    return open_api(settings, settings.url, around, proof, connections=_connections(settings))


def _connections(settings: ManageEngineSettings) -> int:
    return min(settings.max_concurrency or _CONNECTIONS, _CONNECTIONS)


def _provided(settings: ManageEngineSettings) -> frozenset[str]:
    return _PROVIDES if settings.detail else _PROVIDES - BY_DETAILS


_PROVIDES = BY_DETAILS | {
    "serial",
    "udid",
    "name",
    "model_identifier",
    "platform",
    "os_version",
    "managed",
    "ownership",
    "lost_mode",
    "user_name",
    "user_email",
}

_EXAMPLE = """\
# The cloud, in your account's data centre (.com, .eu, .in, .com.au, .jp, .ca, .cn, .sa, .uk):
url = "https://mdm.manageengine.com"
# At https://api-console.zoho.com (same data centre) make a Self Client, generate a code with the scope
# MDMOnDemand.MDMInventory.READ, and exchange it within a minute for a refresh token.
client_id = "1000.0000000000"
client_secret = { env = "MANAGEENGINE_CLIENT_SECRET" }
refresh_token = { env = "MANAGEENGINE_REFRESH_TOKEN" }
token_url = "https://accounts.zoho.com/oauth/v2/token"
# Or a server of your own (Admin > API Key Generation, with the scope MDMInventory.READ):
# url = "https://endpoint-central.yourorg.example:8383"
# api_key = { env = "MANAGEENGINE_API_KEY" }
# detail = true            # a request per iPhone and iPad; without, nothing of backups and storage
# page_size = 50
# max_concurrency = 4      # at most 4
"""
_UNSEEN = "not seen in any answer of ManageEngine's API"
_PER_DEVICE = "a request per iPhone and iPad, none with detail = false"

CONNECTOR = Connector(
    kind="manageengine",
    title="ManageEngine MDM",
    settings=ManageEngineSettings,
    provides=_PROVIDES,
    fields=FIELDS,
    provides_of=_provided,
    per_device=BY_DETAILS,
    permissions=(
        Permission(
            CLOUD_SCOPE, "everything, in the cloud", "api-console.zoho.com > Self Client > Generate Code"
        ),
        Permission(SERVER_SCOPE, "everything, on a server of your own", "Admin > API Key Generation"),
    ),
    walk=walk,
    probe=probe,
    example=_EXAMPLE,
    confirmed="ManageEngine MDM API documentation and a public client, read 2026-11-22; no recording was found, no "
    "tenant of our own",
    remarks={
        "backup_enabled": f"{_PER_DEVICE}; off counts of a device that has told its size and its serial number, else "
        "it may be a default or User Enrolment",
        "last_cloud_backup_at": f"{_PER_DEVICE}; no date may mean never or unknown, so it is absent",
        "capacity_bytes": _PER_DEVICE,
        "available_bytes": f"{_PER_DEVICE}; 0 stands for unknown",
        "account_active": "signed out counts where backup_enabled would count as off",
        "battery_percent": "the documentation does not tell percent from fractions: below 1 is a fraction, 1 not read",
        "ownership": "1 is read as corporate and 2 as personal, which the documentation does not say",
        "enrollment": "User Enrolment is not told; such devices lack serial number and UDID",
        "managed": "removed devices are not asked for",
        "inventory_at": "the API tells neither the last scan nor the last contact: facts count from the collection",
        "checkin_at": "the API tells neither the last scan nor the last contact",
        "backup_restricted": "a device's restrictions can be read, but iCloud Backup is not among the known keys",
        "vpn_configured": "profiles are listed without their contents",
        "groups": "only their number is told with a device",
        "shared_ipad": _UNSEEN,
        "pending_os_version": _UNSEEN,
    },
)
