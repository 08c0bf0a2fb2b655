"""One SimpleMDM device: the keys that are kept of it, and the record they make.

Only these are kept: the list also carries recovery keys and passwords. Names, units and empty values are those of
`GET /devices` (SimpleMDM API reference and public recordings, read 2026-11-22).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, NotRequired

from pydantic import TypeAdapter
from typing_extensions import TypedDict

from connectors import _wire
from connectors._enrollment import enrolled, personal
from connectors._rows import Loose, decode, field, reader
from connectors._simplemdm_lists import Group, groups_of, identity
from fleet.model.device import DeviceRecord, Platform, Rejected
from fleet.model.fact import ABSENT, NOT_REPORTED, UNREADABLE, Fact, Gap

if TYPE_CHECKING:
    from collections.abc import Mapping

    from connectors._simplemdm_profiles import Profiles

_BACKED_UP = {Platform.IOS, Platform.IPADOS, Platform.VISIONOS}
_STATUSES = {"enrolled": True, "awaiting enrollment": False, "unenrolled": False}
_PERCENT = re.compile(r"(\d{1,3})%", re.ASCII)

FIELDS = {
    "serial": "serial_number", "udid": "unique_identifier", "name": "name, device_name",
    "model_identifier": "product_name", "model_name": "model_name", "os_version": "os_version",
    "os_build": "build_version", "managed": "status", "supervised": "is_supervised",
    "enrollment": "user_enrollment, is_dep_enrollment", "capacity_bytes": "device_capacity",
    "available_bytes": "available_device_capacity", "backup_enabled": "is_cloud_backup_enabled",
    "last_cloud_backup_at": "last_cloud_backup_date", "checkin_at": "last_seen_at", "enrolled_at": "enrolled_at",
    "battery_percent": "battery_level", "roaming": "is_roaming", "lost_mode": "lost_mode_enabled",
    "account_active": "itunes_store_account_is_active", "groups": "relationships.groups",
}  # fmt: skip
"""Behind which field of the vendor's each signal stands."""


class _Attributes(TypedDict, total=False):
    name: object
    device_name: object
    status: object
    last_seen_at: object
    enrolled_at: object
    os_version: object
    build_version: object
    model_name: object
    model: object
    product_name: object
    unique_identifier: object
    serial_number: object
    device_capacity: object
    available_device_capacity: object
    battery_level: object
    is_roaming: object
    is_supervised: object
    is_dep_enrollment: object
    user_enrollment: object
    itunes_store_account_is_active: object
    is_cloud_backup_enabled: object
    last_cloud_backup_date: object
    lost_mode_enabled: object


class _Relationships(TypedDict, total=False):
    device_group: object
    groups: object


class _Row(TypedDict, total=False):
    id: object
    attributes: Annotated[_Attributes | object, Loose]
    relationships: Annotated[_Relationships | object, Loose]


class _Devices(TypedDict):
    data: list[Annotated[_Row | object, Loose]]
    has_more: NotRequired[object]


_PAGE = TypeAdapter(_Devices)


def devices(body: bytes) -> object:
    """A page of the list; raises ValueError where it is none."""
    return decode(_PAGE, body)


def read_record(
    row: object, place: str, names: Mapping[Group, str] | None, profiles: Profiles | None
) -> DeviceRecord | Rejected:
    """The record of one row of the list; rejected without an `id`.

    Args:
        row: as decoded by `devices`.
        place: where the row stands, for the report.
        names: of the groups; None where they could not be read.
        profiles: what groups are subject to; None where they are not asked for.
    """
    native_id = identity(row)
    if native_id is None:
        return Rejected(place, "no usable id")
    of = reader(field(row, "attributes"))
    identifier, model = _wire.text(of("product_name")), _model(_wire.text(of("model_name")))
    # Of a Mac, `model` is the identifier; of others a part number.
    platform = _wire.platform_of_model(identifier, model, _wire.text(of("model")))
    capacity, available = _wire.storage(of("device_capacity"), of("available_device_capacity"), unit=_wire.GB)
    groups = groups_of(row)
    assigned = () if isinstance(groups, Gap) else groups
    record = DeviceRecord(
        native_id=native_id,
        serial=_wire.text(of("serial_number")),
        udid=_wire.text(of("unique_identifier")),
        name=_wire.first_known(_wire.text(of("name")), _wire.text(of("device_name"))),
        model_identifier=identifier,
        model_name=model,
        platform=platform,
        os_version=_wire.text(of("os_version")),
        os_build=_wire.text(of("build_version")),
        managed=_wire.word(of("status"), _STATUSES),
        supervised=_wire.flag(of("is_supervised")),
        enrollment=enrolled(
            by_user=_wire.flag(of("user_enrollment")), automated=_wire.flag(of("is_dep_enrollment"))
        ),
        capacity_bytes=capacity,
        available_bytes=available,
        backup_enabled=_backup_enabled(of("is_cloud_backup_enabled"), platform),
        # An empty date means never or not known, and nothing tells which.
        last_cloud_backup_at=_wire.instant(of("last_cloud_backup_date")),
        backup_restricted=NOT_REPORTED if profiles is None else profiles.backup_restricted(assigned),
        checkin_at=_wire.instant(of("last_seen_at")),
        enrolled_at=_wire.instant(of("enrolled_at")),
        battery_percent=_battery(of("battery_level")),
        roaming=_wire.flag(of("is_roaming")),
        account_active=_wire.flag(of("itunes_store_account_is_active")),
        lost_mode=_wire.flag(of("lost_mode_enabled")),
        vpn_configured=NOT_REPORTED if profiles is None else profiles.vpn_configured(assigned),
        groups=_groups(groups, names),
    )
    return personal(record)


def _model(name: Fact[str]) -> Fact[str]:
    # What SimpleMDM calls a device that has not enrolled yet.
    return ABSENT if name == "Unknown" else name


def _backup_enabled(value: object, platform: Fact[Platform]) -> Fact[bool]:
    enabled = _wire.flag(value)
    # Devices that have no iCloud Backup at all, such as Macs, stand in the list with false.
    return ABSENT if enabled is False and platform not in _BACKED_UP else enabled


def _battery(value: object) -> Fact[int]:
    """Text such as "93%"; a bare number up to 1 is a fraction."""
    if not isinstance(value, str):
        level = _wire.number(value)
        return level if isinstance(level, Gap) else _wire.percent(level, scale=100 if level <= 1 else 1)
    share = _PERCENT.fullmatch(value.strip())
    if share is None:
        return UNREADABLE if value.strip() else ABSENT
    return _wire.percent(int(share[1]))


def _groups(groups: Fact[tuple[Group, ...]], names: Mapping[Group, str] | None) -> Fact[tuple[str, ...]]:
    if isinstance(groups, Gap):
        return groups
    return ABSENT if names is None else _wire.names([names.get(group) for group in groups])
