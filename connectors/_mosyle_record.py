"""One Mosyle device: the columns that are asked for, and the record they make.

Names and empty values are those of Mosyle Manager's own API articles and of public clients of Mosyle Business
(read 2026-11-22). Both products send almost every value as text.
"""

from __future__ import annotations

import json
import re
from datetime import UTC
from typing import TYPE_CHECKING

from connectors import _wire
from connectors._enrollment import enrolled, personal
from connectors._rows import field, mapping, reader
from fleet.model.device import DeviceRecord, Enrollment, Platform, Rejected
from fleet.model.fact import ABSENT, UNREADABLE, Fact, Gap

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

COLUMNS = [
    "deviceudid",
    "serial_number",
    "device_name",
    "asset_tag",
    "os",
    "osversion",
    "BuildVersion",
    "device_model",
    "device_model_name",
    "model_name",
    "is_supervised",
    "enrollment_type",
    "ManagementStatus",
    "total_disk",
    "available_disk",
    "battery",
    "date_info",
    "date_last_beat",
    "date_enroll",
    "status",
    "is_deleted",
    "isCloudBackupEnabled",
    "LastCloudBackupDate",
    "iTunesStoreAccountIsActive",
    "isroaming",
    "lostmode_status",
    "needosupdate",
    "tags",
    "username",
    "useremail",
    "location",
]
"""What is asked of each device, and no more."""

_SYSTEMS = {
    "ios": Platform.IOS,
    "tvos": Platform.TVOS,
    "visionos": Platform.VISIONOS,
    "mac": Platform.MACOS,
}
_YES_OR_NO = {"1": True, "true": True, "0": False, "false": False}
_VERSION = re.compile(r"\d{1,2}(\.\d{1,3}){1,3}|\d{2}")

FIELDS = {
    "serial": "serial_number", "udid": "deviceudid", "name": "device_name", "asset_tag": "asset_tag",
    "model_identifier": "device_model", "model_name": "device_model_name, model_name", "platform": "os",
    "os_version": "osversion", "os_build": "BuildVersion", "managed": "devices.status", "supervised": "is_supervised",
    "enrollment": "ManagementStatus", "shared_ipad": "enrollment_type", "capacity_bytes": "total_disk",
    "available_bytes": "available_disk", "backup_enabled": "isCloudBackupEnabled",
    "last_cloud_backup_at": "LastCloudBackupDate", "inventory_at": "date_info", "checkin_at": "date_last_beat",
    "enrolled_at": "date_enroll", "battery_percent": "battery", "roaming": "isroaming",
    "account_active": "iTunesStoreAccountIsActive", "lost_mode": "lostmode_status",
    "pending_os_version": "needosupdate", "user_name": "username", "user_email": "useremail", "site": "location",
    "groups": "tags",
}  # fmt: skip
"""Behind which field of the vendor's each signal stands."""


def read_record(row: object, place: str) -> DeviceRecord | Rejected:
    """The record of one row of the list; rejected with neither a `deviceudid` nor a `serial_number`.

    Args:
        row: a device as it stands in the answer.
        place: where the row stands, for the report.
    """
    native_id = identity(row)
    if native_id is None:
        return Rejected(place, "no usable deviceudid or serial_number")
    column = reader(row)
    enrollment = _enrollment(column("ManagementStatus"))
    inventory_at = _moment(column("date_info"))
    identifier, model = _wire.text(column("device_model")), _wire.text(column("model_name"))
    capacity, available = _wire.storage(
        _numeric(column("total_disk")), _numeric(column("available_disk")), unit=_wire.GB
    )
    record = DeviceRecord(
        native_id=native_id,
        serial=_wire.text(column("serial_number")),
        # Under User Enrolment the id is one that Apple made up for it.
        udid=ABSENT if enrollment is Enrollment.USER else _wire.text(column("deviceudid")),
        name=_wire.text(column("device_name")),
        asset_tag=_wire.text(column("asset_tag")),
        model_identifier=identifier,
        model_name=_wire.first_known(_wire.text(column("device_model_name")), model),
        platform=_platform(column("os"), identifier, model),
        os_version=_wire.text(column("osversion")),
        os_build=_wire.text(column("BuildVersion")),
        managed=_wire.word(column("status"), {"in": True}),
        supervised=_yes(column("is_supervised")),
        enrollment=enrollment,
        shared_ipad=_wire.word(column("enrollment_type"), {"shared": True, "general": False}),
        capacity_bytes=capacity,
        available_bytes=available,
        backup_enabled=_told(column("isCloudBackupEnabled"), inventory_at),
        # Nothing says that an empty date means that there was no backup.
        last_cloud_backup_at=_moment(column("LastCloudBackupDate")),
        inventory_at=inventory_at,
        checkin_at=_moment(column("date_last_beat")),
        enrolled_at=_moment(column("date_enroll")),
        battery_percent=_battery(column("battery")),
        roaming=_yes(column("isroaming")),
        account_active=_told(column("iTunesStoreAccountIsActive"), inventory_at),
        lost_mode=_wire.word(_plain(column("lostmode_status")), {"enabled": True, "disabled": False}),
        pending_os_version=_pending(_wire.text(_plain(column("needosupdate")))),
        user_name=_wire.text(column("username")),
        user_email=_wire.text(column("useremail")),
        site=_wire.text(column("location")),
        groups=_tags(column("tags")),
    )
    return personal(record)


