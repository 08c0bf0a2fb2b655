"""One Addigy device: the facts that are asked for, and the record they make.

A device's values are facts, each with its type, its value and an error message. Names and units: Addigy API v2
specification, public client typings and a recording of an iPad, read 2026-11-22.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated

from pydantic import TypeAdapter
from typing_extensions import TypedDict

from connectors import _wire
from connectors._enrollment import enrolled, personal
from connectors._rows import Loose, field, rows
from fleet.model.device import DeviceRecord, Platform, Rejected
from fleet.model.fact import ABSENT, NOT_REPORTED, UNREADABLE, Fact, Gap

if TYPE_CHECKING:
    from collections.abc import Mapping

FACTS = (
    "serial_number",
    "udid",
    "device_name",
    "device_model_name",
    "product_name",
    "hardware_model",
    "system_version",
    "mac_os_x_version",
    "os_version",
    "build_version",
    "is_supervised",
    "is_user_enrollment",
    "enrolled_via_dep",
    "maximum_resident_users",
    "total_disk_space_gb",
    "free_disk_space_gb",
    "is_cloud_backup_enabled",
    "last_cloud_backup_date",
    "mdm_last_connected",
    "last_online",
    "registration_date",
    "battery_percentage",
    "is_roaming",
    "is_mdm_lost_mode_enabled",
    "policy_id",
    "policy_ids",
)
"""Without such a list Addigy sends a small set of its own, without backups."""

_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})")
_SYSTEMS = {platform.lower(): platform for platform in Platform if platform is not Platform.OTHER}

FIELDS = {
    "serial": "serial_number", "udid": "udid", "name": "device_name",
    "model_identifier": "product_name, hardware_model", "model_name": "device_model_name", "os_version": "os_version",
    "os_build": "build_version", "supervised": "is_supervised", "enrollment": "is_user_enrollment, enrolled_via_dep",
    "shared_ipad": "maximum_resident_users", "capacity_bytes": "total_disk_space_gb",
    "available_bytes": "free_disk_space_gb", "backup_enabled": "is_cloud_backup_enabled",
    "last_cloud_backup_at": "last_cloud_backup_date", "inventory_at": "audit_date, agent_audit_date",
    "checkin_at": "mdm_last_connected, last_online", "enrolled_at": "registration_date",
    "battery_percent": "battery_percentage", "roaming": "is_roaming", "lost_mode": "is_mdm_lost_mode_enabled",
    "groups": "policy_ids",
}  # fmt: skip
"""Behind which field of the vendor's each signal stands."""


class _Item(TypedDict, total=False):
    agentid: object
    orgid: object
    audit_date: object
    agent_audit_date: object
    facts: object


class DevicePage(TypedDict):
    """One page of the list; an item of another kind than an object arrives as it is, no items may be null."""

    items: list[Annotated[_Item | object, Loose]] | None
    metadata: object


PAGE = TypeAdapter(DevicePage)


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """What is known of one device from elsewhere than the list."""

    groups: Fact[tuple[str, ...]] = ABSENT
    user_name: Fact[str] = NOT_REPORTED
    user_email: Fact[str] = NOT_REPORTED
    department: Fact[str] = NOT_REPORTED
    pending_os_version: Fact[str] = NOT_REPORTED


def fact_of(item: object, name: str) -> object:
    """The value of a fact as it was sent; None where it is missing, or came with an error message."""
    fact = field(field(item, "facts"), name)
    failed = isinstance(_wire.text(field(fact, "error_msg")), str)
    return None if failed else field(fact, "value")


def read_record(item: object, place: str, beside: Beside) -> DeviceRecord | Rejected:
    """The record of one item of the list; rejected without an `agentid`."""
    native_id = _wire.text(field(item, "agentid"))
    if isinstance(native_id, Gap):
        return Rejected(place, "no usable agentid")
    fact = partial(fact_of, item)
    capacity, available = _wire.storage(
        fact("total_disk_space_gb"), fact("free_disk_space_gb"), unit=_wire.GB
    )
    record = DeviceRecord(
        native_id=native_id,
        serial=_wire.text(fact("serial_number")),
        udid=_wire.text(fact("udid")),
        name=_name(fact("device_name")),
        model_identifier=_identifier(item),
        model_name=_wire.text(fact("device_model_name")),
        platform=platform_of(item),
        os_version=_wire.text(fact("os_version")),
        os_build=_wire.text(fact("build_version")),
        supervised=_wire.flag(fact("is_supervised")),
        enrollment=enrolled(
            by_user=_wire.flag(fact("is_user_enrollment")), automated=_wire.flag(fact("enrolled_via_dep"))
        ),
        shared_ipad=_shared(fact("maximum_resident_users")),
        capacity_bytes=capacity,
        available_bytes=available,
        backup_enabled=_wire.flag(fact("is_cloud_backup_enabled")),
        last_cloud_backup_at=_wire.instant(fact("last_cloud_backup_date")),
        inventory_at=_wire.first_known(
            _wire.instant(field(item, "audit_date")), _wire.instant(field(item, "agent_audit_date"))
        ),
        checkin_at=_wire.first_known(
            _wire.instant(fact("mdm_last_connected")), _wire.instant(fact("last_online"))
        ),
        enrolled_at=_wire.instant(fact("registration_date")),
        battery_percent=_wire.percent(fact("battery_percentage")),
        roaming=_wire.flag(fact("is_roaming")),
        lost_mode=_wire.flag(fact("is_mdm_lost_mode_enabled")),
        pending_os_version=beside.pending_os_version,
        user_name=beside.user_name,
        user_email=beside.user_email,
        department=beside.department,
        groups=beside.groups,
    )
    return personal(record)


def platform_of(item: object) -> Fact[Platform]:
    """By the model; else by the first word of the system, which is iOS on an iPad too; else a Mac by its own fact."""
    model, product = _wire.text(fact_of(item, "device_model_name")), _identifier(item)
    by_model = _wire.platform_of_model(product, model)
    if not isinstance(by_model, Gap):
        return by_model
    system = _wire.text(fact_of(item, "system_version"))
    if not isinstance(system, Gap):
        return _SYSTEMS.get(system.split()[0].lower(), UNREADABLE)
    mac = _wire.text(fact_of(item, "mac_os_x_version"))
    return ABSENT if isinstance(mac, Gap) else Platform.MACOS


def groups_of(item: object, policies: Mapping[str, Fact[str]]) -> Fact[tuple[str, ...]]:
    """The names of the device's policies; one without a known name is left out."""
    listed = fact_of(item, "policy_ids")
    if listed is None:
        only = fact_of(item, "policy_id")
        listed = None if only is None else [only]
    if listed is None:
        return ABSENT
    try:
        ids = [_wire.text(one) for one in rows(listed)]
    except ValueError:
        return UNREADABLE
    return _wire.names([name for one in ids if isinstance(name := policies.get(str(one), ABSENT), str)])


def _identifier(item: object) -> Fact[str]:
    return _wire.first_known(
        _wire.text(fact_of(item, "product_name")), _wire.text(fact_of(item, "hardware_model"))
    )


def _name(value: object) -> Fact[str]:
    r"""The name; Addigy was seen to send a typographic apostrophe as the six characters `\u2019`."""
    if isinstance(value, str) and "\\u" in value:
        value = _ESCAPE.sub(lambda found: chr(int(found[1], 16)), value)
        value = value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return _wire.text(value)


def _shared(residents: object) -> Fact[bool]:
    # Room for users is what only a Shared iPad has; none may be what an unasked device shows.
    count = _wire.number(residents)
    if isinstance(count, Gap):
        return count
    return True if count > 0 else ABSENT
