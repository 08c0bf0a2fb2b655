"""A made-up Workspace ONE UEM with the login host of its region in one: device search, profiles, and their traps."""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.servers.loopback import Asked, Loopback, Reply, reply

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import httpx

Record = dict[str, Any]
LIST = "/API/mdm/devices/search"
SEARCH = "/API/mdm/profiles/search"
TOKEN = "/connect/token"
HOST = "https://as1234.uem.example"
SECRET, PASSWORD, API_KEY = "secret-of-the-client", "secret-of-the-admin", "tenant-code"
READ_DEVICES, READ_PROFILES = "REST API Devices Read", "REST API Profiles Read"
_MODELS = (
    ("iPhone 15 (128 GB Black)", 128e9),
    ("iPhone 16 (256 GB Teal)", 255989469184.0),
    ("iPad (10th generation) (64 GB Silver)", 64e9),
    ("iPad Air 11-inch", 127989493760.0),
)


def device_uuid(number: int) -> str:
    """The UUID of the device with that number."""
    return f"a11ce000-0000-4000-8000-{number:012x}"


def device(number: int, **changes: Any) -> Record:  # noqa: ANN401 - any JSON value
    """One row of the search; the number decides everything that `changes` does not."""
    model, capacity = _MODELS[number % len(_MODELS)]
    return {
        "EasIds": {},
        "TimeZone": "",
        "Udid": f"00008130-{number:016X}",
        "SerialNumber": f"FK{number:08d}W",
        "AssetNumber": f"IT-{number:05d}" if number % 3 else "",
        "DeviceFriendlyName": f"worker{number} iOS {number}",
        "DeviceReportedName": f"Depot {number}" if number % 4 else "",
        "LocationGroupId": {"Id": {"Value": 900}, "Name": "Depots", "Uuid": device_uuid(99000)},
        "LocationGroupName": "Depots",
        "UserId": {"Id": {"Value": number}, "Name": f"Worker Number {number}"},
        "UserName": f"worker{number}",
        "UserEmailAddress": f"worker{number}@corp.example",
        "Ownership": "C",
        "PlatformId": {"Id": {"Value": 2}, "Name": "Apple"},
        "Platform": "Apple",
        "ModelId": {"Id": {"Value": 1}, "Name": model},
        "Model": model,
        "OperatingSystem": "26.1" if number % 3 else "18.7.2",
        "OSBuildVersion": "23B85",
        "LastSeen": f"2026-11-{15 + number % 6:02d}T08:08:09.460",
        "LastSystemSampleTime": f"2026-11-{15 + number % 6:02d}T08:00:00.000",
        "LastEnrolledOn": "2025-09-02T07:15:00.120",
        "LastComplianceCheckOn": "0001-01-01T00:00:00.000",
        "EnrollmentStatus": "Enrolled",
        "EnrolledViaDEP": number % 2 == 1,
        "ManagedBy": 1,
        "IsSupervised": number % 5 != 0,
        "IsCloudBackupEnabled": number % 6 != 0,
        "IsRoaming": number % 11 == 0,
        "BatteryLevel": str(20 + number % 80),
        "DeviceCapacity": capacity,
        "AvailableDeviceCapacity": float((number % 50 + 1) * 10**9),
        "DeviceCellularNetworkInfo": [{"CarrierName": "Carrier", "IsRoaming": False}],
        "Id": {"Value": number},
        "Uuid": device_uuid(number),
    } | changes


NEVER_INVENTORIED = {
    "IsSupervised": False,
    "IsCloudBackupEnabled": False,
    "BatteryLevel": "",
    "OSBuildVersion": "",
    "LastSeen": "0001-01-01T00:00:00.000",
}
"""What a row says of a device that never answered; the keys of `VANISH` are then not there at all."""
VANISH = ("DeviceCapacity", "AvailableDeviceCapacity", "LastSystemSampleTime", "EnrolledViaDEP")


def never_inventoried(number: int) -> Record:
    """A row of a device that is enrolled and has not answered yet."""
    row = device(number, **NEVER_INVENTORIED)
    return {key: value for key, value in row.items() if key not in VANISH}


def profile(number: int, **payloads: Any) -> Record:  # noqa: ANN401 - any JSON value
    """A profile with payloads; `General` holds its ids."""
    return {"General": {"ProfileId": number, "ProfileUuid": device_uuid(70000 + number)}, **payloads}


def blocking(number: int = 1) -> Record:
    """A profile that forbids iCloud Backup."""
    return profile(number, Restrictions={"AllowBackup": False, "AllowCamera": True})


def tunnel(number: int = 2) -> Record:
    """A profile with a VPN on demand."""
    return profile(number, VpnList=[{"ConnectionType": "IKEv2", "EnableVPNOnDemand": True}])


