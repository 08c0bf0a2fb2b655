"""A Jamf Pro server in the same process: one night of the made-up fleet, in pages of Jamf Pro's shape.

Jamf Pro API reference 11.30, `/v2/mobile-devices/detail`, read 2026-11-22: sections that were not asked for
are null, a capacity in "MB" is 1024 times Apple's decimal GB, dates are UTC with 0 to 3 digits of a second.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import parse_qs

import httpx
import orjson

from connectors.demo.fleet import PLACES, Fleet, Source
from connectors.demo.hardware import HEADSET, TELEVISION
from connectors.demo.story import Condition, Life, Story, condition

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

CLIENT_ID = "a-made-up-client"
CLIENT_SECRET = "a-made-up-secret"  # noqa: S105 - opens nothing but this module
_TOKEN = "a-made-up-token"  # noqa: S105 - likewise
_MOST_PER_PAGE = 2000
_VERSION = "11.30.1-t1789000000"
_MB_PER_GB = 1024
_WHOLE_SECONDS = len("2026-11-22T02:00:00")
_TAGGED = 0.7
_WITHOUT_SITE = 0.05
_AUTOMATED = 0.85
_FIRST_STATIC_GROUP = 2

Json: TypeAlias = "Mapping[str, Json] | list[Json] | str | int | bool | None"


@dataclass(frozen=True, slots=True)
class Desk:
    """What one server knows on one night.

    Attributes:
        at: the time of the collection, UTC.
        fails_from_page: from this page on the server answers 503, for ever.
    """

    fleet: Fleet
    night: int
    at: datetime
    sources: tuple[Source, ...]
    fails_from_page: int | None = None
    _orders: dict[str, array[int]] = field(default_factory=dict[str, "array[int]"], repr=False)

    def transport(self) -> httpx.MockTransport:
        """Takes the place of the network for this server; safe to use from several threads."""
        return httpx.MockTransport(self.answer)

    def answer(self, request: httpx.Request) -> httpx.Response:
        """The server's answer to one request; 401 without a token, 404 for what it does not have."""
        if request.url.path == "/api/v1/oauth/token":
            return _token(request)
        if request.headers.get("authorization") != f"Bearer {_TOKEN}":
            return _refusal(401, "INVALID_TOKEN")
        match request.url.path:
            case "/api/v1/jamf-pro-version":
                return _json({"version": _VERSION})
            case "/api/v1/sites":
                return _json(self._sites())
            case "/api/v2/mobile-devices/detail":
                return self._detail(request.url.params)
            case _:
                return _refusal(404, "NOT_FOUND")

    def _sites(self) -> list[Json]:
        places = (place for source in self.sources for place in PLACES[source])
        return [{"id": place.site_id, "name": place.site, "divisionId": "-1"} for place in places]

    def _detail(self, asked: httpx.QueryParams) -> httpx.Response:
        page, size = int(asked.get("page", 0)), min(int(asked.get("page-size", 100)), _MOST_PER_PAGE)
        if self.fails_from_page is not None and page >= self.fails_from_page:
            return _refusal(503, "SERVICE_UNAVAILABLE")
        sections = frozenset(asked.get_list("section")) or frozenset({"GENERAL"})
        ids = self._order(asked.get("sort", "displayName:asc"))
        if ids is None or not sections <= _SECTIONS.keys():
            return _refusal(400, "INVALID_FIELD")
        records = [self._record(record_id, sections) for record_id in ids[page * size : (page + 1) * size]]
        return _json({"totalCount": len(ids), "results": records})

    def _order(self, sort: str) -> Sequence[int] | None:
        """The listed ids in the order asked for; None for an order that this server does not know."""
        column, _, direction = sort.partition(":")
        if column not in _SORT_KEYS or direction not in {"", "asc", "desc"}:
            return None
        if sort not in self._orders:
            key = _SORT_KEYS[column]
            ids = sorted(self._listed(), key=lambda record_id: key(self.fleet, record_id))
            self._orders[sort] = array("L", reversed(ids) if direction == "desc" else ids)
        return self._orders[sort]

    def _listed(self) -> array[int]:
        return self.fleet.listed(self.night, *self.sources)

    def _record(self, record_id: int, sections: frozenset[str]) -> Json:
        life = self.fleet.record(record_id)
        state = condition(life, self.night, self.at)
        record: dict[str, Json] = {"mobileDeviceId": str(record_id), "deviceType": _device_type(life)}
        for section, (key, render) in _SECTIONS.items():
            record[key] = render(life, state) if section in sections else None
        if life.model is TELEVISION:
            del record["network"]
        return record


