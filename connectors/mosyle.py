"""Mosyle Manager (schools) and Mosyle Business: every iPhone, iPad and Vision Pro with all its facts, from one list.

Sources: Mosyle Manager's API articles and public clients of Mosyle Business (read 2026-11-22).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from connectors._connector import Connector, Page, Permission, Surroundings
from connectors._mosyle_list import (
    CONSOLE,
    READ_DEVICES,
    USE_API,
    DeviceList,
    Haul,
    MosyleSettings,
    open_mosyle,
)
from connectors._mosyle_record import FIELDS, deleted, identity, read_record
from connectors._pages import by_number
from connectors._probe import tried
from fleet.errors import BadAnswer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fleet.model.device import DeviceRecord, Rejected

# Apple TVs and Macs stand in lists of their own, and have no iCloud Backup.
_SYSTEMS = ("ios", "visionos")


def walk(settings: MosyleSettings, around: Surroundings) -> Iterator[Page]:
    """Every device that can have an iCloud backup; raises `SourceError` where it cannot go on."""
    with open_mosyle(settings, around) as api:
        devices, tally = DeviceList(api, settings, around), _Tally()
        for system in _SYSTEMS:
            for haul in by_number(partial(devices.page, system), lambda page: len(page.rows), first=1):
                yield Page(rows=tally.add(system, haul), expected=tally.expected)
                # A full page is followed even where the total says that it was the last.
                if tally.whole(system) and len(haul.rows) < devices.page_size:
                    break


@dataclass(slots=True)
class _Tally:
    """What the walk has brought so far, by system.

    Attributes:
        counts: rows that came, each device once.
        totals: how many rows the latest page said there are.
        gone: rows of deleted devices, which are left out.
    """

    seen: set[str] = field(default_factory=set[str])
    counts: dict[str, int] = field(default_factory=dict[str, int])
    totals: dict[str, int | None] = field(default_factory=dict[str, "int | None"])
    gone: int = 0

    def add(self, system: str, haul: Haul) -> list[DeviceRecord | Rejected]:
        """The records that are new; raises `BadAnswer` for a page without news, as such a list has no end."""
        first = self.counts.get(system, 0) + 1
        fresh = [row for row in haul.rows if self._new(row)]
        if not fresh:
            raise BadAnswer(
                "Mosyle's list repeats itself: a page held only devices that came before; report it to Mosyle"
            )
        self.counts[system] = first - 1 + len(fresh)
        self.totals[system] = haul.total
        self.gone += sum(map(deleted, fresh))
        return [
            read_record(row, f"{system}, row {place}")
            for place, row in enumerate(fresh, first)
            if not deleted(row)
        ]

    def _new(self, row: object) -> bool:
        native_id = identity(row)
        # A deleted device may have come back: it does not stand in the way of its own new row.
        if native_id is None or deleted(row):
            return True
        before = len(self.seen)
        self.seen.add(native_id)
        return len(self.seen) > before

    def whole(self, system: str) -> bool:
        """True when as many rows came as the list says it has."""
        total = self.totals[system]
        return total is not None and self.counts[system] >= total

    @property
    def expected(self) -> int | None:
        """How many devices there are by the latest totals; None where one is not stated."""
        stated = [total for total in self.totals.values() if total is not None]
        return sum(stated) - self.gone if len(stated) == len(self.totals) else None


def probe(settings: MosyleSettings, around: Surroundings) -> Iterator[tuple[str, str | None]]:
    """Login and each permission, with the error or None; without a login nothing else is tried."""
    with open_mosyle(settings, around) as api:
        login = tried(USE_API, api.sign_in)
        yield login
        if login[1] is None:
            small = DeviceList(api, settings.model_copy(update={"page_size": 1}), around)
            yield tried(READ_DEVICES, partial(small.page, "ios", 1))


_EXAMPLE = """\
edition = "business"        # or "manager", for schools
# In Mosyle, My School (Manager) or Organization (Business) > Integrations > Mosyle API Integration: add a token. Then
# an administrator for this alone, its permissions limited to "Device: View" and "API Integration: View, Create".
access_token = { env = "MOSYLE_ACCESS_TOKEN" }
email = "fleetkeep@example.com"
password = { env = "MOSYLE_PASSWORD" }
# page_size = 500          # at most 1000
"""

CONNECTOR = Connector(
    kind="mosyle",
    title="Mosyle",
    settings=MosyleSettings,
    provides=frozenset(FIELDS),
    fields=FIELDS,
    permissions=(
        Permission(USE_API, "the login", CONSOLE),
        Permission(READ_DEVICES, "everything", CONSOLE),
    ),
    walk=walk,
    probe=probe,
    example=_EXAMPLE,
    confirmed="Mosyle Manager's API articles of 2022 and 2025 and public clients of Mosyle Business, read "
    "2026-11-22; no tenant of our own",
    remarks={
        "platform": "iPhone, iPad and Vision Pro; the lists of Apple TVs and Macs are not asked for",
        "managed": "true where Mosyle says IN, any other word is unreadable; deleted devices are left out",
        "shared_ipad": "by enrollment_type SHARED, which iPads in a cart may have too",
        "backup_enabled": "absent until Mosyle has an inventory of the device; hidden under User Enrolment",
        "last_cloud_backup_at": "no date may mean never or unknown, so it is absent; hidden under User Enrolment",
        "account_active": "absent until Mosyle has an inventory of the device; hidden under User Enrolment",
        "udid": "hidden under User Enrolment",
        "serial": "hidden under User Enrolment",
        "pending_os_version": "where Mosyle names a version; absent also where the device is up to date",
        "groups": "Mosyle's tags, split at commas; members of device groups would cost a request per group",
        "site": "Mosyle's location",
        "backup_restricted": "Mosyle does not tell what its profiles forbid",
        "vpn_configured": "Mosyle Business tells of VPNs, but not whether one is always on or on demand",
    },
)
