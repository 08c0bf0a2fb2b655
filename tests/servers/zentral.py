"""A made-up Zentral server: a list of devices, and the log of commands with what they answered as property lists."""

from __future__ import annotations

import base64
import plistlib
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

from tests.servers.loopback import Asked, Loopback, Reply, reply

if TYPE_CHECKING:
    from collections.abc import Sequence

    import httpx

Row = dict[str, Any]
DEVICES = "/api/mdm/devices/"
COMMANDS = "/api/mdm/devices/commands/"
TOKEN = "ztls_made_up"


def device(number: int, **changes: Any) -> Row:  # noqa: ANN401 - any JSON value
    """Device `number` of the list: every fourth an iPad, enrolled by hand."""
    ipad = number % 4 == 0
    return {
        "id": number,
        "realm_user": {
            "pk": f"u{number}",
            "username": f"crew{number}",
            "email": f"crew{number}@ferry.example",
        },
        "udid": f"00008{number % 900:03d}-00{number:014X}",
        "serial_number": f"FK{number:08d}",
        "name": f"Bridge {number}",
        "model": "iPad13,16" if ipad else "iPhone14,7",
        "platform": "iPadOS" if ipad else "iOS",
        "os_version": "26.1",
        "build_version": "23B85",
        "blueprint": 2,
        "dep_enrollment": not ipad,
        "user_enrollment": False,
        "supervised": True,
        "last_seen_at": "2026-11-21T23:10:05.120338",
        "checkout_at": None,
        "blocked_at": None,
        "created_at": "2026-03-01T07:00:00.410021",
    } | changes


def personal(number: int) -> Row:
    """A phone under User Enrolment: an enrolment id as UDID, and a serial number that is none."""
    enrolment_id = f"9D02{number:04X}-3333-4444-8555-0123456789AB"
    return device(
        number, udid=enrolment_id, serial_number=enrolment_id, user_enrollment=True, dep_enrollment=False
    )


def responses(**changes: Any) -> Row:  # noqa: ANN401 - any value of a property list
    """What a phone answers to `DeviceInformation`; None takes a key out."""
    usual = {
        "DeviceName": "Bridge",
        "DeviceCapacity": 128.0,
        "AvailableDeviceCapacity": 41.3,
        "BatteryLevel": 0.8199999928474426,
        "IsCloudBackupEnabled": True,
        "LastCloudBackupDate": datetime(2026, 11, 20, 2, 13, 44),  # noqa: DTZ001 - property lists know no zone
        "IsMultiUser": False,
        "iTunesStoreAccountIsActive": True,
        "IsMDMLostModeEnabled": False,
        "ServiceSubscriptions": [{"Slot": "One", "IsRoaming": False}, {"Slot": "Two"}],
    }
    return {key: value for key, value in (usual | changes).items() if value is not None}


def written(answer: Row) -> str:
    """An answer as Zentral renders it: a binary property list in base64."""
    return base64.b64encode(plistlib.dumps(answer, fmt=plistlib.FMT_BINARY)).decode()


def command(number: int, said: object, *, day: int = 21, **changes: Any) -> Row:  # noqa: ANN401 - any JSON value
    """Device `number` answered in the night of that day of November; text is taken as it is, a dict written."""
    at = f"2026-11-{day:02d}T22:40:{number % 60:02d}.120338"
    result = written({"QueryResponses": said, "Status": "Acknowledged"}) if isinstance(said, dict) else said
    return {
        "uuid": f"{number}-{day}",
        "enrolled_device": number,
        "name": "DeviceInformation",
        "time": at,
        "result": result,
        "result_time": at,
        "status": "Acknowledged",
        "error_chain": None,
    } | changes


def restrictions(number: int, *, allowed: object, day: int = 21) -> Row:
    """Device `number` answered to `Restrictions`, sent as a custom command; None leaves the key out."""
    named = {} if allowed is None else {"allowCloudBackup": {"value": allowed}}
    answer = {"GlobalRestrictions": {"restrictedBool": {"allowCamera": {"value": True}} | named}}
    return command(number, written(answer), day=day, name="CustomCommand")


