"""One Jamf Pro device: the keys that are kept of it, and the record they make.

Names, units and empty values are those of `GET /v2/mobile-devices/detail` (Jamf Pro API reference, read
2026-11-22).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, NotRequired

from pydantic import TypeAdapter
from typing_extensions import TypedDict

from connectors import _wire
from connectors._enrollment import personal
from connectors._rows import Loose, field, has, mapping, reader, rows
from fleet.model.device import DeviceRecord, Enrollment, Ownership, Platform, Rejected
from fleet.model.fact import ABSENT, NEVER, UNREADABLE, Fact, Gap, Never

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

# Jamf's MB is Apple's decimal GB times 1024: a device of 64 GB states 65536.
_MB = _wire.GB / 1024
_USER_ENROLMENTS = {"userenrollment", "accountdrivenuserenrollment", "personaldeviceprofile"}
_OWNERS = {
    "institutional": Ownership.ORGANISATION,
    # Says how it was enrolled, not whose it is.
    "accountdrivendeviceenrollment": ABSENT,
} | dict.fromkeys(_USER_ENROLMENTS, Ownership.PERSONAL)
_PLATFORMS = {
    "ios": Platform.IOS,
    "tvos": Platform.TVOS,
    "visionos": Platform.VISIONOS,
    "watchos": Platform.WATCHOS,
    # Left over from the years in which Jamf enrolled Android devices.
    "unknown": Platform.OTHER,
}

FIELDS = {
    "serial": "hardware.serialNumber", "udid": "general.udid", "name": "general.displayName",
    "asset_tag": "general.assetTag", "model_identifier": "hardware.modelIdentifier", "model_name": "hardware.model",
    "platform": "deviceType", "os_version": "general.osVersion", "os_build": "general.osBuild",
    "managed": "general.managed", "supervised": "general.supervised", "enrollment": "general.deviceOwnershipType",
    "ownership": "general.deviceOwnershipType", "shared_ipad": "general.sharedIpad",
    "capacity_bytes": "hardware.capacityMb", "available_bytes": "hardware.availableSpaceMb",
    "backup_enabled": "general.cloudBackupEnabled", "last_cloud_backup_at": "general.lastCloudBackupDate",
    "last_local_backup_at": "general.lastBackupDate", "inventory_at": "general.lastInventoryUpdateDate",
    "checkin_at": "general.lastContactDate", "enrolled_at": "general.lastEnrolledDate",
    "battery_percent": "hardware.batteryLevel", "roaming": "network.roaming",
    "account_active": "general.itunesStoreAccountActive", "lost_mode": "security.lostModeEnabled",
    "user_name": "userAndLocation.realName, userAndLocation.username", "user_email": "userAndLocation.emailAddress",
    "department": "userAndLocation.department", "site": "general.siteId", "groups": "groups",
}  # fmt: skip
"""Behind which field of the vendor's each signal stands."""


class _General(TypedDict, total=False):
    udid: object
    displayName: object
    assetTag: object
    siteId: object
    lastInventoryUpdateDate: object
    lastContactDate: object
    osVersion: object
    osBuild: object
    managed: object
    supervised: object
    deviceOwnershipType: object
    enrollmentMethodPrestage: object
    lastEnrolledDate: object
    sharedIpad: object
    lastBackupDate: object
    cloudBackupEnabled: object
    lastCloudBackupDate: object
    itunesStoreAccountActive: object


class _Hardware(TypedDict, total=False):
    capacityMb: object
    availableSpaceMb: object
    batteryLevel: object
    serialNumber: object
    model: object
    modelIdentifier: object


class _User(TypedDict, total=False):
    username: object
    realName: object
    emailAddress: object
    department: object


class _Security(TypedDict, total=False):
    lostModeEnabled: object


class _Network(TypedDict, total=False):
    roaming: object


class _Row(TypedDict, total=False):
    mobileDeviceId: object
    deviceType: object
    general: Annotated[_General | object, Loose]
    hardware: Annotated[_Hardware | object, Loose]
    userAndLocation: Annotated[_User | object, Loose]
    security: Annotated[_Security | object, Loose]
    network: Annotated[_Network | object, Loose]
    groups: object
    profiles: object


class DetailPage(TypedDict):
    """One page of the list; a row of another kind than an object arrives as it is."""

    totalCount: NotRequired[object]
    results: list[Annotated[_Row | object, Loose]]


PAGE = TypeAdapter(DetailPage)


