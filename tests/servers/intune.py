"""A made-up Microsoft Graph with a login host in one: the lists and batches that Intune serves, and their traps."""

from __future__ import annotations

import json
import threading
from base64 import b64encode
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from tests.servers.loopback import Asked, Loopback, Reply, reply

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import httpx

Record = dict[str, Any]
TENANT = "9d3f1c52-6a0e-4b7c-8f21-000000000001"
SECRET = "secret-of-the-app"
READ_DEVICES = "DeviceManagementManagedDevices.Read.All"
READ_POLICIES = "DeviceManagementConfiguration.Read.All"
LIST = "/beta/deviceManagement/managedDevices"
BATCH = "/beta/$batch"
TEMPLATES = "/beta/deviceManagement/deviceConfigurations"
CATALOG = "/beta/deviceManagement/configurationPolicies"
OVERVIEW = "/v1.0/deviceManagement/managedDeviceOverview"
TOKEN = f"/{TENANT}/oauth2/v2.0/token"
_MODELS = (
    ("iPhone", "iPhone15,4", "iPhone 15", 128),
    ("iPhone", "iPhone17,3", "iPhone 16", 256),
    ("iPad", "iPad13,18", "iPad (10th generation)", 64),
    ("iPad", "iPad14,8", "iPad Air 11-inch", 128),
)
_GIB = 2**30
_NO_TIME = "0001-01-01T00:00:00Z"


def device_id(number: int) -> str:
    """The id of the device with that number."""
    return f"5c0de000-0000-4000-8000-{number:012x}"


def device(number: int, **changes: Any) -> Record:  # noqa: ANN401 - any JSON value
    """One row of beta's list; the number decides everything that `changes` does not."""
    kind, _, model, capacity = _MODELS[number % len(_MODELS)]
    iphone = kind == "iPhone"
    return {
        "id": device_id(number),
        "userId": device_id(number + 90000),
        "deviceName": f"Field device {number}",
        "managedDeviceName": f"auto_{number}_IPhone",
        "managedDeviceOwnerType": "company" if number % 5 else "personal",
        "enrolledDateTime": "2025-09-02T07:15:00Z",
        "lastSyncDateTime": f"2026-11-{10 + number % 11:02d}T05:12:44Z",
        "operatingSystem": "iOS" if iphone or number % 2 else "iPadOS",
        "deviceType": kind,
        "osVersion": "26.1" if number % 3 else "18.7.2",
        "deviceEnrollmentType": "appleBulkWithUser" if number % 4 else "userEnrollment",
        "isSupervised": number % 4 != 0,
        "managementState": "managed",
        "managementAgent": "mdm",
        "lostModeState": "disabled" if number % 7 else "enabled",
        "deviceCategoryDisplayName": "Unknown",
        "emailAddress": f"person{number}@corp.example",
        "userPrincipalName": f"person{number}@corp.example",
        "userDisplayName": f"Person Number {number}",
        "model": model,
        "manufacturer": "Apple",
        "serialNumber": f"FK{number:08d}M",
        "totalStorageSpaceInBytes": capacity * _GIB,
        "freeStorageSpaceInBytes": (number % 50 + 1) * _GIB,
        # What a list says of these is a default, never a fact.
        "udid": None,
        "notes": None,
        "hardwareInformation": {"isSharedDevice": False, "batteryLevelPercentage": 0.0, "productName": None},
    } | changes


def own_answer(row: Record) -> Record:
    """What the same device says when it is asked for by its id."""
    number = int(row["id"][-12:], 16)
    hardware = {
        "isSharedDevice": number % 9 == 2,
        "batteryLevelPercentage": float(20 + number % 80),
        "productName": _MODELS[number % len(_MODELS)][1],
        "isSupervised": row["isSupervised"],
    }
    return {"id": row["id"], "udid": f"00008120-{number:016X}", "hardwareInformation": hardware}


def blocking(policy: int = 1, **changes: Any) -> Record:  # noqa: ANN401 - any JSON value
    """A device restrictions template that forbids iCloud Backup."""
    return _template(policy, "iosGeneralDeviceConfiguration", iCloudBlockBackup=True) | changes


