"""One enrolled device, answer by answer: which of its answers count tonight, and the record they make.

Keys are those of `Authenticate`, `DeviceInformation` and `SecurityInfo` (Apple device management schema, read
2026-11-22).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Generic, TypeVar

from connectors import _mdm_answer, _rows, _wire
from connectors._enrollment import enrolled, personal
from fleet.model.device import DeviceRecord, Enrollment, Ownership
from fleet.model.fact import ABSENT, Fact, Gap

T = TypeVar("T")
Plist = Mapping[str, object]

DEVICE = "Device"
PERSONAL_DEVICE = "User Enrollment (Device)"
SHARED_USER = "Shared iPad"
"""NanoMDM's types of enrolment: a device, a device under User Enrolment, a user on a Shared iPad."""
EVER = datetime.min.replace(tzinfo=UTC)
_SIDE_BY_SIDE = timedelta(days=7)
_INVENTORY_KEYS = frozenset({"IsCloudBackupEnabled", "LastCloudBackupDate", "DeviceCapacity"})
_KEPT_KEYS = _INVENTORY_KEYS.union(_mdm_answer.INFORMATION_KEYS) | {
    "BuildVersion",
    "DeviceName",
    "IsSupervised",
    "ModelName",
    "OSVersion",
    "ProductName",
    "SerialNumber",
    "UDID",
}


FIELDS = {
    **_mdm_answer.FIELDS,
    "serial": "SerialNumber",
    "udid": "UDID",
    "name": "DeviceName",
    "model_identifier": "ProductName",
    "model_name": "ModelName",
    "os_version": "OSVersion",
    "os_build": "BuildVersion",
    "supervised": "IsSupervised",
    "enrollment": "EnrolledViaDEP",
    "backup_restricted": "allowCloudBackup",
    "pending_os_version": "AvailableOSUpdates",
}
"""Behind which key of its answers each signal stands."""


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
            self._restricted.offer(at, _mdm_answer.backup_restricted(answer["GlobalRestrictions"]))
        if "ProfileList" in answer:
            self._vpn.offer(at, _mdm_answer.vpn_configured(answer["ProfileList"]))
        if "AvailableOSUpdates" in answer:
            self._update.offer(at, _mdm_answer.newest_update(answer["AvailableOSUpdates"]))

    def record(self) -> DeviceRecord:
        """What the device said since it enrolled, as facts."""
        basis = self._basis()
        told = partial(_rows.field, basis.since(self.enrolled_at, {}))
        beside = self._beside(basis)
        identifier, model = self._lasting("ProductName"), self._lasting("ModelName")
        facts = _mdm_answer.of_information(basis.since(self.enrolled_at, {}))
        if self.shared:
            facts["shared_ipad"] = True
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
            ownership=Ownership.PERSONAL if enrollment is Enrollment.USER else ABSENT,
            backup_restricted=self._restricted.since(beside, ABSENT),
            inventory_at=ABSENT if basis.at < self.enrolled_at else _wire.utc(basis.at),
            checkin_at=_wire.utc(self.seen_at),
            enrolled_at=_wire.utc(self.enrolled_at),
            vpn_configured=self._vpn.since(beside, ABSENT),
            pending_os_version=self._update.since(beside, ABSENT),
            **facts,
        )
        return personal(record)

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
        # The way it checks in tells already whether it is a User Enrolment.
        by_user = self.personal or _rows.field(status, "IsUserEnrollment") is True
        return enrolled(by_user=by_user, automated=_wire.flag(_rows.field(status, "EnrolledViaDEP")))


def _kept(told: Plist) -> Plist:
    return {key: told[key] for key in _KEPT_KEYS & told.keys()}
