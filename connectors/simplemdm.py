"""SimpleMDM: every device with all its facts from one list, and what custom profiles do to its backup.

Source: SimpleMDM API reference, read 2026-11-22.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, SecretStr

from connectors._auth import basic
from connectors._connector import Connector, Page, Permission, SourceSettings, Surroundings
from connectors._http import Api, RateLimit, open_api, origin_url
from connectors._probe import anything, tried
from connectors._simplemdm_lists import CONSOLE, LARGEST_PAGE, READ_GROUPS, group_names, listed
from connectors._simplemdm_profiles import READ_PROFILES, read_profiles
from connectors._simplemdm_record import FIELDS, devices, read_record

if TYPE_CHECKING:
    from collections.abc import Iterator

READ_DEVICES = "Devices: read"
_OF_PROFILES = frozenset({"backup_restricted", "vpn_configured"})


class SimpleMdmSettings(SourceSettings):
    """The keys of `kind = "simplemdm"`; without `profiles`, no custom profile is read."""

    api_key: SecretStr
    url: Annotated[str, AfterValidator(origin_url)] = "https://a.simplemdm.com/api/v1"
    profiles: bool = True


def walk(settings: SimpleMdmSettings, around: Surroundings) -> Iterator[Page]:
    """Every enrolled device; raises `SourceError` where it cannot go on. SimpleMDM states no total."""
    with _open(settings, around) as api:
        names, troubles = group_names(api)
        profiles, more = read_profiles(api) if settings.profiles else (None, ())
        yield Page(troubles=(*troubles, *more))
        size = min(settings.page_size or LARGEST_PAGE, LARGEST_PAGE)
        first = 1
        for rows in listed(api, "/devices", permission=READ_DEVICES, size=size, read=devices):
            yield Page(
                rows=[
                    read_record(row, f"row {place}", names, profiles) for place, row in enumerate(rows, first)
                ]
            )
            first += len(rows)


def probe(settings: SimpleMdmSettings, around: Surroundings) -> Iterator[tuple[str, str | None]]:
    """Each permission, with the error or None; there is no login, the first step shows whether the key is good."""
    wanted = {READ_DEVICES: "/devices", READ_GROUPS: "/assignment_groups"}
    if settings.profiles:
        wanted[READ_PROFILES] = "/custom_configuration_profiles"
    with _open(settings, around) as api:
        for permission, path in wanted.items():
            yield tried(
                permission, partial(api.get, path, anything, params=[("limit", 1)], permission=permission)
            )


def _open(settings: SimpleMdmSettings, around: Surroundings) -> Api:
    key = basic(settings.api_key.get_secret_value(), "")
    # SimpleMDM publishes no limit; clients of it report some 60 requests a minute (read 2026-11-22).
    return open_api(settings, settings.url, around, key, connections=1, limit=RateLimit(1, 1, around))


def _provides(settings: SimpleMdmSettings) -> frozenset[str]:
    return CONNECTOR.provides if settings.profiles else CONNECTOR.provides - _OF_PROFILES


_EXAMPLE = """\
# In SimpleMDM, Settings > API: create a key with "Devices: read". For the names of groups it also needs "Assignment
# Groups: read", and for what your own profiles forbid "Custom Configuration Profiles: read".
api_key = { env = "SIMPLEMDM_API_KEY" }
# profiles = true          # a request for each custom profile that is assigned to a group
# page_size = 100          # at most 100
"""
_CUSTOM = "SimpleMDM keeps it in custom attributes, whose names every customer chooses"
_PROFILES = (
    "true where a custom profile of one of the device's groups says so, never false: built-in profiles and those of "
    "a single device cannot be read; costs a request per custom profile, none with profiles = false"
)

CONNECTOR = Connector(
    kind="simplemdm",
    title="SimpleMDM",
    settings=SimpleMdmSettings,
    provides=frozenset(FIELDS) | _OF_PROFILES | {"platform"},
    fields=FIELDS,
    provides_of=_provides,
    permissions=(
        Permission(READ_DEVICES, "everything", CONSOLE),
        Permission(READ_GROUPS, "group names", CONSOLE, optional=True),
        Permission(READ_PROFILES, "backup_restricted and vpn_configured", CONSOLE, optional=True),
    ),
    walk=walk,
    probe=probe,
    example=_EXAMPLE,
    confirmed="SimpleMDM API reference of 2022 and 2023, a public recording of 2022 and public clients, read "
    "2026-11-22; no tenant of our own",
    remarks={
        "backup_enabled": "false counts for iPhone, iPad and Vision Pro alone; hidden under User Enrolment",
        "last_cloud_backup_at": "no date may mean never or unknown, so it is absent; hidden under User Enrolment",
        "backup_restricted": _PROFILES,
        "vpn_configured": f"of a VPN that is always on or on demand: {_PROFILES}",
        "account_active": "hidden under User Enrolment",
        "serial": "hidden under User Enrolment",
        "udid": "hidden under User Enrolment",
        "checkin_at": "when SimpleMDM last saw the device, which stands in for the time of the inventory",
        "enrollment": "absent where an older reply does not tell of User Enrolment",
        "shared_ipad": "SimpleMDM does not tell Shared iPads apart",
        "pending_os_version": "SimpleMDM tells of updates for Macs alone",
        "user_name": _CUSTOM,
        "user_email": _CUSTOM,
        "department": _CUSTOM,
        "asset_tag": _CUSTOM,
    },
)
