"""One device of Zentral: its row in the list, and the newest answers it gave to commands, as one record.

Names and empty values are those of `GET /api/mdm/devices/` (Zentral's serializers, read 2026-11-22); those of the
answers are Apple's (device management schema, `DeviceInformation` and `Restrictions`, read 2026-11-22).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Annotated, NotRequired

from pydantic import TypeAdapter
from typing_extensions import TypedDict

from connectors import _mdm_answer, _wire
from connectors._enrollment import enrolled, personal
from connectors._rows import Loose, field, reader
from fleet.model.device import DeviceRecord, Enrollment, Ownership, Platform, Rejected
from fleet.model.fact import ABSENT, NOT_PERMITTED, NOT_REPORTED, UNREADABLE, Fact

FROM_INFORMATION = frozenset(
    {
        "shared_ipad",
        "capacity_bytes",
        "available_bytes",
        "backup_enabled",
        "last_cloud_backup_at",
        "inventory_at",
        "battery_percent",
        "roaming",
        "account_active",
        "lost_mode",
    }
)
"""What only a device's answer to `DeviceInformation` tells."""
FROM_RESTRICTIONS = frozenset({"backup_restricted"})
"""What only its answer to `Restrictions` tells."""

_PLATFORMS = {
    "ios": Platform.IOS,
    "ipados": Platform.IPADOS,
    "tvos": Platform.TVOS,
    "visionos": Platform.VISIONOS,
    "watchos": Platform.WATCHOS,
    "macos": Platform.MACOS,
}

FIELDS = {
    **_mdm_answer.FIELDS,
    "serial": "serial_number", "udid": "udid", "name": "name", "model_identifier": "model", "platform": "platform",
    "os_version": "os_version", "os_build": "build_version", "managed": "checkout_at, blocked_at",
    "supervised": "supervised", "enrollment": "user_enrollment, dep_enrollment", "checkin_at": "last_seen_at",
    "enrolled_at": "created_at", "user_name": "realm_user.username", "user_email": "realm_user.email",
    "inventory_at": "result_time",
}  # fmt: skip
"""Behind which field of the vendor's each signal stands."""


class Device(TypedDict, total=False):
    """A row of the list."""

    id: object
    realm_user: object
    udid: object
    serial_number: object
    name: object
    model: object
    platform: object
    os_version: object
    build_version: object
    dep_enrollment: object
    user_enrollment: object
    supervised: object
    last_seen_at: object
    checkout_at: object
    blocked_at: object
    created_at: object


class DevicePage(TypedDict):
    """One page of the list; a row of another kind than an object arrives as it is."""

    count: NotRequired[object]
    next: NotRequired[object]
    results: list[Annotated[Device | object, Loose]]


PAGE = TypeAdapter(DevicePage)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a device answered to a command, and when.

    Attributes:
        said: the part of the answer that was asked for; whatever is no mapping makes its facts unreadable.
    """

    said: object
    at: Fact[datetime]


UNANSWERED = Answer(None, ABSENT)


def read_device(
    row: object, place: str, information: Answer, restrictions: Answer
) -> DeviceRecord | Rejected:
    """The record of one row; rejected without an `id`.

    Args:
        row: as decoded by `PAGE`.
        place: where it stands, for the report.
        information: the device's answer to `DeviceInformation`.
        restrictions: the device's answer to `Restrictions`.
    """
    native_id = identity(row)
    if native_id is None:
        return Rejected(place, "no usable id")
    return _answered(_listed(row, native_id), information, restrictions)


def without(record: DeviceRecord, signals: frozenset[str]) -> DeviceRecord:
    """`record` for a source that does not ask for `signals`."""
    return replace(record, **dict.fromkeys(signals, NOT_REPORTED))


def identity(row: object, key: str = "id") -> str | None:
    """The row's number under `key` as text, None where there is none to rely on."""
    return _wire.number_id(field(row, key))


def _listed(row: object, native_id: str) -> DeviceRecord:
    r, user = reader(row), field(row, "realm_user")
    enrollment = enrolled(by_user=_wire.flag(r("user_enrollment")), automated=_wire.flag(r("dep_enrollment")))
    hidden = enrollment is Enrollment.USER
    return DeviceRecord(
        native_id=native_id,
        # Under User Enrolment both columns hold an enrolment id.
        serial=NOT_PERMITTED if hidden else _wire.text(r("serial_number")),
        udid=NOT_PERMITTED if hidden else _wire.text(r("udid")),
        name=_wire.text(r("name")),
        model_identifier=_wire.text(r("model")),
        platform=_wire.word(r("platform"), _PLATFORMS),
        os_version=_wire.text(r("os_version")),
        os_build=_wire.text(r("build_version")),
        managed=_managed(moment(r("checkout_at")), moment(r("blocked_at"))),
        supervised=_wire.flag(r("supervised")),
        enrollment=enrollment,
        ownership=_ownership(enrollment),
        checkin_at=moment(r("last_seen_at")),
        enrolled_at=moment(r("created_at")),
        user_name=_wire.text(field(user, "username")),
        user_email=_wire.text(field(user, "email")),
    )


def _answered(record: DeviceRecord, information: Answer, restrictions: Answer) -> DeviceRecord:
    whole = replace(
        record,
        backup_restricted=_mdm_answer.backup_restricted(restrictions.said),
        inventory_at=information.at,
        **_mdm_answer.of_information(information.said),
    )
    return personal(whole)


def moment(value: object) -> Fact[datetime]:
    """A time of Zentral's: UTC, though it does not say so (its settings and serializers, read 2026-11-22)."""
    return _wire.instant(value, zone=UTC)


def _managed(left: Fact[datetime], blocked: Fact[datetime]) -> Fact[bool]:
    if UNREADABLE in {left, blocked}:
        return UNREADABLE
    # Zentral no longer talks to a device that it has blocked.
    return left is ABSENT and blocked is ABSENT


def _ownership(enrollment: Fact[Enrollment]) -> Fact[Ownership]:
    match enrollment:
        case Enrollment.USER:
            return Ownership.PERSONAL
        case Enrollment.AUTOMATED:
            return Ownership.ORGANISATION
        case _:
            return ABSENT