def tunnel(policy: int = 2, **changes: Any) -> Record:  # noqa: ANN401 - any JSON value
    """A VPN template that connects on demand."""
    rules: list[Record] = [{"action": "connect", "ssids": []}]
    return (
        _template(policy, "iosVpnConfiguration", connectionType="ciscoIPSec", onDemandRules=rules) | changes
    )


def custom(profile: bytes, policy: int = 3) -> Record:
    """A custom profile."""
    payload = b64encode(profile).decode()
    return _template(policy, "iosCustomConfiguration", payload=payload, payloadFileName="own.mobileconfig")


def catalog_policy(setting: str, value: str, **changes: Any) -> Record:  # noqa: ANN401 - any JSON value
    """A settings catalog policy with one choice, inside a group as the catalogue nests it."""
    choice: Record = {"settingDefinitionId": setting, "choiceSettingValue": {"value": value, "children": []}}
    group: Record = {"settingDefinitionId": "group", "groupSettingCollectionValue": [{"children": [choice]}]}
    settings: list[Record] = [{"id": "0", "settingInstance": group}]
    return {
        "id": "catalog-1",
        "platforms": "iOS",
        "settings": settings,
        "assignments": [{"id": "a"}],
    } | changes


def _template(policy: int, kind: str, **own: Any) -> Record:  # noqa: ANN401 - any JSON value
    head = {
        "@odata.type": f"#microsoft.graph.{kind}",
        "id": device_id(policy + 70000),
        "displayName": "Policy",
    }
    return {**head, "assignments": [{"id": "to-a-group"}], **own}


