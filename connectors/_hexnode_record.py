"""One Hexnode device: what the list and its own page say of it, and the record they make.

Names, units and empty values are those of the recorded list and of a device's page (a public recording of 2022,
public clients, read 2026-11-22). No page of an iPhone was seen: its keys are those of Android devices.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from connectors import _wire
from connectors._hexnode_lists import identity
from connectors._rows import field
from fleet.model.device import DeviceRecord, Platform, Rejected
from fleet.model.fact import ABSENT, NOT_REPORTED, Fact, Gap

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
_HANDHELDS = {Platform.IOS, Platform.IPADOS, Platform.VISIONOS}
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
_WITHOUT_DETAILS = dict.fromkeys(BY_DETAILS, NOT_REPORTED)


def worth_asking(row: object) -> bool:
    """True for an iPhone or iPad under management: of others nothing is wanted that the list does not say."""
    platform = _platform(field(row, "os_name"), _wire.text(field(row, "model_name")))
    handheld = isinstance(platform, Gap) or platform in _HANDHELDS
    return handheld and _wire.word(field(row, "enrollment_status"), _STATUSES) is not False


def read_record(
    row: object, place: str, page: object, groups: Mapping[str, list[str]] | None, *, detail: bool
) -> DeviceRecord | Rejected:
    """The record of one device; rejected without an `id`.

    Args:
        row: of the list.
        place: where the row stands, for the report.
        page: the device's own page; None where it could not be had.
        groups: names by device id; None where they could not be read.
        detail: False where neither pages nor groups are asked for.
    """
    native_id = identity(row)
    if native_id is None:
        return Rejected(place, "no usable id")
    of = partial(field, row)
    facts = _of_page(page) if detail else _WITHOUT_DETAILS
    model, identifier = _wire.text(of("model_name")), facts["model_identifier"]
    return DeviceRecord(
        native_id=native_id,
        serial=_wire.text(of("serial_number")),
        udid=_wire.text(of("udid")),
        name=_wire.text(of("device_name")),
        model_name=model,
        platform=_platform(of("os_name"), identifier, model),
        os_version=_wire.text(of("os_version")),
        managed=_wire.word(of("enrollment_status"), _STATUSES),
        checkin_at=_wire.instant(of("last_reported")),
        enrolled_at=_wire.instant(of("enrolled_time")),
        user_name=_somebody(_wire.text(field(of("user"), "name"))),
        groups=_groups(native_id, groups) if detail else NOT_REPORTED,
        **facts,
    )


def _of_page(page: object) -> Mapping[str, Fact[Any]]:
    of, device = partial(field, page), partial(field, field(page, "device"))
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


def _platform(system: object, *models: Fact[str]) -> Fact[Platform]:
    platform = _wire.word(system, _SYSTEMS)
    if platform is not Platform.IOS and not isinstance(platform, Gap):
        return platform
    # Hexnode may say iOS of iPads too; where no model tells them apart, its word stands.
    by_model = _wire.platform_of_model(*models)
    return platform if isinstance(by_model, Gap) else by_model


def _somebody(name: Fact[str]) -> Fact[str]:
    # The account that Hexnode puts in for devices that belong to nobody.
    return ABSENT if name == _NOBODY else name


def _groups(native_id: str, groups: Mapping[str, list[str]] | None) -> Fact[tuple[str, ...]]:
    return ABSENT if groups is None else _wire.names(groups.get(native_id, []))
