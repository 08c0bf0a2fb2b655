"""Jamf Pro: the walk around its faults, the logins, and every rule by which a field becomes a fact."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pydantic import ValidationError

from connectors import _rows
from connectors._jamf_record import PAGE, read_record
from connectors._jamf_single import as_list_row
from connectors.jamf_pro import CONNECTOR, JamfProSettings
from fleet.errors import AuthRefused, BadAnswer, PermissionMissing, ServerTrouble, Unreachable
from fleet.model.device import SIGNALS, DeviceRecord, Enrollment, Ownership, Platform, Rejected
from fleet.model.fact import ABSENT, NEVER, NOT_PERMITTED, UNREADABLE, Gap
from tests.connectors.fields import assert_storable, json_values
from tests.connectors.walking import Night, probed, walked
from tests.examples import examples
from tests.servers.jamf import JamfServer, Record, jamf_record, single_detail, stamp

if TYPE_CHECKING:
    from collections.abc import Iterable

DETAIL = "/api/v2/mobile-devices/detail"
SITES = {"1": "North", "2": "South"}


def settings(**keys: object) -> JamfProSettings:
    client = {} if "username" in keys else {"client_id": "c", "client_secret": "secret-of-the-client"}
    return JamfProSettings.model_validate(
        {"name": "hq", "kind": "jamf_pro", "url": "https://j.example", **client, **keys}
    )


def night(server: JamfServer, **keys: object) -> Night:
    """Walk a server in memory."""
    return walked(CONNECTOR, settings(**keys), server.transport)


def fleet(count: int) -> set[str]:
    return {str(number) for number in range(1, count + 1)}


# The walk


def test_a_hard_night_over_a_socket() -> None:
    """A capped page size, an unreadable record and a token that ends in mid-walk cost that one record."""
    with JamfServer(devices=1234, page_cap=100, hard=frozenset({"777"}), token_requests=9) as server:
        found = walked(CONNECTOR, settings(url=server.url))
    assert set(found.devices) == fleet(1234) - {"777"}
    assert [row.native_id for row in found.rejected] == ["777"]
    assert found.expected == 1234


@pytest.mark.parametrize(
    ("count", "page_size", "page_cap"),
    [
        (0, 500, 2000),
        (1, 500, 2000),
        (100, 100, 2000),
        (101, 100, 2000),
        (350, 1, 2000),
        (350, 500, 100),
        (350, 99, 7),
    ],
)
def test_every_device_comes_once(count: int, page_size: int, page_cap: int) -> None:
    """Whatever page size is asked for and granted, the walk is whole and says how many there are."""
    found = night(JamfServer(devices=count, page_cap=page_cap), page_size=page_size)
    assert set(found.devices) == fleet(count)
    assert found.expected == count
    assert not found.rejected
    assert not found.troubles


def test_pages_are_asked_for_as_jamf_advises() -> None:
    """A stable sort, every section as its own parameter, and a page size that the server grants."""
    server = JamfServer(devices=3)
    night(server, page_size=5000)
    asked = next(one.query for one in server.asked if one.path == DETAIL)
    assert asked["sort"] == ["mobileDeviceId:asc"]
    assert asked["section"] == ["GENERAL", "HARDWARE", "USER_AND_LOCATION", "SECURITY", "NETWORK", "GROUPS"]
    assert asked["page-size"] == ["1000"]


@pytest.mark.parametrize(("concurrency", "most"), [(None, 5), (50, 5), (2, 2), (1, 1)])
def test_no_more_connections_than_jamf_allows(concurrency: int | None, most: int) -> None:
    """At most five requests are in flight, fewer where the settings say so."""
    server = JamfServer(devices=300, latency_seconds=0.002)
    night(server, page_size=10, max_concurrency=concurrency)
    assert server.most_in_flight <= most
    assert (server.most_in_flight > 1) is (most > 1)


def test_one_request_per_page_on_a_good_night() -> None:
    """A fleet without trouble costs a token, the sites, the list of profiles, and its pages."""
    server = JamfServer(devices=950)
    night(server, page_size=100)
    assert server.count(DETAIL) == 10
    assert len(server.asked) == 13


# The ladder


def test_a_lenient_server_loses_only_the_broken_section() -> None:
    """From 11.29 on, the record with a broken section comes without it and the others whole."""
    server = JamfServer(devices=40, broken={"7": "HARDWARE"}, version="11.29.0-t1")
    found = night(server, page_size=10)
    assert set(found.devices) == fleet(40)
    assert found.devices["7"].capacity_bytes is ABSENT
    assert not isinstance(found.devices["8"].capacity_bytes, Gap)
    assert server.count(DETAIL) == 5 + 2
    assert not found.troubles


@pytest.mark.parametrize("version", ["11.28.1-t1", "10.49", "no version"])
def test_an_older_server_loses_optional_sections_of_one_page(version: str) -> None:
    """Before 11.29, a page that lost mode breaks comes without the optional sections, and the report says so."""
    found = night(JamfServer(devices=40, broken={"7": "SECURITY"}, version=version), page_size=10)
    assert set(found.devices) == fleet(40)
    assert found.devices["8"].lost_mode is ABSENT
    assert found.devices["11"].lost_mode is False
    assert found.codes == ["sections_dropped"]


@pytest.mark.parametrize("position", [1, 2, 37, 99, 100, 101, 110])
@pytest.mark.parametrize("page_size", [500, 100, 97, 12, 1])
def test_one_unreadable_record_is_isolated(position: int, page_size: int) -> None:
    """Wherever it stands and however pages are cut, all others are read and this one is named by its id."""
    server = JamfServer(devices=110, hard=frozenset({str(position)}), version="11.20.0")
    found = night(server, page_size=page_size)
    assert set(found.devices) == fleet(110) - {str(position)}
    assert found.rejected == [
        Rejected(f"device {position}", "Jamf Pro cannot read this record", str(position))
    ]
    assert found.expected == 110


def test_isolating_costs_little() -> None:
    """One bad record in a page of 500 costs some twenty requests, not five hundred."""
    server = JamfServer(devices=2000, hard=frozenset({"777"}))
    night(server, page_size=500)
    assert len(server.asked) < 50


def test_an_unreadable_record_may_be_had_by_its_id() -> None:
    """What the list cannot give is asked for alone, and reads the same apart from what that answer lacks."""
    found = night(JamfServer(devices=30, hard=frozenset({"12"}), by_id=True))
    assert set(found.devices) == fleet(30)
    assert not found.rejected
    usual = night(JamfServer(devices=30)).devices["12"]
    alone = found.devices["12"]
    differing = {signal for signal in SIGNALS if getattr(alone, signal) != getattr(usual, signal)}
    assert differing == {"enrollment", "lost_mode", "department"}
    assert {getattr(alone, signal) for signal in differing} == {ABSENT}


def test_without_the_list_of_ids_a_place_must_do() -> None:
    """Where ids cannot be listed, the unreadable row is still counted."""
    found = night(JamfServer(devices=30, hard=frozenset({"12"}), listed=False), page_size=10)
    assert set(found.devices) == fleet(30) - {"12"}
    assert found.rejected == [Rejected("row 12", "Jamf Pro cannot read this record")]


def test_a_server_in_trouble_is_not_taken_for_bad_records() -> None:
    """A server that fails from some page on ends the walk with an error, after not too many requests."""
    server = JamfServer(devices=2000, fail_from_page=3)
    with pytest.raises(ServerTrouble, match="the server itself"):
        night(server, page_size=100, max_concurrency=1)
    assert len(server.asked) < 120


@pytest.mark.no_cover
def test_a_fleet_of_unreadable_records_stays_bounded() -> None:
    """Records that break every page cannot make the walk ask for ever."""
    server = JamfServer(devices=8000, hard=frozenset(str(n) for n in range(1, 8000, 15)))
    with pytest.raises(ServerTrouble):
        night(server, page_size=500)
    assert len(server.asked) < 3500


def test_an_outage_is_no_bad_record() -> None:
    """A 503 for ever is an outage: no page is split for it."""
    server = JamfServer(devices=500, fail_from_page=1, fail_status=503)
    with pytest.raises(ServerTrouble) as caught:
        night(server, page_size=100, max_concurrency=1)
    assert caught.value.status == 503
    assert server.count(DETAIL) < 12


# Lists that move


def test_a_list_that_changed_is_walked_again() -> None:
    """A total that differs between pages means shifted rows: one more walk, and no device is missing."""
    server = JamfServer(devices=300)
    stated = iter([301, 301])
    server.totals = lambda _, truth: next(stated, truth)
    found = night(server, page_size=100, max_concurrency=1)
    assert set(found.devices) == fleet(300)
    assert found.expected == 300
    assert server.count(DETAIL) == 4 + 4


def test_a_list_that_stays_short_says_so() -> None:
    """A total that never fits costs one more walk and is handed on, for the caller to call it partial."""
    server = JamfServer(devices=300, totals=lambda _, truth: truth + 2)
    found = night(server, page_size=100, max_concurrency=1)
    assert len(found.devices) == 300
    assert found.expected == 302
    assert server.count(DETAIL) == 2 * 4


def test_a_server_that_ignores_the_page_is_caught() -> None:
    """The first page for ever is an error after a few requests, not an endless night."""
    same = json.dumps([jamf_record(1), jamf_record(2)]).encode()
    server = JamfServer(devices=2, page_hook=lambda _: same, totals=lambda _, __: 5000)
    with pytest.raises(BadAnswer, match="repeats itself"):
        night(server, page_size=2)
    assert server.count(DETAIL) < 12


def test_repeated_rows_count_once() -> None:
    """A row that shifts into the next page comes twice and is one device; the list is not taken for whole."""
    records = [jamf_record(i) for i in range(9)]
    server = JamfServer(devices=[*records[:5], records[4], *records[5:]])
    found = night(server, page_size=5, max_concurrency=1)
    assert set(found.devices) == fleet(9)
    assert found.expected == 10


# Logins


def test_a_user_account_logs_in() -> None:
    """User name and password are traded for a token."""
    found = night(JamfServer(devices=3), username="reader", password="secret-of-the-user")
    assert set(found.devices) == fleet(3)


def test_a_skewed_clock_does_not_matter() -> None:
    """A token that lives 20 minutes by the server's clock is used, whatever year our clock says."""
    server = JamfServer(devices=500)
    night(server, username="reader", password="secret-of-the-user", page_size=10, max_concurrency=1)
    assert server.count("/api/v1/auth/token") == 1