class ZentralServer(Loopback):
    """Serves `devices` and the log `commands`, newest first; without one, each device answered last night.

    Switches: `actions` (what the token's role is permitted), `throttled` (so many requests are turned away first),
    `elsewhere` (links to next pages lead to another host), `broken` (devices whose commands fail with a 500).
    """

    def __init__(
        self,
        devices: Sequence[object] | int = 30,
        commands: Sequence[object] | None = None,
        *,
        actions: str = "viewEnrolledDevice viewDeviceCommand",
        throttled: int = 0,
        elsewhere: bool = False,
        broken: frozenset[int] = frozenset(),
    ) -> None:
        super().__init__()
        self.devices: list[object] = (
            [device(n) for n in range(1, devices + 1)] if isinstance(devices, int) else [*devices]
        )
        if commands is None:
            commands = [command(cast("Row", row)["id"], responses()) for row in self.devices]
        self.commands = [*commands]
        self.actions, self.throttled, self.elsewhere, self.broken = actions, throttled, elsewhere, broken

    def route(self, asked: Asked) -> Reply:
        """As Zentral answers."""
        if self.throttled:
            self.throttled -= 1
            return reply({"detail": "throttled"}, 429, retry_after="7")
        if asked.headers.get("authorization") != f"Token {TOKEN}":
            return reply({"detail": "Invalid token."}, 401)
        action, rows = {
            DEVICES: ("viewEnrolledDevice", self.devices),
            COMMANDS: ("viewDeviceCommand", self._log(asked)),
        }.get(asked.path, ("", []))
        if action not in self.actions.split():
            return reply({"detail": "You do not have permission to perform this action."}, 403)
        if asked.first("enrolled_device") in set(map(str, self.broken)):
            return reply({"detail": "error"}, 500)
        return self._page(asked, rows)

    def _log(self, asked: Asked) -> list[object]:
        chosen = {"name": asked.first("name"), "enrolled_device": asked.first("enrolled_device")}
        wanted = {key: value for key, value in chosen.items() if value}
        return [row for row in self.commands if not isinstance(row, dict) or _fits(cast("Row", row), wanted)]

    def _page(self, asked: Asked, rows: list[object]) -> Reply:
        offset, limit = int(asked.first("offset", "0")), min(int(asked.first("limit", "50")), 500)
        end = offset + limit
        host = "elsewhere.example" if self.elsewhere else asked.headers["host"]
        scheme = "http" if host.startswith("127.") else "https"
        kept = {key: values[0] for key, values in asked.query.items()} | {"limit": limit, "offset": end}
        query = "&".join(f"{key}={value}" for key, value in kept.items())
        link = f"{scheme}://{host}{asked.path}?{query}" if end < len(rows) else None
        return reply({"count": len(rows), "next": link, "previous": None, "results": rows[offset:end]})

    @property
    def singles(self) -> list[str]:
        """The devices whose commands were asked for by themselves."""
        return [asked.first("enrolled_device") for asked in self.asked if "enrolled_device" in asked.query]


def _fits(row: Row, wanted: dict[str, str]) -> bool:
    return all(str(row.get(key)) == value for key, value in wanted.items())


def sample(_folder: object = None) -> tuple[dict[str, Any], httpx.BaseTransport]:
    """A source that shows everything Zentral can report: phones, tablets, a personal phone and a Mac, on four pages."""
    mac = device(32, platform="macOS", model="Mac16,1", dep_enrollment=True)
    rows = [*map(device, range(1, 31)), personal(31), mac]
    log = [
        *(command(n, responses()) for n in range(1, 32)),
        restrictions(2, allowed=False),
        restrictions(3, allowed=True),
    ]
    return {"url": "https://zentral.example", "api_token": TOKEN, "page_size": 10}, ZentralServer(
        rows, log
    ).transport
