"""A made-up Apple Business: the login that checks a signature, three lists in pages, and details per device."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.servers.loopback import Asked, Loopback, Reply, reply

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Record = dict[str, Any]
CLIENT_ID = "BUSINESSAPI.1f1e7c40-0000-4000-8000-00000000c0de"
KEY_ID = "5e1f0000-0000-4000-8000-000000000001"
TOKEN_PATH = "/auth/oauth2/token"
_KEY = ec.derive_private_key(2**200 + 9, ec.SECP256R1())
PRIVATE_KEY = _KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
_MODELS = (
    ("iPhone", "iPhone 13", "iPhone14,5", 128),
    ("iPhone", "iPhone 16", "iPhone17,3", 256),
    ("iPad", "iPad (8th generation)", "iPad11,6", 32),
    ("iPad", "iPad (10th generation)", "iPad13,18", 64),
)
MAC = 7


def serial(i: int) -> str:
    return f"FK{i:08d}A"


def _model(i: int) -> tuple[str, str, str, int]:
    return ("Mac", "MacBook Air", "Mac14,2", 512) if i == MAC else _MODELS[i % len(_MODELS)]


def device(i: int) -> Record:
    """One row of the list of managed devices."""
    attributes = {
        "serialNumber": serial(i),
        "deviceName": f"Device {i:03d}",
        "productFamily": _model(i)[0],
        "enrolledUserId": None if i % 5 == 4 else str(900 + i),
    }
    return {"type": "mdmDevices", "id": serial(i), "attributes": attributes, "relationships": {"details": {}}}


def details(i: int) -> Record:
    """The attributes of one device's details."""
    family, model, _, capacity = _model(i)
    return {
        "serialNumber": serial(i),
        "deviceName": f"Device {i:03d}",
        "deviceModel": model,
        "osVersion": "26.3.1",
        "platform": {"iPad": "iPadOS", "Mac": "macOS"}.get(family, "iOS"),
        "lastCheckInDateTime": f"2026-03-0{1 + i % 2}T03:04:05.678Z",
        "storageTotalCapacity": capacity * 10**9,
        "storageFreeCapacity": capacity * 10**9 * (i + 1) // 50,
        "lostModeStatus": "ENABLED" if i == 3 else "DISABLED",
        "deviceLockStatus": "UNLOCKED",
        "deviceEraseStatus": "NOT_ERASED",
        "isFileVaultEnabled": None,
        "ethernetMacAddress": [],
    }


def owned(i: int) -> Record:
    """One row of the organization's catalogue."""
    _, model, identifier, capacity = _model(i)
    attributes = {
        "serialNumber": serial(i),
        "addedToOrgDateTime": "2025-03-01T10:00:00.000Z",
        "updatedDateTime": "2025-03-02T10:00:00.000Z",
        "deviceModel": model,
        "productType": identifier,
        "deviceCapacity": f"{capacity}GB",
        "status": "ASSIGNED",
    }
    return {"type": "orgDevices", "id": serial(i), "attributes": attributes}


def user(i: int) -> Record:
    """One row of the list of users."""
    attributes = {
        "firstName": "User",
        "lastName": f"Number {i}",
        "email": f"user{i}@firm.example",
        "managedAppleAccount": f"user{i}@appleid.firm.example",
        "department": f"Team {i % 3}",
        "status": "ACTIVE",
    }
    return {"type": "users", "id": str(900 + i), "attributes": attributes}


def _error(status: int, **headers: str) -> Reply:
    return reply(
        {"errors": [{"id": "e1", "status": str(status), "code": "SECRET-CODE", "title": "no"}]},
        status,
        **headers,
    )