@pytest.mark.parametrize("user", [{}, {"username": "reader", "password": "secret-of-the-user"}])
def test_older_servers_have_another_token_path(user: dict[str, str]) -> None:
    """Where the versioned path is missing the older one is taken, and remembered."""
    server = JamfServer(devices=300, unversioned_token=True, token_requests=5)
    assert set(night(server, page_size=20, max_concurrency=1, **user).devices) == fleet(300)
    assert sum(1 for one in server.asked if one.method == "POST" and "/v1/" in one.path) == 1


@pytest.mark.parametrize(
    ("keys", "old"),
    [
        ({"client_secret": "wrong"}, False),
        ({"client_secret": "wrong"}, True),
        ({"username": "reader", "password": "wrong"}, False),
        ({"username": "reader", "password": "wrong"}, True),
    ],
)
def test_wrong_credentials_cost_two_requests_at_most(keys: dict[str, str], old: bool) -> None:
    """A refused login ends the source at once and locks no account."""
    server = JamfServer(devices=300, unversioned_token=old)
    with pytest.raises(AuthRefused, match=r"j\.example") as caught:
        night(server, **keys)
    assert len(server.asked) <= 2
    assert "wrong" not in str(caught.value)


@pytest.mark.parametrize(
    "keys",
    [
        {"client_secret": None},
        {"client_id": None},
        {"client_id": None, "client_secret": None},
        {"username": "reader", "password": "p", "client_id": "c", "client_secret": "s"},
        {"username": "reader"},
        {"url": "http://jamf.example"},
    ],
)
def test_settings_that_cannot_work(keys: dict[str, str | None]) -> None:
    """One whole credential and a safe address are needed."""
    with pytest.raises(ValidationError):
        settings(**keys)


