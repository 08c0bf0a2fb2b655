"""Jamf School: every device with its backup, storage, system and owner, from one answer.

Paths, key rights and the protocol header: Jamf School developer guide, public recordings and clients, read 2026-11-22.
"""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, NoReturn
from urllib.parse import quote

from pydantic import AfterValidator, Field, SecretStr

from connectors import _rows, _wire
from connectors._auth import FixedHeaders, basic
from connectors._connector import Connector, Page, Permission, SourceSettings, Surroundings
from connectors._http import Answer, Api, Meanings, open_api, origin_url
from connectors._jamf_school_dates import moment, zone_named
from connectors._jamf_school_record import FIELDS, LIST, DeviceList, key_of, read_record, unescaped
from connectors._probe import anything, signed_in, tried
from fleet.errors import AuthRefused, BadAnswer, NotFound, PermissionMissing, ServerTrouble, SourceError
from fleet.model.fact import Fact, Gap
from fleet.model.run import Trouble

if TYPE_CHECKING:
    from collections.abc import Iterator

_CONSOLE = "Organization > Settings > API"
READ = "Read"
_ROWS_PER_PAGE = 500
_MOST_CONNECTIONS = 2
_REMEDY = f'does not let this API key read (405): tick "{READ}" for it in {_CONSOLE}'


def _api_url(value: str) -> str:
    """The tenant's address with or without `/api` at its end."""
    return origin_url(value).removesuffix("/api")


class JamfSchoolSettings(SourceSettings):
    """The keys of `kind = "jamf_school"`.

    The whole fleet comes in one answer, so it may take longer and be larger than a page of other kinds.
    `detail` asks for one device by itself, to learn in which time zone the list writes its dates.
    """

    url: Annotated[str, AfterValidator(_api_url)]
    network_id: Annotated[str, Field(min_length=1, coerce_numbers_to_str=True)]
    api_key: SecretStr
    timeout_seconds: Annotated[float, Field(gt=0)] = 120
    max_body_mb: Annotated[float, Field(gt=0)] = 256
    detail: bool = True


def walk(settings: JamfSchoolSettings, around: Surroundings) -> Iterator[Page]:
    """Every device of the one answer, cut into pages; raises `SourceError` where it cannot go on."""
    with _open(settings, around) as api:
        sites, troubles = _sites(api)
        listing = api.get("/api/devices", _devices, permission=READ)
        found = listing["devices"]
        zone, unsure = _zone(api, found) if settings.detail else (UTC, ())
    expected = _rows.total(listing.get("count"))
    yield Page(expected=expected, troubles=(*troubles, *unsure))
    for first in range(0, len(found), _ROWS_PER_PAGE):
        cut = enumerate(found[first : first + _ROWS_PER_PAGE], first + 1)
        yield Page(
            rows=[read_record(row, f"row {place}", sites, zone) for place, row in cut], expected=expected
        )


def _devices(answer: Answer) -> DeviceList:
    try:
        return _rows.decode(LIST, answer.body)
    except ValueError:
        _judge_error(_rows.anything(answer.body))


def _judge_error(said: object) -> NoReturn:
    """The error that an answer without devices is: its code may stand in the body of a 200, in two places."""
    code = _rows.field(_rows.field(said, "error"), "code") or _rows.field(said, "code")
    if code == HTTPStatus.METHOD_NOT_ALLOWED:
        raise _may_not_read("Jamf School /api/devices")
    if code == HTTPStatus.UNAUTHORIZED:
        raise AuthRefused(
            f"Jamf School /api/devices refused the credential (401): check network_id and api_key ({_CONSOLE})"
        )
    raise ValueError("no list of devices")


def _may_not_read(place: str) -> PermissionMissing:
    return PermissionMissing(f"{place} {_REMEDY}")


def _sites(api: Api) -> tuple[dict[str, Fact[str]], tuple[Trouble, ...]]:
    try:
        return api.get("/api/locations", _site_names, permission=READ), ()
    except (PermissionMissing, NotFound, ServerTrouble, BadAnswer):
        why = f'Names of locations could not be read, so site is absent: tick "{READ}" for the key in {_CONSOLE}'
        return {}, (Trouble("sites_unresolved", why),)


def _site_names(answer: Answer) -> dict[str, Fact[str]]:
    listed = _rows.rows(_rows.field(_rows.anything(answer.body), "locations"))
    pairs = ((key_of(_rows.field(row, "id")), unescaped(_rows.field(row, "name"))) for row in listed)
    return {key: name for key, name in pairs if not isinstance(key, Gap)}


