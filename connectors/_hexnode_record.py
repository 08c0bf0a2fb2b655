"""One Hexnode device: what the list and its own page say of it, and the record they make.

Names, units and empty values are those of the recorded list and of a device's page (a public recording of 2022,
public clients, read 2026-11-22). No page of an iPhone was seen: its keys are those of Android devices.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from connectors import _wire
from connectors._hexnode_lists import identity
from connectors._rows import field, reader
from fleet.model.device import DeviceRecord, Platform, Rejected
from fleet.model.fact import ABSENT, Fact, Gap

if TYPE_CHECKING:
    from collections.abc import Mapping

BY_DETAILS = frozenset(
    {
        "model_identifier",
        "os_build",
        "supervised",
        "capacity_bytes",
        "available_bytes",
        "inventory_at",
        "battery_percent",
        "roaming",
        "lost_mode",
        "user_email",
    }
)
_SYSTEMS = {
    "ios": Platform.IOS,
    "ipados": Platform.IPADOS,
    "tvos": Platform.TVOS,
    "visionos": Platform.VISIONOS,
    "watchos": Platform.WATCHOS,
    "macos": Platform.MACOS,
    "android": Platform.ANDROID,
    "windows": Platform.OTHER,
    "chromeos": Platform.OTHER,
    "linux": Platform.OTHER,
}
_STATUSES = {"enrolled": True, "disenrolled": False}
_NOBODY = "Default User"

FIELDS = {
    "serial": "serial_number", "udid": "udid", "name": "device_name", "model_identifier": "device.product_name",
    "model_name": "model_name", "platform": "os_name", "os_version": "os_version", "os_build": "device.build_version",
    "managed": "enrollment_status", "supervised": "device.is_supervised", "capacity_bytes": "device.device_capacity",
    "available_bytes": "device.available_device_capacity", "inventory_at": "lastscanned",
    "checkin_at": "last_reported", "enrolled_at": "enrolled_time", "battery_percent": "device.battery_level",
    "roaming": "network.is_roaming", "lost_mode": "lostmode", "user_name": "user.name", "user_email": "user.email",
}  # fmt: skip
"""Behind which field of the vendor's each signal stands."""


def read_record(row: object, place: str, groups: Mapping[str, list[str]] | Gap) -> DeviceRecord | Rejected:
    """The record of one row of the list, without what only the device's page says; rejected without an `id`.

    Args:
        row: of the list.
        place: where the row stands, for the report.
        groups: names by device id, or the gap in their place.
    """
    native_id = identity(row)
    if native_id is None:
        return Rejected(place, "no usable id")
    of = reader(row)
    model = _wire.text(of("model_name"))
    return DeviceRecord(
        native_id=native_id,
        serial=_wire.text(of("serial_number")),
        udid=_wire.text(of("udid")),
        name=_wire.text(of("device_name")),
        model_name=model,
        platform=_wire.platform_by_model(_wire.word(of("os_name"), _SYSTEMS), model),
        os_version=_wire.text(of("os_version")),
        managed=_wire.word(of("enrollment_status"), _STATUSES),
        checkin_at=_wire.instant(of("last_reported")),
        enrolled_at=_wire.instant(of("enrolled_time")),
        user_name=_somebody(_wire.text(field(of("user"), "name"))),
        groups=groups if isinstance(groups, Gap) else _wire.names(groups.get(native_id, [])),
    )


def with_page(record: DeviceRecord, page: object) -> DeviceRecord:
    """The record with what the device's own page adds, or with the gap in its place."""
    facts = dict.fromkeys(BY_DETAILS, page) if isinstance(page, Gap) else _of_page(page)
    platform = _wire.platform_by_model(record.platform, facts["model_identifier"])
    return replace(record, platform=platform, **facts)


def _of_page(page: object) -> Mapping[str, Fact[Any]]:
    of, device = reader(page), reader(field(page, "device"))
    capacity, available = _wire.storage(
        device("device_capacity"), device("available_device_capacity"), unit=_wire.GB
    )
    return {
        "model_identifier": _wire.text(device("product_name")),
        "os_build": _wire.text(device("build_version")),
        "supervised": _wire.flag(device("is_supervised")),
        "capacity_bytes": capacity,
        "available_bytes": available,
        "inventory_at": _wire.instant(of("lastscanned")),
        "battery_percent": _wire.percent(device("battery_level")),
        "roaming": _wire.flag(field(of("network"), "is_roaming")),
        "lost_mode": _wire.flag(of("lostmode")),
        "user_email": _wire.text(field(of("user"), "email")),
    }


def _somebody(name: Fact[str]) -> Fact[str]:
    # The account that Hexnode puts in for devices that belong to nobody.
    return ABSENT if name == _NOBODY else name
