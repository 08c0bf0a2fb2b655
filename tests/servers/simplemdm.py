"""A made-up SimpleMDM: 33 devices of a workshop with groups and profiles, and the faults its API is known for."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from tests.servers.loopback import Asked, Loopback, Reply, reply
from tests.servers.mobileconfig import NO_BACKUP, ON_DEMAND

if TYPE_CHECKING:
    import httpx

Row = dict[str, Any]

API_KEY = "fk-simple-key"
BASE = "/api/v1"


def simplemdm_row(number: int) -> Row:
    """Device `number`: iPhones and iPads, all well, with small differences; its id is ten times its number."""
    phone = number % 2 == 0
    return {
        "type": "device",
        "id": number * 10,
        "attributes": {
            "name": f"Workshop {number}",
            "device_name": "iPhone" if phone else "iPad",
            "status": "enrolled",
            "last_seen_at": f"2026-11-20T{number % 24:02d}:14:02.000-07:00",
            "enrolled_at": "2025-02-11T09:00:12.000-08:00",
            "os_version": "26.1",
            "build_version": "23B85",
            "model_name": "iPhone 15" if phone else "iPad (9th Generation)",
            "model": "MTP03LL",
            "product_name": "iPhone15,4" if phone else "iPad12,1",
            "unique_identifier": f"00008120-{number:016X}",
            "serial_number": f"FK{number:08d}",
            "device_capacity": 128.0,
            "available_device_capacity": 30.5 + number,
            "battery_level": "81%",
            "is_roaming": False,
            "is_supervised": True,
            "is_dep_enrollment": True,
            "user_enrollment": False,
            "itunes_store_account_is_active": True,
            "is_cloud_backup_enabled": True,
            "last_cloud_backup_date": "2026-11-19T15:09:12.000-07:00",
            "lost_mode_enabled": False,
            "filevault_recovery_key": "KEEP-OUT",
        },
        "relationships": {
            "device_group": {"data": {"type": "device_group", "id": 37}},
            "groups": {"data": [{"type": "assignment_group", "id": 900 + number % 3}]},
        },
    }


def group(native_id: int, name: str) -> Row:
    """A group of either kind."""
    return {"id": native_id, "attributes": {"name": name}, "relationships": {}}


def profile(native_id: int, **groups: list[int]) -> Row:
    """A custom profile, assigned to `groups` or `device_groups`."""
    related = {kind: {"data": [{"id": one} for one in ids]} for kind, ids in groups.items()}
    return {"id": native_id, "attributes": {"name": f"Profile {native_id}"}, "relationships": related}


@dataclass
class SimpleMdm(Loopback):
    """SimpleMDM's API, with a switch for each of its faults.

    Attributes:
        devices: the rows of the list.
        lists: the other lists, by path.
        downloads: profiles by id.
        statuses: an HTTP status in place of the list at a path.
        more: what stands as `has_more`; None leaves it out, without it the truth does.
        ignores_cursor: the first page for ever.
        throttles: so many answers are 429, with `retry_after` seconds where that is given.
    """

    devices: list[Any] = field(default_factory=lambda: [simplemdm_row(number) for number in range(1, 34)])
    lists: dict[str, list[Any]] = field(
        default_factory=lambda: {
            "/assignment_groups": [group(900, "Benches"), group(901, "Office"), group(902, "Vans")],
            "/device_groups": [group(37, "Everyone")],
            "/custom_configuration_profiles": [profile(5, groups=[901]), profile(6, device_groups=[37])],
        }
    )
    downloads: dict[str, bytes] = field(default_factory=lambda: {"5": NO_BACKUP, "6": ON_DEMAND})
    statuses: dict[str, int] = field(default_factory=dict[str, int])
    more: tuple[object] | None = None
    ignores_cursor: bool = False
    throttles: int = 0
    retry_after: str = ""

    def __post_init__(self) -> None:
        super().__init__()

    def route(self, asked: Asked) -> Reply:
        """List, or give a profile."""
        path = asked.path.removeprefix(BASE)
        key = base64.b64encode(f"{API_KEY}:".encode()).decode()
        if asked.headers.get("authorization") != f"Basic {key}":
            return reply({"errors": [{"title": "not authorized"}]}, 401)
        if self.throttles:
            self.throttles -= 1
            return reply({}, 429, **({"retry_after": self.retry_after} if self.retry_after else {}))
        if path in self.statuses:
            return reply({"errors": [{"title": "no access"}]}, self.statuses[path])
        return self._answer(asked, path)

    def _answer(self, asked: Asked, path: str) -> Reply:
        parts = path.strip("/").split("/")
        if parts[-1] == "download" and parts[1] in self.downloads:
            return Reply(200, self.downloads[parts[1]], {"Content-Type": "application/x-apple-aspen-config"})
        if path == "/devices":
            return reply(self._page(asked, self.devices))
        if path in self.lists:
            return reply(self._page(asked, self.lists[path]))
        return reply({"errors": [{"title": "object not found"}]}, 404)

    def _page(self, asked: Asked, rows: list[Any]) -> Row:
        size, after = int(asked.first("limit", "10")), asked.first("starting_after")
        assert 1 <= size <= 100
        first = 0
        if after and not self.ignores_cursor:
            known = [str(_id_of(row)) for row in rows]
            first = len(known) - known[::-1].index(after)
        page: Row = {"data": rows[first : first + size], "has_more": first + size < len(rows)}
        if self.more is not None:
            page["has_more"] = self.more[0]
            if page["has_more"] is None:
                del page["has_more"]
        return page


def _id_of(row: Any) -> object:  # noqa: ANN401 - any JSON value
    return cast("Row", row).get("id") if isinstance(row, dict) else None


def sample(_folder: object = None) -> tuple[dict[str, Any], httpx.BaseTransport]:
    """Settings, and a source that shows everything the kind can report, on four pages."""
    return {"api_key": API_KEY, "page_size": 10}, SimpleMdm().transport