@dataclass
class Intune(Loopback):
    """A tenant.

    Attributes:
        devices: rows of the list.
        page_cap: the largest page.
        granted: application permissions.
        templates, catalog: configuration policies.
        statuses: by template id, (device id, status) of each report.
        overview: what the overview counts; None for the truth.
        item_status: the status of a batch's item for the n-th time that its device is asked for.
        item_headers: the headers of an item that fails.
        page_hook: turns a page of the device list into the body that is sent.
        throttled: that many answers are 429 before the first good one.
        date: the login host's clock, as an HTTP date.
    """

    devices: list[Record] = field(default_factory=lambda: [device(number) for number in range(1, 31)])
    page_cap: int = 10
    granted: set[str] = field(default_factory=lambda: {READ_DEVICES, READ_POLICIES})
    templates: list[Record] = field(default_factory=list[Record])
    catalog: list[Record] = field(default_factory=list[Record])
    statuses: dict[str, list[tuple[str, str]]] = field(default_factory=dict[str, list[tuple[str, str]]])
    overview: int | None = None
    item_status: Callable[[str, int], int] = lambda _id, _time: 200
    item_headers: dict[str, str] = field(default_factory=dict[str, str])
    page_hook: Callable[[dict[str, Any]], bytes] = lambda page: json.dumps(page).encode()
    throttled: int = 0
    retry_after: str | None = None
    date: str = "Sun, 22 Nov 2026 02:00:00 GMT"

    def __post_init__(self) -> None:
        super().__init__()
        self._items = threading.Lock()
        self._times: dict[str, int] = {}

    def route(self, asked: Asked) -> Reply:
        if asked.path == TOKEN:
            return self._sign_in(asked)
        if asked.path == f"/{TENANT}/v2.0/.well-known/openid-configuration":
            return reply({}, date=self.date)
        if asked.headers.get("authorization") != "Bearer graph-token":
            return _error(401, "InvalidAuthenticationToken")
        if self.throttled:
            self.throttled -= 1
            return _error(429, "TooManyRequests", self.retry_after)
        needed = READ_POLICIES if asked.path.startswith((TEMPLATES, CATALOG)) else READ_DEVICES
        return self._data(asked) if needed in self.granted else _error(403, "Forbidden")

    def _sign_in(self, asked: Asked) -> Reply:
        form = asked.form
        proven = form.get("client_secret") == SECRET or "client_assertion" in form
        if (
            not proven
            or form.get("grant_type") != "client_credentials"
            or not form["scope"].endswith("/.default")
        ):
            return reply(
                {"error": "invalid_client", "error_description": f"wrong for {form.get('client_id')}"}, 401
            )
        return reply({"token_type": "Bearer", "expires_in": 3599, "access_token": "graph-token"})

    def _data(self, asked: Asked) -> Reply:
        if asked.path.endswith("/managedDevices"):
            return self._devices(asked)
        if asked.path.endswith("/deviceStatuses"):
            return self._statuses(asked, asked.path.split("/")[-2])
        if asked.path == OVERVIEW:
            return reply({"deviceOperatingSystemSummary": {"iosCount": self._counted(), "windowsCount": 400}})
        if asked.path == BATCH:
            return self._batch(json.loads(asked.body)["requests"])
        policies = {TEMPLATES: self.templates, CATALOG: self.catalog}.get(asked.path)
        return _error(404, "ResourceNotFound") if policies is None else reply(self._page(asked, policies))

    def _counted(self) -> int:
        mobile = [row for row in self.devices if row["operatingSystem"] in {"iOS", "iPadOS"}]
        return len(mobile) if self.overview is None else self.overview

    def _devices(self, asked: Asked) -> Reply:
        since = asked.first("$filter").partition("lastSyncDateTime gt ")[2]
        rows = [row for row in self.devices if not since or row["lastSyncDateTime"] > since]
        if asked.path.startswith("/v1.0"):
            beta_only = {"deviceType", "lostModeState", "hardwareInformation"}
            rows = [{key: value for key, value in row.items() if key not in beta_only} for row in rows]
        return Reply(200, self.page_hook(self._page(asked, rows)))

    def _statuses(self, asked: Asked, policy: str) -> Reply:
        rows = [
            {"id": f"{device_id(80000)}_{policy}_{native_id}", "status": status, "userName": "somebody"}
            for native_id, status in self.statuses.get(policy, [])
        ]
        return reply(self._page(asked, rows))

    def _page(self, asked: Asked, rows: list[Record]) -> dict[str, Any]:
        start = int(asked.first("$skiptoken", "0"))
        size = min(int(asked.first("$top", "1000")), self.page_cap)
        page: dict[str, Any] = {"@odata.context": "made-up", "value": rows[start : start + size]}
        if start + size < len(rows):
            host = asked.headers["host"]
            scheme = "http" if host.startswith("127.") else "https"
            kept = "".join(f"{key}={quote(asked.first(key))}&" for key in asked.query if key != "$skiptoken")
            page["@odata.nextLink"] = f"{scheme}://{host}{asked.path}?{kept}$skiptoken={start + size}"
        return page

    def _batch(self, items: list[Record]) -> Reply:
        assert len(items) <= 20
        answers = [self._item(item) for item in items]
        return reply({"responses": answers[::-1]})

    def _item(self, item: Record) -> Record:
        path, _, query = item["url"].partition("?")
        native_id = path.rpartition("/")[2]
        with self._items:
            self._times[native_id] = self._times.get(native_id, 0) + 1
            status = self.item_status(native_id, self._times[native_id])
        row = next((row for row in self.devices if row["id"] == native_id), None)
        if row is None or status != 200:
            body = {"error": {"code": "made-up", "message": "no"}}
            return {
                "id": item["id"],
                "status": status if row else 404,
                "headers": self.item_headers,
                "body": body,
            }
        assert "hardwareInformation" in query
        return {"id": item["id"], "status": 200, "headers": {}, "body": own_answer(row)}


def _error(status: int, code: str, retry_after: str | None = None) -> Reply:
    headers = {} if retry_after is None else {"retry_after": retry_after}
    return reply({"error": {"code": code, "message": "made-up"}}, status, **headers)


def sample(_folder: Path | None = None) -> tuple[dict[str, Any], httpx.BaseTransport]:
    """Settings and a source that show everything the kind can report."""
    vendor = Intune(templates=[blocking(), tunnel()])
    vendor.statuses = {
        blocking()["id"]: [(device_id(1), "compliant"), (device_id(2), "error")],
        tunnel()["id"]: [(device_id(3), "compliant")],
    }
    values = {"tenant_id": TENANT, "client_id": "app-1", "client_secret": SECRET}
    return values, vendor.transport


NEVER_SYNCED = {"lastSyncDateTime": _NO_TIME, "enrolledDateTime": _NO_TIME}
"""Changes that make a row one of a device that has never synchronised."""
