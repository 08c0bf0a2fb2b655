"""One Iru device: what the list, Prism and the details say of it, and the record they make.

Names, units and empty values: Iru API collection, its example answers and a public recording, read 2026-11-22.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Annotated

from pydantic import TypeAdapter
from typing_extensions import TypedDict

from connectors import _rows, _wire
from connectors._rows import Loose
from fleet.model.device import DeviceRecord, Platform, Rejected
from fleet.model.fact import ABSENT, UNREADABLE, Fact, Gap

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

_PLATFORMS = {
    "iphone": Platform.IOS,
    "ipod": Platform.IOS,
    "ipad": Platform.IPADOS,
    "appletv": Platform.TVOS,
    "mac": Platform.MACOS,
    "android": Platform.ANDROID,
    "windows": Platform.OTHER,
}

FIELDS = {
    "serial": "serial_number", "name": "device_name", "asset_tag": "asset_tag", "model_name": "model",
    "platform": "platform", "os_version": "os_version", "model_identifier": "model_id, model_identifier",
    "os_build": "os_build, supplemental_build_version", "managed": "mdm_enabled", "shared_ipad": "shared_ipad",
    "inventory_at": "last_collected_at", "checkin_at": "last_check_in", "enrolled_at": "last_enrollment",
    "roaming": "is_roaming_slot_1", "lost_mode": "lost_mode_status", "user_name": "user.name",
    "user_email": "user.email", "groups": "blueprint_name, tags", "udid": "hardware_overview.uuid",
    "supervised": "mdm.supervised", "enrollment": "automated_device_enrollment.auto_enrolled",
    "capacity_bytes": "device_capacity, volumes", "available_bytes": "volumes",
}  # fmt: skip
"""Behind which field of the vendor's each signal stands."""


class _Row(TypedDict, total=False):
    device_id: object
    device_name: object
    model: object
    serial_number: object
    platform: object
    os_version: object
    supplemental_build_version: object
    last_check_in: object
    user: object
    asset_tag: object
    mdm_enabled: object
    is_removed: object
    first_enrollment: object
    last_enrollment: object
    blueprint_name: object
    lost_mode_status: object
    tags: object


PAGE = TypeAdapter(list[Annotated[_Row | object, Loose]])


@dataclass(frozen=True, slots=True)
class Inventory:
    """What Prism's device information says of one device."""

    model_identifier: Fact[str] = ABSENT
    os_build: Fact[str] = ABSENT
    shared_ipad: Fact[bool] = ABSENT
    capacity_bytes: Fact[int] = ABSENT
    collected_at: Fact[datetime] = ABSENT


@dataclass(frozen=True, slots=True)
class SideData:
    """What the lists beside the device list say, by device id; departments by the person's id.

    Attributes:
        profiles: whether iCloud Backup is forbidden, and whether a VPN turns itself on; None if not asked for.
    """

    inventories: Mapping[str, Inventory] = field(default_factory=dict[str, Inventory])
    roaming: Mapping[str, Fact[bool]] = field(default_factory=dict[str, Fact[bool]])
    departments: Mapping[str, str] = field(default_factory=dict[str, str])
    profiles: Mapping[str, tuple[Fact[bool], Fact[bool]]] | None = None


_NOTHING = Inventory()
_UNJUDGED: tuple[Fact[bool], Fact[bool]] = (ABSENT, ABSENT)


def read_inventory(row: object) -> Inventory:
    """One row of Prism's device information."""
    return Inventory(
        # Rows from before a change of its format have the older name.
        model_identifier=_wire.first_known(
            _wire.text(_rows.field(row, "model_id")), _wire.text(_rows.field(row, "model_identifier"))
        ),
        os_build=_wire.text(_rows.field(row, "os_build")),
        shared_ipad=_wire.flag(_rows.field(row, "shared_ipad")),
        capacity_bytes=_wire.size(_rows.field(row, "device_capacity"), unit=_wire.GB),
        collected_at=_wire.instant(_rows.field(row, "last_collected_at")),
    )