def _zone(api: Api, found: list[object]) -> tuple[tzinfo, tuple[Trouble, ...]]:
    """The zone of the list's dates, and a trouble where it had to be taken for UTC.

    The answer for one device names the zone of its last check-in. Where it shows the same clock as the list
    does, the list is in that zone. The device that was silent for longest is least likely to check in between.
    """
    dated = [(stamp, udid) for row in found for stamp, udid in _dated(row)]
    if not dated:
        return UTC, ()
    stamp, udid = min(dated)
    try:
        single = api.get(f"/api/devices/{quote(udid, safe='')}", anything, permission=READ)
    except SourceError:
        single = None
    seen = _rows.field(_rows.field(single, "device"), "lastCheckin")
    zone = zone_named(_rows.field(seen, "timezone"))
    if zone is not None and moment(seen, UTC) == moment(stamp, zone):
        return zone, ()
    why = (
        "Jamf School did not show in which time zone its dates are: they are read as UTC, hours may be wrong"
    )
    return UTC, (Trouble("zone_assumed", why),)


def _dated(row: object) -> Iterator[tuple[str, str]]:
    """The check-in as the list writes it and the UDID, where the first names no zone of its own."""
    udid, stamp = _wire.text(_rows.field(row, "UDID")), _rows.field(row, "lastCheckin")
    if isinstance(udid, str) and isinstance(stamp, str) and isinstance(moment(stamp, UTC), datetime):
        with_zone = _wire.instant(stamp)
        if isinstance(with_zone, Gap):
            yield stamp, udid


def probe(settings: JamfSchoolSettings, around: Surroundings) -> Iterator[tuple[str, str | None]]:
    """Login and the right to read, proven by the short list of locations: no key that may read lacks it."""
    with _open(settings, around) as api:
        locations = partial(api.get, "/api/locations", anything, permission=READ)
        login = signed_in(locations)
        yield login
        if login[1] is None:
            yield tried(READ, locations)


def _open(settings: JamfSchoolSettings, around: Surroundings) -> Api:
    proof = basic(settings.network_id, settings.api_key.get_secret_value()).values
    # Without the version that it expects, the server may not know a path that it has.
    auth = FixedHeaders({**proof, "X-Server-Protocol-Version": "3"})
    # Its 405 is what a 403 is elsewhere.
    meanings: Meanings = {HTTPStatus.METHOD_NOT_ALLOWED: _may_not_read}
    return open_api(settings, settings.url, around, auth, connections=_MOST_CONNECTIONS, meanings=meanings)


_EXAMPLE = """\
url = "https://yourschool.jamfcloud.com"
# The network id stands in Jamf School under Devices > Enroll Device(s).
network_id = "12345678"
# Organization > Settings > API: add a key and tick "Read" alone.
api_key = { env = "JAMF_SCHOOL_KEY" }
# detail = false           # spares one request; dates are then taken for UTC
# timeout_seconds = 120    # the whole fleet is one answer
# max_body_mb = 256
"""

CONNECTOR = Connector(
    kind="jamf_school",
    title="Jamf School",
    settings=JamfSchoolSettings,
    provides=frozenset(
        {
            "serial",
            "udid",
            "name",
            "asset_tag",
            "model_identifier",
            "model_name",
            "platform",
            "os_version",
            "managed",
            "supervised",
            "enrollment",
            "capacity_bytes",
            "available_bytes",
            "backup_enabled",
            "last_cloud_backup_at",
            "checkin_at",
            "battery_percent",
            "roaming",
            "account_active",
            "user_name",
            "user_email",
            "site",
            "groups",
        }
    ),
    fields=FIELDS,
    permissions=(Permission(READ, "everything", _CONSOLE),),
    walk=walk,
    probe=probe,
    example=_EXAMPLE,
    confirmed="public recordings of the API (2021), a web export (2026), two clients and Jamf's developer guide, "
    "read 2026-11-22; no tenant of our own",
    remarks={
        "backup_enabled": "off is also the default: it counts of a handheld that answered an inventory and cannot be "
        "under User Enrolment (supervised or enrolled automatically), or that has an earlier backup",
        "last_cloud_backup_at": "an empty date means never where the backup switch counts; a date without a zone is in "
        "the zone of the check-ins",
        "checkin_at": "the zone is learnt from one device (one request a night); else UTC, and the report says so",
        "inventory_at": "not reported: the date `modified` also moves when the entry is edited by hand",
        "managed": "false only in the trash or before enrolment; others turn false by a week of silence",
        "enrollment": "User Enrolment cannot be told, so an unsupervised device enrolled by hand stays absent",
        "shared_ipad": "not in the API, only in the web console: such iPads are judged like others; waive their group",
        "lost_mode": "not in the API, only in the web console",
        "enrolled_at": "not in the API, only in the web console",
        "backup_restricted": "the API lists profiles without their contents",
        "vpn_configured": "the API lists profiles without their contents",
        "account_active": "signed out counts of devices whose backup switch counts",
        "roaming": "devices with a SIM",
        "site": "the location's name",
    },
)
