"""A made-up Iru tenant: thirty devices, their details, Prism, users and custom profiles, in the shape of its API."""

from __future__ import annotations

import plistlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from tests.servers.loopback import Asked, Loopback, Reply, reply

if TYPE_CHECKING:
    import httpx

Row = dict[str, Any]
TOKEN = "token-of-a-reader"
URL = "https://northwind.api.kandji.io"
CHECKED_IN = datetime(2026, 11, 21, 20, 15, 30, tzinfo=UTC)
FORBIDS = "com.kandji.profile.custom.0001"
ON_DEMAND = "com.kandji.profile.custom.0002"
HARMLESS = "org.example.harmless"
KINDS = (
    ("iPhone", "iPhone 15", "iPhone15,4", 128.0),
    ("iPad", "iPad (9th generation) (Wi-Fi)", "iPad12,1", 64.0),
    ("iPhone", "iPhone 16e", "iPhone17,5", 256.0),
    ("iPad", "iPad Pro (11-inch) (4th generation)", "iPad14,3", 128.0),
    ("Mac", "MacBook Air (M2, 2022)", "Mac14,2", 494.4),
)


def device_id(number: int) -> str:
    return f"0b5e7a11-0000-4000-8000-{number:012}"


def iru_device(number: int) -> Row:
    """One row of the device list; every fifth is a Mac, the seventh is lost, every third belongs to nobody."""
    kind, model, _, _ = KINDS[number % len(KINDS)]
    person = {
        "email": f"person{number % 4}@example.com",
        "name": f"Person {number % 4}",
        "id": f"aa00{number % 4}",
        "is_archived": False,
    }
    enrolled = datetime(2025, 3, 3, 9, 30, 0, 120_000, UTC) + timedelta(days=number)
    return {
        "device_id": device_id(number),
        "device_name": f"Northwind {number}",
        "model": model,
        "serial_number": f"FKIRU{number:05}",
        "platform": kind,
        "os_version": "26.4.1",
        "supplemental_build_version": "23E246",
        "supplemental_os_version_extra": "",
        "last_check_in": (CHECKED_IN - timedelta(hours=number)).isoformat().replace("+00:00", "Z"),
        "user": "" if number % 3 == 0 else person,
        "asset_tag": f"NW-{number}" if number % 2 else "",
        "blueprint_id": "bp-1",
        "mdm_enabled": True,
        "agent_installed": False,
        "is_missing": False,
        "is_removed": False,
        "agent_version": "",
        "first_enrollment": str(enrolled - timedelta(days=90)),
        "last_enrollment": str(enrolled),
        "blueprint_name": "Field staff",
        "lost_mode_status": "ENABLED" if number == 7 else "",
        "tags": ["vans"] if number % 2 else [],
    }


def iru_details(number: int) -> Row:
    """The details of the same device."""
    _, _, identifier, capacity = KINDS[number % len(KINDS)]
    return {
        "general": {"device_id": device_id(number), "assigned_user": ""},
        "mdm": {"mdm_enabled": "True", "supervised": "False" if number % 6 == 0 else "True"},
        "lost_mode": {},
        "automated_device_enrollment": {"auto_enroll_eligible": True, "auto_enrolled": number % 2 == 0},
        "hardware_overview": {"uuid": f"00008120-{number:016x}", "model_identifier": identifier},
        "volumes": [
            {
                "name": "",
                "percent_used": "50%",
                "capacity": f"{capacity} GB",
                "available": f"{capacity / (number % 5 + 2):.2f} GB",
            }
        ],
        "installed_profiles": [],
    }


def inventory(number: int) -> Row:
    """The row of Prism's device information for the same device."""
    kind, model, identifier, capacity = KINDS[number % len(KINDS)]
    return {
        "device_id": device_id(number),
        "device__family": kind,
        "serial_number": f"FKIRU{number:05}",
        "model_id": identifier,
        "model_name": model,
        "device_capacity": capacity,
        "shared_ipad": number == 8 if kind == "iPad" else None,
        "os_version": "26.4.1",
        "os_build": "23E246",
        "last_collected_at": (CHECKED_IN - timedelta(hours=number, minutes=-5)).isoformat(),
    }


def installed(number: int, identifier: str, *kinds: str) -> Row:
    """One installed profile in Prism."""
    return {
        "device_id": device_id(number),
        "payload_identifier": identifier,
        "profile_data": [{"type": kind} for kind in kinds],
    }


def profile(identifier: str, *payloads: Row, mdm_identifier: str | None = None) -> Row:
    """One custom profile of the library."""
    content = {"PayloadType": "Configuration", "PayloadIdentifier": identifier, "PayloadContent": [*payloads]}
    return {
        "id": identifier[-4:],
        "name": "Own profile",
        "active": True,
        "profile": plistlib.dumps(content).decode(),
        "mdm_identifier": mdm_identifier or identifier,
    }


RESTRICTIONS, VPN = "com.apple.applicationaccess", "com.apple.vpn.managed"


def _usual_customs() -> list[Row]:
    return [
        profile("org.example.no-cloud", {"PayloadType": RESTRICTIONS, "allowCloudBackup": False},
                mdm_identifier=FORBIDS),
        profile(ON_DEMAND, {"PayloadType": VPN, "VPNType": "IKEv2", "IKEv2": {"OnDemandEnabled": 1}}),
        profile(HARMLESS, {"PayloadType": RESTRICTIONS, "allowCamera": False}),
    ]  # fmt: skip


