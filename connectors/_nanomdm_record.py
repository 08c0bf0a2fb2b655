"""One enrolled device, answer by answer: what its replies to MDM commands say, and the record they make.

Keys, units and what User Enrolment hides are those of Apple's device management schema (`DeviceInformation`,
`SecurityInfo`, `Restrictions`, `ProfileList`, `AvailableOSUpdates`), read 2026-11-22.
"""

from __future__ import annotations

import plistlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Generic, TypeVar
from xml.parsers.expat import ExpatError

from connectors import _rows, _wire
from fleet.model.device import DeviceRecord, Enrollment, Ownership
from fleet.model.fact import ABSENT, NOT_PERMITTED, UNREADABLE, Fact, Gap, Never

T = TypeVar("T")
Plist = Mapping[str, object]

DEVICE = "Device"
PERSONAL_DEVICE = "User Enrollment (Device)"
SHARED_USER = "Shared iPad"
"""NanoMDM's types of enrolment: a device, a device under User Enrolment, a user on a Shared iPad."""
EVER = datetime.min.replace(tzinfo=UTC)
_SIDE_BY_SIDE = timedelta(days=7)
_GIB = 2**30
_BLOCKS_PER_GIB = _GIB // 4096
_VPN = "com.apple.vpn.managed"
_INVENTORY_KEYS = frozenset({"IsCloudBackupEnabled", "LastCloudBackupDate", "DeviceCapacity"})
_KEPT_KEYS = _INVENTORY_KEYS | {
    "AvailableDeviceCapacity",
    "BatteryLevel",
    "BuildVersion",
    "DeviceName",
    "IsMDMLostModeEnabled",
    "IsMultiUser",
    "IsRoaming",
    "IsSupervised",
    "ModelName",
    "OSVersion",
    "ProductName",
    "SerialNumber",
    "ServiceSubscriptions",
    "UDID",
    "iTunesStoreAccountIsActive",
}
# The parser lets out whatever its own code stumbles over, a misshapen date as an AttributeError.
_NO_PLIST = (
    ExpatError,
    ValueError,
    LookupError,
    AttributeError,
    TypeError,
    OverflowError,
    RecursionError,
)


def parsed(payload: bytes) -> Plist:
    """The dictionary in an XML property list; raises ValueError where there is none."""
    try:
        value = plistlib.loads(payload, fmt=plistlib.FMT_XML)
    except _NO_PLIST:
        raise ValueError("no property list") from None
    found = _rows.mapping(value)
    if found is None:
        raise ValueError("no dictionary")
    return found


@dataclass(slots=True)
class _Newest(Generic[T]):
    """The newest of the values offered, in whatever order they come."""

    at: datetime = EVER
    value: T | None = None

    def offer(self, at: datetime, value: T) -> None:
        if at >= self.at:
            self.at, self.value = at, value

    def since(self, moment: datetime, otherwise: T) -> T:
        """The value unless it is older than `moment`, or there is none."""
        return otherwise if self.value is None or self.at < moment else self.value


