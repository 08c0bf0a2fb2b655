"""Hexnode UEM: devices from its list; storage, supervision and lost mode from a page per device.

Paths, key and limits: Hexnode API documentation, a public recording, public clients and Hexnode's forum, read
2026-11-22. Hexnode was not seen to say anything of backups.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, SecretStr

from connectors._auth import FixedHeaders
from connectors._connector import Connector, Page, Permission, SourceSettings, Surroundings
from connectors._hexnode_lists import (
    CONSOLE,
    DEVICES,
    LARGEST_PAGE,
    MEANINGS,
    group_names,
    listed,
    page_of,
)
from connectors._hexnode_record import BY_DETAILS, FIELDS, read_record, with_page
from connectors._http import Api, RateLimit, open_api, origin_url
from connectors._one_by_one import OneByOne
from connectors._probe import anything, tried
from fleet.errors import SourceError
from fleet.model.fact import ABSENT, NOT_REPORTED, Gap
from fleet.model.run import Trouble

if TYPE_CHECKING:
    from collections.abc import Iterator

API_ACCESS = "API access"
_CONNECTIONS = 2
_ROWS_PER_PAGE = 100
# 30 a minute, and ten a day for every device of the account (Hexnode staff in its forum, March 2026, read 2026-11-22):
# a page per device and night keeps to a tenth of that day's share.
_SECONDS_APART = 2


def _portal_url(value: str) -> str:
    """The portal's address with or without `/api/v1` at its end."""
    return origin_url(value).removesuffix("/api/v1")


class HexnodeSettings(SourceSettings):
    """The keys of `kind = "hexnode"`; `detail` costs a request per iPhone and iPad and one per device group."""

    url: Annotated[str, AfterValidator(_portal_url)]
    api_key: SecretStr
    detail: bool = True


def walk(settings: HexnodeSettings, around: Surroundings) -> Iterator[Page]:
    """Every device, and at the end what could not be read; raises `SourceError` where it cannot go on.

    The list comes first and at once: it has no snapshot, and asking for the devices' own pages takes long.
    """
    with _open(settings, around) as api:
        pages = OneByOne(
            partial(page_of, api),
            settings,
            around,
            vendor="Hexnode",
            lacking="storage, supervision, lost mode and battery",
            ahead=_connections(settings),
            wanted=settings.detail,
        )
        devices = listed(api, DEVICES, min(settings.page_size or LARGEST_PAGE, LARGEST_PAGE))
        groups, troubles = _groups(api) if settings.detail else (NOT_REPORTED, ())
        yield Page(expected=devices.total, troubles=troubles)
        for first in range(0, len(devices.rows), _ROWS_PER_PAGE):
            cut = devices.rows[first : first + _ROWS_PER_PAGE]
            rows = [read_record(row, place, groups) for place, row in cut]
            yield Page(rows=pages.completed(rows, with_page), expected=devices.total)
        yield Page(expected=devices.total, troubles=tuple(pages.troubles()))
        pages.raise_outage()


def _groups(api: Api) -> tuple[dict[str, list[str]] | Gap, tuple[Trouble, ...]]:
    try:
        return group_names(api), ()
    except SourceError as error:
        why = f"Device groups could not be read, so groups are absent: {error}"
        return ABSENT, (Trouble("groups_unresolved", why),)


def probe(settings: HexnodeSettings, around: Surroundings) -> Iterator[tuple[str, str | None]]:
    """Whether the key is good; it then may read everything, for Hexnode's keys have no rights of their own."""
    with _open(settings, around) as api:
        yield tried(API_ACCESS, partial(api.get, f"{DEVICES}?per_page=1&page=1", anything))


def _open(settings: HexnodeSettings, around: Surroundings) -> Api:
    # The bare key: Hexnode knows no scheme word before it.
    key = FixedHeaders({"Authorization": settings.api_key.get_secret_value()})
    # Evenly, because how the vendor counts its 30 a minute is not known: a burst may be too much for it.
    limit = RateLimit(1, _SECONDS_APART, around)
    base = f"{settings.url}/api/v1"
    return open_api(
        settings, base, around, key, connections=_connections(settings), limit=limit, meanings=MEANINGS
    )


def _connections(settings: HexnodeSettings) -> int:
    # Two bridge a slow answer; at a request every two seconds more have nothing to do.
    return min(settings.max_concurrency or _CONNECTIONS, _CONNECTIONS)


def _provided(settings: HexnodeSettings) -> frozenset[str]:
    return _PROVIDES if settings.detail else _PROVIDES - BY_DETAILS - {"groups"}


_PROVIDES = BY_DETAILS | {
    "serial",
    "udid",
    "name",
    "model_name",
    "platform",
    "os_version",
    "managed",
    "checkin_at",
    "enrolled_at",
    "user_name",
    "groups",
}

_EXAMPLE = """\
url = "https://yourportal.hexnodemdm.com"
# In Hexnode, Admin > API: enable API access and copy the key. It has no rights that could be narrowed: it may also
# wipe devices, so keep it like a password of an administrator.
api_key = { env = "HEXNODE_API_KEY" }
# detail = true            # a request per iPhone and iPad, 30 a minute: 1,000 devices take 34 minutes
# deadline_minutes = 60    # enough for the pages of some 1,600 devices; 400 for 10,000
# page_size = 100          # at most 100
"""
_UNSEEN = "not seen in any answer of Hexnode's API"
_PAGE = "from the device's own page: a request per iPhone and iPad, 30 a minute, none with detail = false"

CONNECTOR = Connector(
    kind="hexnode",
    title="Hexnode UEM",
    settings=HexnodeSettings,
    provides=_PROVIDES,
    fields=FIELDS,
    provides_of=_provided,
    per_device=BY_DETAILS,
    permissions=(Permission(API_ACCESS, "everything", CONSOLE),),
    walk=walk,
    probe=probe,
    example=_EXAMPLE,
    confirmed="Hexnode API documentation, a public recording of its lists (2022), public clients and Hexnode's forum, "
    "read 2026-11-22; the page of a device was seen of Android alone; no tenant of our own",
    remarks={
        "capacity_bytes": _PAGE,
        "available_bytes": _PAGE,
        "supervised": _PAGE,
        "lost_mode": _PAGE,
        "model_identifier": f"{_PAGE}; not confirmed for iPhones",
        "inventory_at": "when Hexnode last scanned the device",
        "platform": "by the model where Hexnode says only iOS",
        "managed": "absent or unreadable where the status is neither enrolled nor disenrolled",
        "groups": "device groups, at a request each; none with detail = false",
        "user_name": "absent where Hexnode shows its Default User",
        "backup_enabled": _UNSEEN,
        "last_cloud_backup_at": _UNSEEN,
        "backup_restricted": "policies can be listed, but what they forbid cannot be read",
        "vpn_configured": "policies can be listed, but what they set up cannot be read",
        "shared_ipad": _UNSEEN,
        "enrollment": _UNSEEN,
        "ownership": "a number whose meaning Hexnode does not publish",
        "asset_tag": _UNSEEN,
        "pending_os_version": _UNSEEN,
    },
)
