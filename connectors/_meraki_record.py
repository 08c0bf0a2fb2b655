"""One device of Meraki Systems Manager: the keys that are kept of it, and the record they make.

Names are those of `GET /networks/{networkId}/sm/devices` (Meraki Dashboard API v1.42 to v1.72, read 2026-11-22).
That reference gives no types for the fields that must be asked for; units are those that public clients found.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated

from pydantic import TypeAdapter
from typing_extensions import TypedDict

from connectors import _rows, _wire
from connectors._rows import Loose
from fleet.model.device import DeviceRecord, Platform, Rejected
from fleet.model.fact import ABSENT, UNREADABLE, Fact, Gap

if TYPE_CHECKING:
    from collections.abc import Mapping

ASKED_FOR = (
    "systemType",
    "osBuild",
    "isSupervised",
    "isManaged",
    "hasMdm",
    "hadMdm",
    "deviceCapacity",
    "availableDeviceCapacity",
    "lastConnected",
    "createdAt",
    "batteryEstCharge",
    "ownerEmail",
    "ownerUsername",
    "autoTags",
)
"""What is asked for beyond the fields that come anyway."""

# No iPhone or iPad ever had less: a smaller number was not counted in bytes.
_SMALLEST_DEVICE = 4 * _wire.GB
_SYSTEMS = {
    "ipados": Platform.IPADOS,
    "ios": Platform.IOS,
    "tvos": Platform.TVOS,
    "visionos": Platform.VISIONOS,
    "watchos": Platform.WATCHOS,
    "macos": Platform.MACOS,
    "mac os x": Platform.MACOS,
    "os x": Platform.MACOS,
    "android": Platform.ANDROID,
    "windows": Platform.OTHER,
    "chrome os": Platform.OTHER,
    "chromeos": Platform.OTHER,
}
_VERSION = re.compile(r"\d+(?:\.\d+)*")

FIELDS = {
    "serial": "serialNumber, serial", "udid": "uuid", "name": "name", "model_name": "systemModel",
    "platform": "osName, systemType", "os_version": "osName", "os_build": "osBuild", "managed": "isManaged",
    "supervised": "isSupervised", "capacity_bytes": "deviceCapacity", "available_bytes": "availableDeviceCapacity",
    "checkin_at": "lastConnected", "enrolled_at": "createdAt", "battery_percent": "batteryEstCharge",
    "user_name": "ownerUsername", "user_email": "ownerEmail", "groups": "tags, autoTags",
    "backup_restricted": "restrictions.allowCloudBackup",
}  # fmt: skip
"""Behind which field of the vendor's each signal stands."""


class _Row(TypedDict, total=False):
    id: object
    name: object
    tags: object
    osName: object
    systemModel: object
    uuid: object
    serialNumber: object
    serial: object
    systemType: object
    osBuild: object
    isSupervised: object
    isManaged: object
    hasMdm: object
    hadMdm: object
    deviceCapacity: object
    availableDeviceCapacity: object
    lastConnected: object
    createdAt: object
    batteryEstCharge: object
    ownerEmail: object
    ownerUsername: object
    autoTags: object


PAGE = TypeAdapter(list[Annotated[_Row | object, Loose]])


@dataclass(frozen=True, slots=True)
class Network:
    """One Systems Manager network, and the full names of its owners by e-mail address and user name."""

    id: str
    name: Fact[str]
    owners: Mapping[str, str] = field(default_factory=dict[str, str])


def read_record(row: object, place: str, network: Network) -> DeviceRecord | Rejected:
    """The record of one row of the list; rejected without an `id`."""
    native_id = _wire.any_id(_rows.field(row, "id"))
    if native_id is None:
        return Rejected(place, "no usable id")
    system = _wire.text(_rows.field(row, "osName"))
    model = _wire.text(_rows.field(row, "systemModel"))
    capacity, available = _storage(
        _rows.field(row, "deviceCapacity"), _rows.field(row, "availableDeviceCapacity")
    )
    email = _wire.text(_rows.field(row, "ownerEmail"))
    return DeviceRecord(
        native_id=native_id,
        serial=_wire.first_known(
            _wire.text(_rows.field(row, "serialNumber")), _wire.text(_rows.field(row, "serial"))
        ),
        udid=_wire.text(_rows.field(row, "uuid")),
        name=_wire.text(_rows.field(row, "name")),
        model_name=model,
        platform=_platform(system, _wire.text(_rows.field(row, "systemType")), model),
        os_version=_os_version(system),
        os_build=_wire.text(_rows.field(row, "osBuild")),
        managed=_managed(row),
        supervised=_wire.flag(_rows.field(row, "isSupervised")),
        capacity_bytes=capacity,
        available_bytes=available,
        checkin_at=_wire.epoch(_rows.field(row, "lastConnected")),
        enrolled_at=_wire.epoch(_rows.field(row, "createdAt")),
        battery_percent=_wire.percent(_wire.numeric(_rows.field(row, "batteryEstCharge"))),
        user_name=_user_name(email, _wire.text(_rows.field(row, "ownerUsername")), network),
        user_email=email,
        site=network.name,
        groups=_groups(_rows.field(row, "tags"), _rows.field(row, "autoTags")),
    )


def _platform(system: Fact[str], kind: Fact[str], model: Fact[str]) -> Fact[Platform]:
    said = _wire.first_known(system, kind)
    return _wire.platform_by_model(said if isinstance(said, Gap) else _system(said), model)


def _system(name: str) -> Fact[Platform]:
    lowered = name.lower()
    return next((platform for word, platform in _SYSTEMS.items() if lowered.startswith(word)), UNREADABLE)


def _os_version(system: Fact[str]) -> Fact[str]:
    """The number in "iOS 26.1"; Meraki gives the version nowhere else."""
    if isinstance(system, Gap):
        return system
    if isinstance(_system(system), Gap):
        return UNREADABLE
    number = _VERSION.search(system)
    return number[0] if number else ABSENT


def _managed(row: object) -> Fact[bool]:
    has, had = _wire.flag(_rows.field(row, "hasMdm")), _wire.flag(_rows.field(row, "hadMdm"))
    # Still listed after its management profile went.
    if has is False and had is True:
        return False
    return _wire.flag(_rows.field(row, "isManaged"))


def _storage(total: object, free: object) -> tuple[Fact[int], Fact[int]]:
    """Both in bytes, or neither: the vendor states no unit, and only the capacity can prove that it is bytes."""
    capacity, available = _wire.storage(total, free, unit=1)
    proven = not isinstance(capacity, Gap) and capacity >= _SMALLEST_DEVICE
    return (capacity, available) if proven or capacity is ABSENT else (UNREADABLE, UNREADABLE)


def _user_name(email: Fact[str], login: Fact[str], network: Network) -> Fact[str]:
    known = (network.owners.get(key.casefold()) for key in (email, login) if not isinstance(key, Gap))
    return next((name for name in known if name), login)


def _groups(tags: object, automatic: object) -> Fact[tuple[str, ...]]:
    own, derived = _wire.names(tags), _wire.names(automatic)
    if isinstance(own, Gap) or isinstance(derived, Gap):
        return own if derived is ABSENT else derived if own is ABSENT else UNREADABLE
    return tuple(dict.fromkeys(own + derived))
