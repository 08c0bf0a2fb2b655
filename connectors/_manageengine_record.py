"""One ManageEngine device: what the list and its details say of it, and the record they make.

Names, units and empty values: ManageEngine MDM API, "Devices", and a public client, read 2026-11-22. Numbers may
come as text, and its server fills in 0.0 and -1 for what it does not know.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from connectors import _wire
from connectors._rows import field, reader
from fleet.model.device import DeviceRecord, Ownership, Platform, Rejected
from fleet.model.fact import ABSENT, UNREADABLE, Fact, Gap

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

BY_DETAILS = frozenset(
    {
        "asset_tag",
        "model_name",
        "os_build",
        "supervised",
        "capacity_bytes",
        "available_bytes",
        "backup_enabled",
        "last_cloud_backup_at",
        "enrolled_at",
        "battery_percent",
        "roaming",
        "account_active",
    }
)
_HANDHELDS = {Platform.IOS, Platform.IPADOS, Platform.VISIONOS}
_SYSTEMS = {
    "ios": Platform.IOS,
    "ipados": Platform.IPADOS,
    "tvos": Platform.TVOS,
    "visionos": Platform.VISIONOS,
    "macos": Platform.MACOS,
    "android": Platform.ANDROID,
    "windows": Platform.OTHER,
    "chrome": Platform.OTHER,
    "chromeos": Platform.OTHER,
}
_OWNERS = {
    "1": Ownership.ORGANISATION,
    "2": Ownership.PERSONAL,
    "corporate": Ownership.ORGANISATION,
    "personal": Ownership.PERSONAL,
}
_FLAGS = {"true": True, "false": False}
_MANAGED = 2
_NONE = {"", "--"}

FIELDS = {
    "serial": "serial_number", "udid": "udid", "name": "device_name", "asset_tag": "asset_tag",
    "model_identifier": "product_name", "model_name": "model_name", "platform": "platform_type",
    "os_version": "os_version", "os_build": "os.build_version", "managed": "is_removed, managed_status",
    "supervised": "is_supervised", "ownership": "owned_by", "capacity_bytes": "device_capacity",
    "available_bytes": "available_device_capacity", "backup_enabled": "is_cloud_backup_enabled",
    "last_cloud_backup_at": "last_cloud_backup_date", "enrolled_at": "registered_time",
    "battery_percent": "battery_level", "roaming": "network.is_roaming", "account_active": "is_itunes_account_active",
    "lost_mode": "is_lost_mode_enabled", "user_name": "user.user_name", "user_email": "user.user_email",
}  # fmt: skip
"""Behind which field of the vendor's each signal stands."""


def identity(row: object) -> str | None:
    """The row's `device_id`, digits beyond what a double holds; None where there is none to rely on."""
    value = field(row, "device_id")
    if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**63:
        return str(value)
    return value if isinstance(value, str) and re.fullmatch(r"[1-9][0-9]{0,18}", value) else None


def read_record(row: object, place: str) -> DeviceRecord | Rejected:
    """The record of one row of the list, without what only its details say; rejected without a `device_id`."""
    native_id = identity(row)
    if native_id is None:
        return Rejected(place, "no usable device_id")
    of = reader(row)
    identifier, user = _text(of("product_name")), of("user")
    removed = _flag(of("is_removed"))
    return DeviceRecord(
        native_id=native_id,
        serial=_text(of("serial_number")),
        udid=_text(of("udid")),
        name=_text(of("device_name")),
        model_identifier=identifier,
        # ManageEngine says iOS of iPads and Apple TVs too.
        platform=_wire.platform_by_model(_wire.word(of("platform_type"), _SYSTEMS), identifier),
        os_version=_text(of("os_version")),
        managed=removed if isinstance(removed, Gap) else not removed,
        ownership=_owner(of("owned_by")),
        lost_mode=_flag(of("is_lost_mode_enabled")),
        user_name=_text(field(user, "user_name")),
        user_email=_text(field(user, "user_email")),
    )


