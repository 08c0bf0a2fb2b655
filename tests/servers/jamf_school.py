"""A made-up Jamf School: the one answer with every device, the locations, and the faults that tenants have."""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from tests.servers.loopback import Asked, Loopback, Reply, reply

if TYPE_CHECKING:
    from pathlib import Path

    import httpx

Row = dict[str, Any]
NOW = datetime(2026, 11, 21, 18, tzinfo=UTC)
NETWORK_ID = "10020030"
API_KEY = "key-of-the-school"
_MODELS = (
    ("iPad13,18", "iPad (10th generation)", 64.0),
    ("iPad12,1", "iPad (9th generation)", 64.0),
    ("iPad14,8", "iPad Air 11-inch (M2)", 128.0),
    ("iPhone14,6", "iPhone SE (3rd generation)", 64.0),
)


def stamp(days: float, zone: str = "UTC") -> str:
    """A time that many days before this tenant's present, on the clock of its zone, as the list writes it."""
    return (NOW - timedelta(days=days)).astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M:%S")


def tablet(i: int, zone: str = "UTC") -> Row:
    """One believable device of the list; `i` decides everything."""
    identifier, model, capacity = _MODELS[i % len(_MODELS)]
    on = i % 5 != 4
    return {
        "UDID": f"00008103-{i:016X}",
        "locationId": i % 3,
        "serialNumber": f"FK{i:08d}S",
        "assetTag": f"LIB-{i:04d}" if i % 2 else "",
        "class": "iphone" if identifier.startswith("iPhone") else "ipad",
        "model": {"name": model, "identifier": identifier, "type": identifier.split("1", maxsplit=1)[0]},
        "os": {"prefix": "iOS", "version": "26.4.0" if i % 2 else "26.3"},
        "name": f"Year {i % 6 + 5} Arts &amp; Crafts {i:02d}",
        "owner": _owner(i) if i % 4 else {"id": 0, "locationId": 0, "name": "", "vpp": []},
        "isManaged": i % 7 != 6,
        "isSupervised": i % 8 != 7,
        "enrollType": "dep" if i % 3 else "manual",
        "depProfile": "Tablets" if i % 3 else "",
        "groups": ["Everything", f"Year {i % 6 + 5}"],
        "batteryLevel": round(0.3 + i % 7 / 10, 3),
        "totalCapacity": capacity,
        "availableCapacity": round(capacity * (i % 9 + 1) / 12, 4) if i % 2 else f"{capacity / 3:.4f}",
        "iCloudBackupEnabled": on,
        "iCloudBackupLatest": stamp(i % 20 + 0.25, zone) if i % 5 in {0, 1, 2} else "",
        "iTunesStoreLoggedIn": i % 6 != 5,
        "region": {"string": ""},
        "notes": "",
        "lastCheckin": stamp(i % 4 + 0.125, zone),
        "modified": stamp(0, zone),
        "networkInformation": _network(i),
    }


def _owner(i: int) -> Row:
    return {
        "id": 100 + i,
        "locationId": i % 3,
        "username": f"pupil{i}",
        "email": f"pupil{i}@school.example",
        "firstName": "Pupil",
        "lastName": f"Number {i}",
        "name": f"Pupil Number {i}",
        "vpp": [],
        "notes": "",
        "modified": stamp(100),
    }


def _network(i: int) -> Row:
    plain = {"IPAddress": "203.0.113.20", "isNetworkTethered": "0", "DataRoamingEnabled": "0"}
    sim = {"CurrentMCC": "262", "IsRoaming": False, "Label": "USER_LABEL_PRIMARY", "Slot": "one"}
    return plain | ({"ServiceSubscription": [sim]} if i % 4 == 3 else {})


def mac(i: int) -> Row:
    """A Mac among the tablets, as it is listed: without a model, with zeros for what it did not say."""
    return tablet(i) | {
        "class": "mac",
        "model": {"name": "", "identifier": "", "type": "computer"},
        "os": {"prefix": "macOS", "version": "26.3.0"},
        "enrollType": "depPending",
        "isManaged": False,
        "batteryLevel": 0,
        "totalCapacity": 0,
        "availableCapacity": 23.0,
        "iCloudBackupEnabled": False,
        "iCloudBackupLatest": "",
    }