def test_a_token_that_is_none() -> None:
    """A login page in place of a token is told as such."""
    page = httpx.MockTransport(lambda _: httpx.Response(200, html="<html>Sign in</html>"))
    with pytest.raises(BadAnswer, match="login page"):
        walked(CONNECTOR, settings(), page)


# Side data


@pytest.mark.parametrize("sites", [None, {}])
def test_sites_are_optional(sites: dict[str, str] | None) -> None:
    """Without the privilege for sites, or any site, every device is read and its site is absent."""
    found = night(JamfServer(devices=4, sites=sites))
    assert {device.site for device in found.devices.values()} == {ABSENT}
    assert found.codes == (["sites_unresolved"] if sites is None else [])


@pytest.mark.parametrize("section", ["HARDWARE", "GROUPS"])
def test_a_section_that_never_comes_is_told(section: str) -> None:
    """A server that ignores a requested section is named in the report."""
    found = night(JamfServer(devices=4, refused_sections=frozenset({section})))
    assert found.codes == ["sections_missing"]
    assert section in found.troubles[0].message


def test_probe_proves_each_permission() -> None:
    """The doctor learns of the login and of each privilege, with its remedy."""
    steps = probed(CONNECTOR, settings(), JamfServer(sites=None).transport)
    assert [step for step, _ in steps] == [
        "login",
        "Read Mobile Devices",
        "Read Sites",
        "Read iOS Configuration Profiles",
    ]
    assert [error for _, error in steps[:2]] == [None, None]
    assert 'grant "Read Sites"' in str(steps[2][1])
    assert steps[3][1] is None


