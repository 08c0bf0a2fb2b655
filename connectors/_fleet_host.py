"""One host of Fleet: the keys that are kept of it, and the record they make.

Names, units and empty values are those of `GET /api/v1/fleet/hosts` and `/hosts/{id}` (Fleet's REST API reference
and the structures of its source, 4.90 to 4.91, read 2026-11-22).
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated

from pydantic import TypeAdapter
from typing_extensions import TypedDict

from connectors import _wire
from connectors._enrollment import personal
from connectors._fleet_standing import identifiers, standing_of
from connectors._rows import Loose, field, reader, rows
from fleet.model.device import DeviceRecord, Platform, Rejected
from fleet.model.fact import ABSENT, UNREADABLE, Fact, Gap

DETAIL_ONLY = frozenset(
    {
        "os_build",
        "backup_enabled",
        "last_cloud_backup_at",
        "battery_percent",
        "roaming",
        "account_active",
        "lost_mode",
        "user_name",
        "department",
        "groups",
    }
)
"""What Fleet tells of a host only where it is asked for by its id."""

_PLATFORMS = {
    "ios": Platform.IOS,
    "ipados": Platform.IPADOS,
    "tvos": Platform.TVOS,
    "visionos": Platform.VISIONOS,
    "watchos": Platform.WATCHOS,
    "darwin": Platform.MACOS,
    "android": Platform.ANDROID,
}
_SYSTEM_NAME = re.compile(r"(?:iOS|iPadOS|macOS|tvOS|visionOS|watchOS) +")
# Fleet writes 2000-01-01 for what has not happened yet.
_FIRST_REAL_DAY = datetime(2000, 1, 2, tzinfo=UTC)

FIELDS = {
    "serial": "hardware_serial", "udid": "udid, uuid", "name": "computer_name, display_name",
    "model_identifier": "hardware_model", "platform": "platform", "os_version": "os_version",
    "os_build": "build, supplemental_build_version", "managed": "mdm.enrollment_status",
    "enrollment": "mdm.enrollment_status", "ownership": "mdm.enrollment_status",
    "capacity_bytes": "gigs_total_disk_space", "available_bytes": "gigs_disk_space_available",
    "backup_enabled": "is_cloud_backup_enabled", "last_cloud_backup_at": "last_cloud_backup_date",
    "inventory_at": "detail_updated_at", "checkin_at": "last_mdm_checked_in_at, seen_time",
    "enrolled_at": "last_mdm_enrolled_at, last_enrolled_at", "battery_percent": "battery_level",
    "roaming": "service_subscriptions", "account_active": "itunes_store_account_is_active",
    "lost_mode": "is_mdm_lost_mode_enabled", "user_name": "end_users", "user_email": "end_users, device_mapping",
    "department": "end_users", "site": "team_name, fleet_name", "groups": "labels",
}  # fmt: skip
"""Behind which field of the vendor's each signal stands."""


class _Mdm(TypedDict, total=False):
    enrollment_status: object


class Host(TypedDict, total=False):
    """A host as the list gives it; the keys from `udid` on come with its details."""

    id: object
    uuid: object
    hardware_serial: object
    hardware_model: object
    computer_name: object
    display_name: object
    platform: object
    os_version: object
    build: object
    team_name: object
    fleet_name: object
    gigs_total_disk_space: object
    gigs_disk_space_available: object
    detail_updated_at: object
    seen_time: object
    last_enrolled_at: object
    device_mapping: object
    mdm: Annotated[_Mdm | object, Loose]
    udid: object
    last_mdm_checked_in_at: object
    last_mdm_enrolled_at: object
    supplemental_os_version_extra: object
    supplemental_build_version: object
    battery_level: object
    is_cloud_backup_enabled: object
    last_cloud_backup_date: object
    is_mdm_lost_mode_enabled: object
    itunes_store_account_is_active: object
    service_subscriptions: object
    end_users: object
    labels: object


class HostPage(TypedDict):
    """One page of the list; a row of another kind than an object arrives as it is."""

    hosts: list[Annotated[Host | object, Loose]]


class HostDetail(TypedDict):
    """The answer for one host."""

    host: Host


PAGE = TypeAdapter(HostPage)
DETAIL = TypeAdapter(HostDetail)


def read_host(host: object, place: str) -> DeviceRecord | Rejected:
    """The record of one host; rejected without an `id`.

    Args:
        host: a row of the list, with its details laid over it where they were read.
        place: where the row stands, for the report.
    """
    native_id = identity(host)
    return Rejected(place, "no usable id") if native_id is None else _record(host, native_id)