@dataclass(slots=True)
class Enrolment:
    """A device as its server knows it.

    Attributes:
        personal: enrolled by User Enrolment.
        shared: users of a Shared iPad have signed in on it.
        enrolled_at: when it last enrolled; what it said before then is of an earlier life.
        seen_at: when it last said anything.
        managed: False once it has said good-bye, which a wiped device does not.
    """

    native_id: str
    personal: bool = False
    shared: bool = False
    enrolled_at: datetime = EVER
    seen_at: datetime = EVER
    managed: bool = True
    _enrolling: _Newest[Plist] = field(default_factory=_Newest[Plist])
    _inventory: _Newest[Plist] = field(default_factory=_Newest[Plist])
    _excerpt: _Newest[Plist] = field(default_factory=_Newest[Plist])
    _management: _Newest[object] = field(default_factory=_Newest[object])
    _restricted: _Newest[Fact[bool]] = field(default_factory=_Newest[Fact[bool]])
    _vpn: _Newest[Fact[bool]] = field(default_factory=_Newest[Fact[bool]])
    _update: _Newest[Fact[str]] = field(default_factory=_Newest[Fact[str]])

    def enrolled(self, at: datetime, message: Plist) -> None:
        """Take down an `Authenticate` message; of it only what never changes is used, not the system's version."""
        self.enrolled_at = max(self.enrolled_at, at)
        self._enrolling.offer(at, _kept(message))

    def answered(self, at: datetime, answer: Plist) -> None:
        """Take down an acknowledged answer; its kind shows in the keys, for it does not name its command."""
        told = _rows.mapping(answer.get("QueryResponses"))
        if told is not None:
            # Other tools ask for a name or a version alone: that must not take the place of an inventory.
            (self._excerpt if _INVENTORY_KEYS.isdisjoint(told) else self._inventory).offer(at, _kept(told))
        if "SecurityInfo" in answer:
            self._management.offer(at, _rows.field(answer["SecurityInfo"], "ManagementStatus"))
        if "GlobalRestrictions" in answer:
            self._restricted.offer(at, _backup_restricted(answer["GlobalRestrictions"]))
        if "ProfileList" in answer:
            self._vpn.offer(at, _vpn_configured(answer["ProfileList"]))
        if "AvailableOSUpdates" in answer:
            self._update.offer(at, _newest_update(answer["AvailableOSUpdates"]))

    def record(self) -> DeviceRecord:
        """What the device said since it enrolled, as facts."""
        basis = self._basis()
        told = partial(_rows.field, basis.since(self.enrolled_at, {}))
        beside = self._beside(basis)
        identifier, model = self._lasting("ProductName"), self._lasting("ModelName")
        capacity, available = _storage(told("DeviceCapacity"), told("AvailableDeviceCapacity"))
        enrollment = self._enrollment()
        record = DeviceRecord(
            native_id=self.native_id,
            serial=self._lasting("SerialNumber"),
            udid=self._udid(),
            name=_wire.text(told("DeviceName")),
            model_identifier=identifier,
            model_name=model,
            platform=_wire.platform_of_model(identifier, model),
            os_version=_wire.text(told("OSVersion")),
            os_build=_wire.text(told("BuildVersion")),
            managed=self.managed,
            supervised=_wire.flag(told("IsSupervised")),
            enrollment=enrollment,
            ownership=ABSENT,
            shared_ipad=True if self.shared else _wire.flag(told("IsMultiUser")),
            capacity_bytes=capacity,
            available_bytes=available,
            backup_enabled=_wire.flag(told("IsCloudBackupEnabled")),
            last_cloud_backup_at=_date(told("LastCloudBackupDate")),
            backup_restricted=self._restricted.since(beside, ABSENT),
            inventory_at=ABSENT if basis.at < self.enrolled_at else _wire.utc(basis.at),
            checkin_at=_wire.utc(self.seen_at),
            enrolled_at=_wire.utc(self.enrolled_at),
            battery_percent=_wire.percent(told("BatteryLevel"), scale=100),
            roaming=_roaming(told("ServiceSubscriptions"), told("IsRoaming")),
            account_active=_wire.flag(told("iTunesStoreAccountIsActive")),
            lost_mode=_wire.flag(told("IsMDMLostModeEnabled")),
            vpn_configured=self._vpn.since(beside, ABSENT),
            pending_os_version=self._update.since(beside, ABSENT),
        )
        return _as_personal(record) if enrollment is Enrollment.USER else record

    def _basis(self) -> _Newest[Plist]:
        told = self._inventory.value is not None and self._inventory.at >= self.enrolled_at
        return self._inventory if told else self._excerpt

    def _beside(self, basis: _Newest[Plist]) -> datetime:
        # A record has one age: an answer much older than its inventory would pass for as new.
        fresh = self.seen_at if basis.value is None else basis.at
        return max(self.enrolled_at, fresh - min(_SIDE_BY_SIDE, fresh - EVER))

    def _lasting(self, key: str) -> Fact[str]:
        """What stays the same for as long as the device exists, from the inventory or from its enrolment."""
        said = _wire.text(_rows.field(self._inventory.value, key))
        enrolling = _wire.text(_rows.field(self._enrolling.value, key))
        return enrolling if isinstance(said, Gap) and not isinstance(enrolling, Gap) else said

    def _udid(self) -> Fact[str]:
        udid = self._lasting("UDID")
        return self.native_id if udid is ABSENT and not self.personal else udid

    def _enrollment(self) -> Fact[Enrollment]:
        status = self._management.since(self.enrolled_at, None)
        by_user = _wire.flag(_rows.field(status, "IsUserEnrollment"))
        automated = _wire.flag(_rows.field(status, "EnrolledViaDEP"))
        if self.personal or by_user is True:
            return Enrollment.USER
        if isinstance(automated, Gap):
            return automated
        return Enrollment.AUTOMATED if automated else Enrollment.DEVICE


