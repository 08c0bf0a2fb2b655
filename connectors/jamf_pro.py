"""Jamf Pro: every mobile device with its backup, storage, system and owner, from one list.

Paths, permissions and limits: Jamf Pro API reference and "API scalability best practices", read 2026-11-22.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from connectors import _rows, _wire
from connectors._auth import FetchedToken
from connectors._connector import Connector, Page, Permission, Surroundings
from connectors._http import Answer, Api, open_api
from connectors._jamf_login import JamfProSettings, Login
from connectors._jamf_record import read_record
from connectors._jamf_walk import LIST, READ_DEVICES, SECTIONS, DeviceList, Haul
from connectors._probe import anything, tried
from fleet.errors import BadAnswer, NotFound, PermissionMissing, ServerTrouble, SourceError
from fleet.model.device import SIGNALS, DeviceRecord, Platform, Rejected
from fleet.model.fact import Gap
from fleet.model.run import Trouble

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_CONSOLE = "Settings > System > API roles and clients"
READ_SITES = "Read Sites"
_LARGEST_PAGE = 1000
_MOST_CONNECTIONS = 5
_MOST_RESCUES = 200
_WALKS = 2
_UNREADABLE = "Jamf Pro cannot read this record"


def walk(settings: JamfProSettings, around: Surroundings) -> Iterator[Page]:
    """Every mobile device, and at the end what could not be read; raises `SourceError` where it cannot go on.

    The list has no snapshot. If it changed under the walk, or did not bring as many devices as it promised,
    it is walked once more; devices then come again.
    """
    with _open(settings, around) as api:
        sites, troubles = _sites(api)
        devices = DeviceList(api, min(settings.page_size or 500, _LARGEST_PAGE))
        tally = _Tally()
        for _ in range(_WALKS):
            tally = _Tally()
            yield from _walked_once(devices, tally, sites, _connections(settings))
            if tally.settled:
                break
        rows = [*tally.rejected, *_rescued(devices, tally, sites)]
        yield Page(rows=rows, expected=tally.total, troubles=(*troubles, *tally.missing_sections()))


def _walked_once(devices: DeviceList, tally: _Tally, sites: Mapping[str, str], ahead: int) -> Iterator[Page]:
    with closing(devices.hauls(ahead)) as hauls:
        for haul in hauls:
            yield Page(rows=tally.add(haul, sites), expected=tally.total, troubles=haul.troubles)
            if tally.done:
                return


@dataclass(slots=True)
class _Tally:
    """What one walk has brought so far.

    Attributes:
        rejected: rows without an identity; told at the end, so that a second walk does not tell them twice.
        lost: places of rows that the server could not read.
        totals: every total that a page stated, the latest last.
        phones: iPhones and iPads among the devices; these have every section.
        carried: sections that at least one of them carried.
    """

    seen: set[str] = field(default_factory=set[str])
    rejected: list[Rejected] = field(default_factory=list[Rejected])
    lost: list[str] = field(default_factory=list[str])
    totals: list[int] = field(default_factory=list[int])
    phones: int = 0
    carried: set[str] = field(default_factory=set[str])

    def add(self, haul: Haul, sites: Mapping[str, str]) -> list[DeviceRecord]:
        """Count one page in; the records that are new in this walk."""
        self.lost.extend(haul.lost)
        if haul.total is not None:
            self.totals.append(haul.total)
        return [
            record
            for place, row in enumerate(haul.rows, haul.first_row)
            for record in self._new(row, place, sites)
        ]

    def _new(self, row: object, place: int, sites: Mapping[str, str]) -> Iterator[DeviceRecord]:
        record = read_record(row, f"row {place}", sites)
        if isinstance(record, Rejected):
            self.rejected.append(record)
        elif record.native_id not in self.seen:
            self.seen.add(record.native_id)
            self._note_sections(row, record)
            yield record

    def _note_sections(self, row: object, record: DeviceRecord) -> None:
        if record.platform in {Platform.IOS, Platform.IPADOS}:
            self.phones += 1
            if len(self.carried) < len(SECTIONS):
                self.carried.update(
                    name for name, key in SECTIONS.items() if _rows.field(row, key) is not None
                )

    @property
    def total(self) -> int | None:
        """How many devices the list says it has, by its latest page."""
        return self.totals[-1] if self.totals else None

    @property
    def done(self) -> bool:
        """True when as many rows came as the list says it has."""
        return self.total is not None and self._count >= self.total

    @property
    def settled(self) -> bool:
        """True when the list stood still and came whole."""
        return not self.totals or (self._count == self.total and len(set(self.totals)) == 1)

    @property
    def _count(self) -> int:
        return len(self.seen) + len(self.rejected) + len(self.lost)

    def missing_sections(self) -> Iterator[Trouble]:
        """A section that no device had although it was asked for: ignored by the server, or forbidden."""
        missing = [name for name in SECTIONS if name not in self.carried]
        if self.phones and missing:
            yield Trouble(
                "sections_missing",
                f"Jamf Pro gave no {', '.join(missing)} for any device: check the API role's privileges, "
                "and for a proxy that merges repeated parameters",
                self.phones,
            )


def _rescued(devices: DeviceList, tally: _Tally, sites: Mapping[str, str]) -> list[DeviceRecord | Rejected]:
    """For each row that the list could not give: the device asked for by its id, or a rejected row."""
    if not tally.lost:
        return []
    try:
        missing = sorted(set(devices.ids()) - tally.seen)
    except SourceError:
        return [Rejected(place, _UNREADABLE) for place in tally.lost]
    tried = [_by_id(devices, native_id, sites) for native_id in missing[:_MOST_RESCUES]]
    untried = [
        Rejected(f"device {native_id}", _UNREADABLE, native_id) for native_id in missing[_MOST_RESCUES:]
    ]
    return [row for row in tried if row is not None] + untried


def _by_id(devices: DeviceList, native_id: str, sites: Mapping[str, str]) -> DeviceRecord | Rejected | None:
    place = f"device {native_id}"
    try:
        row = devices.alone(native_id)
    except NotFound:
        return None
    return Rejected(place, _UNREADABLE, native_id) if row is None else read_record(row, place, sites)


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


def _open(settings: JamfProSettings, around: Surroundings) -> Api:
    token = FetchedToken(Login(settings), around.now)
    return open_api(settings, settings.url, around, token, connections=_connections(settings))


def _connections(settings: JamfProSettings) -> int:
    # Jamf asks for no more than five connections at once.
    return min(settings.max_concurrency or _MOST_CONNECTIONS, _MOST_CONNECTIONS)


_EXAMPLE = """\
url = "https://yourorg.jamfcloud.com"
# In Jamf Pro, Settings > System > API roles and clients: create a role with "Read Mobile Devices" (and "Read
# Sites", for site names), then a client with that role. After a change of its roles it needs a new secret.
client_id = "00000000-0000-0000-0000-000000000000"
client_secret = { env = "JAMF_CLIENT_SECRET" }
# Or a user account of Jamf Pro itself (directory and single sign-on accounts cannot use the API):
# username = "fleetkeep"
# password = { env = "JAMF_PASSWORD" }
# page_size = 500          # at most 1000
# max_concurrency = 5      # at most 5, as Jamf asks
"""

CONNECTOR = Connector(
    kind="jamf_pro",
    title="Jamf Pro",
    settings=JamfProSettings,
    provides=frozenset(SIGNALS) - {"backup_restricted", "vpn_configured", "pending_os_version"},
    permissions=(
        Permission(READ_DEVICES, "everything", _CONSOLE),
        Permission(READ_SITES, "site names", _CONSOLE, optional=True),
    ),
    walk=walk,
    probe=probe,
    example=_EXAMPLE,
    confirmed="Jamf Pro API schemas 11.23 to 11.30, public recordings of GENERAL, read 2026-11-22; "
    "no tenant of our own",
    remarks={
        "backup_enabled": "false also where the device did not say; hidden under User Enrolment",
        "last_cloud_backup_at": "never where the inventory holds no date; hidden under User Enrolment",
        "checkin_at": "Jamf Pro 11.30 and newer",
        "last_local_backup_at": "only where enrolled Macs report it",
        "serial": "hidden under User Enrolment",
        "udid": "hidden under User Enrolment",
        "roaming": "iPhone, iPad and Vision Pro",
    },
)