def identity(row: object) -> str | None:
    """The row's `deviceudid`, else its serial number; None where there is neither to rely on."""
    known = (_wire.text(field(row, name)) for name in ("deviceudid", "serial_number"))
    return next((name for name in known if not isinstance(name, Gap)), None)


def deleted(row: object) -> bool:
    """True if Mosyle only remembers the device."""
    return _yes(field(row, "is_deleted")) is True


def _enrollment(value: object) -> Fact[Enrollment]:
    """Told in JSON text within the JSON, any of whose keys may be missing."""
    status = _nested(value)
    if isinstance(status, Gap):
        return status
    by_user, automated = _yes(status.get("IsUserEnrollment")), _yes(status.get("EnrolledViaDEP"))
    return enrolled(by_user=by_user, automated=automated)


def _nested(value: object) -> Fact[Mapping[str, object]]:
    if value is None or value in ("", "null"):
        return ABSENT
    try:
        said: object = json.loads(value) if isinstance(value, str) else value
    except (ValueError, RecursionError):
        return UNREADABLE
    return mapping(said) or (ABSENT if said in ({}, []) else UNREADABLE)


def _platform(system: object, *models: Fact[str]) -> Fact[Platform]:
    return _wire.platform_by_model(_wire.word(system, _SYSTEMS), *models)


def _told(value: object, inventory_at: Fact[datetime]) -> Fact[bool]:
    # Before its first inventory a device stands in the list with the default, "0".
    return ABSENT if isinstance(inventory_at, Gap) else _yes(value)


def _yes(value: object) -> Fact[bool]:
    if isinstance(value, bool):
        return value
    said = _plain(str(value) if type(value) is int else value)
    return _wire.word(said, _YES_OR_NO)


def _plain(value: object) -> object:
    """`value`, or None for the word by which clients of the API know that there is no data."""
    return None if value == "null" else value


def _numeric(value: object) -> object:
    return _wire.numeric(_plain(value))


def _moment(value: object) -> Fact[datetime]:
    """Seconds since 1970, else ISO 8601, in UTC where it names no zone; 0 is no date."""
    seconds = _numeric(value)
    return _wire.instant(seconds, zone=UTC) if isinstance(seconds, str) else _wire.epoch(seconds)


def _battery(value: object) -> Fact[int]:
    """A fraction up to 1, as recorded from Mosyle Business; anything above is percent."""
    level = _wire.number(_numeric(value))
    if isinstance(level, Gap):
        return level
    return _wire.percent(level, scale=100 if level <= 1 else 1)


def _pending(version: Fact[str]) -> Fact[str]:
    if isinstance(version, Gap) or version == "0":
        return version if isinstance(version, Gap) else ABSENT
    return version if _VERSION.fullmatch(version) else UNREADABLE


def _tags(value: object) -> Fact[tuple[str, ...]]:
    """Tags come in one text with commas; no text at all is no answer, an empty one no tags."""
    said = _plain(value)
    return _wire.names(said.split(",") if isinstance(said, str) else None if said is None else 0)
