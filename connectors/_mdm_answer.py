"""What an Apple device itself answers to the commands of an MDM, as facts; for servers that hand its answers on.

Keys, units and empty values are those of Apple's device management schema (`DeviceInformation`, `Restrictions`,
`ProfileList`, `AvailableOSUpdates`), read 2026-11-22.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import Any

from connectors import _rows, _wire
from connectors._profile import VPN
from fleet.model.fact import ABSENT, UNREADABLE, Fact, Gap

FIELDS = {
    "shared_ipad": "IsMultiUser",
    "capacity_bytes": "DeviceCapacity",
    "available_bytes": "AvailableDeviceCapacity",
    "backup_enabled": "IsCloudBackupEnabled",
    "last_cloud_backup_at": "LastCloudBackupDate",
    "battery_percent": "BatteryLevel",
    "roaming": "ServiceSubscriptions",
    "account_active": "iTunesStoreAccountIsActive",
    "lost_mode": "IsMDMLostModeEnabled",
}
"""Behind which key of a `DeviceInformation` each signal stands."""
INFORMATION_KEYS = (*FIELDS.values(), "IsRoaming")
"""What `of_information` reads."""

_GIB = 2**30
_BLOCKS_PER_GIB = _GIB // 4096


def of_information(responses: object) -> dict[str, Fact[Any]]:
    """The signals that the `QueryResponses` of a `DeviceInformation` tell; a key that is missing is absent."""
    told = partial(_rows.field, responses)
    capacity, available = storage(told("DeviceCapacity"), told("AvailableDeviceCapacity"))
    return {
        "shared_ipad": _wire.flag(told("IsMultiUser")),
        "capacity_bytes": capacity,
        "available_bytes": available,
        "backup_enabled": _wire.flag(told("IsCloudBackupEnabled")),
        "last_cloud_backup_at": _date(told("LastCloudBackupDate")),
        "battery_percent": _wire.percent(told("BatteryLevel"), scale=100),
        "roaming": _roaming(told("ServiceSubscriptions"), told("IsRoaming")),
        "account_active": _wire.flag(told("iTunesStoreAccountIsActive")),
        "lost_mode": _wire.flag(told("IsMDMLostModeEnabled")),
    }


def storage(capacity: object, available: object) -> tuple[Fact[int], Fact[int]]:
    """Capacity and free space in bytes; a server may have asked for the free space alone."""
    unit = _unit(capacity, available)
    if capacity is None:
        return ABSENT, _wire.size(available, unit=unit)
    return _wire.storage(capacity, available, unit=unit)


def _unit(*sizes: object) -> float:
    # Apple's reference says GB; systems up to iOS 13 sent GiB. Both are whole blocks of 4096 bytes, and no number of
    # blocks is one in either unit unless it is a round number of GB.
    in_blocks = (
        size * _BLOCKS_PER_GIB for size in sizes if isinstance(size, float) and not size.is_integer()
    )
    return _GIB if any(blocks.is_integer() for blocks in in_blocks) else _wire.GB


def _date(value: object) -> Fact[datetime]:
    # A property list's dates are UTC and say no zone. That the device leaves one out does not prove that there was
    # no backup: the server may not have asked.
    if value is None:
        return ABSENT
    return _wire.utc(value.replace(tzinfo=UTC)) if isinstance(value, datetime) else UNREADABLE


def _roaming(subscriptions: object, top_level: object) -> Fact[bool]:
    """True if any SIM roams; before iOS 16 the device said it once for all."""
    by_slot = _wire.roaming(subscriptions, "IsRoaming")
    return by_slot if by_slot is not ABSENT else _wire.flag(top_level)


def backup_restricted(global_restrictions: object) -> Fact[bool]:
    """Whether the restrictions in force forbid iCloud Backup.

    Only restrictions that something touches are listed; that a missing one is allowed is nowhere said.
    """
    rules = _rows.field(global_restrictions, "restrictedBool")
    allowed = _wire.flag(_rows.field(_rows.field(rules, "allowCloudBackup"), "value"))
    return allowed if isinstance(allowed, Gap) else not allowed


def vpn_configured(profile_list: object) -> Fact[bool]:
    """False where no profile holds a VPN; one that does is not proof, for the list tells its type alone."""
    try:
        payloads = [
            _rows.field(payload, "PayloadType")
            for profile in _rows.rows(profile_list)
            for payload in _rows.rows(_rows.field(profile, "PayloadContent"))
        ]
    except ValueError:
        return ABSENT
    return ABSENT if VPN in payloads else False


def newest_update(updates: object) -> Fact[str]:
    """The highest version among `AvailableOSUpdates`; absent where none is on offer."""
    try:
        offered = [_wire.text(_rows.field(update, "Version")) for update in _rows.rows(updates)]
    except ValueError:
        return UNREADABLE
    if UNREADABLE in offered:
        return UNREADABLE
    known = (version for version in offered if not isinstance(version, Gap))
    return max(known, key=_in_order, default=ABSENT)


def _in_order(version: str) -> list[int]:
    return [int(part) if part.isdecimal() else -1 for part in version.split(".")]
