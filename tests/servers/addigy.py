"""A made-up Addigy: facts in pages, policies, end users and pending updates, with the faults that tenants have."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from connectors._rows import has, mapping
from tests.servers.loopback import Asked, Loopback, Reply, reply

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import httpx

Item = dict[str, Any]
NOW = datetime(2026, 11, 21, 18, tzinfo=UTC)
API_KEY = "token-of-the-msp"
ORG = "7d0c0000-0000-4000-8000-00000000000a"
_MODELS = (
    ("iPhone17,3", "iPhone", 128),
    ("iPad13,18", "iPad", 64),
    ("iPhone14,6", "iPhone", 64),
    ("iPad14,8", "iPad", 256),
)
_KINDS = {"bool": "boolean", "int": "number", "float": "number", "list": "list"}


def stamp(days: float, fraction: str = ".5") -> str:
    """A time that many days before this tenant's present; fractions come in one or three digits, or none."""
    return (NOW - timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%S") + fraction + "Z"


def fact(value: object, error: str = "") -> dict[str, object]:
    """One fact as it is sent."""
    return {"type": _KINDS.get(type(value).__name__, "string"), "value": value, "error_msg": error}


def item(i: int, **changes: object) -> Item:
    """One believable device; `i` decides everything but the facts in `changes`."""
    facts = {name: fact(value) for name, value in (_values(i) | changes).items()}
    return {
        "agentid": f"5e0f0000-0000-4000-8000-{i:012d}",
        "orgid": ORG,
        "audit_date": stamp(i % 4 + 0.125, ""),
        "agent_audit_date": stamp(i % 4 + 0.25, ".125"),
        "facts": facts,
    }


def _values(i: int) -> dict[str, object]:
    product, model, capacity = _MODELS[i % len(_MODELS)]
    return {
        "serial_number": f"FK{i:08d}A",
        "udid": f"00008120-{i:016X}",
        "device_name": f"Sam\\u2019s {model} {i:02d}" if i % 5 == 1 else f"{model} {i:02d}",
        "device_model_name": model,
        "product_name": product,
        "hardware_model": product,
        "system_version": "iOS 26.4 (23E246)",
        "mac_os_x_version": None,
        "os_version": "26.4",
        "build_version": "23E246",
        "is_supervised": i % 4 != 3,
        "is_user_enrollment": False,
        "enrolled_via_dep": (True, False, None)[i % 3],
        "maximum_resident_users": 8 if i % 10 == 9 else 0,
        "total_disk_space_gb": capacity,
        "free_disk_space_gb": round(capacity * (i % 9 + 1) / 12, 7),
        "is_cloud_backup_enabled": (True, True, False, None)[i % 4],
        "last_cloud_backup_date": stamp(i % 20 + 0.5, ".25") if i % 4 != 3 else None,
        "mdm_last_connected": stamp(i % 4, ".551"),
        "last_online": None,
        "registration_date": stamp(300 + i, ""),
        "battery_percentage": 20.4 + i % 70,
        "is_roaming": i % 11 == 7,
        "is_mdm_lost_mode_enabled": False,
        "policy_id": "policy-1",
        "policy_ids": ["policy-1", "policy-2"] if i % 2 else ["policy-1"],
    }


def mac(i: int) -> Item:
    """A Mac among the rest, named by another model word and reached by the agent."""
    return item(
        i,
        device_model_name=None,
        product_name=None,
        hardware_model="VirtualMac2,1",
        system_version="macOS 26.1 (25B78)",
        mac_os_x_version="26.1",
        mdm_last_connected=None,
        last_online=stamp(0.5),
        is_cloud_backup_enabled=None,
        last_cloud_backup_date=None,
    )


class Addigy(Loopback):
    """An organisation at Addigy.

    Attributes:
        items: the devices, or how many to make.
        per_page: the largest page, granted without a word.
        refused: parts of paths that are answered with 403.
        broken: parts of paths that are answered with what is no answer.
        banned_after: so many requests are answered; then 429, as after an overdrawn allowance.
        total: the total that the n-th page states, where it is not the truth.
        whole: sent in place of a page of the list.
        same_page: the first page is sent for every other.
        assigned: False leaves every device without a user.
        person: changes to what is said of every end user.
    """

    def __init__(
        self,
        items: int | list[Any] = 30,
        *,
        per_page: int = 100,
        refused: tuple[str, ...] = (),
        broken: tuple[str, ...] = (),
        banned_after: int | None = None,
        total: Callable[[int, int], int] = lambda _page, truth: truth,
        whole: Reply | None = None,
        same_page: bool = False,
        person: Item | None = None,
        assigned: bool = True,
    ) -> None:
        super().__init__()
        self.items: list[Any] = [item(i) for i in range(items)] if isinstance(items, int) else items
        self.per_page = per_page
        self.refused = refused
        self.broken = broken
        self.banned_after = banned_after
        self.total = total
        self.whole = whole
        self.same_page = same_page
        self.person = person or {}
        self.assigned = assigned

    def route(self, asked: Asked) -> Reply:
        if self.banned_after is not None and len(self.asked) > self.banned_after:
            return _error(429, "Too Many Requests")
        if asked.headers.get("x-api-key") != API_KEY:
            return _error(401, "Unauthorized")
        if any(part in asked.path for part in self.refused):
            return _error(403, "Forbidden")
        if any(part in asked.path for part in self.broken):
            return reply({"message": "what?"})
        return self._answer(asked.path.removeprefix("/api/v2"), json.loads(asked.body))

    def _answer(self, path: str, body: Any) -> Reply:  # noqa: ANN401 - whatever JSON was sent
        match path.split("/")[1:]:
            case ["devices"]:
                return self.whole or self._devices(body)
            case ["oa", "policies", "query"]:
                return reply(
                    [{"policyId": f"policy-{n}", "name": f"Policy {n}", "orgid": ORG} for n in (1, 2)]
                )
            case ["o", _, "ddm-updates", "devices", "status", "pending-updates"]:
                waiting = {
                    "os_version": "26.5",
                    "build_version": "23F1",
                    "status": "waiting",
                    "reasons": ["schedule"],
                }
                return reply({udid: waiting for udid in body if udid[-1:] in set("13579BDF")})
            case ["o", _, "end-users", "devices", "query"]:
                return self._paged(self._assignments() if self.assigned else [], body)
            case ["o", _, "end-users", "query"]:
                return self._paged([_person(i) | self.person for i in range(len(self.items) + 250)], body)
            case _:
                return _error(404, "Not Found")

    def _devices(self, body: dict[str, Any]) -> Reply:
        wanted = set(body["desired_fact_identifiers"])
        page = 1 if self.same_page else body["page"]
        return self._paged([_shown(one, wanted) for one in self.items], body | {"page": page}, self.total)

    def _assignments(self) -> list[Item]:
        """Every device but each fifth has a user; the first was handed on."""
        given: list[Item] = [
            {"agent_id": one["agentid"], "end_user_id": f"user-{i}", "last_updated": stamp(9, "")}
            for i, one in enumerate(self.items)
            if i % 5 != 4 and has(one, "agentid")
        ]
        earlier: list[Item] = [
            row | {"end_user_id": "user-4", "last_updated": stamp(90, "")} for row in given[:1]
        ]
        return [*given, *earlier]

    def _paged(
        self, rows: list[Any], body: dict[str, Any], total: Callable[[int, int], int] = lambda _, truth: truth
    ) -> Reply:
        size, page = min(body["per_page"], self.per_page), body["page"]
        shown = rows[(page - 1) * size : page * size]
        stated = total(page, len(rows))
        count = -(-stated // size)
        metadata = {
            "page": page,
            "page_count": count,
            "per_page": size,
            "result_count": len(shown),
            "total": stated,
        }
        return reply({"items": shown or None, "metadata": metadata})


def _shown(one: object, wanted: set[str]) -> object:
    device = mapping(one) or {}
    facts = mapping(device.get("facts"))
    if facts is None:
        return one
    return {**device, "facts": {name: value for name, value in facts.items() if name in wanted}}


def _person(i: int) -> Item:
    return {
        "id": f"user-{i}",
        "active": True,
        "display_name": f"Person Number {i}" if i % 3 else "",
        "user_name": f"person{i}",
        "emails": [
            {"type": "home", "value": f"person{i}@home.example"},
            {"type": "work", "value": f"person{i}@client.example", "primary": True},
        ],
        "enterprise": {"department": f"Team {i % 4}"} if i % 2 else None,
        "groups": [],
    }


def _error(status: int, message: str) -> Reply:
    return reply({"code": status, "message": message, "error_chain": {}}, status)


def sample(_folder: Path | None = None) -> tuple[dict[str, Any], httpx.BaseTransport]:
    """Settings and an organisation that shows everything the kind can report, in three pages and more."""
    items = [*(item(i) for i in range(28)), mac(28), item(29, is_user_enrollment=True, serial_number=None)]
    return {"api_key": API_KEY, "page_size": 8}, Addigy(items).transport