def _as_personal(record: DeviceRecord) -> DeviceRecord:
    """The record of a User Enrolment, under which Apple keeps these from the MDM."""
    return replace(
        record,
        ownership=Ownership.PERSONAL,
        serial=NOT_PERMITTED if record.serial is ABSENT else record.serial,
        udid=NOT_PERMITTED if record.udid is ABSENT else record.udid,
        backup_enabled=NOT_PERMITTED,
        last_cloud_backup_at=NOT_PERMITTED,
        backup_restricted=NOT_PERMITTED,
        account_active=NOT_PERMITTED,
        lost_mode=NOT_PERMITTED,
    )


def _kept(told: Plist) -> Plist:
    return {key: told[key] for key in _KEPT_KEYS & told.keys()}


def _date(value: object) -> Fact[datetime | Never]:
    # A property list's dates are UTC and say no zone. That the device leaves one out does not prove that there was
    # no backup: the server may not have asked.
    if value is None:
        return ABSENT
    return _wire.utc(value.replace(tzinfo=UTC)) if isinstance(value, datetime) else UNREADABLE


def _storage(capacity: object, available: object) -> tuple[Fact[int], Fact[int]]:
    unit = _unit(capacity, available)
    total = _wire.size(capacity, unit=unit)
    if total is ABSENT and capacity is not None:
        return ABSENT, ABSENT
    full = not isinstance(total, Gap) and _wire.number(available) == 0
    return total, 0 if full else _wire.size(available, unit=unit)


def _unit(*sizes: object) -> float:
    # Apple's reference says GB; systems up to iOS 13 sent GiB. Both are whole blocks of 4096 bytes, and no number of
    # blocks is one in either unit unless it is a round number of GB.
    in_blocks = (
        size * _BLOCKS_PER_GIB for size in sizes if isinstance(size, float) and not size.is_integer()
    )
    return _GIB if any(blocks.is_integer() for blocks in in_blocks) else _wire.GB


def _roaming(subscriptions: object, top_level: object) -> Fact[bool]:
    """True if any SIM roams; an empty slot says nothing, and before iOS 16 the device said it once for all."""
    try:
        slots = [_wire.flag(_rows.field(slot, "IsRoaming")) for slot in _rows.rows(subscriptions)]
    except ValueError:
        slots = [ABSENT]
    told = [slot for slot in slots if slot is not ABSENT] or [_wire.flag(top_level)]
    return True if True in told else next((slot for slot in told if isinstance(slot, Gap)), False)


def _backup_restricted(restrictions: object) -> Fact[bool]:
    # Only restrictions that something touches are listed; that a missing one is allowed is nowhere said.
    rules = _rows.field(restrictions, "restrictedBool")
    allowed = _wire.flag(_rows.field(_rows.field(rules, "allowCloudBackup"), "value"))
    return allowed if isinstance(allowed, Gap) else not allowed


def _vpn_configured(profiles: object) -> Fact[bool]:
    """False where no profile holds a VPN; one that does is not proof, for the list tells its type alone."""
    try:
        payloads = [
            _rows.field(payload, "PayloadType")
            for profile in _rows.rows(profiles)
            for payload in _rows.rows(_rows.field(profile, "PayloadContent"))
        ]
    except ValueError:
        return ABSENT
    return ABSENT if _VPN in payloads else False


def _newest_update(updates: object) -> Fact[str]:
    try:
        offered = [_wire.text(_rows.field(update, "Version")) for update in _rows.rows(updates)]
    except ValueError:
        return UNREADABLE
    return max(
        (version for version in offered if not isinstance(version, Gap)), key=_in_order, default=ABSENT
    )


def _in_order(version: str) -> list[int]:
    return [int(part) if part.isdecimal() else -1 for part in version.split(".")]