def without_details(record: DeviceRecord, gap: Gap) -> DeviceRecord:
    """The record of a row of the list alone, with the reason for which its details are not there."""
    return record if gap is ABSENT else replace(record, **dict.fromkeys(DETAIL_ONLY, gap))


def identity(host: object) -> str | None:
    """The host's `id` as text, None where there is none to rely on."""
    return _wire.number_id(field(host, "id"))


def _record(host: object, native_id: str) -> DeviceRecord:
    h, end_user = reader(host), _first(field(host, "end_users"))
    standing, platform = standing_of(host), _platform(h("platform"))
    serial, udid = identifiers(host, platform, standing)
    capacity, available = _wire.storage(
        h("gigs_total_disk_space"), h("gigs_disk_space_available"), unit=_wire.GB
    )
    record = DeviceRecord(
        native_id=native_id,
        serial=serial,
        udid=udid,
        name=_wire.first_known(_wire.text(h("computer_name")), _wire.text(h("display_name"))),
        model_identifier=_wire.text(h("hardware_model")),
        platform=platform,
        os_version=_os_version(h("os_version"), h("supplemental_os_version_extra")),
        os_build=_wire.first_known(_wire.text(h("build")), _wire.text(h("supplemental_build_version"))),
        managed=standing.managed,
        enrollment=standing.enrollment,
        ownership=standing.ownership,
        capacity_bytes=capacity,
        available_bytes=available,
        backup_enabled=_wire.flag(h("is_cloud_backup_enabled")),
        last_cloud_backup_at=_moment(h("last_cloud_backup_date")),
        inventory_at=_moment(h("detail_updated_at")),
        checkin_at=_wire.first_known(_moment(h("last_mdm_checked_in_at")), _moment(h("seen_time"))),
        enrolled_at=_wire.first_known(_moment(h("last_mdm_enrolled_at")), _moment(h("last_enrolled_at"))),
        battery_percent=_wire.percent(h("battery_level"), scale=100),
        roaming=_wire.roaming(h("service_subscriptions"), "is_roaming"),
        account_active=_wire.flag(h("itunes_store_account_is_active")),
        lost_mode=_wire.flag(h("is_mdm_lost_mode_enabled")),
        user_name=_wire.first_known(
            _wire.text(field(end_user, "idp_full_name")), _wire.text(field(end_user, "idp_username"))
        ),
        user_email=_email(end_user, h("device_mapping")),
        department=_wire.text(field(end_user, "idp_department")),
        site=_wire.first_known(_wire.text(h("team_name")), _wire.text(h("fleet_name"))),
        groups=_groups(h("labels")),
    )
    return personal(record)


def _platform(value: object) -> Fact[Platform]:
    said = _wire.text(value)
    # The words for Linux are its distributions, an open list.
    return said if isinstance(said, Gap) else _PLATFORMS.get(said.lower(), Platform.OTHER)


def _os_version(value: object, extra: object) -> Fact[str]:
    said, letter = _wire.text(value), _wire.text(extra)
    if isinstance(said, Gap):
        return said
    version = _SYSTEM_NAME.sub("", said, count=1)
    return version if isinstance(letter, Gap) or letter in version else f"{version} {letter}"


def _moment(value: object) -> Fact[datetime]:
    moment = _wire.instant(value)
    return ABSENT if not isinstance(moment, Gap) and moment < _FIRST_REAL_DAY else moment


def _email(end_user: object, mapping: object) -> Fact[str]:
    """The user's address: the login where it is one, else the first of the others."""
    login = _wire.text(field(end_user, "idp_username"))
    others = [field(_first(field(end_user, "other_emails")), "email"), field(_first(mapping), "email")]
    said = [login if isinstance(login, Gap) or "@" in login else ABSENT, *map(_wire.text, others)]
    return _wire.first_known(*said)


def _groups(labels: object) -> Fact[tuple[str, ...]]:
    if labels is None:
        return ABSENT
    try:
        own = [label for label in rows(labels) if field(label, "label_type") != "builtin"]
    except ValueError:
        return UNREADABLE
    return _wire.names([field(label, "name") for label in own])


def _first(items: object) -> object:
    """The first item of a list, None of an empty one; what is no list stays, and becomes unreadable."""
    try:
        return next(iter(rows(items)), None)
    except ValueError:
        return items
