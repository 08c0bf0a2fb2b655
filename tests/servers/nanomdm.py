"""A made-up NanoMDM: what its webhook delivers of a fleet, and the same fleet in its database.

It has no server that could be asked, so there is no socket here: a receiver's folder, or a database.
"""

from __future__ import annotations

import base64
import json
import plistlib
import random
import tempfile
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

if TYPE_CHECKING:
    from collections.abc import Iterable

Record = dict[str, Any]
PRESENT = datetime(2026, 3, 2, 4, 30, tzinfo=UTC)
PERSONAL = "User Enrollment (Device)"
_schema = sa.MetaData()
for _name, _columns in {
    "devices": {"id": sa.String, "authenticate": sa.Text, "authenticate_at": sa.DateTime},
    "enrollments": {
        "id": sa.String,
        "device_id": sa.String,
        "type": sa.String,
        "enabled": sa.Boolean,
        "last_seen_at": sa.DateTime,
    },
    "commands": {"command_uuid": sa.String, "request_type": sa.String},
    "command_results": {
        "id": sa.String,
        "command_uuid": sa.String,
        "status": sa.String,
        "result": sa.Text,
        "updated_at": sa.DateTime,
    },
}.items():
    sa.Table(_name, _schema, *(sa.Column(column, kind) for column, kind in _columns.items()))
_MODELS = (
    ("iPhone14,5", "iPhone", 128.0),
    ("iPhone17,3", "iPhone", 256.0),
    ("iPad11,6", "iPad", 32.0),
    ("iPad13,18", "iPad", 64.0),
)
_UNUSUAL = {6: ("Mac14,2", "MacBook Air", 256.0), 7: ("AppleTV14,1", "Apple TV", 0.0)}


def is_personal(i: int) -> bool:
    return i % 10 == 9


def native_id(i: int) -> str:
    return f"7C0FFEE0-0000-4000-8000-{i:012X}" if is_personal(i) else f"00008110-{i:016X}"


def created(days: float, fraction: str = ".5042387") -> str:
    """A time that many days before this server's present, as Go writes it in Berlin."""
    moment = PRESENT - timedelta(days=days) + timedelta(hours=1)
    return f"{moment:%Y-%m-%dT%H:%M:%S}{fraction}+01:00"


def information(i: int) -> Record:
    """The `QueryResponses` of device `i`."""
    product, model, capacity = _UNUSUAL.get(i, _MODELS[i % len(_MODELS)])
    told: Record = {
        "BuildVersion": "23D8133",
        "BatteryLevel": 0.15 + i / 100,
        "DeviceName": f"Device {i:03d}",
        "IsMultiUser": i == 5,
        "IsSupervised": not is_personal(i),
        "ModelName": model,
        "OSVersion": "26.3.1",
        "ProductName": product,
        "ServiceSubscriptions": [
            {"Slot": "CTSubscriptionSlotOne", "IsRoaming": i == 2},
            {"Slot": "CTSubscriptionSlotTwo"},
        ],
    }
    if capacity:
        told |= {"DeviceCapacity": capacity, "AvailableDeviceCapacity": round(capacity * (i + 1) / 40, 3)}
    if not is_personal(i):
        told |= {"UDID": native_id(i), "SerialNumber": f"FK{i:08d}N", "IsMDMLostModeEnabled": False}
    if not is_personal(i) and i not in _UNUSUAL:
        told |= {"IsCloudBackupEnabled": i % 6 != 0, "iTunesStoreAccountIsActive": i % 8 != 0}
    if told.get("IsCloudBackupEnabled") and i % 7 != 3:
        told["LastCloudBackupDate"] = (PRESENT - timedelta(days=i % 9 + 1)).replace(tzinfo=None)
    return told


def restrictions(*, cloud_backup: bool | None) -> Record:
    """The answer to `Restrictions`; None leaves iCloud Backup out of it."""
    rules: Record = {"allowCamera": {"value": True}}
    if cloud_backup is not None:
        rules["allowCloudBackup"] = {"value": cloud_backup}
    return {
        "GlobalRestrictions": {
            "restrictedBool": rules,
            "restrictedValue": {},
            "union": {},
            "intersection": {},
        }
    }


def profiles(*payload_types: str) -> Record:
    """The answer to `ProfileList`."""
    payloads = [
        {"PayloadType": kind, "PayloadIdentifier": f"example.{kind}", "PayloadVersion": 1}
        for kind in payload_types
    ]
    return {
        "ProfileList": [{"PayloadIdentifier": "example.all", "IsManaged": True, "PayloadContent": payloads}]
    }


def updates(*versions: str) -> Record:
    """The answer to `AvailableOSUpdates`."""
    return {
        "AvailableOSUpdates": [
            {"HumanReadableName": f"iOS {v}", "Version": v, "IsCritical": False} for v in versions
        ]
    }


def management(i: int) -> Record:
    """The answer to `SecurityInfo`."""
    status = {"EnrolledViaDEP": i % 3 != 0 and not is_personal(i), "IsUserEnrollment": is_personal(i)}
    return {
        "SecurityInfo": {"HardwareEncryptionCaps": 3, "PasscodePresent": True, "ManagementStatus": status}
    }


def answers(i: int) -> dict[str, Record]:
    """Every command with device `i`'s answer to it."""
    return {
        "DeviceInformation": {"QueryResponses": information(i)},
        "SecurityInfo": management(i),
        "Restrictions": restrictions(cloud_backup=i % 4 != 1),
        "ProfileList": profiles("com.apple.wifi.managed", *(["com.apple.vpn.managed"] if i == 4 else [])),
        "AvailableOSUpdates": updates("26.4", "26.10"),
    }


