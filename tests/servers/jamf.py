"""A made-up Jamf Pro: the pages a collection needs, with the faults that real servers have.

As a server: `python -m tests.servers.jamf --devices 10000 --port 8080`.
"""

from __future__ import annotations

import argparse
import json
import plistlib
import re
import threading
import time
from base64 import b64encode
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any, Literal

from tests.servers.loopback import Asked, Loopback, Reply, reply

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

Record = dict[str, Any]
EPOCH = datetime(2026, 3, 2, 4, 30, tzinfo=UTC)
SECTION_KEYS = {
    "GENERAL": "general",
    "HARDWARE": "hardware",
    "USER_AND_LOCATION": "userAndLocation",
    "SECURITY": "security",
    "NETWORK": "network",
    "GROUPS": "groups",
    "PROFILES": "profiles",
}
TEXT = "text/plain;charset=UTF-8"
"""How the Classic API labels its JSON."""
HTML = {"Content-Type": "text/html"}
_CLASSIC_PROFILES = "/JSSResource/mobiledeviceconfigurationprofiles"
WIFI_UUID = "3F0A7C51-6B1D-4E0B-9C55-0D6E5A9B1001"
_EMPTY_SECTIONS = (
    "purchasing",
    "applications",
    "certificates",
    "ebooks",
    "serviceSubscriptions",
    "userProfiles",
    "provisioningProfiles",
    "sharedUsers",
    "extensionAttributes",
)
_MODELS = (
    ("iPhone14,5", "iPhone 13", 131072),
    ("iPhone17,3", "iPhone 16", 262144),
    ("iPad11,6", "iPad 8th generation (Wi-Fi)", 32768),
    ("iPad13,18", "iPad 10th generation (Wi-Fi)", 65536),
)


def jamf_record(i: int) -> Record:
    """One believable device of about 3.3 KB with every section; `i` decides everything, its id is `i + 1`."""
    identifier, model, capacity = _MODELS[i % len(_MODELS)]
    return {
        "mobileDeviceId": str(i + 1),
        "deviceType": "iOS",
        "general": _general(i),
        "hardware": _hardware(i, identifier, model, capacity),
        "userAndLocation": _user(i),
        "security": _security(),
        "network": _network(),
        "groups": [
            {
                "groupId": "1",
                "groupName": "All managed",
                "groupDescription": "Everything under management",
                "smart": True,
            },
            {
                "groupId": str(10 + i % 7),
                "groupName": f"Cart {i % 7}",
                "groupDescription": "",
                "smart": False,
            },
        ],
        "profiles": [installed(WIFI_UUID)],
    } | dict.fromkeys(_EMPTY_SECTIONS)


def installed(uuid: str, identifier: str | None = None) -> Record:
    """One row of section PROFILES; Jamf's own profiles have one word for both names."""
    return {
        "displayName": "A profile",
        "version": "1",
        "uuid": uuid,
        "identifier": uuid if identifier is None else identifier,
        "removable": False,
        "lastInstalled": stamp(100),
    }


def classic_profile(uuid: str, *payloads: Record, **general: object) -> Record:
    """The block `general` of one configuration profile as the Classic API gives it."""
    content = {"PayloadType": "Configuration", "PayloadUUID": uuid, "PayloadContent": list(payloads)}
    return {
        "id": 1,
        "name": "A profile",
        "level": "Device Level",
        "site": {"id": -1, "name": "None"},
        "uuid": uuid,
        "deployment_method": "Install Automatically",
        "payloads": plistlib.dumps(content).decode(),
        **general,
    }


