"""A made-up Meraki organization: two Systems Manager networks and one without, in the shape of Dashboard API v1."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.servers.loopback import Asked, Loopback, Reply, reply

if TYPE_CHECKING:
    import httpx

Row = dict[str, Any]
KEY = "key-of-a-read-only-admin"
ORGANIZATION = "731904"
SCHOOL, OFFICE, CABLES = "N_5501", "N_5502", "L_5503"
DEFAULT_FIELDS = ("id", "name", "tags", "ssid", "wifiMac", "osName", "systemModel", "uuid", "serialNumber")
CHECKED_IN = 1_795_300_000  # 2026-11-21T22:26:40Z
MODELS = (
    ("iOS 26.4.1", "iPhone 15", "iOS", 128_000_000_000),
    ("iOS 26.4.1", "iPad (10th generation)", "iOS", 64_000_000_000),
    ("iPadOS 18.7.2", "iPad Air", "iOS", 256_000_000_000),
    ("macOS 15.7", "MacBook Air", "macOS", 512_000_000_000),
)


def meraki_device(number: int) -> Row:
    """One device with every field that can be asked for; every fourth is a Mac."""
    system, model, kind, capacity = MODELS[number % len(MODELS)]
    return {
        "id": str(640_000_000_000 + number),
        "name": f"Device {number}",
        "tags": ["library"] if number % 2 else [],
        "ssid": "visitors",
        "wifiMac": f"02:00:5e:00:01:{number % 256:02x}",
        "osName": system,
        "systemModel": model,
        "uuid": f"00008130-{number:016X}",
        "serialNumber": f"FKMER{number:05}",
        "serial": f"FKMER{number:05}",
        "ip": "192.0.2.7",
        "notes": "",
        "systemType": kind,
        "osBuild": "23E246",
        "isSupervised": number % 3 != 0,
        "isManaged": True,
        "hasMdm": True,
        "hadMdm": True,
        "deviceCapacity": capacity,
        "availableDeviceCapacity": capacity // (number % 7 + 2),
        "lastConnected": CHECKED_IN - 3600 * number,
        "createdAt": 1_750_000_000 + number,
        "batteryEstCharge": str(number % 101),
        "ownerEmail": f"owner{number % 5}@example.com",
        "ownerUsername": f"owner{number % 5}",
        "autoTags": [f"{kind} devices"],
        "location": "somewhere",
    }


def owner(number: int) -> Row:
    """One person of the list of owners."""
    return {
        "id": str(number),
        "email": f"Owner{number}@example.com",
        "fullName": f"Owner Number {number}",
        "username": f"owner{number}",
        "tags": " staff ",
        "adGroups": [],
    }


def restrictions(**named: object) -> list[Row]:
    """The answer for one device: one profile with these restrictions."""
    held = {name: {"value": value} for name, value in named.items()}
    return [{"profile": "com.meraki.sm.school", "restrictions": held}]


def _usual_restrictions() -> dict[str, object]:
    return {
        "640000000001": restrictions(allowCloudBackup=False, allowCamera=True),
        "640000000002": restrictions(allowCloudBackup=True),
    }


@dataclass(eq=False)
class MerakiServer(Loopback):
    """The organization; every attribute is a switch.

    Attributes:
        networks: devices by network; the wireless-only network has none to give.
        known_fields: names that may be asked for; one other costs the whole answer.
        answers: status by path, in place of the true answer.
        throttled: how many requests are refused for their number before any is answered.
        circle: pages name themselves as the next.
        elsewhere: where the next page is said to be, in place of here.
    """

    networks: dict[str, list[Any]] = field(
        default_factory=lambda: {
            SCHOOL: [meraki_device(number) for number in range(25)],
            OFFICE: [meraki_device(number) for number in range(25, 32)],
        }
    )
    restricted: dict[str, object] = field(default_factory=_usual_restrictions)
    known_fields: frozenset[str] = frozenset(meraki_device(0))
    answers: dict[str, int] = field(default_factory=dict[str, int])
    api_enabled: bool = True
    throttled: int = 0
    circle: bool = False
    elsewhere: str = ""

    def __post_init__(self) -> None:
        Loopback.__init__(self)

    def route(self, asked: Asked) -> Reply:
        if asked.headers.get("authorization") != f"Bearer {KEY}":
            return reply({"errors": ["Invalid API key"]}, 401)
        if self.throttled:
            self.throttled -= 1
            return reply({"errors": ["API rate limit exceeded for organization"]}, 429, retry_after="2")
        path = asked.path.removeprefix("/api/v1")
        refused = next((status for part, status in self.answers.items() if part in path), None)
        return reply({"errors": ["refused"]}, refused) if refused else self._answer(path, asked)

    def _answer(self, path: str, asked: Asked) -> Reply:
        match path.strip("/").split("/"):
            case ["organizations"]:
                api = {"enabled": self.api_enabled}
                return reply([{"id": ORGANIZATION, "name": "Example Schools", "api": api}])
            case ["organizations", organization, "networks"] if organization == ORGANIZATION:
                return self._page(self._networks(), asked)
            case ["networks", network, "sm", "devices"] if network in self.networks:
                return self._devices(network, asked)
            case ["networks", network, "sm", "users"] if network in self.networks:
                return reply([owner(number) for number in range(4)])
            case ["networks", network, "sm", "devices", device, "restrictions"] if network in self.networks:
                return reply(self.restricted.get(device, []))
            case _:
                return reply({"errors": ["not found"]}, 404)

    def _networks(self) -> list[Row]:
        systems = [
            {"id": key, "name": f"Network {key[-1]}", "productTypes": ["wireless", "systemsManager"]}
            for key in self.networks
        ]
        return [{"id": CABLES, "name": "Cables", "productTypes": ["switch", "wireless"]}, *systems]

    def _devices(self, network: str, asked: Asked) -> Reply:
        wanted = asked.query.get("fields[]", [])
        if "fields" in asked.query or not self.known_fields.issuperset(wanted):
            return reply({"errors": ["Invalid fields"]}, 400)
        shown = (*DEFAULT_FIELDS, *wanted)
        return self._page(
            [
                {key: row[key] for key in shown if key in row} if isinstance(row, dict) else row
                for row in self.networks[network]
            ],
            asked,
        )

    def _page(self, rows: list[Any], asked: Asked) -> Reply:
        size, start = int(asked.first("perPage", "1000")), int(asked.first("startingAfter", "0"))
        if not 3 <= size <= 1000 and not asked.path.endswith("networks"):
            return reply({"errors": ["'perPage' must be between 3 and 1000"]}, 400)
        here = f"{self.elsewhere or _origin(asked)}{asked.path}?perPage={size}"
        fields = "".join(f"&fields[]={name}" for name in asked.query.get("fields[]", []))
        links = f"<{here}{fields}&startingAfter=0>; rel=first"
        if start + size < len(rows):
            following = start if self.circle and start else start + size
            links += f", <{here}{fields}&startingAfter={following}>; rel=next"
        return reply(rows[start : start + size], link=links)


def sample(_folder: object = None) -> tuple[dict[str, Any], httpx.BaseTransport]:
    """Settings and a source that shows everything the kind can report."""
    values = {"api_key": KEY, "organization_id": ORGANIZATION, "page_size": 10}
    return values, MerakiServer().transport


def _origin(asked: Asked) -> str:
    host = asked.headers["host"]
    return f"http://{host}" if host.startswith("127.") else f"https://{host}"