def test_probe_stops_at_a_refused_login() -> None:
    """Without a login nothing else is tried."""
    steps = probed(CONNECTOR, settings(client_secret="wrong"), JamfServer().transport)
    assert [step for step, error in steps if error] == ["login"] == [step for step, _ in steps]


# Rows that are not as they should be


BAD_ROW = b"""{"mobileDeviceId":"2","deviceType":"iOS","general":{
"displayName":"a\\u0000b\\ud800","osVersion":26,
"cloudBackupEnabled":"yes","lastCloudBackupDate":"yesterday","managed":1,"lastInventoryUpdateDate":5},
"hardware":{"capacityMb":NaN,"availableSpaceMb":1208925819614629174706176,"batteryLevel":101,"serialNumber":["x"]},
"userAndLocation":[],"security":"none","network":7,"groups":{"a":1}}"""


def test_one_bad_row_costs_no_other() -> None:
    """NaN, NUL, 2^80, a lone surrogate and wrong types cost their fields; the rest of the page is whole."""
    server = JamfServer(
        devices=4, page_hook=lambda rows: b"[" + b",".join([rows[0], BAD_ROW, *rows[2:]]) + b"]"
    )
    found = night(server)
    assert set(found.devices) == fleet(4)
    bad = found.devices["2"]
    assert bad.name == "ab"
    unreadable = {signal for signal in SIGNALS if getattr(bad, signal) is UNREADABLE}
    assert unreadable >= {"os_version", "last_cloud_backup_at", "managed", "inventory_at"}
    assert unreadable >= {
        "capacity_bytes",
        "available_bytes",
        "battery_percent",
        "serial",
        "user_name",
        "user_email",
    }
    assert unreadable >= {"lost_mode", "roaming", "groups"}
    clean = night(JamfServer(devices=4)).devices
    assert all(found.devices[key] == clean[key] for key in ("1", "3", "4"))


@pytest.mark.parametrize(
    "row",
    [b"null", b"7", b'"x"', b"[]", b"{}", b'{"mobileDeviceId":null}', b'{"mobileDeviceId":" "}',
     b'{"mobileDeviceId":{}}',
     b'{"mobileDeviceId":true}', b'{"mobileDeviceId":-1}', b'{"mobileDeviceId":%s}' % (b"9" * 5000)],
)  # fmt: skip
def test_a_row_without_identity_is_rejected(row: bytes) -> None:
    """It is counted with its place and nothing of its content, and the list stays whole."""
    server = JamfServer(devices=4, page_hook=lambda rows: b"[" + b",".join([rows[0], row, *rows[2:]]) + b"]")
    found = night(server)
    assert set(found.devices) == {"1", "3", "4"}
    assert found.rejected == [Rejected("row 2", "no usable mobileDeviceId")]
    assert server.count(DETAIL) == 1


@pytest.mark.parametrize("results", [b"null", b"{}", b'"x"', b"[{", b"[" * 100_000])
def test_an_answer_of_another_shape_is_refused(results: bytes) -> None:
    """An answer without rows is fetched once more and is then an error, never an empty fleet."""
    server = JamfServer(devices=4, page_hook=lambda _: results)
    with pytest.raises(BadAnswer):
        night(server)
    assert server.count(DETAIL) == 2


