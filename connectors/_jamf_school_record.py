"""One Jamf School device: the keys that are kept of it, and the record they make.

Names, units and empty values are those of `GET /api/devices` (public recordings, clients and the reference of Jamf
School, read 2026-11-22). The same value may come as a number or as text: both are read.
"""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Annotated, NotRequired

from pydantic import TypeAdapter
from typing_extensions import TypedDict

from connectors import _wire
from connectors._jamf_school_backup import HANDHELD, account_of, backup_of, false_counts, switch
from connectors._jamf_school_dates import moment
from connectors._rows import Loose, field, reader, rows
from fleet.model.device import DeviceRecord, Enrollment, Platform, Rejected
from fleet.model.fact import ABSENT, UNREADABLE, Fact, Gap

if TYPE_CHECKING:
    from datetime import tzinfo

_PENDING = {"deppending", "ac2pending"}
# An unsupervised device that was enrolled by hand may be one under User Enrolment: Jamf School has no word for it.
_ENROLLMENTS = {"dep": Enrollment.AUTOMATED, "ac2": Enrollment.DEVICE} | dict.fromkeys(
    ("manual", *_PENDING), ABSENT
)
_PLATFORMS = {platform.lower(): platform for platform in Platform if platform is not Platform.OTHER}

FIELDS = {
    "serial": "serialNumber", "name": "name", "asset_tag": "assetTag",
    "model_identifier": "model.identifier", "model_name": "model.name", "platform": "class, os.prefix",
    "os_version": "os.version", "managed": "isManaged", "supervised": "isSupervised", "enrollment": "enrollType",
    "capacity_bytes": "totalCapacity", "available_bytes": "availableCapacity",
    "backup_enabled": "iCloudBackupEnabled", "last_cloud_backup_at": "iCloudBackupLatest",
    "checkin_at": "lastCheckin", "battery_percent": "batteryLevel",
    "roaming": "networkInformation.ServiceSubscription", "account_active": "iTunesStoreLoggedIn",
    "user_name": "owner", "user_email": "owner.email", "site": "locationId", "groups": "groups",
}  # fmt: skip
"""Behind which field of the vendor's each signal stands."""


_Row = TypedDict(
    "_Row",
    {
        "UDID": object,
        "locationId": object,
        "serialNumber": object,
        "assetTag": object,
        "class": object,
        "model": object,
        "os": object,
        "name": object,
        "owner": object,
        "inTrash": object,
        "isManaged": object,
        "isSupervised": object,
        "enrollType": object,
        "groups": object,
        "batteryLevel": object,
        "totalCapacity": object,
        "availableCapacity": object,
        "iCloudBackupEnabled": object,
        "iCloudBackupLatest": object,
        "iTunesStoreLoggedIn": object,
        "lastCheckin": object,
        "networkInformation": object,
    },
    total=False,
)


class DeviceList(TypedDict):
    """The whole answer; a row of another kind than an object arrives as it is."""

    count: NotRequired[object]
    devices: list[Annotated[_Row | object, Loose]]


LIST = TypeAdapter(DeviceList)


def read_record(
    row: object, place: str, sites: dict[str, Fact[str]], zone: tzinfo
) -> DeviceRecord | Rejected:
    """The record of one row of the list; rejected without a `UDID`.

    Args:
        row: as decoded by `LIST`.
        place: where the row stands, for the report.
        sites: names of locations by id.
        zone: of dates that name none.
    """
    native_id = _wire.text(field(row, "UDID"))
    if isinstance(native_id, Gap):
        return Rejected(place, "no usable UDID")
    r, model, owner = reader(row), _section(row, "model"), _section(row, "owner")
    identifier, model_name = _wire.text(field(model, "identifier")), _wire.text(field(model, "name"))
    platform = _platform(row, identifier, model_name)
    capacity, available = _wire.storage(
        _wire.numeric(r("totalCapacity")), _wire.numeric(r("availableCapacity")), unit=_wire.GB
    )
    supervised, enrollment = switch(r("isSupervised")), _enrollment(row)
    counts = false_counts(platform, capacity, supervised, enrollment)
    enabled, latest = backup_of(row, zone, counts=counts)
    return DeviceRecord(
        native_id=native_id,
        serial=_wire.text(r("serialNumber")),
        udid=native_id,
        name=unescaped(r("name")),
        asset_tag=_wire.text(r("assetTag")),
        model_identifier=identifier,
        model_name=model_name,
        platform=platform,
        os_version=_wire.text(field(_section(row, "os"), "version")),
        managed=_managed(row),
        supervised=supervised,
        enrollment=enrollment,
        capacity_bytes=capacity,
        available_bytes=available,
        backup_enabled=enabled,
        last_cloud_backup_at=latest,
        checkin_at=moment(r("lastCheckin"), zone),
        battery_percent=_battery(r("batteryLevel"), platform),
        roaming=_roaming(field(_section(row, "networkInformation"), "ServiceSubscription")),
        account_active=account_of(row, counts=counts),
        user_name=_owner_name(owner),
        user_email=_wire.text(field(owner, "email")),
        site=_site(r("locationId"), sites),
        groups=_groups(r("groups")),
    )


