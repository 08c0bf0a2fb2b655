"""The answer of Jamf Pro for one device alone, which has other names than the list, as a row of the list.

Names are those of `GET /v2/mobile-devices/{id}/detail` (Jamf Pro API reference, read 2026-11-22).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors._rows import field, has

if TYPE_CHECKING:
    from collections.abc import Mapping


def as_list_row(detail: object) -> dict[str, object]:
    """The answer of `/v2/mobile-devices/{id}/detail`, which has other names, as a row of the list.

    It does not say which way a device was enrolled nor its department, and those stay absent.
    """
    kind = field(detail, "type")
    block = field(detail, kind.lower()) if isinstance(kind, str) else None
    location = field(detail, "location")
    return {
        "mobileDeviceId": field(detail, "id"),
        "deviceType": kind,
        "general": _renamed(detail, _GENERAL) | _renamed(block, _GENERAL_OF_KIND) | _site_of(detail),
        "hardware": _renamed(block, _HARDWARE) | _renamed(detail, {"serialNumber": "serialNumber"}),
        "userAndLocation": _renamed(
            location, {name: name for name in ("username", "realName", "emailAddress")}
        ),
        "security": field(block, "security"),
        "network": field(block, "network"),
        "groups": field(detail, "groups"),
        "profiles": field(block, "configurationProfiles"),
    }


def _renamed(source: object, names: Mapping[str, str]) -> dict[str, object]:
    return {ours: field(source, theirs) for ours, theirs in names.items() if has(source, theirs)}


def _site_of(detail: object) -> dict[str, object]:
    return {"siteId": field(field(detail, "site"), "id")}


_GENERAL = {
    "udid": "udid",
    "displayName": "name",
    "assetTag": "assetTag",
    "lastInventoryUpdateDate": "lastInventoryUpdateTimestamp",
    "lastContactDate": "lastContactTimestamp",
    "osVersion": "osVersion",
    "osBuild": "osBuild",
    "managed": "managed",
    "deviceOwnershipType": "deviceOwnershipLevel",
    "lastEnrolledDate": "lastEnrollmentTimestamp",
}
_GENERAL_OF_KIND = {
    "supervised": "supervised",
    "sharedIpad": "shared",
    "lastBackupDate": "lastBackupTimestamp",
    "cloudBackupEnabled": "cloudBackupEnabled",
    "lastCloudBackupDate": "lastCloudBackupTimestamp",
    "itunesStoreAccountActive": "iTunesStoreAccountActive",
}
_HARDWARE = {
    "capacityMb": "capacityMb",
    "availableSpaceMb": "availableMb",
    "batteryLevel": "batteryLevel",
    "model": "model",
    "modelIdentifier": "modelIdentifier",
}