@hypothesis_settings(max_examples=examples(150), deadline=None, derandomize=True, database=None)
@given(st.data())
def test_no_value_anywhere_breaks_a_page(data: st.DataObject) -> None:
    """Any JSON value in any place of a row leaves a record with known kinds of facts, or a rejected row."""
    row = jamf_record(1)
    place: Record = row
    if section := data.draw(
        st.sampled_from([None, "general", "hardware", "userAndLocation", "security", "network"])
    ):
        place = row[section]
    place[data.draw(st.sampled_from(sorted(place)))] = data.draw(json_values)
    body = json.dumps({"totalCount": 2, "results": [row, jamf_record(2)]}).encode()
    first, second = (read_record(item, "row", SITES) for item in _rows.decode(PAGE, body)["results"])
    assert second == read_record(jamf_record(2), "row", SITES)
    assert_storable(first)


# Fields


def reading(**changes: Any) -> DeviceRecord:  # noqa: ANN401 - any JSON value
    """A usual iPad's record with changes: `general={"udid": ""}` changes keys, `general=None` the section."""
    row = jamf_record(2)
    for key, change in changes.items():
        row[key] = row[key] | change if isinstance(change, dict) and isinstance(row[key], dict) else change
    record = read_record(row, "row 1", SITES)
    assert isinstance(record, DeviceRecord)
    return record


WHEN = "2026-02-20T03:12:44.48Z"
THEN = datetime(2026, 2, 20, 3, 12, 44, tzinfo=UTC)
TEXTS = [("Cart 3", "Cart 3"), (" x ", "x"), ("", ABSENT), (None, ABSENT), (5, UNREADABLE)]
FLAGS = [(True, True), (False, False), (None, ABSENT), ("true", UNREADABLE), (0, UNREADABLE)]
TIMES = [
    (WHEN, THEN),
    ("2026-02-20T04:12:44+01:00", THEN),
    ("", ABSENT),
    (None, ABSENT),
    ("1970-01-01T00:00:00Z", ABSENT),
    ("2026-02-20T03:12:44", UNREADABLE),
    (1771557164, UNREADABLE),
]


def rules(section: str, key: str, signal: str, table: Iterable[tuple[object, object]]) -> list[Any]:
    return [pytest.param(section, key, signal, given, fact, id=f"{signal}-{given}") for given, fact in table]


PLAIN_RULES = [
    *rules("hardware", "serialNumber", "serial", TEXTS),
    *rules("general", "udid", "udid", TEXTS),
    *rules("general", "displayName", "name", TEXTS),
    *rules("general", "assetTag", "asset_tag", TEXTS),
    *rules("hardware", "modelIdentifier", "model_identifier", TEXTS),
    *rules("hardware", "model", "model_name", TEXTS),
    *rules("general", "osVersion", "os_version", TEXTS),
    *rules("general", "osBuild", "os_build", TEXTS),
    *rules("userAndLocation", "emailAddress", "user_email", TEXTS),
    *rules("userAndLocation", "department", "department", TEXTS),
    *rules("general", "managed", "managed", FLAGS),
    *rules("general", "supervised", "supervised", FLAGS),
    *rules("general", "sharedIpad", "shared_ipad", FLAGS),
    *rules("general", "cloudBackupEnabled", "backup_enabled", FLAGS),
    *rules("general", "itunesStoreAccountActive", "account_active", FLAGS),
    *rules("security", "lostModeEnabled", "lost_mode", FLAGS),
    *rules("network", "roaming", "roaming", FLAGS),
    *rules("general", "lastBackupDate", "last_local_backup_at", TIMES),
    *rules("general", "lastInventoryUpdateDate", "inventory_at", TIMES),
    *rules("general", "lastContactDate", "checkin_at", TIMES),
    *rules("general", "lastEnrolledDate", "enrolled_at", TIMES),
    *rules(
        "general",
        "lastCloudBackupDate",
        "last_cloud_backup_at",
        [(given, NEVER if fact is ABSENT else fact) for given, fact in TIMES],
    ),
    *rules(
        "hardware",
        "batteryLevel",
        "battery_percent",
        [(0, 0), (67, 67), (-1, ABSENT), (None, ABSENT), (101, UNREADABLE)],
    ),
    *rules(
        "general",
        "siteId",
        "site",
        [("1", "North"), ("-1", ABSENT), (None, ABSENT), ("99", ABSENT), ([], UNREADABLE)],
    ),
    *rules(
        "general",
        "deviceOwnershipType",
        "ownership",
        [
            ("Institutional", Ownership.ORGANISATION),
            ("UserEnrollment", Ownership.PERSONAL),
            ("AccountDrivenUserEnrollment", Ownership.PERSONAL),
            ("PersonalDeviceProfile", Ownership.PERSONAL),
            ("AccountDrivenDeviceEnrollment", ABSENT),
            ("SomethingNew", UNREADABLE),
            (None, ABSENT),
        ],
    ),
]


