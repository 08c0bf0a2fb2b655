"""A made-up ManageEngine MDM: 33 devices of a hospital and their details, and the faults its API is known for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.servers.loopback import Asked, Loopback, Reply, reply

if TYPE_CHECKING:
    import httpx

Row = dict[str, Any]

LIST = "/api/v1/mdm/devices"
TOKENS = "/oauth/v2/token"
API_KEY = "FK-ENDPOINT-KEY"
URL = "https://mdm.fk.example"
FIRST_ID = 9007199254750000
CLIENT = {"client_id": "1000.FK", "client_secret": "fk-client", "refresh_token": "fk-refresh"}
CLOUD = {**CLIENT, "token_url": f"https://accounts.fk.example{TOKENS}"}


def native_id(number: int) -> str:
    """The id of device `number`, larger than a double can hold."""
    return str(FIRST_ID + number)


def row(number: int) -> Row:
    """Device `number` in the list: iPhones and iPads, all of which are called iOS."""
    phone = number % 2 == 0
    return {
        "device_id": FIRST_ID + number,
        "device_name": f"Ward {number}",
        "platform_type": "iOS",
        "platform_type_id": 1,
        "product_name": "iPhone14,5" if phone else "iPad13,18",
        "model": "MLPF3B",
        "os_version": "26.1",
        "serial_number": f"FK{number:08d}",
        "udid": f"00008110-{number:016X}",
        "owned_by": 1,
        "is_removed": False,
        "is_lost_mode_enabled": False,
        "user": {"user_id": 9007199254990001, "user_name": "Night Shift", "user_email": "ward@fk.example"},
        "imei": ["350000000000000"],
        "summary": {"profile_count": 3, "group_count": 1},
    }


def details(number: int) -> Row:
    """What is told of device `number` alone; numbers come as text, as they may."""
    return {
        "managed_status": 2,
        "serial_number": f"FK{number:08d}",
        "model_name": "iPhone 13" if number % 2 == 0 else "iPad (10th generation)",
        "device_capacity": "64.0",
        "available_device_capacity": str(10.5 + number),
        "battery_level": "77",
        "is_supervised": True,
        "is_cloud_backup_enabled": True,
        "last_cloud_backup_date": "1795219200000",
        "is_itunes_account_active": True,
        "asset_tag": f"BED-{number:03d}",
        "registered_time": "1770800000000",
        "unregistered_time": "-1",
        "os": {"device_id": FIRST_ID + number, "build_version": "23B85", "platform_type": "1"},
        "network": {"is_roaming": False},
    }


@dataclass
class ManageEngine(Loopback):
    """ManageEngine's API in the cloud and on premises, with a switch for each of its faults.

    Attributes:
        devices: the rows of the list.
        details: by device id.
        links: pages name the next one by a link; without, they are asked for by offset.
        total: what stands as the number of devices; ... for the truth, None for nothing.
        ignores_offset: the first page for ever.
        slips: this row is left out of the first walk, as if the list had moved.
        next_host: where links to next pages point.
        statuses: an HTTP status in place of the answer at a path.
        answers: an answer with status 200 in place of the one at a path.
        ends_after: so many requests a token is good for.
        throttles: so many answers are 429, with `retry_after` seconds where that is given; -1 for all.
    """

    devices: list[Any] = field(default_factory=lambda: [row(number) for number in range(1, 34)])
    details: dict[str, Any] = field(
        default_factory=lambda: {native_id(number): details(number) for number in range(1, 34)}
    )
    links: bool = True
    total: Any = ...
    ignores_offset: bool = False
    slips: int | None = None
    next_host: str = ""
    statuses: dict[str, int] = field(default_factory=dict[str, int])
    answers: dict[str, Any] = field(default_factory=dict[str, Any])
    ends_after: int = 10**9
    throttles: int = 0
    retry_after: str = ""

    def __post_init__(self) -> None:
        super().__init__()
        self._tokens = 0
        self._used = 0

    def route(self, asked: Asked) -> Reply:
        """Give a token, list, or tell of one device."""
        if asked.path in self.answers:
            return reply(self.answers[asked.path])
        if asked.path == TOKENS:
            return self._token(asked)
        if not self._known(asked.headers.get("authorization", "")):
            return reply({"error_code": "FKE401"}, 401)
        if self.throttles:
            self.throttles -= 1
            return reply({}, 429, **({"retry_after": self.retry_after} if self.retry_after else {}))
        if asked.path in self.statuses:
            return reply({"error_code": "FKE000"}, self.statuses[asked.path])
        return self._list(asked) if asked.path == LIST else self._one(asked)

    def _one(self, asked: Asked) -> Reply:
        one = asked.path.removeprefix(f"{LIST}/")
        return reply(self.details[one]) if one in self.details else reply({"error_code": "FKE404"}, 404)

    def _token(self, asked: Asked) -> Reply:
        if asked.form != {"grant_type": "refresh_token", **CLIENT}:
            return reply({"error": "invalid_code"})
        with self._lock:
            self._tokens += 1
            self._used = 0
        return reply({"access_token": f"fk{self._tokens}", "token_type": "Bearer", "expires_in": 3600})

    def _known(self, said: str) -> bool:
        if said == API_KEY:
            return True
        with self._lock:
            self._used += 1
            return said == f"Zoho-oauthtoken fk{self._tokens}" and self._used <= self.ends_after

    def _list(self, asked: Asked) -> Reply:
        assert asked.first("exclude_removed") == "true"
        size = int(asked.first("limit"))
        first = int(asked.first("skip-token") or asked.first("offset"))
        rows = self._now_there(first)
        if self.ignores_offset:
            first = 0
        answer: Row = {"devices": rows[first : first + size], "delta-token": "1"}
        if self.total is not None:
            answer["metadata"] = {
                "total_record_count": len(self.devices) if self.total is ... else self.total
            }
        if self.links:
            host = self.next_host or f"{'http' if self._server else 'https'}://{asked.headers['host']}"
            link = f"{host}{LIST}?limit={size}&skip-token={first + size}&exclude_removed=true"
            answer["paging"] = {"next": link if first + size < len(rows) else None, "previous": None}
        return reply(answer)

    def _now_there(self, first: int) -> list[Any]:
        firsts = [one for one in self.asked if one.path == LIST and one.first("offset") == "0"]
        if self.slips is None or len(firsts) > 1 or first == 0:
            return self.devices
        return self.devices[: self.slips] + self.devices[self.slips + 1 :]


def sample(_folder: object = None) -> tuple[dict[str, Any], httpx.BaseTransport]:
    """Settings, and a tenant in the cloud that shows everything the kind can report, on four pages."""
    return {"url": URL, **CLOUD, "page_size": 10}, ManageEngine().transport
