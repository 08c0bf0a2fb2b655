"""A made-up Hexnode: 33 devices of a delivery service and their own pages, and the faults its API is known for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.servers.loopback import Asked, Loopback, Reply, reply

if TYPE_CHECKING:
    import httpx

Row = dict[str, Any]

API_KEY = "fk-hexnode-key"
BASE = "/api/v1"
HOST = "https://fk.hexnodemdm.example"


def row(number: int) -> Row:
    """Device `number` in the list: iPhones and iPads, all of which Hexnode calls iOS."""
    phone = number % 2 == 0
    return {
        "id": number,
        "device_name": f"Rider {number}",
        "model_name": "iPhone 14" if phone else "iPad mini (6th generation)",
        "os_name": "iOS",
        "os_version": "26.1",
        "enrolled_time": "2026-01-15T08:30:00.250000Z",
        "last_reported": f"2026-11-21T{number % 24:02d}:05:06.700000Z",
        "compliant": True,
        "serial_number": f"FK{number:08d}",
        "udid": f"00008110-{number:016X}",
        "enrollment_status": "enrolled",
        "user": {"id": 40, "name": "Rider Pool"},
        "imei": None,
    }


def page(number: int) -> Row:
    """The own page of device `number`."""
    phone = number % 2 == 0
    return {
        "udid": f"00008110-{number:016X}",
        "platform": "ios",
        "owned_by": 1,
        "enrollment_status": "enrolled",
        "lastreported": "2026-11-21T06:05:06.700Z",
        "lastscanned": "2026-11-21T05:00:00.400Z",
        "lostmode": False,
        "user": {"id": 40, "name": "Rider Pool", "email": "riders@fk.example"},
        "device": {
            "build_version": "23B85",
            "product_name": "iPhone14,7" if phone else "iPad14,1",
            "device_capacity": 128.0,
            "available_device_capacity": 20.5 + number,
            "battery_level": 64,
            "is_supervised": True,
        },
        "network": {"is_roaming": False, "roaming_enabled": False},
        "applications": [{"name": "Parcel"}],
    }


@dataclass
class Hexnode(Loopback):
    """Hexnode's API, with a switch for each of its faults.

    Attributes:
        devices: the rows of the list.
        pages: the devices' own pages by id.
        groups: device groups by name, each with its members.
        hidden_members: so many members a group counts and does not show.
        statuses: an HTTP status in place of the answer at a path.
        answers: an answer with status 200 in place of the one at a path.
        next_host: where links to next pages point.
        circles: every next page is the second.
        slips: this row is left out of the first walk, as if the list had moved.
        shrinks: the last page is gone when it is asked for.
        throttles: so many answers are 429, with `retry_after` seconds where that is given; -1 for all.
    """

    devices: list[Any] = field(default_factory=lambda: [row(number) for number in range(1, 34)])
    pages: dict[str, Any] = field(
        default_factory=lambda: {str(number): page(number) for number in range(1, 34)}
    )
    groups: dict[str, list[int]] = field(
        default_factory=lambda: {"North": [1, 2, 3], "Depot": [3, 4], "Empty": []}
    )
    hidden_members: int = 0
    statuses: dict[str, int] = field(default_factory=dict[str, int])
    answers: dict[str, Any] = field(default_factory=dict[str, Any])
    next_host: str = ""
    circles: bool = False
    slips: int | None = None
    shrinks: bool = False
    throttles: int = 0
    retry_after: str = ""

    def __post_init__(self) -> None:
        super().__init__()

    def route(self, asked: Asked) -> Reply:
        """List, or show one device or group."""
        if asked.headers.get("authorization") != API_KEY:
            return reply({"detail": "Invalid token."}, 401)
        if self.throttles:
            self.throttles -= 1
            wait = {"retry_after": self.retry_after} if self.retry_after else {}
            return reply({"detail": "Request was throttled. Expected available in 38 seconds."}, 429, **wait)
        path = asked.path.removeprefix(BASE)
        if path in self.statuses:
            return reply({"detail": "no"}, self.statuses[path])
        return reply(self.answers[path]) if path in self.answers else self._answer(asked, path)

    def _answer(self, asked: Asked, path: str) -> Reply:
        groups = [
            {"id": 70 + place, "groupname": name, "device_count": len(members) + self.hidden_members}
            for place, (name, members) in enumerate(self.groups.items())
        ]
        match path.split("/")[1:]:
            case ["devices", ""]:
                return self._list(asked, self._now_there())
            case ["devicegroups", ""]:
                return self._list(asked, groups)
            case ["devices", native_id, ""] if native_id in self.pages:
                return reply(self.pages[native_id])
            case ["devicegroups", native_id, ""] if 0 <= int(native_id) - 70 < len(groups):
                members = list(self.groups.values())[int(native_id) - 70]
                return reply(groups[int(native_id) - 70] | {"devices": [{"id": one} for one in members]})
            case _:
                return reply({"detail": "Not found."}, 404)

    def _now_there(self) -> list[Any]:
        firsts = [one for one in self.asked if one.path == f"{BASE}/devices/" and one.first("page") == "1"]
        if self.slips is None or len(firsts) > 1:
            return self.devices
        return self.devices[: self.slips] + self.devices[self.slips + 1 :]

    def _list(self, asked: Asked, rows: list[Any]) -> Reply:
        size, number = int(asked.first("per_page")), int(asked.first("page"))
        assert 1 <= size <= 100
        first = (number - 1) * size
        last = first + size >= len(rows)
        if self.shrinks and last and number > 1:
            return reply({"detail": "Invalid page."}, 404)
        host = self.next_host or f"{'http' if self._server else 'https'}://{asked.headers['host']}"
        following = f"{host}{asked.path}?page={2 if self.circles else number + 1}&per_page={size}"
        count = len(self.devices) if asked.path.endswith("/devices/") else len(rows)
        return reply(
            {
                "count": count,
                "next": following if self.circles or not last else None,
                "previous": None,
                "results": rows[first : first + size],
            }
        )


def sample(_folder: object = None) -> tuple[dict[str, Any], httpx.BaseTransport]:
    """Settings, and a portal that shows everything the kind can report, on four pages."""
    return {"url": HOST, "api_key": API_KEY, "page_size": 10}, Hexnode().transport