def enrolling(i: int) -> Record:
    """Device `i`'s `Authenticate` message."""
    product, *_ = _UNUSUAL.get(i, _MODELS[i % len(_MODELS)])
    message = {
        "MessageType": "Authenticate",
        "OSVersion": "17.0",
        "BuildVersion": "21A329",
        "ProductName": product,
    }
    return message | (
        {"EnrollmentID": native_id(i)}
        if is_personal(i)
        else {"UDID": native_id(i), "SerialNumber": f"FK{i:08d}N"}
    )


def encoded(payload: Record) -> str:
    """A property list as a delivery carries it."""
    return base64.b64encode(plistlib.dumps(payload)).decode()


def delivery(
    topic: str,
    i: int,
    days: float,
    payload: Record,
    *,
    channel: str | None = "",
    **told: object,
) -> Record:
    """One delivery; `channel=None` leaves out `ids`, as MicroMDM does."""
    section = "acknowledge_event" if topic == "mdm.Connect" else "checkin_event"
    who: Record = {"enrollment_id" if is_personal(i) else "udid": native_id(i)}
    if channel is not None:
        who["ids"] = {"id": native_id(i), "type": channel or (PERSONAL if is_personal(i) else "Device")}
    return {
        "topic": topic,
        "event_id": f"{i:016x}",
        "created_at": created(days),
        section: {**who, "raw_payload": encoded(payload), **told},
    }


def answer(
    i: int, days: float, payload: Record, status: str = "Acknowledged", *, channel: str | None = ""
) -> Record:
    """The delivery of device `i`'s answer to a command."""
    return delivery(
        "mdm.Connect",
        i,
        days,
        {"Status": status, **payload},
        status=status,
        command_uuid="c0",
        channel=channel,
    )


def life(i: int) -> list[Record]:
    """All that device `i` has sent: it enrolled, was idle, busy, and answered last night."""
    return [
        delivery("mdm.Authenticate", i, 100 + i, enrolling(i)),
        delivery("mdm.TokenUpdate", i, 99.99 + i, {"MessageType": "TokenUpdate"}),
        answer(i, 1.5, {}, status="NotNow"),
        *(answer(i, 1, payload) for payload in answers(i).values()),
        delivery("mdm.Connect", i, 0.5, {"Status": "Idle"}, status="Idle"),
    ]


@dataclass
class NanoMdm:
    """A fleet of that many devices.

    Attributes:
        extra: further deliveries.
    """

    devices: int = 30
    extra: list[Record] = field(default_factory=list[Record])

    def deliver(self, folder: Path) -> Path:
        """Store every delivery as a file of its own, in no order."""
        events = [event for i in range(self.devices) for event in life(i)] + self.extra
        random.Random(7).shuffle(events)
        return stored(folder, events)

    def fill(self, url: str) -> str:
        """Make NanoMDM's tables in an empty database, and fill them; answers from the last of a few nights count."""
        engine = sa.create_engine(url)
        with engine.begin() as connection:
            _schema.create_all(connection)
            for table, rows in self._rows().items():
                connection.execute(sa.insert(_schema.tables[table]), rows)
        engine.dispose()
        return url

    def _rows(self) -> dict[str, list[Record]]:
        numbers = range(self.devices)
        kinds = list(answers(0))
        nights = [(f"{kind}-{days}", kind, days) for kind in kinds for days in (2, 1)]
        return {
            "devices": [
                {"id": native_id(i), "authenticate": _xml(enrolling(i)), "authenticate_at": _naive(100 + i)}
                for i in numbers
            ],
            "enrollments": [_enrolment(i) for i in numbers]
            + [_channel(5, "Shared iPad"), _channel(6, "User")],
            "commands": [{"command_uuid": uuid, "request_type": kind} for uuid, kind, _ in nights],
            "command_results": [
                {
                    "id": native_id(i),
                    "command_uuid": uuid,
                    "status": "Acknowledged",
                    "result": _xml(answers(i)[kind] if days == 1 else {}),
                    "updated_at": _naive(days),
                }
                for i in numbers
                for uuid, kind, days in nights
            ],
        }


def stored(folder: Path, events: Iterable[object]) -> Path:
    """One file for each of the deliveries."""
    for number, event in enumerate(events):
        (folder / f"{number:05d}.json").write_text(json.dumps(event), encoding="utf-8")
    return folder


def _enrolment(i: int) -> Record:
    kind = PERSONAL if is_personal(i) else "Device"
    return {
        "id": native_id(i),
        "device_id": native_id(i),
        "type": kind,
        "enabled": i != 8,
        "last_seen_at": _naive(0.5),
    }


def _channel(i: int, kind: str) -> Record:
    return _enrolment(i) | {"id": f"{native_id(i)}:user", "type": kind}


def _xml(payload: Record) -> str:
    return plistlib.dumps(payload).decode()


def _naive(days: float) -> datetime:
    return (PRESENT - timedelta(days=days)).replace(tzinfo=None)


_KEPT: list[tempfile.TemporaryDirectory[str]] = []


def sample(_folder: object = None) -> tuple[dict[str, Any], None]:
    """Settings of a source that shows everything this kind can report; its folder lasts as long as the process."""
    _KEPT.append(tempfile.TemporaryDirectory(prefix="nanomdm-"))
    return {"events": str(NanoMdm().deliver(Path(_KEPT[-1].name)))}, None