@pytest.mark.parametrize(("section", "key", "signal", "value", "fact"), PLAIN_RULES)
def test_one_field_one_fact(section: str, key: str, signal: str, value: object, fact: object) -> None:
    """Each field becomes its signal, and what it cannot say has the right reason."""
    assert getattr(reading(**{section: {key: value}}), signal) == fact


@pytest.mark.parametrize(
    ("capacity", "available", "facts"),
    [
        (65536, 10240, (64_000_000_000, 10_000_000_000)),
        (32768, 0, (32_000_000_000, 0)),
        (0, 0, (ABSENT, ABSENT)),
        (0, 5, (ABSENT, ABSENT)),
        (None, 5, (ABSENT, ABSENT)),
        (65536, None, (64_000_000_000, ABSENT)),
        (65536, -1, (64_000_000_000, UNREADABLE)),
        (65536, False, (64_000_000_000, UNREADABLE)),
        ("65536", 10240, (UNREADABLE, 10_000_000_000)),
        (2**80, 10240, (UNREADABLE, 10_000_000_000)),
    ],
)
def test_storage_is_decimal_bytes(capacity: object, available: object, facts: tuple[object, object]) -> None:
    """1024 of Jamf's MB are one decimal GB; a capacity of 0 says nothing, a free space of 0 says full."""
    record = reading(hardware={"capacityMb": capacity, "availableSpaceMb": available})
    assert (record.capacity_bytes, record.available_bytes) == facts


@pytest.mark.parametrize(
    ("kind", "identifier", "model", "platform"),
    [
        ("iOS", "iPhone14,5", "iPhone 13", Platform.IOS),
        ("iOS", "ipad6,11", "", Platform.IPADOS),
        ("iOS", "", "iPad Air", Platform.IPADOS),
        ("iOS", "iPod9,1", "iPod touch", Platform.IOS),
        ("iOS", "", "", Platform.IOS),
        ("ios", "iPad11,6", "", Platform.IPADOS),
        ("tvOS", "AppleTV5,3", "", Platform.TVOS),
        ("visionOS", "RealityDevice14,1", "", Platform.VISIONOS),
        ("watchOS", "Watch7,1", "", Platform.WATCHOS),
        ("Unknown", "", "", Platform.OTHER),
        ("newOS", "", "", UNREADABLE),
        (None, "iPad11,6", "", Platform.IPADOS),
    ],
)
def test_platform(kind: object, identifier: str, model: str, platform: object) -> None:
    """An iPad is told from an iPhone by its model, all others by what Jamf says."""
    record = reading(deviceType=kind, hardware={"modelIdentifier": identifier, "model": model})
    assert record.platform == platform


@pytest.mark.parametrize(
    ("kind", "prestage", "enrollment"),
    [
        ("UserEnrollment", None, Enrollment.USER),
        ("AccountDrivenUserEnrollment", {"profileName": "p"}, Enrollment.USER),
        ("PersonalDeviceProfile", None, Enrollment.USER),
        ("Institutional", {"mobileDevicePrestageId": "5", "profileName": "p"}, Enrollment.AUTOMATED),
        ("Institutional", None, Enrollment.DEVICE),
        ("AccountDrivenDeviceEnrollment", None, Enrollment.DEVICE),
        ("SomethingNew", None, UNREADABLE),
        (None, None, ABSENT),
    ],
)
def test_enrollment(kind: object, prestage: object, enrollment: object) -> None:
    """User Enrolment by any of its names, automated by its pre-stage, else by hand."""
    general = jamf_record(2)["general"] | {"deviceOwnershipType": kind, "enrollmentMethodPrestage": prestage}
    record = read_record(jamf_record(2) | {"general": general}, "row 1", SITES)
    assert isinstance(record, DeviceRecord)
    assert record.enrollment == enrollment


