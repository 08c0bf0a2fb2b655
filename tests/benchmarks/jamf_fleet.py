"""A believable fleet as Jamf Pro tells of it, night after night, as bytes: 3.3 KB a device, a few microseconds each.

All but one device in a hundred report every night, and all but one in nine have the newest system that the bundled
catalogue knows, so that no day of the year turns the fleet. Seven in ten back up nightly, others now and then, and the
rest is ill in one of the ways that fleets are ill, in a share that stays: what one recovers from, another comes down
with. A device in fifty changes its name each night; nothing else changes but what changes on living devices: dates,
space, battery.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from tests.servers.jamf import jamf_record

if TYPE_CHECKING:
    from collections.abc import Iterator

FIRST_NIGHT = datetime(2026, 11, 22, 2, tzinfo=UTC)
CHANGED_ONE_IN = 50
_GENERAL = (
    "udid",
    "displayName",
    "assetTag",
    "siteId",
    "lastInventoryUpdateDate",
    "lastContactDate",
    "osVersion",
    "managementId",
    "lastEnrolledDate",
    "cloudBackupEnabled",
    "lastCloudBackupDate",
)
_HARDWARE = (
    "capacityMb",
    "availableSpaceMb",
    "usedSpacePercentage",
    "batteryLevel",
    "serialNumber",
    "model",
    "modelIdentifier",
)
_USER = ("username", "realName", "emailAddress", "room", "department")
_MODELS = (
    (b"iPhone 13", b"iPhone14,5", 131072),
    (b"iPhone 16", b"iPhone17,3", 131072),
    (b"iPad 10th generation (Wi-Fi)", b"iPad13,18", 65536),
    (b"iPad 9th generation (Wi-Fi)", b"iPad12,1", 65536),
)
_ILL_FOR = 45
"""Days after which a device that stopped backing up has been seen to."""
_AWAY_FOR = 30
"""Days after which a device that lies in a drawer is looked for."""


def moment(night: int) -> datetime:
    """The clock of that night; the first is 1."""
    return FIRST_NIGHT + timedelta(days=night - 1)


def rows(devices: int, night: int) -> Iterator[bytes]:
    """The record of every device on that night, in the order of their ids, as JSON."""
    template, days = _template(), _days(night)
    for i in range(devices):
        yield template % _values(i, night, days)


def reported(i: int, night: int) -> bool:
    """True if the device sent an inventory for that night."""
    return _silence(_kind(i), i, night) == 0


def _kind(i: int) -> int:
    return i * 2654435761 % 2**32 % 100


def _template() -> bytes:
    """One record with `%b` where `_values` go, in the order in which they stand in the text."""
    record: dict[str, Any] = jamf_record(1) | {"profiles": None, "network": {"roaming": False}}
    record["mobileDeviceId"] = "@mobileDeviceId@"
    for section, names in (("general", _GENERAL), ("hardware", _HARDWARE), ("userAndLocation", _USER)):
        for name in names:
            assert name in record[section]
            record[section][name] = f"@{name}@"
    text = json.dumps(record, separators=(",", ":")).replace("%", "%%")
    found = tuple(re.findall(r'"@(\w+)@"', text))
    assert found == _ORDER, found
    return re.sub(r'"@\w+@"', "%b", text).encode()


_ORDER = (
    "mobileDeviceId",
    "udid",
    "displayName",
    "assetTag",
    "siteId",
    "lastInventoryUpdateDate",
    "lastContactDate",
    "osVersion",
    "lastEnrolledDate",
    "managementId",
    "cloudBackupEnabled",
    "lastCloudBackupDate",
    "capacityMb",
    "availableSpaceMb",
    "usedSpacePercentage",
    "batteryLevel",
    "serialNumber",
    "model",
    "modelIdentifier",
    "username",
    "realName",
    "emailAddress",
    "room",
    "department",
)
_LONGEST_AGO = 60


def _days(night: int) -> list[bytes]:
    """Days before that night, as the first half of a time stamp."""
    at = moment(night)
    return [f'"{at - timedelta(days=ago):%Y-%m-%d}T'.encode() for ago in range(_LONGEST_AGO)]


def _values(i: int, night: int, days: list[bytes]) -> tuple[bytes, ...]:
    mixed = i * 2654435761 % 2**32
    kind, spread = _kind(i), mixed >> 8
    model, identifier, capacity = _MODELS[spread % 4]
    used = 97 + spread % 3 if spread % 29 == 0 else 20 + spread % 60 + (spread + night) % 3
    renamed = (night + i) // CHANGED_ONE_IN
    clock = b'%02d:%02d:%02d.%03dZ"' % (spread % 2, spread % 60, i % 60, spread % 1000)
    return (
        b'"%d"' % (i + 1),
        b'"00008101-%016X"' % mixed,
        b'"Device %06d-%d"' % (i, renamed),
        b'"A%07d"' % i,
        b'"%d"' % (1 + spread % 2),
        days[_silence(kind, i, night)] + clock,
        days[_silence(kind, i, night)] + clock,
        b'"27.0.1"' if spread % 9 else b'"26.4"',
        _ENROLLED[spread % len(_ENROLLED)],
        b'"5f3c0d6e-0000-4000-8000-%012d"' % i,
        b"false" if kind in _OFF else b"true",
        _last_backup(kind, i, night, days, clock),
        b"%d" % capacity,
        b"%d" % (capacity * (100 - used) // 100),
        b"%d" % used,
        b"%d" % (20 + (spread + night) % 80),
        b'"FK%08dQ"' % i,
        b'"%b"' % model,
        b'"%b"' % identifier,
        b'"user%d"' % i,
        b'"Person Number %d"' % i,
        b'"user%d@school.example"' % i,
        b'"R%d"' % (spread % 40),
        b'"Year %d"' % (spread % 12 + 1),
    )


_ENROLLED = [f'"{FIRST_NIGHT - timedelta(days=300 + ago):%Y-%m-%d}T12:00:00Z"'.encode() for ago in range(600)]
_SILENT = 99
_OFF = range(95, 99)
_NEVER = range(92, 95)
_STOPPED = range(80, 92)
_SELDOM = range(70, 80)


def _last_backup(kind: int, i: int, night: int, days: list[bytes], clock: bytes) -> bytes:
    if kind == _SILENT:
        return days[_silence(kind, i, night)] + clock
    if kind in _NEVER:
        return b"null"
    if kind in _OFF:
        return _ENROLLED[i % len(_ENROLLED)]
    if kind in _STOPPED:
        return days[(night + i) % _ILL_FOR] + clock
    if kind in _SELDOM:
        return days[(night + i) % 4] + clock
    return days[0] + clock


def _silence(kind: int, i: int, night: int) -> int:
    """How many days ago it reported."""
    return (night + i) % _AWAY_FOR if kind == _SILENT else 0