def stamp(days: float) -> str:
    """A time that many days before this server's present, the way Jamf writes it."""
    return (EPOCH - timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def _general(i: int) -> Record:
    return {
        "udid": f"00008101-{i:016X}",
        "displayName": f"Tablet {i:05d}",
        "assetTag": f"A{i:06d}" if i % 3 else "",
        "siteId": str(1 + i % 2) if i % 4 else "-1",
        "lastInventoryUpdateDate": stamp(i % 5),
        "lastContactDate": stamp(i % 2),
        "osVersion": "26.3.1" if i % 4 else "25.6",
        "osRapidSecurityResponse": "",
        "osBuild": "23D8133",
        "osSupplementalBuildVersion": "23D8133",
        "softwareUpdateDeviceId": "J171AP",
        "ipAddress": f"198.51.100.{i % 250}",
        "managed": True,
        "supervised": i % 10 != 0,
        "deviceOwnershipType": "Institutional",
        "enrollmentMethodPrestage": {"mobileDevicePrestageId": "5", "profileName": "All devices"}
        if i % 3
        else None,
        "enrollmentSessionTokenValid": False,
        "lastEnrolledDate": stamp(400 + i % 300),
        "mdmProfileExpirationDate": stamp(-300),
        "timeZone": "Europe/Berlin",
        "declarativeDeviceManagementEnabled": True,
        "managementId": f"5f3c0d6e-0000-4000-8000-{i:012d}",
        "extensionAttributes": [],
        "lastLoggedInUsernameSelfService": None,
        "lastLoggedInUsernameSelfServiceTimestamp": None,
        "lastLoggedInUsernameMdm": None,
        "lastLoggedInUsernameMdmTimestamp": None,
        "sharedIpad": False,
        "diagnosticAndUsageReportingEnabled": False,
        "appAnalyticsEnabled": False,
        "residentUsers": None,
        "quotaSize": None,
        "temporarySessionOnly": None,
        "temporarySessionTimeout": None,
        "userSessionTimeout": None,
        "syncedToComputer": -1,
        "maximumSharediPadUsersStored": -1,
        "lastBackupDate": None if i % 50 else stamp(20),
        "deviceLocatorServiceEnabled": True,
        "doNotDisturbEnabled": False,
        "cloudBackupEnabled": i % 6 != 0,
        "lastCloudBackupDate": None if i % 9 == 0 else stamp(i % 5 + i % 40),
        "locationServicesForSelfServiceMobileEnabled": False,
        "itunesStoreAccountActive": i % 8 != 0,
        "exchangeDeviceId": "",
        "tethered": False,
    }


def _hardware(i: int, identifier: str, model: str, capacity: int) -> Record:
    free = capacity * (i % 90 + 1) // 100
    return {
        "capacityMb": capacity,
        "availableSpaceMb": free,
        "usedSpacePercentage": 100 * (capacity - free) // capacity,
        "batteryLevel": 15 + i % 86,
        "batteryHealth": "UNKNOWN",
        "serialNumber": f"FK{i:08d}Q",
        "wifiMacAddress": "02:00:5E:10:00:01",
        "bluetoothMacAddress": "02:00:5E:10:00:02",
        "modemFirmwareVersion": "",
        "model": model,
        "modelIdentifier": identifier,
        "modelNumber": "MK2K3FD",
        "bluetoothLowEnergyCapable": True,
        "deviceId": "",
        "extensionAttributes": [],
    }


def _user(i: int) -> Record:
    return {
        "username": f"user{i}",
        "realName": f"User Number {i}",
        "emailAddress": f"user{i}@school.example",
        "position": "Student",
        "phoneNumber": "",
        "departmentId": str(i % 12),
        "buildingId": "2",
        "room": f"R{i % 40}",
        "building": "North wing",
        "department": f"Year {i % 12 + 1}",
        "extensionAttributes": [],
    }


def _security() -> Record:
    return {
        "dataProtected": True,
        "blockLevelEncryptionCapable": True,
        "fileLevelEncryptionCapable": True,
        "passcodePresent": True,
        "passcodeCompliant": True,
        "passcodeCompliantWithProfile": True,
        "hardwareEncryption": 3,
        "activationLockEnabled": False,
        "jailBreakDetected": False,
        "attestationStatus": "SUCCESS",
        "lastAttestationAttemptDate": stamp(3),
        "lastSuccessfulAttestationDate": stamp(3),
        "passcodeLockGracePeriodEnforcedSeconds": 0,
        "personalDeviceProfileCurrent": False,
        "lostModeEnabled": False,
        "lostModePersistent": False,
        "lostModeMessage": "",
        "lostModePhoneNumber": "",
        "lostModeFootnote": "",
        "lostModeLocation": None,
        "bootstrapTokenEscrowed": "NOT_SUPPORTED",
    }


def _network() -> Record:
    return {
        "cellularTechnology": "None",
        "voiceRoamingEnabled": False,
        "imei": "",
        "iccid": "",
        "meid": "",
        "eid": "",
        "carrierSettingsVersion": "",
        "currentCarrierNetwork": "",
        "currentMobileCountryCode": "",
        "currentMobileNetworkCode": "",
        "homeCarrierNetwork": "",
        "homeMobileCountryCode": "",
        "homeMobileNetworkCode": "",
        "dataRoamingEnabled": False,
        "roaming": False,
        "personalHotspotEnabled": False,
        "phoneNumber": "",
        "preferredVoiceNumber": "",
    }


@dataclass(kw_only=True)
class JamfServer(Loopback):
    """A fleet behind Jamf's API.

    Attributes:
        devices: how many, made by `record`; or the records themselves.
        page_cap: the largest page, granted without a word.
        broken: id to the section that breaks its page; without that section, or leniently, the page is whole.
        hard: ids whose page breaks whatever is asked; `by_id` tells if they can be had one by one.
        listed: False hides the list of ids.
        token_requests: a token is refused after so many requests for data.
        token_seconds: how long a token says that it lives.
        unversioned_token: the token is had at the path of older servers only.
        fail_from_page, fail_status: from that page on every page fails for ever.
        latency_seconds: before each answer, over a socket.
        sites: by id; None refuses them for want of a permission.
        refused_sections: never sent, as if not asked for.
        profiles: the configuration profiles by id: `classic_profile`, or the body of an answer, or a status; None
            refuses them all for want of a permission, as the Classic API does, with a 401.
        totals: the total that the n-th page of the detail list states, where it is not the truth.
        filters: what it makes of a filter by inventory date: takes it, ignores it, or refuses it.
    """

    devices: int | Sequence[Record] = 3
    record: Callable[[int], Record] = jamf_record
    page_cap: int = 2000
    version: str = "11.30.1-t1756000000000"
    broken: Mapping[str, str] = field(default_factory=dict[str, str])
    hard: frozenset[str] = frozenset()
    by_id: bool = False
    listed: bool = True
    token_requests: int | None = None
    token_seconds: int = 1200
    unversioned_token: bool = False
    client_secret: str = "secret-of-the-client"
    username: str = "reader"
    password: str = "secret-of-the-user"
    fail_from_page: int | None = None
    fail_status: int = 500
    latency_seconds: float = 0
    sites: Mapping[str, str] | None = field(default_factory=lambda: {"1": "North", "2": "South"})
    profiles: Mapping[int, Record | bytes | int] | None = field(
        default_factory=dict[int, "Record | bytes | int"]
    )
    refused_sections: frozenset[str] = frozenset()
    totals: Callable[[int, int], int] = lambda _page, truth: truth
    page_hook: Callable[[list[bytes]], bytes] | None = None
    filters: Literal["takes", "ignores", "refuses"] = "ignores"

    def __post_init__(self) -> None:
        super().__init__()
        made = (
            self.devices
            if not isinstance(self.devices, int)
            else [self.record(i) for i in range(self.devices)]
        )
        self.records: list[Record] = [dict(record) for record in made]
        self._encoded: dict[frozenset[str], list[bytes]] = {}
        self._tokens = 0
        self._used = 0
        self._in_flight = 0
        self.most_in_flight = 0

    def forget_encoded(self) -> None:
        """Send the records as they are now, after they were changed."""
        with self._lock:
            self._encoded.clear()

    def route(self, asked: Asked) -> Reply:
        """A token, or data for one that is good."""
        with self._lock:
            self._in_flight += 1
            self.most_in_flight = max(self.most_in_flight, self._in_flight)
        try:
            if self.latency_seconds:
                time.sleep(self.latency_seconds)
            return self._answer(asked)
        finally:
            with self._lock:
                self._in_flight -= 1

    def _answer(self, asked: Asked) -> Reply:
        root = "/api" if self.unversioned_token else "/api/v1"
        match asked.method, asked.path.removeprefix(root):
            case "POST", "/oauth/token":
                return self._client_token(asked)
            case "POST", "/auth/token":
                return self._user_token(asked)
            case "GET", _ if not self._admitted(asked):
                return _error(401)
            case "GET", _:
                return self.classic(asked) if asked.path.startswith("/JSSResource") else self._data(asked)
            case _:
                return _error(404)

    def classic(self, asked: Asked) -> Reply:
        """The Classic API's answer, for a credential that is good."""
        if "application/json" not in asked.headers.get("accept", ""):
            return Reply(200, b"<configuration_profiles/>", {"Content-Type": "application/xml"})
        if self.profiles is None:
            return Reply(401, b"<html>Unauthorized</html>", HTML)
        if asked.path == _CLASSIC_PROFILES:
            listed = [{"id": number, "name": "A profile"} for number in self.profiles]
            return reply({"configuration_profiles": listed}, content_type=TEXT)
        profile = self.profiles.get(int(asked.path.removeprefix(f"{_CLASSIC_PROFILES}/id/")), 404)
        if isinstance(profile, int):
            return Reply(profile, b"<html>Error</html>", HTML)
        if isinstance(profile, bytes):
            return Reply(200, profile, {"Content-Type": TEXT})
        return reply({"configuration_profile": {"general": profile, "scope": {}}}, content_type=TEXT)

    def _data(self, asked: Asked) -> Reply:
        match asked.path.removeprefix("/api").split("/")[1:]:
            case ["v1", "jamf-pro-version"]:
                return reply({"version": self.version})
            case ["v1", "sites"]:
                sites = [{"id": key, "name": name} for key, name in (self.sites or {}).items()]
                return _error(403) if self.sites is None else reply(sites)
            case ["v2", "mobile-devices"] if self.listed:
                return self._listing(asked)
            case ["v2", "mobile-devices", "detail"]:
                return self._details(asked)
            case ["v2", "mobile-devices", *native_id, "detail"]:
                return self._single("/".join(native_id))
            case _:
                return _error(404)

    def _client_token(self, asked: Asked) -> Reply:
        if asked.form.get("client_secret") != self.client_secret:
            return reply({"error": "invalid_client"}, 400)
        return reply(
            {"access_token": self._issue(), "token_type": "Bearer", "expires_in": self.token_seconds}
        )

    def _user_token(self, asked: Asked) -> Reply:
        proof = b64encode(f"{self.username}:{self.password}".encode()).decode()
        if asked.headers.get("authorization") != f"Basic {proof}":
            return _error(401)
        expires = EPOCH + timedelta(seconds=self.token_seconds)
        said = {"token": self._issue(), "expires": expires.isoformat().replace("+00:00", "Z")}
        return reply(said, date=format_datetime(EPOCH, usegmt=True))

    def _issue(self) -> str:
        with self._lock:
            self._tokens += 1
            self._used = 0
            return f"token-{self._tokens}"

    def _admitted(self, asked: Asked) -> bool:
        with self._lock:
            self._used += 1
            worn = self.token_requests is not None and self._used > self.token_requests
            return (
                not worn
                and self._tokens > 0
                and asked.headers.get("authorization") == f"Bearer token-{self._tokens}"
            )

    def _window(self, asked: Asked) -> tuple[int, slice]:
        page, size = int(asked.first("page", "0")), min(int(asked.first("page-size", "100")), self.page_cap)
        return page, slice(page * size, (page + 1) * size)

    def _listing(self, asked: Asked) -> Reply:
        _, window = self._window(asked)
        rows = [{"id": record["mobileDeviceId"], "type": "ios"} for record in self.records[window]]
        return reply({"totalCount": len(self.records), "results": rows})

    def _details(self, asked: Asked) -> Reply:
        if "filter" in asked.query and self.filters != "ignores":
            return self._filtered(asked) if self.filters == "takes" else _error(400)
        page, window = self._window(asked)
        if self.fail_from_page is not None and page >= self.fail_from_page:
            return _error(self.fail_status)
        sections = frozenset(asked.query.get("section", ["GENERAL"]))
        lenient = asked.first("exception-handling") == "LENIENT" and self._knows_lenient()
        if any(self._breaks(record, sections, lenient=lenient) for record in self.records[window]):
            return _error(500)
        rows = self._rows(sections - self.refused_sections, window)
        results = b"[" + b",".join(rows) + b"]" if self.page_hook is None else self.page_hook(rows)
        total = self.totals(page, len(self.records))
        return Reply(200, b'{"totalCount":%d,"results":%s}' % (total, results))

    def _filtered(self, asked: Asked) -> Reply:
        """The page of a list that holds only devices with a young inventory, as a server of their own would give it."""
        since = re.fullmatch(
            r'lastInventoryUpdateDate>="(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)"', asked.first("filter")
        )
        assert since is not None
        young = [
            one for one in self.records if str(one["general"]["lastInventoryUpdateDate"]) >= since[1][:-1]
        ]
        rest = {name: values for name, values in asked.query.items() if name != "filter"}
        return replace(self, devices=young, filters="ignores")._details(replace(asked, query=rest))

    def _knows_lenient(self) -> bool:
        major, minor = self.version.split(".")[:2]
        return (int(major), int(minor)) >= (11, 29)

    def _breaks(self, record: Record, sections: frozenset[str], *, lenient: bool) -> bool:
        native_id = record.get("mobileDeviceId")
        return native_id in self.hard or (self.broken.get(str(native_id)) in sections and not lenient)

    def _rows(self, sections: frozenset[str], window: slice) -> list[bytes]:
        with self._lock:
            if sections not in self._encoded:
                hidden = {key for name, key in SECTION_KEYS.items() if name not in sections}
                self._encoded[sections] = [
                    json.dumps(self._shown(record, hidden), separators=(",", ":")).encode()
                    for record in self.records
                ]
        return self._encoded[sections][window]

    def _shown(self, record: Record, hidden: set[str]) -> Record:
        broken = SECTION_KEYS.get(self.broken.get(str(record.get("mobileDeviceId")), ""), "")
        return {key: None if key in hidden or key == broken else value for key, value in record.items()}

    def _single(self, native_id: str) -> Reply:
        record = next((record for record in self.records if record["mobileDeviceId"] == native_id), None)
        if record is None:
            return _error(404)
        return reply(single_detail(record)) if native_id not in self.hard or self.by_id else _error(500)


def single_detail(record: Record) -> Record:
    """The same device as `/{id}/detail` shows it, with that answer's own names."""
    g: Record = record.get("general") or {}
    h: Record = record.get("hardware") or {}
    u: Record = record.get("userAndLocation") or {}
    kind: str = record["deviceType"].lower()
    block: Record = {
        "model": h.get("model"),
        "modelIdentifier": h.get("modelIdentifier"),
        "supervised": g.get("supervised"),
        "batteryLevel": h.get("batteryLevel"),
        "lastBackupTimestamp": g.get("lastBackupDate"),
        "capacityMb": h.get("capacityMb"),
        "availableMb": h.get("availableSpaceMb"),
        "shared": g.get("sharedIpad"),
        "cloudBackupEnabled": g.get("cloudBackupEnabled"),
        "lastCloudBackupTimestamp": g.get("lastCloudBackupDate"),
        "iTunesStoreAccountActive": g.get("itunesStoreAccountActive"),
        "security": {"dataProtected": True},
        "network": record.get("network"),
        "configurationProfiles": record.get("profiles"),
    }
    return {
        "id": record["mobileDeviceId"],
        "name": g.get("displayName"),
        "assetTag": g.get("assetTag"),
        "lastInventoryUpdateTimestamp": g.get("lastInventoryUpdateDate"),
        "lastContactTimestamp": g.get("lastContactDate"),
        "osVersion": g.get("osVersion"),
        "osBuild": g.get("osBuild"),
        "serialNumber": h.get("serialNumber"),
        "udid": g.get("udid"),
        "managed": g.get("managed"),
        "lastEnrollmentTimestamp": g.get("lastEnrolledDate"),
        "deviceOwnershipLevel": str(g.get("deviceOwnershipType")).lower(),
        "enrollmentMethod": "User-initiated - no invitation",
        "site": {"id": g.get("siteId"), "name": "None"},
        "location": {
            key: u.get(key) for key in ("username", "realName", "emailAddress", "departmentId", "buildingId")
        },
        "type": kind,
        kind: block,
        "groups": record.get("groups"),
    }


def _error(status: int) -> Reply:
    codes = {401: "INVALID_TOKEN", 403: "INVALID_PRIVILEGE"}
    error = {"code": codes.get(status, "ERROR"), "description": "", "id": "0", "field": None}
    return reply({"httpStatus": status, "errors": [error]}, status)


def main() -> None:
    """Serve until interrupted; prints where."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--devices", type=int, default=1000)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--latency-ms", type=float, default=0)
    options = parser.parse_args()
    server = JamfServer(devices=options.devices, latency_seconds=options.latency_ms / 1000)
    server.start(options.port)
    print(server.url, flush=True)  # noqa: T201 - whoever started it reads this
    threading.Event().wait()


if __name__ == "__main__":
    main()
