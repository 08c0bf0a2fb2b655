"""One device of Apple's built-in device management: the keys that are kept of it, and the record they make.

Names and units are those of the Apple Business API 2.4 (`mdmDevices`, `mdmDeviceDetails`, `orgDevices`, `users`),
third-party copies of its reference, read 2026-11-22. Of a real device no answer was seen.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, NotRequired

from pydantic import TypeAdapter
from typing_extensions import TypedDict

from connectors import _wire
from connectors._rows import Loose, field, reader
from fleet.model.device import DeviceRecord, Ownership, Platform
from fleet.model.fact import ABSENT, Fact, Gap

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_FAMILIES = {
    "iphone": Platform.IOS,
    "ipod": Platform.IOS,
    "ipad": Platform.IPADOS,
    "mac": Platform.MACOS,
    "appletv": Platform.TVOS,
    "watch": Platform.WATCHOS,
    "vision": Platform.VISIONOS,
}
_PLATFORMS = {platform.lower(): platform for platform in Platform}
_LOST = {"enabled": True, "disabled": False}
DETAIL_ONLY = frozenset({"os_version", "capacity_bytes", "available_bytes", "checkin_at", "lost_mode"})

FIELDS = {
    "serial": "serialNumber", "name": "deviceName", "model_identifier": "productType", "model_name": "deviceModel",
    "platform": "productFamily, platform", "os_version": "osVersion", "capacity_bytes": "storageTotalCapacity",
    "available_bytes": "storageFreeCapacity", "checkin_at": "lastCheckInDateTime", "lost_mode": "lostModeStatus",
    "user_name": "enrolledUserId", "user_email": "email", "department": "department",
}  # fmt: skip
"""Behind which field of the vendor's each signal stands."""


class _Attributes(TypedDict, total=False):
    serialNumber: object
    deviceName: object
    deviceModel: object
    productFamily: object
    productType: object
    enrolledUserId: object
    releasedFromOrgDateTime: object
    firstName: object
    lastName: object
    email: object
    managedAppleAccount: object
    department: object


class _Row(TypedDict, total=False):
    id: object
    attributes: Annotated[_Attributes | object, Loose]


class _List(TypedDict):
    data: list[Annotated[_Row | object, Loose]]
    links: NotRequired[object]
    meta: NotRequired[object]


PAGE = TypeAdapter(_List)


@dataclass(frozen=True, slots=True)
class Directory:
    """What other lists tell beside the devices.

    Attributes:
        owned: attributes of the organization's devices, by serial number.
        users: attributes of its people, by id; a gap where they could not be read.
    """

    owned: Mapping[str, object]
    users: Mapping[str, object] | Gap

    def held(self) -> set[str]:
        """Serial numbers of what the organization has not released."""
        return {serial for serial, owned in self.owned.items() if _ownership(owned) is not ABSENT}


def identity(row: object) -> str | None:
    """The row's `id`, None where there is none to rely on."""
    said = _wire.text(field(row, "id"))
    return None if isinstance(said, Gap) else said


def by_id(rows: Iterable[object]) -> dict[str, object]:
    """The attributes of each row that has an id."""
    return {key: field(row, "attributes") for row in rows if (key := identity(row)) is not None}


def read_record(native_id: str, row: object, detail: object, directory: Directory) -> DeviceRecord:
    """The record of one device.

    Args:
        native_id: its `identity`.
        row: of the list of managed devices.
        detail: attributes of its details; a gap where they were not asked for or not had.
        directory: the lists beside it.
    """
    listed = reader(field(row, "attributes"))
    told = reader(None if isinstance(detail, Gap) else detail)
    serial = _wire.text(listed("serialNumber"))
    owned = None if isinstance(serial, Gap) else directory.owned.get(serial)
    identifier = _wire.text(field(owned, "productType"))
    model = _wire.first_known(_wire.text(told("deviceModel")), _wire.text(field(owned, "deviceModel")))
    family = _wire.first_known(
        _wire.word(listed("productFamily"), _FAMILIES), _wire.platform_of_model(identifier, model)
    )
    user = _user(listed("enrolledUserId"), directory)
    capacity, available = _wire.storage(told("storageTotalCapacity"), told("storageFreeCapacity"), unit=1)
    record = DeviceRecord(
        native_id=native_id,
        serial=serial,
        name=_wire.first_known(_wire.text(listed("deviceName")), _wire.text(told("deviceName"))),
        model_identifier=identifier,
        model_name=model,
        platform=_wire.first_known(family, _wire.word(told("platform"), _PLATFORMS)),
        managed=True,
        ownership=_ownership(owned),
        os_version=_wire.text(told("osVersion")),
        capacity_bytes=capacity,
        available_bytes=available,
        checkin_at=_wire.instant(told("lastCheckInDateTime")),
        lost_mode=_wire.word(told("lostModeStatus"), _LOST),
        user_name=user if isinstance(user, Gap) else _full_name(user),
        user_email=user if isinstance(user, Gap) else _wire.text(field(user, "email")),
        department=user if isinstance(user, Gap) else _wire.text(field(user, "department")),
    )
    return replace(record, **dict.fromkeys(DETAIL_ONLY, detail)) if isinstance(detail, Gap) else record


def _ownership(owned: object) -> Fact[Ownership]:
    # A device that the organization gave up may stay in its list, with the date.
    if owned is None or field(owned, "releasedFromOrgDateTime") is not None:
        return ABSENT
    return Ownership.ORGANISATION


def _user(user_id: object, directory: Directory) -> Fact[object]:
    said = _wire.text(user_id)
    if isinstance(said, Gap):
        return said
    return directory.users if isinstance(directory.users, Gap) else directory.users.get(said, ABSENT)


def _full_name(user: object) -> Fact[str]:
    names = _wire.names([field(user, "firstName"), field(user, "lastName")])
    return (
        _wire.text(" ".join(names))
        if not isinstance(names, Gap) and names
        else _wire.text(field(user, "managedAppleAccount"))
    )