@pytest.mark.parametrize("kind", ["UserEnrollment", "AccountDrivenUserEnrollment", "PersonalDeviceProfile"])
def test_user_enrolment_hides_what_apple_hides(kind: str) -> None:
    """What an MDM may not see of a personal device is not permitted, whatever the row says."""
    record = reading(
        general={
            "deviceOwnershipType": kind,
            "udid": "",
            "cloudBackupEnabled": False,
            "lastCloudBackupDate": None,
        },
        hardware={"serialNumber": None},
    )
    hidden = (
        record.serial,
        record.udid,
        record.backup_enabled,
        record.last_cloud_backup_at,
        record.account_active,
    )
    assert hidden == (NOT_PERMITTED,) * 5
    assert not isinstance(record.available_bytes, Gap)


@pytest.mark.parametrize("kind", ["iOS", "visionOS"])
def test_no_date_means_never_only_after_an_inventory(kind: str) -> None:
    """A device that was never inventoried has neither said that backup is off nor that there was none."""
    record = reading(
        deviceType=kind,
        general={"lastInventoryUpdateDate": None, "cloudBackupEnabled": False, "lastCloudBackupDate": None},
    )
    assert (record.backup_enabled, record.last_cloud_backup_at) == (ABSENT, ABSENT)


def test_a_missing_key_is_not_never() -> None:
    """A row without the key says nothing about backups."""
    row = jamf_record(2)
    del row["general"]["lastCloudBackupDate"], row["general"]["cloudBackupEnabled"]
    record = read_record(row, "row 1", SITES)
    assert isinstance(record, DeviceRecord)
    assert (record.backup_enabled, record.last_cloud_backup_at) == (ABSENT, ABSENT)


def test_an_apple_tv_says_nothing_of_what_it_lacks() -> None:
    """Zeros of an Apple TV are neither a full disk nor an empty battery, and no date is not never."""
    record = reading(
        deviceType="tvOS",
        hardware={"capacityMb": 0, "availableSpaceMb": 0, "batteryLevel": 0, "modelIdentifier": "AppleTV5,3"},
        general={"lastCloudBackupDate": None},
    )
    facts = (
        record.capacity_bytes,
        record.available_bytes,
        record.battery_percent,
        record.last_cloud_backup_at,
    )
    assert facts == (ABSENT,) * 4


@pytest.mark.parametrize(
    ("real", "login", "name"),
    [
        ("Ada L.", "ada", "Ada L."),
        ("", "ada", "ada"),
        (None, "ada", "ada"),
        ("", "", ABSENT),
        (5, None, UNREADABLE),
    ],
)
def test_user_name(real: object, login: object, name: object) -> None:
    """The real name, else the login."""
    assert reading(userAndLocation={"realName": real, "username": login}).user_name == name


@pytest.mark.parametrize(
    ("groups", "names"),
    [
        ([{"groupName": "A"}, {"groupName": "B"}, {"groupName": "A"}, {}], ("A", "B")),
        ([{"groupName": "A"}, 5], UNREADABLE),
        ([], ()),
        (None, ABSENT),
        ("A", UNREADABLE),
        ({"groupName": "A"}, UNREADABLE),
    ],
)
def test_groups(groups: object, names: object) -> None:
    """Names in the order given; no groups is known, no section is absent."""
    assert reading(groups=groups).groups == names


@pytest.mark.parametrize(
    "section", ["general", "hardware", "userAndLocation", "security", "network", "groups"]
)
def test_a_null_section_is_absent_and_a_wrong_one_unreadable(section: str) -> None:
    """A section that did not come makes its signals absent, one of the wrong kind makes them unreadable."""
    usual, without, wrong = reading(), reading(**{section: None}), reading(**{section: "x"})
    gone = {signal for signal in SIGNALS if getattr(usual, signal) != getattr(without, signal)}
    told = gone - {"platform", "backup_enabled", "enrollment"}
    assert told
    assert {getattr(without, signal) for signal in told} == {ABSENT}
    assert {getattr(wrong, signal) for signal in told} == {UNREADABLE}