def read_record(row: object, place: str, sites: Mapping[str, str]) -> DeviceRecord | Rejected:
    """The record of one row of the list; rejected without a `mobileDeviceId`.

    Args:
        row: as decoded by `PAGE`.
        place: where the row stands, for the report.
        sites: names by id.
    """
    native_id = identity(row)
    if native_id is None:
        return Rejected(place, "no usable mobileDeviceId")
    general, hardware, user = (field(row, name) for name in ("general", "hardware", "userAndLocation"))
    g, h, u = reader(general), reader(hardware), reader(user)
    inventory_at = _wire.instant(g("lastInventoryUpdateDate"))
    identifier, model = _wire.text(h("modelIdentifier")), _wire.text(h("model"))
    platform = _platform(field(row, "deviceType"), identifier, model)
    capacity, available = _wire.storage(h("capacityMb"), h("availableSpaceMb"), unit=_MB)
    record = DeviceRecord(
        native_id=native_id,
        serial=_wire.text(h("serialNumber")),
        udid=_wire.text(g("udid")),
        name=_wire.text(g("displayName")),
        asset_tag=_wire.text(g("assetTag")),
        model_identifier=identifier,
        model_name=model,
        platform=platform,
        os_version=_wire.text(g("osVersion")),
        os_build=_wire.text(g("osBuild")),
        managed=_wire.flag(g("managed")),
        supervised=_wire.flag(g("supervised")),
        enrollment=_enrollment(general),
        ownership=_ownership(g("deviceOwnershipType")),
        shared_ipad=_wire.flag(g("sharedIpad")),
        capacity_bytes=capacity,
        available_bytes=available,
        backup_enabled=_backup_enabled(g("cloudBackupEnabled"), inventory_at),
        last_cloud_backup_at=_last_cloud_backup(general, platform, inventory_at),
        last_local_backup_at=_wire.instant(g("lastBackupDate")),
        inventory_at=inventory_at,
        checkin_at=_wire.instant(g("lastContactDate")),
        enrolled_at=_wire.instant(g("lastEnrolledDate")),
        battery_percent=_battery(h("batteryLevel"), platform),
        roaming=_wire.flag(field(field(row, "network"), "roaming")),
        account_active=_wire.flag(g("itunesStoreAccountActive")),
        lost_mode=_wire.flag(field(field(row, "security"), "lostModeEnabled")),
        user_name=_wire.first_known(_wire.text(u("realName")), _wire.text(u("username"))),
        user_email=_wire.text(u("emailAddress")),
        department=_wire.text(u("department")),
        site=_site(_wire.text(g("siteId")), sites),
        groups=_groups(field(row, "groups")),
    )
    return personal(record)


def identity(row: object) -> str | None:
    """The row's `mobileDeviceId`, None where there is none to rely on."""
    return _wire.any_id(field(row, "mobileDeviceId"))


def _platform(kind: object, identifier: Fact[str], model: Fact[str]) -> Fact[Platform]:
    return _wire.platform_by_model(_wire.word(kind, _PLATFORMS), identifier, model)


def _enrollment(general: object) -> Fact[Enrollment]:
    kind = _wire.text(field(general, "deviceOwnershipType"))
    if not isinstance(kind, Gap) and kind.lower() in _USER_ENROLMENTS:
        return Enrollment.USER
    if mapping(field(general, "enrollmentMethodPrestage")):
        return Enrollment.AUTOMATED
    if isinstance(kind, Gap):
        return kind
    if not has(general, "enrollmentMethodPrestage"):
        return ABSENT
    return Enrollment.DEVICE if kind.lower() in _OWNERS else UNREADABLE


def _ownership(kind: object) -> Fact[Ownership]:
    return _wire.word(kind, _OWNERS)


def _backup_enabled(value: object, inventory_at: Fact[datetime]) -> Fact[bool]:
    # Before its first inventory Jamf shows the default, false.
    return ABSENT if isinstance(inventory_at, Gap) else _wire.flag(value)


def _last_cloud_backup(
    general: object, platform: Fact[Platform], inventory_at: Fact[datetime]
) -> Fact[datetime | Never]:
    moment = _wire.instant(field(general, "lastCloudBackupDate"))
    if moment is not ABSENT:
        return moment
    asked = has(general, "lastCloudBackupDate") and not isinstance(inventory_at, Gap)
    return NEVER if asked and platform in {Platform.IOS, Platform.IPADOS, Platform.VISIONOS} else ABSENT


def _battery(level: object, platform: Fact[Platform]) -> Fact[int]:
    percent = _wire.percent(level)
    return ABSENT if percent == 0 and platform is Platform.TVOS else percent


def _site(site_id: Fact[str], sites: Mapping[str, str]) -> Fact[str]:
    # "-1" is Jamf's id for no site; it is in no list.
    return site_id if isinstance(site_id, Gap) else sites.get(site_id, ABSENT)


def _groups(value: object) -> Fact[tuple[str, ...]]:
    if value is None:
        return ABSENT
    try:
        return _wire.names([field(group, "groupName") for group in rows(value)])
    except ValueError:
        return UNREADABLE
