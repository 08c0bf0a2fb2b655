"""One device of Workspace ONE UEM: a row of the device search, and the record it makes.

Names, units and defaults are those of `DeviceExtended` (UEM API explorer, MDM API V2, read 2026-11-22). Keys that
are not known vanish from a row; booleans stay and say false, whether or not the device ever answered.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from connectors import _wire
from connectors._enrollment import enrolled
from connectors._rows import field, reader, rows
from fleet.model.device import DeviceRecord, Ownership, Platform, Rejected
from fleet.model.fact import ABSENT, UNREADABLE, Fact, Gap

if TYPE_CHECKING:
    from collections.abc import Callable

_NO_UUID = "00000000-0000-0000-0000-000000000000"
_CAPACITY_AND_COLOUR = re.compile(r"\s*\(\d+\s?[GT]B\b[^()]*\)$")
_FRESH = timedelta(days=7)
_PLATFORMS = {
    # iPhones, iPads and whatever else runs a system of that family.
    "apple": Platform.IOS,
    "appleosx": Platform.MACOS,
    "appletv": Platform.TVOS,
    "android": Platform.ANDROID,
    **dict.fromkeys(("windowspc", "winrt", "windowsphone8", "chromeos", "linux"), Platform.OTHER),
}
_OWNERS: dict[str, Ownership | Gap] = {
    **dict.fromkeys(("c", "corporate", "s", "shared"), Ownership.ORGANISATION),
    **dict.fromkeys(("e", "employee"), Ownership.PERSONAL),
    "undefined": ABSENT,
}
_SHARED = {"s", "shared"}
_MANAGED = {
    "enrolled": True,
    **dict.fromkeys(("unenrolled", "discovered", "registered", "enrollmentinprogress"), False),
    **dict.fromkeys(("enterprisewipepending", "devicewipepending", "retired"), False),
}

FIELDS = {
    "serial": "SerialNumber", "udid": "Udid", "name": "DeviceReportedName, DeviceFriendlyName",
    "asset_tag": "AssetNumber", "model_name": "Model, ModelId.Name", "platform": "Platform",
    "os_version": "OperatingSystem", "os_build": "OSBuildVersion", "managed": "EnrollmentStatus",
    "supervised": "IsSupervised", "enrollment": "EnrolledViaDEP", "ownership": "Ownership",
    "capacity_bytes": "DeviceCapacity", "available_bytes": "AvailableDeviceCapacity",
    "backup_enabled": "IsCloudBackupEnabled", "inventory_at": "LastSystemSampleTime", "checkin_at": "LastSeen",
    "enrolled_at": "LastEnrolledOn", "battery_percent": "BatteryLevel", "roaming": "IsRoaming",
    "user_name": "UserId.Name, UserName", "user_email": "UserEmailAddress", "site": "LocationGroupName",
}  # fmt: skip
"""Behind which field of the vendor's each signal stands."""


def read_record(row: object, place: str, collected_at: datetime) -> DeviceRecord | Rejected:
    """The record of one row; rejected without `Uuid` and `Id`.

    Args:
        row: one of the search's `Devices`.
        place: where the row stands, for the report.
        collected_at: the clock by which the device's last word is fresh.
    """
    native_id = _identity(row)
    if native_id is None:
        return Rejected(place, "no usable Uuid or Id")
    r = reader(row)
    told = _Told(r, collected_at)
    capacity, available = _wire.storage(r("DeviceCapacity"), r("AvailableDeviceCapacity"), unit=1)
    model = _model(_wire.text(r("Model")), _wire.text(field(r("ModelId"), "Name")))
    return DeviceRecord(
        native_id=native_id,
        serial=told.serial,
        udid=told.udid,
        name=_wire.first_known(_wire.text(r("DeviceReportedName")), _wire.text(r("DeviceFriendlyName"))),
        asset_tag=_asset_tag(_wire.text(r("AssetNumber")), told.udid),
        model_name=model,
        platform=_platform(r("Platform"), model),
        os_version=_wire.text(r("OperatingSystem")),
        os_build=_wire.text(r("OSBuildVersion")),
        managed=_wire.word(r("EnrollmentStatus"), _MANAGED),
        supervised=told.flag("IsSupervised"),
        # Without the automated way it was by hand or by User Enrolment; which, no list says.
        enrollment=enrolled(by_user=ABSENT, automated=_wire.flag(r("EnrolledViaDEP"))),
        ownership=_wire.word(r("Ownership"), _OWNERS),
        capacity_bytes=capacity,
        available_bytes=available,
        backup_enabled=told.backup_enabled(),
        inventory_at=_moment(r("LastSystemSampleTime")),
        checkin_at=told.seen_at,
        enrolled_at=_moment(r("LastEnrolledOn")),
        battery_percent=_battery(r("BatteryLevel")),
        roaming=_roaming(told.flag("IsRoaming"), r("DeviceCellularNetworkInfo")),
        user_name=_wire.first_known(_wire.text(field(r("UserId"), "Name")), _wire.text(r("UserName"))),
        user_email=_wire.text(r("UserEmailAddress")),
        site=_wire.text(r("LocationGroupName")),
    )


