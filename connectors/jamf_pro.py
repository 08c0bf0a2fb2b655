"""Jamf Pro: every mobile device with its backup, storage, system and owner, from one list.

Paths, permissions and limits: Jamf Pro API reference and "API scalability best practices", read 2026-11-22.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from connectors import _rows, _wire
from connectors._auth import FetchedToken
from connectors._connector import Connector, Page, Permission, Surroundings
from connectors._http import Answer, Api, open_api
from connectors._jamf_login import JamfProSettings, Login
from connectors._jamf_page import LIST, PROFILES, READ_DEVICES, SECTIONS
from connectors._jamf_profiles import BY_PROFILES, READ_PROFILES, Profiles, list_profiles, read_profiles
from connectors._jamf_record import FIELDS, read_record
from connectors._jamf_sections import Sections
from connectors._jamf_walk import DeviceList
from connectors._probe import anything, tried
from connectors._tally import Tally, walks
from fleet.errors import BadAnswer, NotFound, PermissionMissing, ServerTrouble, SourceError
from fleet.model.device import DeviceRecord, Rejected
from fleet.model.fact import Gap
from fleet.model.run import Trouble

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_CONSOLE = "Settings > System > API roles and clients"
READ_SITES = "Read Sites"
_LARGEST_PAGE = 1000
_MOST_CONNECTIONS = 5
_MOST_RESCUES = 200
_UNREADABLE = "Jamf Pro cannot read this record"
Read = Callable[[object, str], DeviceRecord | Rejected]
"""From a row and the place where it stands to its record."""


def walk(settings: JamfProSettings, around: Surroundings) -> Iterator[Page]:
    """Every mobile device, and at the end what could not be read; raises `SourceError` where it cannot go on.

    The list has no snapshot. If it changed under the walk, or did not bring as many devices as it promised,
    it is walked once more; devices then come again.

    With `around.since` only devices that sent an inventory since then. What the server alone knows of the others (who
    has them, where, in which groups) may have changed: a full walk shows it.
    """
    with _open(settings, around) as api:
        sites, troubles = _sites(api)
        profiles, unread = read_profiles(api) if settings.profiles else (None, ())
        read = partial(_read, sites=sites, profiles=profiles)
        sections = SECTIONS | PROFILES if profiles and profiles.sought else SECTIONS
        devices = DeviceList(api, min(settings.page_size or 500, _LARGEST_PAGE), sections, around.since)
        noted, tally = Sections(sections), Tally()
        for tally in walks():
            noted = Sections(sections)
            pages = _walked_once(devices, tally, noted, read, _connections(settings))
            yield from pages if around.since is None else (replace(page, expected=None) for page in pages)
        if around.since is None:
            rows, expected = _rescued(devices, tally, read), tally.expected
        else:
            rows, expected = [Rejected(place, _UNREADABLE) for place in tally.lost], devices.total()
        yield Page(
            rows=[*tally.rejected, *rows],
            expected=expected,
            troubles=(*troubles, *unread, *noted.troubles()),
        )


def _read(
    row: object, place: str, *, sites: Mapping[str, str], profiles: Profiles | None
) -> DeviceRecord | Rejected:
    record = read_record(row, place, sites)
    return record if profiles is None or isinstance(record, Rejected) else profiles.judged(record, row)


def _walked_once(
    devices: DeviceList, tally: Tally, noted: Sections, read: Read, ahead: int
) -> Iterator[Page]:
    with closing(devices.hauls(ahead)) as hauls:
        for haul in hauls:
            rows = [read(row, f"row {place}") for place, row in enumerate(haul.rows, haul.first_row)]
            for row, record in zip(haul.rows, rows, strict=True):
                noted.note(row, record)
            tally.lost.extend(haul.lost)
            yield Page(rows=tally.add(rows, haul.total), expected=tally.expected, troubles=haul.troubles)
            # A full page is followed even where the total says that it was the last.
            if tally.reached and haul.size < devices.page_size:
                return


def _rescued(devices: DeviceList, tally: Tally, read: Read) -> list[DeviceRecord | Rejected]:
    """For each row that the list could not give: the device asked for by its id, or a rejected row."""
    if not tally.lost:
        return []
    try:
        missing = sorted(set(devices.ids()) - tally.seen)
    except SourceError:
        return [Rejected(place, _UNREADABLE) for place in tally.lost]
    tried = [_by_id(devices, native_id, read) for native_id in missing[:_MOST_RESCUES]]
    untried = [
        Rejected(f"device {native_id}", _UNREADABLE, native_id) for native_id in missing[_MOST_RESCUES:]
    ]
    return [row for row in tried if row is not None] + untried


def _by_id(devices: DeviceList, native_id: str, read: Read) -> DeviceRecord | Rejected | None:
    place = f"device {native_id}"
    try:
        row = devices.alone(native_id)
    except NotFound:
        return None
    return Rejected(place, _UNREADABLE, native_id) if row is None else read(row, place)


def _sites(api: Api) -> tuple[dict[str, str], tuple[Trouble, ...]]:
    try:
        return api.get("/api/v1/sites", _site_names, permission=READ_SITES), ()
    except (PermissionMissing, NotFound, ServerTrouble, BadAnswer):
        why = f'Site names could not be read, so site is absent: grant "{READ_SITES}" ({_CONSOLE})'
        return {}, (Trouble("sites_unresolved", why),)


def _site_names(answer: Answer) -> dict[str, str]:
    pairs = [
        (_wire.text(_rows.field(row, "id")), _wire.text(_rows.field(row, "name")))
        for row in _rows.rows(_rows.anything(answer.body))
    ]
    return {key: name for key, name in pairs if not isinstance(key, Gap) and not isinstance(name, Gap)}


def probe(settings: JamfProSettings, around: Surroundings) -> Iterator[tuple[str, str | None]]:
    """Login and each permission, with the error or None; without a login nothing else is tried."""
    with _open(settings, around) as api:
        login = tried("login", api.sign_in)
        yield login
        if login[1] is None:
            one = partial(api.get, LIST, anything, params=[("page-size", 1)], permission=READ_DEVICES)
            yield tried(READ_DEVICES, one)
            yield tried(READ_SITES, partial(api.get, "/api/v1/sites", anything, permission=READ_SITES))
            if settings.profiles:
                yield tried(READ_PROFILES, partial(list_profiles, api))


def _open(settings: JamfProSettings, around: Surroundings) -> Api:
    token = FetchedToken(Login(settings), around.now)
    return open_api(settings, settings.url, around, token, connections=_connections(settings))


def _connections(settings: JamfProSettings) -> int:
    # Jamf asks for no more than five connections at once.
    return min(settings.max_concurrency or _MOST_CONNECTIONS, _MOST_CONNECTIONS)


def _provided(settings: JamfProSettings) -> frozenset[str]:
    return _PROVIDES if settings.profiles else _PROVIDES - BY_PROFILES


_PROVIDES = frozenset(FIELDS) | BY_PROFILES
_OF_PROFILES = (
    "true where an installed profile of Jamf Pro says so, never false: other sources of it are invisible; costs one "
    "request and one per profile, none with profiles = false; hidden under User Enrolment"
)
_EXAMPLE = """\
url = "https://yourorg.jamfcloud.com"
# In Jamf Pro, Settings > System > API roles and clients: create a role with "Read Mobile Devices" (and "Read
# Sites", for site names, and "Read iOS Configuration Profiles", for what profiles forbid), then a client with that
# role. After a change of its roles it needs a new secret.
client_id = "00000000-0000-0000-0000-000000000000"
client_secret = { env = "JAMF_CLIENT_SECRET" }
# Or a user account of Jamf Pro itself (directory and single sign-on accounts cannot use the API):
# username = "fleetkeep"
# password = { env = "JAMF_PASSWORD" }
# profiles = true          # one request for each configuration profile
# full_walk_days = 7       # how often all is read; on other nights what sent an inventory since the last; 1: always all
# page_size = 500          # at most 1000
# max_concurrency = 5      # at most 5, as Jamf asks
"""

CONNECTOR = Connector(
    kind="jamf_pro",
    title="Jamf Pro",
    settings=JamfProSettings,
    provides=_PROVIDES,
    fields=FIELDS,
    provides_of=_provided,
    permissions=(
        Permission(READ_DEVICES, "everything", _CONSOLE),
        Permission(READ_SITES, "site names", _CONSOLE, optional=True),
        Permission(READ_PROFILES, "backup_restricted and vpn_configured", _CONSOLE, optional=True),
    ),
    walk=walk,
    probe=probe,
    example=_EXAMPLE,
    confirmed="Jamf Pro API schemas 11.23 to 11.30, public recordings of GENERAL, read 2026-11-22; "
    "the privilege for profiles is named as public clients name it; no tenant of our own",
    remarks={
        "pending_os_version": "the list does not hold it; asking for it takes a privilege for computers too",
        "backup_enabled": "false also where the device did not say; hidden under User Enrolment",
        "last_cloud_backup_at": "never where the inventory holds no date; hidden under User Enrolment",
        "checkin_at": "Jamf Pro 11.30 and newer",
        "last_local_backup_at": "only where enrolled Macs report it",
        "serial": "hidden under User Enrolment",
        "udid": "hidden under User Enrolment",
        "roaming": "iPhone, iPad and Vision Pro",
        "backup_restricted": _OF_PROFILES,
        "vpn_configured": f"of a VPN that is always on or on demand: {_OF_PROFILES}",
    },
)