def _usual_installed() -> list[Row]:
    base = [installed(number, "com.kandji.mdm", "com.apple.mdm") for number in range(20)]
    return [
        *base,
        installed(1, FORBIDS, RESTRICTIONS),
        installed(2, ON_DEMAND, VPN),
        installed(3, HARMLESS, RESTRICTIONS),
        installed(5, "com.kandji.restrictions.builtin", RESTRICTIONS, VPN),
    ]


@dataclass(eq=False)
class IruServer(Loopback):
    """The tenant; every attribute is a switch.

    Attributes:
        cap: the most devices that a page brings, whatever was asked for.
        leaves: devices that are removed once so many pages of the list were asked for.
        refused: status by part of a path, in place of the true answer.
        throttled: how many requests are refused for their number before any is answered.
        deaf: every page of devices is the first one.
        changed: other values for the details of one device.
    """

    devices: list[Any] = field(default_factory=lambda: [iru_device(number) for number in range(30)])
    customs: list[Row] = field(default_factory=_usual_customs)
    installed: list[Row] = field(default_factory=_usual_installed)
    cap: int = 300
    leaves: dict[int, list[str]] = field(default_factory=dict[int, list[str]])
    refused: dict[str, int] = field(default_factory=dict[str, int])
    throttled: int = 0
    deaf: bool = False
    changed: dict[str, Row] = field(default_factory=dict[str, Row])

    def __post_init__(self) -> None:
        Loopback.__init__(self)
        self._listed = 0

    def route(self, asked: Asked) -> Reply:
        if asked.headers.get("authorization") != f"Bearer {TOKEN}":
            return reply({"error": "Token is missing, wrong or expired"}, 401)
        if self.throttled:
            self.throttled -= 1
            return reply({"message": "API rate limit exceeded"}, 429)
        path = asked.path.removeprefix("/api/v1/")
        status = next((status for part, status in self.refused.items() if part in path), None)
        return reply({"detail": "no"}, status) if status else self._answer(path, asked)

    def _answer(self, path: str, asked: Asked) -> Reply:
        match path.split("/"):
            case ["devices"]:
                return self._list(asked)
            case ["devices", device, "details"]:
                return self._details(device)
            case ["prism", category]:
                return self._prism(category, asked)
            case ["users"]:
                return self._users(asked)
            case ["library", "custom-profiles"]:
                return self._customs(asked)
            case _:
                return reply({"message": "no Route matched", "request_id": "1"}, 404)

    def _list(self, asked: Asked) -> Reply:
        if not asked.first("limit").isdigit() or int(asked.first("limit")) > 300:
            return reply({"error": "limit"}, 400)
        start = 0 if self.deaf else int(asked.first("offset", "0"))
        rows = self.devices[start : start + min(int(asked.first("limit")), self.cap)]
        if "offset" in asked.query:
            self._listed += 1
            if gone := self.leaves.get(self._listed):
                self.devices = [row for row in self.devices if row["device_id"] not in gone]
        return reply(rows)

    def _details(self, device: str) -> Reply:
        return reply(self.changed.get(device) or iru_details(int(device[-12:])))

    def _prism(self, category: str, asked: Asked) -> Reply:
        if "offset" in asked.query or asked.first("limit", "0") not in {"1", "300"}:
            return reply({"detail": "offset pagination is no longer supported"}, 400)
        numbers = range(len(self.devices))
        rows = {
            "device_information": [inventory(n) for n in numbers],
            "cellular": [{"device_id": device_id(n), "is_roaming_slot_1": n % 9 == 0} for n in numbers],
            "installed_profiles": self.installed,
        }[category]
        # Pages are shorter than asked for, although more is to come.
        start = int(asked.first("cursor", "c0")[1:])
        cursor = f"c{start + 12}" if start + 12 < len(rows) else None
        page = {"offset": None, "limit": 300, "total": None, "data": rows[start : start + 12]}
        return reply(page | {"cursor": cursor})

    def _users(self, asked: Asked) -> Reply:
        people = [{"id": f"aa00{n}", "deprecated_user_id": str(n), "department": "Sales"} for n in (0, 1)]
        people += [{"id": "aa002", "deprecated_user_id": "2", "department": None}]
        at = int(asked.first("cursor", "0"))
        following = (
            f"https://northwind.kandji.io/api/v1/users?cursor={at + 2}" if at + 2 < len(people) else None
        )
        return reply({"next": following, "previous": None, "results": people[at : at + 2]})

    def _customs(self, asked: Asked) -> Reply:
        page = int(asked.first("page", "1"))
        if page > 1 and not self.customs[(page - 1) * 2 :]:
            return reply({"detail": "Invalid page."}, 404)
        following = f"https://northwind.kandji.io/api/v1/library/custom-profiles?page={page + 1}"
        more = len(self.customs) > page * 2
        rows = self.customs[(page - 1) * 2 : page * 2]
        return reply({"count": len(self.customs), "next": following if more else None, "results": rows})


def sample(_folder: object = None) -> tuple[dict[str, Any], httpx.BaseTransport]:
    """Settings and a source that shows everything the kind can report."""
    return {"url": URL, "api_token": TOKEN, "page_size": 11}, IruServer().transport
