"""Microsoft Intune: every iPhone and iPad with its storage, system and owner, by Microsoft Graph.

Intune tells neither whether iCloud Backup is on nor when it last ran: no property of Graph holds it, in v1.0 or in
beta, in exports or in the data warehouse (Microsoft Graph metadata and references, read 2026-11-22).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from connectors import _intune_overview as overview
from connectors._auth import FetchedToken
from connectors._connector import Connector, Page, Permission, Surroundings
from connectors._http import RateLimit, open_api
from connectors._intune_detail import Details
from connectors._intune_graph import CONSOLE, READ_DEVICES, READ_POLICIES, pages
from connectors._intune_login import IntuneSettings, Login
from connectors._intune_policies import TEMPLATES, read_policies
from connectors._intune_record import FIELDS, detailed, read_record
from connectors._probe import anything, tried
from fleet.model.device import DeviceRecord, Platform, Rejected
from fleet.model.run import Trouble

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from connectors._effect import Effects

_DEVICES = "/deviceManagement/managedDevices"
# Unfiltered lists are said to leave devices out in large tenants; an iPad may say either.
_FILTER = "(operatingSystem eq 'iOS' or operatingSystem eq 'iPadOS')"
_LARGEST_PAGE = 1000
_CONNECTIONS = 4
_MOBILE = {Platform.IOS, Platform.IPADOS}


def walk(settings: IntuneSettings, around: Surroundings) -> Iterator[Page]:
    """Every device of the list, page by page; raises `SourceError` where it cannot go on.

    A device that was enrolled anew stands in the list with both its records, each under its own id.

    With `around.since` only devices that have synchronised since then, and as the number of all that of Intune's
    overview. What the server alone knows of the others (who has them, which policies reached them) may have changed.
    """
    token = FetchedToken(Login(settings, around), around.now)
    policies = _policies(settings, around, token)
    # Graph allows an app 2000 requests in any 20 seconds for devices.
    limit = RateLimit(180, 2, around)
    with open_api(settings, settings.url, around, token, connections=_ahead(settings), limit=limit) as api:
        details = Details(api=api, limit=limit, sleep=around.sleep, ahead=_ahead(settings))
        reading = _Reading(policies, details if settings.detail else None)
        for rows in pages(api, _list(settings, around.since), READ_DEVICES):
            yield Page(rows=reading.records(rows))
        counted = overview.counted(api)
        short = overview.shortfall(counted, len(reading.mobile)) if around.since is None else ()
        # The overview may lag, so a whole list is not measured by it; an increment has nothing else.
        expected = None if around.since is None else counted
        yield Page(expected=expected, troubles=(*reading.troubles(), *short))


@dataclass(slots=True)
class _Reading:
    """From rows to records, and what is noticed on the way.

    Attributes:
        policies: None where they are not to be read; `details` likewise.
        mobile: ids of the iPhones and iPads so far.
        others: how many devices of other systems came although the list was asked for none.
    """

    policies: Effects | None
    details: Details | None
    count: int = 0
    mobile: set[str] = field(default_factory=set[str])
    others: int = 0

    def records(self, rows: Sequence[object]) -> list[DeviceRecord | Rejected]:
        """The records of one page, with what single answers and policies add to them."""
        beta = self.details is not None
        read = [read_record(row, f"row {place}", beta=beta) for place, row in enumerate(rows, self.count + 1)]
        self.count += len(rows)
        found = [record for record in read if isinstance(record, DeviceRecord)]
        self.mobile.update(record.native_id for record in found if record.platform in _MOBILE)
        self.others += sum(record.platform in {Platform.ANDROID, Platform.OTHER} for record in found)
        whole = iter(self._completed(found))
        return [next(whole) if isinstance(record, DeviceRecord) else record for record in read]

    def _completed(self, records: list[DeviceRecord]) -> list[DeviceRecord]:
        if self.details is not None:
            ids = [record.native_id for record in records if record.native_id in self.mobile]
            answers = self.details.of(ids)
            records = [detailed(record, answers.get(record.native_id)) for record in records]
        if self.policies is not None:
            records = [self.policies.judged(record) for record in records]
        return records

    def troubles(self) -> Iterator[Trouble]:
        """What the report should say of the whole walk."""
        if self.policies is not None:
            yield from self.policies.troubles
        if self.details is not None:
            yield from self.details.troubles()
        if self.others:
            yield Trouble(
                "filter_ignored",
                "Graph was asked for iPhones and iPads alone and gave other devices too; they are left out of every "
                "check",
                self.others,
            )


def _policies(settings: IntuneSettings, around: Surroundings, token: FetchedToken) -> Effects | None:
    if not settings.profiles:
        return None
    # 1000 requests in any 20 seconds for device configuration.
    limit = RateLimit(90, 2, around)
    with open_api(settings, settings.url, around, token, connections=1, limit=limit) as api:
        return read_policies(api)


def probe(settings: IntuneSettings, around: Surroundings) -> Iterator[tuple[str, str | None]]:
    """Login and each permission, with the error or None; without a login nothing else is tried."""
    token = FetchedToken(Login(settings, around), around.now)
    with open_api(settings, settings.url, around, token) as api:
        login = tried("login", api.sign_in)
        yield login
        if login[1] is None:
            devices = f"/v1.0{_DEVICES}?$top=1"
            yield tried(READ_DEVICES, partial(api.get, devices, anything, permission=READ_DEVICES))
            if settings.profiles:
                policies = f"{TEMPLATES}?$top=1"
                yield tried(READ_POLICIES, partial(api.get, policies, anything, permission=READ_POLICIES))


def _list(settings: IntuneSettings, since: datetime | None) -> str:
    # No $select: one name that beta has dropped would refuse the whole list.
    size = min(settings.page_size or _LARGEST_PAGE, _LARGEST_PAGE)
    wanted = f"{_FILTER} and lastSyncDateTime gt {since:%Y-%m-%dT%H:%M:%SZ}" if since else _FILTER
    return f"/{'beta' if settings.detail else 'v1.0'}{_DEVICES}?$filter={wanted}&$top={size}"


def _ahead(settings: IntuneSettings) -> int:
    return min(settings.max_concurrency or _CONNECTIONS, _CONNECTIONS)


_EXAMPLE = """\
# In the Microsoft Entra admin center, App registrations: register an app; under API permissions > Microsoft Graph >
# Application permissions add DeviceManagementManagedDevices.Read.All (and DeviceManagementConfiguration.Read.All,
# for restrictions and VPN), then "Grant admin consent"; under Certificates & secrets create its secret.
tenant_id = "00000000-0000-0000-0000-000000000000"
client_id = "00000000-0000-0000-0000-000000000000"
client_secret = { env = "INTUNE_CLIENT_SECRET" }
# Or, in place of the secret, a PEM file with the private key and the certificate that the app knows:
# certificate = "intune.pem"
# In a national cloud both hosts differ, for example for US Government L4:
# url = "https://graph.microsoft.us"
# login_url = "https://login.microsoftonline.us"
# detail = true            # UDID, model identifier, battery, Shared iPad, lost mode: 50 requests per 1000 devices
# profiles = true          # restrictions and VPN
# full_walk_days = 7       # how often all is read; on other nights what synchronised since the last; 1: always all
# page_size = 1000         # at most 1000
"""

_PER_DEVICE = frozenset({"udid", "model_identifier", "battery_percent", "shared_ipad"})
_DETAIL = _PER_DEVICE | {"lost_mode"}
_PROFILES = frozenset({"backup_restricted", "vpn_configured"})
_LISTED = frozenset(FIELDS) - _DETAIL


def provided(settings: IntuneSettings) -> frozenset[str]:
    """The signals that a source with these settings reports."""
    detail = _DETAIL if settings.detail else frozenset[str]()
    return _LISTED | detail | (_PROFILES if settings.profiles else frozenset[str]())


CONNECTOR = Connector(
    kind="intune",
    title="Microsoft Intune",
    settings=IntuneSettings,
    provides=frozenset(FIELDS) | _PROFILES,
    fields=FIELDS,
    permissions=(
        Permission(READ_DEVICES, "everything", CONSOLE),
        Permission(READ_POLICIES, "backup_restricted and vpn_configured", CONSOLE, optional=True),
    ),
    walk=walk,
    probe=probe,
    per_device=_PER_DEVICE,
    provides_of=provided,
    example=_EXAMPLE,
    confirmed="Microsoft Graph metadata of v1.0 and beta, Graph and Intune references, public recordings of 2021, "
    "read 2026-11-22; no tenant of our own",
    remarks={
        "backup_enabled": "never: nothing in Graph holds it, so whether a backup is off or stale stays unknown",
        "last_cloud_backup_at": "never: nothing in Graph holds it",
        "last_local_backup_at": "never: nothing in Graph holds it",
        "backup_restricted": "two lists, and a request per 1000 devices for each policy that forbids backups; "
        "unproven where a settings catalog policy does, or the device is not supervised; off by profiles = false",
        "vpn_configured": "as backup_restricted, per VPN policy with on-demand rules or always on",
        "udid": "20 devices per request; hidden under User Enrolment; off by detail = false",
        "model_identifier": "with udid; Intune renews it weekly and often has none",
        "battery_percent": "with udid",
        "shared_ipad": "with udid",
        "lost_mode": "from Graph's beta; off by detail = false, which keeps the list to v1.0",
        "serial": "hidden under User Enrolment",
        "supervised": "absent where it is false and the device has never synchronised",
        "available_bytes": "absent where Intune says 0, which is its default",
        "checkin_at": "the last synchronisation; some hardware facts are renewed weekly only",
        "inventory_at": "never: Intune has one time for inventory and check-in",
        "pending_os_version": "never: iosUpdateStatuses holds the version a device has, not the one that waits",
        "platform": "iPhone and iPad: the list is asked for no other, so an Apple Vision Pro may be missing",
        "os_build": "never for iPhone and iPad",
        "department": "never: it is the directory's, and reading it takes a permission for all users",
        "asset_tag": "never: Intune has no such property",
        "roaming": "never: nothing in Graph holds it",
        "account_active": "never: nothing in Graph holds it",
    },
)