@dataclass(slots=True)
class _Told:
    """Facts by which another one of the same row is to be believed."""

    r: Callable[[str], object]
    collected_at: datetime

    @property
    def serial(self) -> Fact[str]:
        return _wire.text(self.r("SerialNumber"))

    @property
    def udid(self) -> Fact[str]:
        return _wire.text(self.r("Udid"))

    @property
    def capacity(self) -> Fact[int]:
        return _wire.size(self.r("DeviceCapacity"), unit=1)

    @property
    def seen_at(self) -> Fact[datetime]:
        return _moment(self.r("LastSeen"))

    def flag(self, key: str) -> Fact[bool]:
        """A flag; false is a default, and only counts of a device that has answered an inventory."""
        said = _wire.flag(self.r(key))
        return ABSENT if said is False and isinstance(self.capacity, Gap) else said

    def backup_enabled(self) -> Fact[bool]:
        """True is told by the device; false only where it answers, may be asked, and could have a backup."""
        said = self.flag("IsCloudBackupEnabled")
        if said is not False:
            return said
        # User Enrolment hides the serial number with the flag; a shared iPad has no backup of its own.
        owner = _wire.text(self.r("Ownership"))
        hidden = isinstance(self.serial, Gap) or (not isinstance(owner, Gap) and owner.lower() in _SHARED)
        fresh = not isinstance(self.seen_at, Gap) and self.collected_at - self.seen_at <= _FRESH
        return False if fresh and not hidden else ABSENT


def _identity(row: object) -> str | None:
    uuid = _wire.text(field(row, "Uuid"))
    if not isinstance(uuid, Gap) and uuid != _NO_UUID:
        return uuid.lower()
    return _wire.number_id(field(field(row, "Id"), "Value"))


def _moment(value: object) -> Fact[datetime]:
    # Without a zone it is UTC, and the year 1 is none.
    return _wire.instant(value, zone=UTC)


def _model(*facts: Fact[str]) -> Fact[str]:
    # "iPhone 15 (128 GB Black)": capacity and colour are no part of the model.
    said = _wire.first_known(*facts)
    return said if isinstance(said, Gap) else _wire.text(_CAPACITY_AND_COLOUR.sub("", said))


def _platform(value: object, model: Fact[str]) -> Fact[Platform]:
    return _wire.platform_by_model(_wire.word(value, _PLATFORMS), model)


def _asset_tag(said: Fact[str], udid: Fact[str]) -> Fact[str]:
    # Some tenants fill in the UDID where nobody gave a number.
    return ABSENT if said == udid else said


def _battery(value: object) -> Fact[int]:
    return _wire.percent(_wire.numeric(value))


def _roaming(said: Fact[bool], cards: object) -> Fact[bool]:
    try:
        on_card = any(field(card, "IsRoaming") is True for card in rows([] if cards is None else cards))
    except ValueError:
        return UNREADABLE
    return True if on_card else said