def read_record(row: object, place: str, side: SideData) -> DeviceRecord | Rejected:
    """The record of one row of the list, without what only its details say; rejected without a `device_id`."""
    native_id = identity(row)
    if native_id is None:
        return Rejected(place, "no usable device_id")
    inventory = side.inventories.get(native_id, _NOTHING)
    model = _wire.text(_rows.field(row, "model"))
    platform = _platform(_rows.field(row, "platform"), inventory.model_identifier, model)
    user = _rows.field(row, "user")
    record = DeviceRecord(
        native_id=native_id,
        serial=_wire.text(_rows.field(row, "serial_number")),
        name=_wire.text(_rows.field(row, "device_name")),
        asset_tag=_wire.text(_rows.field(row, "asset_tag")),
        model_identifier=inventory.model_identifier,
        model_name=model,
        platform=platform,
        os_version=_wire.text(_rows.field(row, "os_version")),
        os_build=_wire.first_known(
            inventory.os_build, _wire.text(_rows.field(row, "supplemental_build_version"))
        ),
        managed=_managed(row),
        # Prism has been seen to say it of a Mac.
        shared_ipad=inventory.shared_ipad if platform is Platform.IPADOS else ABSENT,
        capacity_bytes=inventory.capacity_bytes,
        inventory_at=inventory.collected_at,
        checkin_at=_wire.instant(_rows.field(row, "last_check_in")),
        enrolled_at=_enrolled_at(row),
        roaming=side.roaming.get(native_id, ABSENT),
        lost_mode=_lost_mode(_rows.field(row, "lost_mode_status")),
        user_name=_of_user(user, "name"),
        user_email=_of_user(user, "email"),
        department=_department(user, side.departments),
        groups=_groups(_rows.field(row, "blueprint_name"), _rows.field(row, "tags")),
    )
    if side.profiles is None:
        return record
    restricted, vpn = side.profiles.get(native_id, _UNJUDGED)
    return replace(record, backup_restricted=restricted, vpn_configured=vpn)


def identity(row: object) -> str | None:
    """The row's `device_id`, None where there is none to rely on."""
    said = _wire.text(_rows.field(row, "device_id"))
    return None if isinstance(said, Gap) else said


def person_id(value: object) -> str | None:
    """A person's id, a number in older answers and text in newer ones."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63:
        value = str(value)
    said = _wire.text(value)
    return None if isinstance(said, Gap) else said


def _platform(kind: object, identifier: Fact[str], model: Fact[str]) -> Fact[Platform]:
    said = _wire.word(kind, _PLATFORMS)
    if not isinstance(said, Gap):
        return said
    # What Iru calls a Vision Pro is not documented; its model says it.
    by_model = _wire.platform_of_model(identifier, model)
    return said if isinstance(by_model, Gap) else by_model


def _managed(row: object) -> Fact[bool]:
    return False if _rows.field(row, "is_removed") is True else _wire.flag(_rows.field(row, "mdm_enabled"))


def _enrolled_at(row: object) -> Fact[datetime]:
    last = _wire.instant(_rows.field(row, "last_enrollment"))
    return _wire.instant(_rows.field(row, "first_enrollment")) if last is ABSENT else last


def _lost_mode(value: object) -> Fact[bool]:
    return False if value == "" else _wire.word(value, {"enabled": True})


def _of_user(user: object, key: str) -> Fact[str]:
    """A key of the assigned person; Iru writes "" for nobody, and a person without that key is not nobody."""
    if user is None or user == "":
        return ABSENT
    return _wire.text(_rows.field(user, key)) if _rows.has(user, key) else UNREADABLE


def _department(user: object, departments: Mapping[str, str]) -> Fact[str]:
    return departments.get(person_id(_rows.field(user, "id")) or "", ABSENT)


def _groups(blueprint: object, tags: object) -> Fact[tuple[str, ...]]:
    labels, name = _wire.names(tags), _wire.text(blueprint)
    if labels is UNREADABLE or name is UNREADABLE:
        return UNREADABLE
    own = () if isinstance(name, Gap) else (name,)
    return own + tuple(label for label in labels if label not in own) if not isinstance(labels, Gap) else own