def _device_type(life: Life) -> str:
    return {TELEVISION: "tvOS", HEADSET: "visionOS"}.get(life.model, "iOS")


def _general(life: Life, state: Condition) -> Json:
    fresh = state.release
    return {
        "udid": "" if life.story is Story.BYOD else life.udid,
        "displayName": life.name,
        "assetTag": f"LM-{life.index:05}" if life.chance(0, 8) < _TAGGED else "",
        "siteId": "-1" if life.chance(0, 9) < _WITHOUT_SITE else life.place.site_id,
        "lastInventoryUpdateDate": _iso(state.observed_at, life.salt % 3),
        "lastContactDate": _iso(state.contacted_at, 3),
        "osVersion": fresh.version,
        "osRapidSecurityResponse": "",
        "osBuild": fresh.build,
        "osSupplementalBuildVersion": fresh.build,
        "ipAddress": f"198.51.100.{life.index % 254 + 1}",
        "managed": life.story is not Story.UNMANAGED,
        **_enrollment(life, state),
        "timeZone": "Europe/London",
        "declarativeDeviceManagementEnabled": True,
        **({} if life.model is TELEVISION else _backups(life, state)),
    }


def _enrollment(life: Life, state: Condition) -> dict[str, Json]:
    own = life.story is Story.BYOD
    automated = not own and life.chance(0, 7) < _AUTOMATED
    prestage: Json = {"mobileDevicePrestageId": "2", "profileName": "Larkmoor devices"}
    return {
        "supervised": automated,
        "deviceOwnershipType": "AccountDrivenUserEnrollment" if own else "Institutional",
        "enrollmentMethodPrestage": prestage if automated else None,
        "lastEnrolledDate": _iso(state.enrolled_at, 3),
        "mdmProfileExpirationDate": None,
    }


def _backups(life: Life, state: Condition) -> dict[str, Json]:
    """What only systems that back up to iCloud report; under User Enrolment Jamf prints its empty values."""
    seen = life.story is not Story.BYOD
    return {
        "sharedIpad": life.story is Story.SHARED_IPAD,
        "lastBackupDate": _iso(state.local_backup_at) if seen else None,
        "cloudBackupEnabled": seen and state.backup_enabled,
        "lastCloudBackupDate": _iso(state.last_backup_at) if seen else None,
        "itunesStoreAccountActive": seen and state.account_active,
        "deviceLocatorServiceEnabled": seen,
        "tethered": False,
    }


def _hardware(life: Life, state: Condition) -> Json:
    television = life.model is TELEVISION
    capacity = 0 if television else life.capacity_gb * _MB_PER_GB
    available = 0 if television else int(state.free_gb * _MB_PER_GB)
    return {
        "capacityMb": capacity,
        "availableSpaceMb": available,
        "usedSpacePercentage": (capacity - available) * 100 // capacity if capacity else 0,
        "batteryLevel": state.battery_percent,
        "batteryHealth": "UNKNOWN",
        "serialNumber": "" if life.story is Story.BYOD else life.serial,
        "model": life.model.name,
        "modelIdentifier": life.model.identifier,
    }