def with_details(record: DeviceRecord, details: object) -> DeviceRecord:
    """The record with what is told of the device alone, or with the gap in its place."""
    if isinstance(details, Gap):
        return replace(record, **dict.fromkeys(BY_DETAILS, details))
    more = reader(details)
    identifier = _wire.first_known(record.model_identifier, _text(more("product_name")))
    listed = replace(
        record,
        serial=_wire.first_known(record.serial, _text(more("serial_number"))),
        udid=_wire.first_known(record.udid, _text(more("udid"))),
        model_identifier=identifier,
        platform=_wire.platform_by_model(record.platform, identifier, _text(more("model_name"))),
        managed=_managed(record.managed, number_in(more("managed_status"))),
        lost_mode=_wire.first_known(record.lost_mode, _flag(more("is_lost_mode_enabled"))),
    )
    return replace(listed, **_of_details(details, listed.platform, listed.serial))


def _of_details(details: object, platform: Fact[Platform], serial: Fact[str]) -> Mapping[str, Fact[Any]]:
    of = reader(details)
    # A free space of 0.0 is one that is not known.
    capacity, available = _wire.storage(
        number_in(of("device_capacity")),
        number_in(of("available_device_capacity")),
        unit=_wire.GB,
        none_free=ABSENT,
    )
    # A size shows that the device answered an inventory; before that, a false may be a column's default.
    answered = not isinstance(capacity, Gap)
    # Under User Enrolment neither the flags nor the serial number are told.
    told = answered and not isinstance(serial, Gap) and platform in _HANDHELDS
    return {
        "asset_tag": _text(of("asset_tag")),
        "model_name": _text(of("model_name")),
        "os_build": _text(field(of("os"), "build_version")),
        "supervised": _false_if(_flag(of("is_supervised")), told=answered),
        "capacity_bytes": capacity,
        "available_bytes": available,
        "backup_enabled": _false_if(_flag(of("is_cloud_backup_enabled")), told=told),
        "last_cloud_backup_at": _moment(of("last_cloud_backup_date")),
        "enrolled_at": _moment(of("registered_time")),
        "battery_percent": _battery(number_in(of("battery_level"))),
        "roaming": _flag(field(of("network"), "is_roaming")),
        "account_active": _false_if(_flag(of("is_itunes_account_active")), told=told),
    }


def number_in(value: object) -> object:
    """A number that may stand as text; None where the text is empty, any other text as it is."""
    return None if isinstance(value, str) and value.strip() in _NONE else _wire.numeric(value)


def _text(value: object) -> Fact[str]:
    said = _wire.text(value)
    return ABSENT if said in _NONE else said


def _flag(value: object) -> Fact[bool]:
    # Documented as text and shown as a boolean.
    return _wire.word(value, _FLAGS) if isinstance(value, str) else _wire.flag(value)


def _moment(value: object) -> Fact[datetime]:
    # 0 and -1, which stand for none, lie before any real day.
    return _wire.epoch(number_in(value), per_second=1000)


def _false_if(fact: Fact[bool], *, told: bool) -> Fact[bool]:
    return ABSENT if fact is False and not told else fact


def _managed(listed: Fact[bool], status: object) -> Fact[bool]:
    if not isinstance(listed, Gap) or status is None:
        return listed
    # Of the numbers, only that of a managed device is known.
    return True if status == _MANAGED else UNREADABLE


def _owner(value: object) -> Fact[Ownership]:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    return _wire.word(value, _OWNERS)


def _battery(level: object) -> Fact[int]:
    """Percent or a fraction, whichever the server sends; 1 could be either, so it is not read."""
    share = _wire.number(level)
    if isinstance(share, Gap):
        return share
    if share == 1:
        return UNREADABLE
    return _wire.percent(share, scale=100 if share < 1 else 1)