def unescaped(value: object) -> Fact[str]:
    """A name; Jamf School stores some with HTML entities ("Arts &amp; Crafts")."""
    return _wire.text(html.unescape(value) if isinstance(value, str) else value)


def key_of(value: object) -> Fact[str]:
    """An id as text; 0 is one like any other."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63:
        return str(value)
    return _wire.text(value)


def _section(row: object, key: str) -> object:
    # An empty object comes as an empty array, as PHP writes one.
    section = field(row, key)
    return None if section == [] else section


def _platform(row: object, identifier: Fact[str], model: Fact[str]) -> Fact[Platform]:
    # The system of an iPad is called iOS here, so the model is asked first.
    by_model = _wire.platform_of_model(identifier, model, _wire.text(field(row, "class")))
    if not isinstance(by_model, Gap):
        return by_model
    return _wire.word(field(_section(row, "os"), "prefix"), _PLATFORMS)


def _managed(row: object) -> Fact[bool]:
    """False only for a device in the trash or not enrolled yet: others turn false by a week of silence."""
    if switch(field(row, "inTrash")) is True:
        return False
    managed = switch(field(row, "isManaged"))
    if managed is not False:
        return managed
    kind = _wire.text(field(row, "enrollType"))
    return False if not isinstance(kind, Gap) and kind.lower() in _PENDING else ABSENT


def _enrollment(row: object) -> Fact[Enrollment]:
    kind = _wire.word(field(row, "enrollType"), _ENROLLMENTS)
    if kind is ABSENT and _wire.text(field(row, "enrollType")) == "manual":
        # User Enrolment never supervises.
        return Enrollment.DEVICE if switch(field(row, "isSupervised")) is True else ABSENT
    return kind


def _battery(level: object, platform: Fact[Platform]) -> Fact[int]:
    percent = _wire.percent(_wire.numeric(level), scale=100)
    return ABSENT if percent == 0 and platform not in HANDHELD else percent


def _roaming(subscriptions: object) -> Fact[bool]:
    """True if any SIM roams; a device without one says nothing."""
    if subscriptions is None:
        return ABSENT
    try:
        states = [switch(field(one, "IsRoaming")) for one in rows(subscriptions)]
    except ValueError:
        return UNREADABLE
    return next((state for state in (True, UNREADABLE, False) if state in states), ABSENT)


def _owner_name(owner: object) -> Fact[str]:
    first, last = unescaped(field(owner, "firstName")), unescaped(field(owner, "lastName"))
    whole = " ".join(part for part in (first, last) if not isinstance(part, Gap))
    told = (unescaped(field(owner, "name")), _wire.text(whole), _wire.text(field(owner, "username")))
    return next((name for name in told if not isinstance(name, Gap)), told[0])


def _site(location: object, sites: dict[str, Fact[str]]) -> Fact[str]:
    key = key_of(location)
    return key if isinstance(key, Gap) else sites.get(key, ABSENT)


def _groups(value: object) -> Fact[tuple[str, ...]]:
    if value is None:
        return ABSENT
    try:
        return _wire.names([html.unescape(one) if isinstance(one, str) else one for one in rows(value)])
    except ValueError:
        return UNREADABLE