def _user(life: Life, _: Condition) -> Json:
    owner = life.owner
    return {
        "username": owner.username if owner else "",
        "realName": owner.real_name if owner else "",
        "emailAddress": owner.email if owner else "",
        "building": life.place.building,
        "department": life.department,
    }


def _security(life: Life, state: Condition) -> Json:
    return {
        "dataProtected": True,
        "passcodePresent": life.owner is not None,
        "activationLockEnabled": False,
        "jailBreakDetected": False,
        "lostModeEnabled": state.lost_mode,
    }


def _network(life: Life, state: Condition) -> Json:
    phone = life.model.product == "iPhone"
    return {
        "cellularTechnology": "GSM" if phone else "None",
        "dataRoamingEnabled": phone and state.roaming,
        "roaming": phone and state.roaming,
        "personalHotspotEnabled": False,
    }


def _groups(life: Life, _: Condition) -> Json:
    return [
        {
            "groupId": str(number),
            "groupName": name,
            "groupDescription": "",
            "smart": number < _FIRST_STATIC_GROUP,
        }
        for number, name in enumerate(group_names(life), 1)
    ]


def group_names(life: Life) -> list[str]:
    """The groups that a device is in, as its server names them."""
    own = life.story is Story.BYOD
    kind = "Personal phones" if own else f"All {life.model.product}s"
    return [kind, f"{life.place.building}: {life.department}"] + ["Shared devices"] * (life.owner is None)


def _empty(_: Life, __: Condition) -> Json:
    return []


def _iso(moment: datetime | None, digits: int = 0) -> str | None:
    """The time as Jamf prints it, with 0, 2 or 3 digits of a second; a digit count of 1 prints none."""
    if moment is None:
        return None
    whole = moment.isoformat()[:_WHOLE_SECONDS]
    fraction = ".48213"[: digits + 1] if digits > 1 else ""
    return f"{whole}{fraction}Z"


def _token(request: httpx.Request) -> httpx.Response:
    form = parse_qs(request.content.decode())
    if form.get("client_id") != [CLIENT_ID] or form.get("client_secret") != [CLIENT_SECRET]:
        return httpx.Response(401, json={"error": "invalid_client"})
    return _json({"access_token": _TOKEN, "scope": "api-role:1", "token_type": "Bearer", "expires_in": 599})


def _refusal(status: int, code: str) -> httpx.Response:
    error: Json = {"code": code, "description": "", "id": "0", "field": None}
    return _json({"httpStatus": status, "errors": [error]}, status)


def _json(value: Json, status: int = 200) -> httpx.Response:
    return httpx.Response(status, content=orjson.dumps(value), headers={"content-type": "application/json"})


_SORT_KEYS: dict[str, Callable[[Fleet, int], str | int]] = {
    "mobileDeviceId": lambda _, record_id: record_id,
    "displayName": lambda fleet, record_id: fleet.record(record_id).name,
}
_SECTIONS: dict[str, tuple[str, Callable[[Life, Condition], Json]]] = {
    "GENERAL": ("general", _general),
    "HARDWARE": ("hardware", _hardware),
    "USER_AND_LOCATION": ("userAndLocation", _user),
    "SECURITY": ("security", _security),
    "NETWORK": ("network", _network),
    "GROUPS": ("groups", _groups),
    "PURCHASING": ("purchasing", _empty),
    "APPLICATIONS": ("applications", _empty),
    "EBOOKS": ("ebooks", _empty),
    "SERVICE_SUBSCRIPTIONS": ("serviceSubscriptions", _empty),
    "CERTIFICATES": ("certificates", _empty),
    "PROFILES": ("profiles", _empty),
    "USER_PROFILES": ("userProfiles", _empty),
    "PROVISIONING_PROFILES": ("provisioningProfiles", _empty),
    "SHARED_USERS": ("sharedUsers", _empty),
    "EXTENSION_ATTRIBUTES": ("extensionAttributes", _empty),
}
