"""What is known of one device: the signals, one source's record of it, and the device merged from several."""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import StrEnum
from operator import attrgetter
from typing import TYPE_CHECKING

from fleet.model.fact import NOT_REPORTED, Fact, Gap, Never
from fleet.model.frozen import frozen, frozen_in_order

if TYPE_CHECKING:
    from datetime import datetime


class Platform(StrEnum):
    """Operating systems that an MDM may list; `OTHER` is a known platform that none of these names."""

    IOS = "iOS"
    IPADOS = "iPadOS"
    TVOS = "tvOS"
    VISIONOS = "visionOS"
    WATCHOS = "watchOS"
    MACOS = "macOS"
    ANDROID = "android"
    OTHER = "other"


class Enrollment(StrEnum):
    """How the device came under management; `USER` is any form of Apple's User Enrolment."""

    AUTOMATED = "automated"
    DEVICE = "device"
    USER = "user"


class Ownership(StrEnum):
    """Whose device it is."""

    ORGANISATION = "organisation"
    PERSONAL = "personal"


@frozen_in_order
class Signals:
    """Every signal that a source can report, also given in the order of `SIGNALS`; one left out is `not_reported`.

    Sizes are bytes (decimal units at the vendors are converted by their connector), times are UTC with whole
    seconds, `battery_percent` is 0 to 100. `last_cloud_backup_at` is `NEVER` where the source says so.
    """

    serial: Fact[str] = NOT_REPORTED
    udid: Fact[str] = NOT_REPORTED
    name: Fact[str] = NOT_REPORTED
    asset_tag: Fact[str] = NOT_REPORTED
    model_identifier: Fact[str] = NOT_REPORTED
    model_name: Fact[str] = NOT_REPORTED
    platform: Fact[Platform] = NOT_REPORTED
    os_version: Fact[str] = NOT_REPORTED
    os_build: Fact[str] = NOT_REPORTED
    managed: Fact[bool] = NOT_REPORTED
    supervised: Fact[bool] = NOT_REPORTED
    enrollment: Fact[Enrollment] = NOT_REPORTED
    ownership: Fact[Ownership] = NOT_REPORTED
    shared_ipad: Fact[bool] = NOT_REPORTED
    capacity_bytes: Fact[int] = NOT_REPORTED
    available_bytes: Fact[int] = NOT_REPORTED
    backup_enabled: Fact[bool] = NOT_REPORTED
    last_cloud_backup_at: Fact[datetime | Never] = NOT_REPORTED
    last_local_backup_at: Fact[datetime] = NOT_REPORTED
    backup_restricted: Fact[bool] = NOT_REPORTED
    inventory_at: Fact[datetime] = NOT_REPORTED
    checkin_at: Fact[datetime] = NOT_REPORTED
    enrolled_at: Fact[datetime] = NOT_REPORTED
    battery_percent: Fact[int] = NOT_REPORTED
    roaming: Fact[bool] = NOT_REPORTED
    account_active: Fact[bool] = NOT_REPORTED
    lost_mode: Fact[bool] = NOT_REPORTED
    vpn_configured: Fact[bool] = NOT_REPORTED
    pending_os_version: Fact[str] = NOT_REPORTED
    user_name: Fact[str] = NOT_REPORTED
    user_email: Fact[str] = NOT_REPORTED
    department: Fact[str] = NOT_REPORTED
    site: Fact[str] = NOT_REPORTED
    groups: Fact[tuple[str, ...]] = NOT_REPORTED


SIGNALS = tuple(field.name for field in fields(Signals))
facts_of = attrgetter(*SIGNALS)
"""Every fact of a record or a device, in the order of `SIGNALS`: one call where a loop over names would take many."""


def _of_type(*types: str) -> tuple[str, ...]:
    """The signals that are declared to be one of these facts, in the order of `SIGNALS`."""
    return tuple(field.name for field in fields(Signals) if field.type in {f"Fact[{name}]" for name in types})


FLAG_SIGNALS = _of_type("bool")
NUMBER_SIGNALS = _of_type("int")
SIZE_SIGNALS = tuple(name for name in NUMBER_SIGNALS if name.endswith("_bytes"))
TIME_SIGNALS = _of_type("datetime", "datetime | Never")
LIST_SIGNALS = _of_type("tuple[str, ...]")
"""What each signal is stands in its declaration alone; whatever is not in one of these is a text."""


@frozen
class DeviceRecord(Signals):
    """What one source says of one device at one collection.

    Attributes:
        native_id: the vendor's own id of the record, unique within the source.
    """

    native_id: str

    def observed_at(self, collected_at: datetime) -> datetime:
        """When the device itself reported these facts: the inventory, else the check-in, else the collection."""
        for moment in (self.inventory_at, self.checkin_at):
            if not isinstance(moment, Gap):
                return moment
        return collected_at


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row whose identity could not be read: counted, never stored, never with content in it.

    Attributes:
        where: the place, for example `page 3, row 17`.
        why: one clause without any value from the row.
        native_id: the vendor's id where at least that is known; such a device keeps its last known facts.
    """

    where: str
    why: str
    native_id: str | None = None


class Standing(StrEnum):
    """How a source's latest collection accounts for one device."""

    READ = "read"
    """It was read in that collection."""
    UNREAD = "unread"
    """It was not read, and nothing follows from that: the collection was not complete, or its row was unreadable."""
    ABSENT = "absent"
    """A complete collection did not contain it."""


@frozen
class Sighting:
    """One source's last known record of a device, with its age and its standing in the latest collection.

    Attributes:
        last_seen_at: `as_of` of the last collection that contained the device.
    """

    source: str
    record: DeviceRecord
    observed_at: datetime
    last_seen_at: datetime
    standing: Standing


@frozen
class Device(Signals):
    """One device, merged: per signal the freshest known value over all its sightings.

    Attributes:
        key: the stable fingerprint of its identity, 32 hex digits.
        sightings: the records that count, freshest first; never empty.
        superseded: older records of the same source (a wiped and re-enrolled device), which do not count.
    """

    key: str
    sightings: tuple[Sighting, ...]
    superseded: tuple[Sighting, ...] = ()

    def sighting_of(self, signal: str) -> Sighting:
        """The sighting that won `signal`; where nobody knows it, the freshest one."""
        if len(self.sightings) == 1:
            return self.sightings[0]
        for sighting in self.sightings:
            if not isinstance(getattr(sighting.record, signal), Gap):
                return sighting
        return self.sightings[0]

    @property
    def observed_at(self) -> datetime:
        """The newest time at which any source heard from the device itself."""
        return self.sightings[0].observed_at
