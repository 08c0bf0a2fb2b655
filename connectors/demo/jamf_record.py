"""A device of the made-up fleet as Jamf Pro prints it, section by section.

Jamf Pro API reference 11.30, `/v2/mobile-devices/detail`, read 2026-11-22: sections that were not asked for
are null, a capacity in "MB" is 1024 times Apple's decimal GB, dates are UTC with 0 to 3 digits of a second.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from connectors.demo.hardware import HEADSET, TELEVISION
from connectors.demo.story import Condition, Life, Story

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

_MB_PER_GB = 1024
_WHOLE_SECONDS = len("2026-11-22T02:00:00")
_TAGGED = 0.7
_WITHOUT_SITE = 0.05
_AUTOMATED = 0.85
_FIRST_STATIC_GROUP = 2

Json: TypeAlias = "Mapping[str, Json] | list[Json] | str | int | bool | None"


def record(record_id: int, life: Life, state: Condition, sections: frozenset[str]) -> Json:
    """The record of a device in this state, with these of the `SECTIONS`."""
    printed: dict[str, Json] = {"mobileDeviceId": str(record_id), "deviceType": _device_type(life)}
    for section, (key, render) in SECTIONS.items():
        printed[key] = render(life, state) if section in sections else None
    if life.model is TELEVISION:
        del printed["network"]
    return printed


def _device_type(life: Life) -> str:
    return {TELEVISION: "tvOS", HEADSET: "visionOS"}.get(life.model, "iOS")


def _general(life: Life, state: Condition) -> Json:
    fresh = state.release
    return {
        "udid": "" if life.story is Story.BYOD else life.udid,
        "displayName": life.name,
        "assetTag": f"LM-{life.index:05}" if life.chance(0, 8) < _TAGGED else "",
        "siteId": "-1" if life.chance(0, 9) < _WITHOUT_SITE else life.place.site_id,
        "lastInventoryUpdateDate": _iso(state.observed_at, life.salt % 3),
        "lastContactDate": _iso(state.contacted_at, 3),
        "osVersion": fresh.version,
        "osRapidSecurityResponse": "",
        "osBuild": fresh.build,
        "osSupplementalBuildVersion": fresh.build,
        "ipAddress": f"198.51.100.{life.index % 254 + 1}",
        "managed": life.story is not Story.UNMANAGED,
        **_enrollment(life, state),
        "timeZone": "Europe/London",
        "declarativeDeviceManagementEnabled": True,
        **({} if life.model is TELEVISION else _backups(life, state)),
    }


def _enrollment(life: Life, state: Condition) -> dict[str, Json]:
    own = life.story is Story.BYOD
    automated = not own and life.chance(0, 7) < _AUTOMATED
    prestage: Json = {"mobileDevicePrestageId": "2", "profileName": "Larkmoor devices"}
    return {
        "supervised": automated,
        "deviceOwnershipType": "AccountDrivenUserEnrollment" if own else "Institutional",
        "enrollmentMethodPrestage": prestage if automated else None,
        "lastEnrolledDate": _iso(state.enrolled_at, 3),
        "mdmProfileExpirationDate": None,
    }


def _backups(life: Life, state: Condition) -> dict[str, Json]:
    """What only systems that back up to iCloud report; under User Enrolment Jamf prints its empty values."""
    seen = life.story is not Story.BYOD
    return {
        "sharedIpad": life.story is Story.SHARED_IPAD,
        "lastBackupDate": _iso(state.local_backup_at) if seen else None,
        "cloudBackupEnabled": seen and state.backup_enabled,
        "lastCloudBackupDate": _iso(state.last_backup_at) if seen else None,
        "itunesStoreAccountActive": seen and state.account_active,
        "deviceLocatorServiceEnabled": seen,
        "tethered": False,
    }


def _hardware(life: Life, state: Condition) -> Json:
    television = life.model is TELEVISION
    capacity = 0 if television else life.capacity_gb * _MB_PER_GB
    available = 0 if television else int(state.free_gb * _MB_PER_GB)
    return {
        "capacityMb": capacity,
        "availableSpaceMb": available,
        "usedSpacePercentage": (capacity - available) * 100 // capacity if capacity else 0,
        "batteryLevel": state.battery_percent,
        "batteryHealth": "UNKNOWN",
        "serialNumber": "" if life.story is Story.BYOD else life.serial,
        "model": life.model.name,
        "modelIdentifier": life.model.identifier,
    }


def _user(life: Life, _: Condition) -> Json:
    owner = life.owner
    return {
        "username": owner.username if owner else "",
        "realName": owner.real_name if owner else "",
        "emailAddress": owner.email if owner else "",
        "building": life.place.building,
        "department": life.department,
    }


def _security(life: Life, state: Condition) -> Json:
    return {
        "dataProtected": True,
        "passcodePresent": life.owner is not None,
        "activationLockEnabled": False,
        "jailBreakDetected": False,
        "lostModeEnabled": state.lost_mode,
    }


def _network(life: Life, state: Condition) -> Json:
    phone = life.model.product == "iPhone"
    return {
        "cellularTechnology": "GSM" if phone else "None",
        "dataRoamingEnabled": phone and state.roaming,
        "roaming": phone and state.roaming,
        "personalHotspotEnabled": False,
    }


def _groups(life: Life, _: Condition) -> Json:
    return [
        {
            "groupId": str(number),
            "groupName": name,
            "groupDescription": "",
            "smart": number < _FIRST_STATIC_GROUP,
        }
        for number, name in enumerate(group_names(life), 1)
    ]


def group_names(life: Life) -> list[str]:
    """The groups that a device is in, as its server names them."""
    own = life.story is Story.BYOD
    kind = "Personal phones" if own else f"All {life.model.product}s"
    return [kind, f"{life.place.building}: {life.department}"] + ["Shared devices"] * (life.owner is None)


def _empty(_: Life, __: Condition) -> Json:
    return []


def _iso(moment: datetime | None, digits: int = 0) -> str | None:
    """The time as Jamf prints it, with 0, 2 or 3 digits of a second; a digit count of 1 prints none."""
    if moment is None:
        return None
    whole = moment.isoformat()[:_WHOLE_SECONDS]
    fraction = ".48213"[: digits + 1] if digits > 1 else ""
    return f"{whole}{fraction}Z"


SECTIONS: dict[str, tuple[str, Callable[[Life, Condition], Json]]] = {
    "GENERAL": ("general", _general),
    "HARDWARE": ("hardware", _hardware),
    "USER_AND_LOCATION": ("userAndLocation", _user),
    "SECURITY": ("security", _security),
    "NETWORK": ("network", _network),
    "GROUPS": ("groups", _groups),
    "PURCHASING": ("purchasing", _empty),
    "APPLICATIONS": ("applications", _empty),
    "EBOOKS": ("ebooks", _empty),
    "SERVICE_SUBSCRIPTIONS": ("serviceSubscriptions", _empty),
    "CERTIFICATES": ("certificates", _empty),
    "PROFILES": ("profiles", _empty),
    "USER_PROFILES": ("userProfiles", _empty),
    "PROVISIONING_PROFILES": ("provisioningProfiles", _empty),
    "SHARED_USERS": ("sharedUsers", _empty),
    "EXTENSION_ATTRIBUTES": ("extensionAttributes", _empty),
}
"""Each section by the name it is asked by: its key in a record, and how it is printed."""
