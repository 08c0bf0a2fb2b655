"""A made-up Fleet server: hosts by pages without a total, their count elsewhere, and details one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from tests.servers.loopback import Asked, Loopback, Reply, reply

if TYPE_CHECKING:
    from collections.abc import Sequence

    import httpx

Host = dict[str, Any]
API = "/api/v1/fleet"
TOKEN = "made-up-fleet-token"
VITALS = (
    "battery_level",
    "is_cloud_backup_enabled",
    "last_cloud_backup_date",
    "service_subscriptions",
    "is_mdm_lost_mode_enabled",
    "itunes_store_account_is_active",
    "supplemental_build_version",
)
"""What Fleet tells since 4.91, of devices that Apple lets it ask."""
DETAIL_ONLY = {*VITALS, "udid", "end_users", "labels", "last_mdm_checked_in_at", "last_mdm_enrolled_at"}


def host(number: int, **changes: Any) -> Host:  # noqa: ANN401 - any JSON value
    """Host `number` as its details show it: every third an iPad, backed up on most days."""
    ipad = number % 3 == 0
    system = "iPadOS 26.1" if ipad else "iOS 26.1"
    uuid = f"00008{number % 900:03d}-00{number:014X}"
    return {
        "id": number,
        "uuid": uuid,
        "udid": uuid,
        "hostname": f"Ward {number}",
        "hardware_serial": f"FK{number:08d}",
        "hardware_model": "iPad14,8" if ipad else "iPhone15,4",
        "hardware_vendor": "Apple",
        "computer_name": f"Ward {number}",
        "display_name": f"Ward {number}",
        "platform": "ipados" if ipad else "ios",
        "os_version": system,
        "build": "",
        "status": "online",
        "team_id": 4,
        "team_name": "Wards",
        "gigs_total_disk_space": 128,
        "gigs_disk_space_available": round(20.5 + number % 40, 2),
        "percent_disk_space_available": 30,
        "created_at": "2026-01-12T08:00:00Z",
        "detail_updated_at": "2026-11-21T21:05:10Z",
        "seen_time": "2026-11-21T21:05:10Z",
        "last_enrolled_at": "2026-01-12T08:00:00Z",
        "last_mdm_checked_in_at": "2026-11-21T22:00:01Z",
        "last_mdm_enrolled_at": "2026-01-12T08:10:00Z",
        "device_mapping": [{"email": f"ward{number}@clinic.example", "source": "mdm_idp_accounts"}],
        "mdm": {
            "enrollment_status": "On (automatic)",
            "name": "Fleet",
            "server_url": "https://fleet.example/mdm",
        },
        "battery_level": 0.64,
        "cellular_technology": "None" if ipad else "GSM",
        "is_cloud_backup_enabled": number % 7 != 0,
        "last_cloud_backup_date": f"2026-11-{1 + number % 20:02d}T02:30:00Z",
        "service_subscriptions": [
            {"slot": "CTSubscriptionSlotOne", "is_roaming": number % 5 == 0},
            {"slot": "Two"},
        ],
        "is_mdm_lost_mode_enabled": False,
        "itunes_store_account_is_active": True,
        "supplemental_build_version": "23B85",
        "end_users": [
            {
                "idp_username": f"ward{number}@clinic.example",
                "idp_full_name": f"Ward {number} Desk",
                "idp_department": "Nursing",
                "idp_groups": ["Staff"],
                "other_emails": [],
            }
        ],
        "labels": [
            {"id": 1, "name": "All Hosts", "label_type": "builtin"},
            {"id": 90, "name": "Night shift", "label_type": "regular"},
        ],
    } | changes


def personal(number: int, status: str = "On (personal)") -> Host:
    """A phone under User Enrolment: an enrolment id in place of serial and UDID, no vitals, no sizes yet."""
    enrolment_id = f"7C41{number:04X}-2222-4333-8444-0123456789AB"
    told = {"uuid": enrolment_id, "hardware_serial": enrolment_id, "mdm": {"enrollment_status": status}}
    sizes = {"gigs_total_disk_space": 0, "gigs_disk_space_available": 0}
    return {
        key: value for key, value in host(number, **told, **sizes).items() if key not in {*VITALS, "udid"}
    }


def mac(number: int) -> Host:
    """A Mac, of which Fleet tells more than of any phone."""
    return host(number, platform="darwin", os_version="macOS 26.1", build="25B78", hardware_model="Mac16,1")


class FleetServer(Loopback):
    """Serves `hosts` as release `version` would.

    Switches: `role` (without it every host is refused), `details` and `counts` (endpoints closed to the token),
    `broken` and `gone` (hosts whose details fail with a 500, or are not found), `throttled` (so many requests are
    turned away first), `deleted` (a page, and the host that goes after it), `cap` (rows per page at most), `stuck`
    (every page is the first).
    """

    def __init__(
        self,
        hosts: Sequence[object] | int = 30,
        *,
        version: str = "4.91.2",
        role: bool = True,
        details: bool = True,
        counts: bool = True,
        broken: frozenset[int] = frozenset(),
        gone: frozenset[int] = frozenset(),
        throttled: int = 0,
        deleted: tuple[int, int] = (-1, -1),
        cap: int = 10_000,
        stuck: bool = False,
    ) -> None:
        super().__init__()
        self.hosts: list[object] = (
            [host(n) for n in range(1, hosts + 1)] if isinstance(hosts, int) else [*hosts]
        )
        self.version, self.role, self.details, self.counts = version, role, details, counts
        self.broken, self.gone, self.throttled = broken, gone, throttled
        self.deleted, self.cap, self.stuck = deleted, cap, stuck

    def route(self, asked: Asked) -> Reply:
        """As Fleet answers."""
        if self.throttled:
            self.throttled -= 1
            return reply({"message": "limit exceeded"}, 429, retry_after="3")
        if asked.headers.get("authorization") != f"Bearer {TOKEN}":
            return reply({"message": "Authentication required"}, 401)
        if asked.path == f"{API}/version":
            return reply({"version": self.version, "branch": "main", "go_version": "go1.25"})
        if not self.role:
            return reply({"message": "forbidden"}, 403)
        if asked.path == f"{API}/hosts/count":
            return reply({"count": len(self.hosts)}) if self.counts else reply({"message": "forbidden"}, 403)
        return self._list(asked) if asked.path == f"{API}/hosts" else self._detail(asked)

    def _list(self, asked: Asked) -> Reply:
        number, size = int(asked.first("page")), min(int(asked.first("per_page")), self.cap)
        first = 0 if self.stuck else number * size
        rows = [_listed(one) for one in self.hosts[first : first + size]]
        if number == self.deleted[0]:
            self.hosts = [one for one in self.hosts if _id(one) != self.deleted[1]]
        return reply({"hosts": rows})

    def _detail(self, asked: Asked) -> Reply:
        if not self.details:
            return reply({"message": "forbidden"}, 403)
        number = int(asked.path.removeprefix(f"{API}/hosts/"))
        if number in self.broken:
            return reply({"message": "internal"}, 500)
        known = [one for one in self.hosts if _id(one) == number]
        if number in self.gone or not known:
            return reply({"message": "Resource Not Found"}, 404)
        return reply({"host": known[0]})

    @property
    def detailed(self) -> int:
        """How many details were asked for."""
        return sum(asked.path.removeprefix(f"{API}/hosts/").isdigit() for asked in self.asked)


def _id(row: object) -> object:
    return cast("Host", row).get("id") if isinstance(row, dict) else None


def _listed(row: object) -> object:
    if not isinstance(row, dict):
        return row
    return {key: value for key, value in cast("Host", row).items() if key not in DETAIL_ONLY}


def sample(_folder: object = None) -> tuple[dict[str, Any], httpx.BaseTransport]:
    """A source that shows everything Fleet can report: phones, tablets, a personal phone and a Mac, on four pages."""
    hosts = [*map(host, range(1, 31)), personal(31), mac(32)]
    return {"url": "https://fleet.example", "api_token": TOKEN, "page_size": 10}, FleetServer(hosts).transport