def test_a_device_by_its_id_may_be_of_any_shape() -> None:
    """The answer for one device is as little to be trusted as the list."""
    odd: list[Record] = [{"id": "5"}, {"id": "5", "type": 7, "site": [], "location": "x", "ios": None}]
    for detail in odd:
        record = read_record(as_list_row(detail), "device 5", SITES)
        assert isinstance(record, DeviceRecord)
        assert record.last_cloud_backup_at is ABSENT or record.last_cloud_backup_at is UNREADABLE
    assert isinstance(read_record(as_list_row([]), "device 5", SITES), Rejected)
    assert single_detail(jamf_record(1))["id"] == "2"


def test_the_fleet_of_the_server_is_as_old_as_it_says() -> None:
    """The made-up dates stand still, so that tests do."""
    assert stamp(1) == "2026-03-01T04:30:00.000Z"


def test_unreachable_is_an_error_and_no_empty_fleet() -> None:
    """A server that never answers ends in an error."""

    def silent(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("no route")

    with pytest.raises(Unreachable):
        walked(CONNECTOR, settings(), httpx.MockTransport(silent))


def test_a_missing_privilege_is_named() -> None:
    """A credential without the privilege for devices is told which one to grant."""
    server = JamfServer(devices=4)

    def refusing(request: httpx.Request) -> httpx.Response:
        answer = server.transport.handle_request(request)
        return httpx.Response(403) if request.url.path == DETAIL else answer

    with pytest.raises(PermissionMissing, match='grant "Read Mobile Devices"'):
        walked(CONNECTOR, settings(), httpx.MockTransport(refusing))


# Increments

SINCE = datetime.fromisoformat(stamp(2.5))
"""Of the made-up devices, whose inventories are zero to four days old, three in five have reported since then."""


def test_an_increment_brings_what_has_reported_since() -> None:
    """Asked by inventory date, the list gives the devices that sent one; the number expected is that of all."""
    server = JamfServer(devices=250, page_cap=20, filters="takes")
    found = walked(CONNECTOR, settings(), server.transport, since=SINCE)
    assert set(found.devices) == {str(i + 1) for i in range(250) if i % 5 <= 2}
    assert found.expected == 250
    assert not found.rejected
    asked = [one for one in server.asked if one.path == DETAIL]
    wanted = f'lastInventoryUpdateDate>="{SINCE:%Y-%m-%dT%H:%M:%SZ}"'
    assert {one.first("filter") for one in asked} == {wanted}
    assert all("filter" not in one.query for one in server.asked if one not in asked)


def test_a_full_walk_sends_no_filter() -> None:
    """Nothing but an increment narrows the list."""
    server = JamfServer(devices=3)
    assert night(server).expected == 3
    assert all("filter" not in one.query for one in server.asked)


@pytest.mark.parametrize(
    ("server", "expected"),
    [
        (JamfServer(devices=5, filters="ignores"), 5),
        (JamfServer(devices=0, filters="takes"), 0),
    ],
)
def test_an_increment_from_a_server_that_is_otherwise(server: JamfServer, expected: int) -> None:
    """One that takes no notice of the filter gives everything; an empty one says that it is."""
    found = walked(CONNECTOR, settings(), server.transport, since=SINCE)
    assert (len(found.devices), found.expected) == (expected, expected)


def test_an_unreadable_row_of_an_increment_is_rejected_and_not_searched_for() -> None:
    """The other devices are not missing, they were not asked for: only a full walk looks for the one that broke."""
    server = JamfServer(devices=10, filters="takes", hard=frozenset({"3"}))
    found = walked(CONNECTOR, settings(), server.transport, since=SINCE)
    assert len(found.rejected) == 1
    assert set(found.devices) == {"1", "2", "6", "7", "8"}


def test_a_server_that_refuses_the_filter() -> None:
    """It ends the increment by the error of an answer that cannot be used."""
    server = JamfServer(devices=3, filters="refuses")
    with pytest.raises(BadAnswer):
        walked(CONNECTOR, settings(), server.transport, since=SINCE)