class JamfSchool(Loopback):
    """A tenant of Jamf School.

    Attributes:
        rows: the devices, or how many to make.
        zone: in which the list writes its dates.
        detail_zone: the zone that the answer for one device names; None for an answer that is broken.
        seen_at: the check-in that the answer for one device shows, where it is not the list's.
        may_read: False refuses every GET, the way a key without that right is refused.
        locations: by id; None refuses them alone.
        count: what the list says it has, where that is not the truth.
        whole: sent in place of the list, with this status.
        throttled: so many requests are answered with 429 first.
    """

    def __init__(
        self,
        rows: int | list[Any] = 30,
        *,
        zone: str = "UTC",
        detail_zone: str | None = "UTC",
        seen_at: str | None = None,
        may_read: bool = True,
        locations: dict[int, str] | str | None = "usual",
        count: int | None = None,
        whole: Reply | None = None,
        throttled: int = 0,
    ) -> None:
        super().__init__()
        self.rows: list[Any] = [tablet(i, zone) for i in range(rows)] if isinstance(rows, int) else rows
        self.detail_zone = detail_zone
        self.seen_at = seen_at
        self.may_read = may_read
        self.locations = (
            {0: "Main site", 1: "Harbour &amp; Mill", 2: "Hill"} if locations == "usual" else locations
        )
        self.count_said = len(self.rows) if count is None else count
        self.whole = whole
        self.throttled = throttled

    def route(self, asked: Asked) -> Reply:
        if self.throttled > 0:
            self.throttled -= 1
            return reply({"code": 429, "message": "Too many requests"}, 429)
        proof = b64encode(f"{NETWORK_ID}:{API_KEY}".encode()).decode()
        if asked.headers.get("authorization") != f"Basic {proof}":
            return Reply(401, b"Unauthorized", {"Content-Type": "text/plain"})
        if not self.may_read:
            return refusal(405)
        if asked.headers.get("x-server-protocol-version") != "3":
            return reply({"code": 404, "message": "RouteNotFound"}, 404)
        return self._read(asked.path)

    def _read(self, path: str) -> Reply:
        if path == "/api/devices":
            return self.whole or reply({"code": 0, "count": self.count_said, "devices": self.rows})
        if path == "/api/locations":
            return refusal(405) if self.locations is None else self._listed_locations()
        if path.startswith("/api/devices/"):
            return self._single(path.removeprefix("/api/devices/"))
        return reply({"code": 404, "message": "RouteNotFound"}, 404)

    def _listed_locations(self) -> Reply:
        assert isinstance(self.locations, dict)
        return reply({"locations": [{"id": key, "name": name} for key, name in self.locations.items()]})

    def _single(self, udid: str) -> Reply:
        row = next((row for row in self.rows if row.get("UDID") == udid), None)
        if row is None or self.detail_zone is None:
            return reply({"code": 404, "message": "DeviceNotFound"}, 404)
        clock = (self.seen_at or row["lastCheckin"]) + ".000000"
        seen = {"date": clock, "timezone_type": 3, "timezone": self.detail_zone}
        return reply({"code": 200, "device": row | {"lastCheckin": seen, "iCloudBackupEnabled": 1}})


def refusal(code: int, status: int | None = None) -> Reply:
    """An error as Jamf School words it, with its code in the body and, unless told otherwise, as the status."""
    message = "Requested method (GET) not allowed using this API key"
    return reply({"error": {"code": code, "message": message}}, status or code)


def sample(_folder: Path | None = None) -> tuple[dict[str, Any], httpx.BaseTransport]:
    """Settings and a tenant that shows everything the kind can report."""
    values = {"url": "https://school.example", "network_id": NETWORK_ID, "api_key": API_KEY}
    return values, JamfSchool([*(tablet(i) for i in range(28)), mac(28), mac(29)]).transport
