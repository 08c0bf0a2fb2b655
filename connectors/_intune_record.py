"""One Intune device: its row of the list, and what its own answer adds (managedDevice, Graph, read 2026-11-22)."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from connectors import _wire
from connectors._enrollment import personal
from connectors._rows import field, reader
from fleet.model.device import DeviceRecord, Enrollment, Ownership, Platform, Rejected
from fleet.model.fact import ABSENT, NOT_REPORTED, Fact, Gap

if TYPE_CHECKING:
    from datetime import datetime

# Intune multiplies the whole decimal GB that Apple states by 2**30: a device of 64 GB reads 64 * 2**30.
_STATED_BYTE = _wire.GB / 2**30
_EMAIL_ENDS = re.compile(r"[;,\s]")
_ENROLLMENTS: dict[str, Enrollment | Gap] = {
    "applebulkwithuser": Enrollment.AUTOMATED,
    "applebulkwithoutuser": Enrollment.AUTOMATED,
    # Called so because a user enrolled the device; it is not Apple's User Enrolment.
    "userenrollment": Enrollment.DEVICE,
    "deviceenrollmentmanager": Enrollment.DEVICE,
    "appleuserenrollment": Enrollment.USER,
    "appleuserenrollmentwithserviceaccount": Enrollment.USER,
    "appleaccountdrivenuserenrollment": Enrollment.USER,
    "unknown": ABSENT,
    "unknownfuturevalue": ABSENT,
}
_OWNERS: dict[str, Ownership | Gap] = {
    "company": Ownership.ORGANISATION,
    "personal": Ownership.PERSONAL,
    "unknown": ABSENT,
    "unknownfuturevalue": ABSENT,
}
_MANAGED: dict[str, bool | Gap] = {
    **dict.fromkeys(("managed", "unhealthy", "retirefailed", "wipefailed"), True),
    **dict.fromkeys(("retirecanceled", "wipecanceled"), True),
    # On their way out, or only seen and never enrolled: nobody is to repair their backup.
    **dict.fromkeys(("retirepending", "retireissued", "wipepending", "wipeissued"), False),
    **dict.fromkeys(("deletepending", "discovered"), False),
    "unknownfuturevalue": ABSENT,
}
_BY_TYPE: dict[str, Platform | Gap] = {
    "iphone": Platform.IOS,
    "ipod": Platform.IOS,
    "ipad": Platform.IPADOS,
    "visionos": Platform.VISIONOS,
    "tvos": Platform.TVOS,
    "mac": Platform.MACOS,
    "macmdm": Platform.MACOS,
}
_BY_SYSTEM: dict[str, Platform] = {
    "ios": Platform.IOS,
    "ipados": Platform.IPADOS,
    "visionos": Platform.VISIONOS,
    "tvos": Platform.TVOS,
    "macos": Platform.MACOS,
    "android": Platform.ANDROID,
    **dict.fromkeys(("windows", "windowsphone", "linux", "chromeos"), Platform.OTHER),
}
_LOST: dict[str, bool] = {"enabled": True, "disabled": False}

FIELDS = {
    "serial": "serialNumber", "udid": "udid", "name": "deviceName",
    "model_identifier": "hardwareInformation.productName", "model_name": "model",
    "platform": "deviceType, operatingSystem", "os_version": "osVersion", "managed": "managementState",
    "supervised": "isSupervised", "enrollment": "deviceEnrollmentType", "ownership": "managedDeviceOwnerType",
    "shared_ipad": "hardwareInformation.isSharedDevice", "capacity_bytes": "totalStorageSpaceInBytes",
    "available_bytes": "freeStorageSpaceInBytes", "checkin_at": "lastSyncDateTime", "enrolled_at": "enrolledDateTime",
    "battery_percent": "hardwareInformation.batteryLevelPercentage", "lost_mode": "lostModeState",
    "user_name": "userDisplayName, userPrincipalName", "user_email": "emailAddress",
}  # fmt: skip
"""Behind which field of the vendor's each signal stands."""


def read_record(row: object, place: str, *, beta: bool) -> DeviceRecord | Rejected:
    """The record of one row of the list; rejected without an `id`.

    Args:
        row: one of the list's `value`.
        place: where the row stands, for the report.
        beta: the row comes from Graph's beta, which knows more properties.
    """
    r = reader(row)
    native_id = _wire.text(r("id"))
    if isinstance(native_id, Gap):
        return Rejected(place, "no usable id")
    checkin_at = _wire.instant(r("lastSyncDateTime"))
    model = _wire.text(r("model"))
    # 0 is Intune's default for both: neither full nor known.
    capacity, available = _wire.storage(
        r("totalStorageSpaceInBytes"), r("freeStorageSpaceInBytes"), unit=_STATED_BYTE, none_free=ABSENT
    )
    record = DeviceRecord(
        native_id=native_id,
        serial=_wire.text(r("serialNumber")),
        name=_wire.text(r("deviceName")),
        model_name=model,
        platform=_platform(r("deviceType"), r("operatingSystem"), model),
        os_version=_os_version(_wire.text(r("osVersion"))),
        managed=_wire.word(r("managementState"), _MANAGED),
        supervised=_supervised(r("isSupervised"), checkin_at),
        enrollment=_wire.word(r("deviceEnrollmentType"), _ENROLLMENTS),
        ownership=_wire.word(r("managedDeviceOwnerType"), _OWNERS),
        capacity_bytes=capacity,
        available_bytes=available,
        checkin_at=checkin_at,
        enrolled_at=_wire.instant(r("enrolledDateTime")),
        lost_mode=_wire.word(r("lostModeState"), _LOST) if beta else NOT_REPORTED,
        user_name=_wire.first_known(_wire.text(r("userDisplayName")), _wire.text(r("userPrincipalName"))),
        user_email=_first_email(_wire.text(r("emailAddress"))),
    )
    return personal(record)


def detailed(record: DeviceRecord, answer: object) -> DeviceRecord:
    """The record with what the device's own answer adds; None as `answer` where there is none."""
    hardware = reader(field(answer, "hardwareInformation"))
    identifier = _wire.text(hardware("productName"))
    whole = replace(
        record,
        udid=_wire.text(field(answer, "udid")),
        model_identifier=identifier,
        platform=_wire.platform_by_model(record.platform, identifier),
        battery_percent=_wire.percent(hardware("batteryLevelPercentage")),
        shared_ipad=_wire.flag(hardware("isSharedDevice")),
    )
    return personal(whole)


def _platform(kind: object, system: object, model: Fact[str]) -> Fact[Platform]:
    by_type = _wire.word(kind, _BY_TYPE)
    if not isinstance(by_type, Gap):
        return by_type
    return _wire.platform_by_model(_wire.word(system, _BY_SYSTEM), model)


def _os_version(said: Fact[str]) -> Fact[str]:
    # A Mac's carries its build behind it: "26.1 (25B78)".
    return said if isinstance(said, Gap) else _wire.text(said.partition("(")[0])


def _supervised(value: object, checkin_at: Fact[datetime]) -> Fact[bool]:
    # False is also the default of a device that has never synchronised.
    supervised = _wire.flag(value)
    return ABSENT if supervised is False and isinstance(checkin_at, Gap) else supervised


def _first_email(said: Fact[str]) -> Fact[str]:
    # The property may hold several addresses.
    return said if isinstance(said, Gap) else _wire.text(_EMAIL_ENDS.split(said)[0])
