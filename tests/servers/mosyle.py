"""A made-up Mosyle, Manager or Business: 37 devices of a small school, and the faults that its API is known for."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from tests.servers.loopback import Asked, Loopback, Reply, reply

if TYPE_CHECKING:
    import httpx

Row = dict[str, Any]

INVENTORY = 1_795_300_000
"""When the first device was inventoried: 2026-11-21, 22:26:40 UTC."""
ACCESS_TOKEN = "fk-access"
EMAIL = "robot@school.example"
PASSWORD = "fk-password"


def mosyle_row(number: int) -> Row:
    """Device `number`: iPads and iPhones of a school, all well, with small differences."""
    phone = number % 3 == 0
    return {
        "deviceudid": f"00008110-{number:016X}",
        "serial_number": f"FK{number:08d}",
        "device_name": f"Cart {number % 4} no {number}",
        "asset_tag": f"A-{number:04d}",
        "os": "ios",
        "osversion": "26.1",
        "BuildVersion": "23B85",
        "device_model": "iPhone15,4" if phone else "iPad12,1",
        "device_model_name": "iPhone 15" if phone else "iPad (9th generation)",
        "model_name": "iPhone" if phone else "iPad",
        "is_supervised": "1",
        "enrollment_type": "GENERAL",
        "ManagementStatus": json.dumps({"EnrolledViaDEP": True, "IsUserEnrollment": False}),
        "total_disk": "64.0000000000",
        "available_disk": f"{20 + number % 7}.5000000000",
        "battery": "0.81",
        "date_info": str(INVENTORY - number * 60),
        "date_last_beat": str(INVENTORY - number * 30),
        "date_enroll": "1739264412",
        "status": "IN",
        "is_deleted": "0",
        "isCloudBackupEnabled": "1",
        "LastCloudBackupDate": str(INVENTORY - 9000 - number),
        "iTunesStoreAccountIsActive": "1",
        "isroaming": "0",
        "lostmode_status": "DISABLED",
        "needosupdate": "26.2" if number % 5 == 0 else None,
        "tags": "loaner,year 7",
        "userid": f"u-{number}",
        "username": f"Pupil {number}",
        "useremail": f"pupil{number}@school.example",
        "location": "North Campus",
        "imei": "never asked for",
    }


def fleet() -> list[Row]:
    """Thirty-five usual devices, one Shared iPad and one private phone."""
    shared = mosyle_row(36) | {"enrollment_type": "SHARED", "device_model": "iPad12,1"}
    private = mosyle_row(39) | {"serial_number": None, "ManagementStatus": '{"IsUserEnrollment": true}'}
    return [*map(mosyle_row, range(1, 36)), shared, private]


@dataclass
class Mosyle(Loopback):
    """Mosyle's API, with a switch for each of its faults.

    Attributes:
        edition: the dialect it speaks; in that of the other edition nothing is understood.
        rows: devices by `os`.
        page_cap: a page is never larger, whatever is asked for.
        total: what it says the number of rows is; None is the truth, as text in Manager and a number in Business.
        columns: False knows none of the columns that can be asked for.
        ignores_page: the first page for ever.
        blanks: so many answers that are empty, before the list comes.
        said: an answer in place of the list.
        status: an HTTP status in place of the list.
        token_requests: how many requests a token is good for.
        tokenless: a login answers 200 without a token.
        visionos: False knows no such system.
    """

    edition: str = "business"
    rows: dict[str, list[Any]] = field(default_factory=lambda: {"ios": fleet()})
    page_cap: int = 1000
    total: object = None
    columns: bool = True
    ignores_page: bool = False
    blanks: int = 0
    said: object = None
    status: int = 200
    token_requests: int = 1000
    tokenless: bool = False
    visionos: bool = True

    def __post_init__(self) -> None:
        super().__init__()
        self._logins = 0
        self._uses = 0

    @property
    def list_path(self) -> str:
        """Where the edition lists devices."""
        return "/devices" if self.edition == "business" else "/listdevices"

    def lists(self) -> list[dict[str, Any]]:
        """The bodies of the requests for the list."""
        return [json.loads(asked.body) for asked in self.asked if asked.path.endswith(self.list_path)]

    def route(self, asked: Asked) -> Reply:
        """Log in or list."""
        body = json.loads(asked.body or b"{}")
        in_body = body.get("accessToken") == ACCESS_TOKEN and "accesstoken" not in asked.headers
        in_header = asked.headers.get("accesstoken") == ACCESS_TOKEN and "accessToken" not in body
        if asked.method != "POST":
            return reply({"status": 405, "message": "INVALID_METHOD"}, 405)
        if not (in_header if self.edition == "business" else in_body):
            return reply({"error": "accessToken Required"}, 401)
        if asked.path.endswith("/login"):
            return self._login(body)
        if not asked.path.endswith(self.list_path):
            return Reply(404, b"Ops, something happened!", {"Content-Type": "text/plain"})
        return self._list(asked, body)

    def _login(self, body: dict[str, Any]) -> Reply:
        if (body.get("email"), body.get("password")) != (EMAIL, PASSWORD):
            return reply({"error": "Unauthorized"}, 401)
        if self.tokenless:
            return reply({})
        self._logins += 1
        self._uses = 0
        token = {"Authorization": f"Bearer jwt-{self._logins}", "Expires": "Thu, 19 Nov 1981 08:52:00 GMT"}
        return Reply(200, b'{"UserID": "fk", "email": "robot@school.example"}', token)

    def _list(self, asked: Asked, body: dict[str, Any]) -> Reply:
        self._uses += 1
        valid = asked.headers.get("authorization") == f"Bearer jwt-{self._logins}"
        if not valid or self._uses > self.token_requests:
            return reply({"error": "Unauthorized"}, 401)
        if self.status != 200:
            return reply({"error": "no"}, self.status)
        if self.blanks:
            self.blanks -= 1
            return Reply(200, b" \n")
        return reply(self._page(body) if self.said is None else self.said)

    def _page(self, body: dict[str, Any]) -> object:
        options = body.get("options", {})
        if "os" not in options or (self.edition == "business" and body.get("operation") != "list"):
            return self._ok({"status": "MISSING_DATA", "info": "Missing key: os"})
        if options["os"] == "visionos" and not self.visionos:
            return self._ok({"status": "INVALID_DATA", "info": "os"})
        if "specific_columns" in options and not self.columns:
            return self._ok({"status": "UNKNOWN_COLUMNS", "info": "deviceudid"})
        return self._ok(self._devices(options))

    def _devices(self, options: dict[str, Any]) -> Row:
        rows = self.rows.get(options["os"], [])
        size = min(options["page_size"], self.page_cap)
        first = 0 if self.ignores_page else (options["page"] - 1) * size
        page = [self._columns_of(row, options) for row in rows[first : first + size]]
        if not page:
            return {"devices_notfound": [], "status": "DEVICES_NOTFOUND", "info": "No devices found"}
        truth = str(len(rows)) if self.edition == "manager" else len(rows)
        total = truth if self.total is None else self.total
        return {"devices": page, "rows": total, "page_size": size, "page": options["page"]}

    def _columns_of(self, row: object, options: dict[str, Any]) -> object:
        wanted: list[str] | None = options.get("specific_columns")
        if wanted is None or not isinstance(row, dict):
            return row
        columns = cast("Row", row)
        return {name: columns[name] for name in wanted if name in columns}

    def _ok(self, inner: Row) -> Row:
        return {"status": "OK", "response": [inner] if self.edition == "business" else inner}


def credentials(edition: str = "business") -> dict[str, Any]:
    """Settings that sign in."""
    return {"edition": edition, "access_token": ACCESS_TOKEN, "email": EMAIL, "password": PASSWORD}


def sample(_folder: object = None) -> tuple[dict[str, Any], httpx.BaseTransport]:
    """Settings, and a source that shows everything the kind can report, on four pages."""
    return credentials() | {"page_size": 10}, Mosyle().transport