@dataclass
class AppleBusiness(Loopback):
    """An organization of that many devices, all but `elsewhere` of them in Apple's own management.

    Attributes:
        elsewhere: how many more the catalogue lists.
        by_cursor: pages name the next by a cursor alone, not by a link.
        totals: pages state how many rows there are.
        refused: paths (or `details`) that the role may not read.
        statuses: per device's details, the status in place of 200.
        token_requests: a token is good for so many requests.
        throttled: every n-th request for data is answered 429 once.
        retry_after: what such an answer asks for.
        page_hook: changes the JSON of a page.
    """

    devices: int = 28
    elsewhere: int = 0
    by_cursor: bool = False
    totals: bool = True
    refused: frozenset[str] = frozenset()
    statuses: Mapping[str, int] = field(default_factory=dict[str, int])
    token_requests: int | None = None
    throttled: int = 0
    retry_after: str | None = "3"
    page_hook: Callable[[str, Record], Any] = lambda _path, page: page
    detail_hook: Callable[[str, Record], Any] = lambda _key, attributes: attributes

    def __post_init__(self) -> None:
        super().__init__()
        self.lists: dict[str, list[Record]] = {
            "/v1/mdmDevices": [device(i) for i in range(self.devices)],
            "/v1/orgDevices": [owned(i) for i in range(self.devices + self.elsewhere)],
            "/v1/users": [user(i) for i in range(self.devices)],
        }
        self.claims: list[Record] = []
        self._tokens = 0
        self._used = 0
        self._waved = 0

    def route(self, asked: Asked) -> Reply:
        if asked.path == TOKEN_PATH and asked.method == "POST":
            return self._token(asked)
        if not self._admitted(asked):
            return _error(401)
        if asked.headers.get("accept") != "application/json":
            return _error(406)
        self._waved += 1
        if self.throttled and self._waved % self.throttled == 0:
            return _error(429, **({"retry_after": self.retry_after} if self.retry_after else {}))
        return self._details(asked) if asked.path.endswith("/details") else self._list(asked)

    def _token(self, asked: Asked) -> Reply:
        form = asked.form
        fixed = {"grant_type": "client_credentials", "client_id": CLIENT_ID, "scope": "business.api"}
        if not fixed.items() <= form.items() or not self._signed(form.get("client_assertion", "")):
            return reply({"error": "invalid_client"}, 400)
        self._tokens += 1
        self._used = 0
        return reply({"access_token": f"token-{self._tokens}", "token_type": "Bearer", "expires_in": 3600})

    def _signed(self, assertion: str) -> bool:
        said, _, signature = assertion.rpartition(".")
        try:
            head, claims = (json.loads(_decoded(part)) for part in said.split("."))
            raw = _decoded(signature)
            der = encode_dss_signature(int.from_bytes(raw[:32]), int.from_bytes(raw[32:]))
            _KEY.public_key().verify(der, said.encode(), ec.ECDSA(SHA256()))
        except (ValueError, InvalidSignature):
            return False
        self.claims.append(claims)
        return len(raw) == 64 and head == {"alg": "ES256", "kid": KEY_ID, "typ": "JWT"}

    def _admitted(self, asked: Asked) -> bool:
        self._used += 1
        worn = self.token_requests is not None and self._used > self.token_requests
        return not worn and asked.headers.get("authorization") == f"Bearer token-{self._tokens}"

    def _details(self, asked: Asked) -> Reply:
        key = asked.path.split("/")[3]
        status = 403 if "details" in self.refused else self.statuses.get(key, 200)
        if status != 200:
            return _error(status)
        made = {serial(i): i for i in range(self.devices)}
        data = {
            "type": "mdmDeviceDetails",
            "id": key,
            "attributes": self.detail_hook(key, details(made[key])),
        }
        return reply({"data": data, "links": {"self": asked.path}})

    def _list(self, asked: Asked) -> Reply:
        if asked.path in self.refused:
            return _error(403)
        if asked.path not in self.lists:
            return _error(404)
        every, limit = self.lists[asked.path], min(int(asked.first("limit", "100")), 1000)
        start = int(asked.first("cursor", "0").removeprefix("after-"))
        paging: Record = {"limit": limit} | ({"total": len(every)} if self.totals else {})
        links: Record = {"self": asked.path}
        if start + limit < len(every):
            cursor = f"after-{start + limit}"
            paging["nextCursor"] = cursor
            if not self.by_cursor:
                host = asked.headers.get("host", "api.example")
                scheme = "http" if host.startswith("127.") else "https"
                links["next"] = (
                    f"{scheme}://{host}{asked.path}?{urlencode({'cursor': cursor, 'limit': limit})}"
                )
        page = {"data": every[start : start + limit], "links": links, "meta": {"paging": paging}}
        return reply(self.page_hook(asked.path, page))


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def credential() -> Record:
    """The keys of the settings that this organization admits."""
    return {"client_id": CLIENT_ID, "key_id": KEY_ID, "private_key": PRIVATE_KEY}


def sample(_folder: object = None) -> tuple[Record, Any]:
    """Settings and transport of a source that shows everything this kind can report."""
    addresses = {"url": "https://api.example", "token_url": f"https://login.example{TOKEN_PATH}"}
    return {**addresses, **credential(), "page_size": 10}, AppleBusiness().transport