@dataclass
class WorkspaceOne(Loopback):
    """A tenant.

    Attributes:
        devices: rows of the search.
        page_cap: the largest page, granted without a word and named in the answer.
        granted: permissions of the role.
        profiles: active Apple profiles.
        installed: by profile id the numbers of the devices that have it.
        totals: the total that the n-th search states, where it is not the truth.
        page_hook: turns the answer of a search into the body that is sent.
        throttled: that many answers are 429 before the first good one.
    """

    devices: list[Record] = field(default_factory=lambda: [device(number) for number in range(1, 31)])
    page_cap: int = 10
    granted: set[str] = field(default_factory=lambda: {READ_DEVICES, READ_PROFILES})
    profiles: list[Record] = field(default_factory=list[Record])
    installed: dict[int, list[int]] = field(default_factory=dict[int, list[int]])
    totals: Callable[[int, int], int] = lambda _search, truth: truth
    page_hook: Callable[[dict[str, Any]], bytes] = lambda page: json.dumps(page).encode()
    throttled: int = 0
    retry_after: str | None = None

    def __post_init__(self) -> None:
        super().__init__()

    def route(self, asked: Asked) -> Reply:
        assert asked.path == TOKEN or asked.method == "GET", "a POST may delete devices"
        if asked.path == TOKEN:
            return self._sign_in(asked)
        if not _admitted(asked):
            return Reply(401, b"<!DOCTYPE html><p>no</p>", {"Content-Type": "text/html"})
        if self.throttled:
            self.throttled -= 1
            headers = {} if self.retry_after is None else {"retry_after": self.retry_after}
            return reply({"errorCode": 429, "message": "no"}, 429, **headers)
        needed = READ_PROFILES if asked.path.startswith("/API/mdm/profiles") else READ_DEVICES
        if needed not in self.granted:
            return reply({"errorCode": 1013, "message": "no", "activityId": device_uuid(1)}, 403)
        return self._data(asked)

    def _sign_in(self, asked: Asked) -> Reply:
        if asked.form.get("client_secret") != SECRET or asked.form.get("grant_type") != "client_credentials":
            return reply({"error": "invalid_client"}, 400)
        return reply({"access_token": "uem-token", "token_type": "Bearer", "expires_in": 3600})

    def _data(self, asked: Asked) -> Reply:
        version_2 = asked.headers["accept"] == "application/json;version=2"
        if asked.path.endswith("/devices") and not version_2:
            return self._installed(asked, asked.path.split("/")[-2])
        if not version_2:
            return reply({"message": "made-up gateway"}, 503)
        if asked.path == LIST:
            return self._devices(asked)
        if asked.path == SEARCH:
            return self._profiles(asked)
        found = [one for one in self.profiles if asked.path.endswith(f"/{one['General']['ProfileId']}")]
        return reply(found[0]) if found else reply({"errorCode": 404}, 404)

    def _devices(self, asked: Asked) -> Reply:
        rows, page, size = self._window(asked, self.devices)
        total = self.totals(self.count(LIST), len(self.devices))
        if not rows:
            return Reply(204, b"")
        return Reply(200, self.page_hook({"Devices": rows, "Page": page, "PageSize": size, "Total": total}))

    def _profiles(self, asked: Asked) -> Reply:
        keys = {"Restriction": "Restrictions", "Vpn": "VpnList", "CustomSetting": "CustomSettingsList"}
        having = [one for one in self.profiles if keys[asked.first("payloadName", "Restriction")] in one]
        rows, _, _ = self._window(asked, [one["General"] for one in having])
        return reply({"ProfileList": rows, "TotalResults": len(having)}) if rows else Reply(204, b"")

    def _installed(self, asked: Asked, uuid: str) -> Reply:
        assert asked.first("profilestatus") == "INSTALLED"
        numbers = self.installed.get(int(uuid[-12:], 16) - 70000, [])
        rows, _, _ = self._window(asked, [{"uuid": device_uuid(number).upper()} for number in numbers])
        return (
            reply({"profileAssignedDevices": rows, "TotalResults": len(numbers)}) if rows else Reply(204, b"")
        )

    def _window(self, asked: Asked, rows: list[Record]) -> tuple[list[Record], int, int]:
        page, size = int(asked.first("page", "0")), min(int(asked.first("pagesize", "500")), self.page_cap)
        return rows[page * size : (page + 1) * size], page, size


def _admitted(asked: Asked) -> bool:
    said = asked.headers.get("authorization")
    proof = b64encode(f"reader:{PASSWORD}".encode()).decode()
    by_account = said == f"Basic {proof}" and asked.headers.get("aw-tenant-code") == API_KEY
    return said == "Bearer uem-token" or by_account


def sample(_folder: Path | None = None) -> tuple[dict[str, Any], httpx.BaseTransport]:
    """Settings and a source that show everything the kind can report."""
    vendor = WorkspaceOne(profiles=[blocking(), tunnel()], installed={1: [1, 2], 2: [3]})
    client = {
        "client_id": "client-1",
        "client_secret": SECRET,
        "token_url": f"https://login.uem.example{TOKEN}",
    }
    return {"url": HOST, **client}, vendor.transport
