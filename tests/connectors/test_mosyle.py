"""Mosyle: both dialects, a list whose errors come with status 200, and how its texts become facts."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pydantic import ValidationError

from connectors._mosyle_list import MosyleSettings
from connectors._mosyle_record import read_record
from connectors.mosyle import CONNECTOR
from fleet.errors import AuthRefused, BadAnswer, NotFound, PermissionMissing, SourceError, Throttled
from fleet.model.device import DeviceRecord, Enrollment, Platform, Rejected
from fleet.model.fact import ABSENT, NOT_PERMITTED, UNREADABLE
from tests.connectors.fields import assert_storable, json_values, rules
from tests.connectors.walking import Night, assert_refused, probed, walked
from tests.examples import examples
from tests.servers.mosyle import PASSWORD, Mosyle, credentials, fleet, mosyle_row

EDITIONS = ("business", "manager")


def settings(**keys: object) -> MosyleSettings:
    """Settings of a source that signs in."""
    edition = str(keys.get("edition", "business"))
    return MosyleSettings.model_validate({"name": "hq", "kind": "mosyle", **credentials(edition), **keys})


def night(server: Mosyle, **keys: object) -> Night:
    """Walk a server in memory, in its own dialect."""
    return walked(CONNECTOR, settings(edition=server.edition, **keys), server.transport)


def rows(count: int) -> dict[str, list[Any]]:
    """So many usual devices."""
    return {"ios": [mosyle_row(number) for number in range(1, count + 1)]}


# The walk


@pytest.mark.parametrize("edition", EDITIONS)
def test_a_night_over_a_socket(edition: str) -> None:
    """Each edition is read whole in its own dialect, page by page."""
    with Mosyle(edition=edition) as server:
        found = walked(CONNECTOR, settings(url=server.url, edition=edition, page_size=10))
    assert len(found.devices) == found.expected == 37
    assert server.count("/login") == 1


@pytest.mark.parametrize("edition", EDITIONS)
def test_the_other_dialect_is_refused(edition: str) -> None:
    """A source set to the wrong edition is told to check its credential, and no fleet is read."""
    other = next(name for name in EDITIONS if name != edition)
    with pytest.raises(AuthRefused, match=r"mosyle\.com/v\d/login refused the credential \(401\)"):
        walked(CONNECTOR, settings(edition=other), Mosyle(edition=edition).transport)


def test_a_thousand_devices_cost_five_requests() -> None:
    """A login, the full pages, the page that ends the list, and the list of Vision Pros."""
    server = Mosyle(rows=rows(1000))
    assert len(night(server).devices) == 1000
    assert len(server.asked) == 1 + 2 + 1 + 1


@pytest.mark.parametrize("size", [1, 7, 36, 37, 38, 5000])
def test_every_device_comes_once(size: int) -> None:
    """Whatever the page size, pages are counted from one and no device is missing."""
    server = Mosyle()
    found = night(server, page_size=size)
    assert len(found.devices) == found.expected == 37
    assert server.lists()[0]["options"]["page"] == 1
    assert max(body["options"]["page_size"] for body in server.lists()) == min(size, 1000)


def test_a_lowered_page_size_ends_nothing() -> None:
    """A server that gives shorter pages than asked for is read to its end."""
    assert len(night(Mosyle(page_cap=6), page_size=20).devices) == 37


@pytest.mark.parametrize("total", ["", "many", -1, True, "9" * 40])
def test_without_a_total_the_list_ends_where_no_device_is_found(total: object) -> None:
    """DEVICES_NOTFOUND ends the list, and a total that is none is not stated."""
    found = night(Mosyle(total=total), page_size=10)
    assert len(found.devices) == 37
    assert found.expected is None


def test_a_total_of_the_page_does_not_end_the_list() -> None:
    """Where `rows` counts the page, full pages are followed all the same."""
    assert len(night(Mosyle(total=10), page_size=10).devices) == 37


def test_a_list_that_stays_short_says_so() -> None:
    """A total that is never reached is handed on, for the caller to call the night partial."""
    found = night(Mosyle(total=50), page_size=10)
    assert (len(found.devices), found.expected) == (37, 50)


def test_a_server_that_ignores_the_page_is_caught() -> None:
    """The first page again is an error after two requests, not a short fleet."""
    server = Mosyle(ignores_page=True)
    with pytest.raises(BadAnswer, match="repeats itself"):
        night(server, page_size=10)
    assert len(server.lists()) == 2


def test_a_page_of_known_devices_is_caught_though_it_differs() -> None:
    """A page that only looks new, because a battery drained, does not keep the walk going."""
    again = [mosyle_row(number) | {"battery": "0.5"} for number in range(1, 11)]
    server = Mosyle(rows={"ios": [*rows(10)["ios"], *again]})
    with pytest.raises(BadAnswer, match="devices that came before; report it to Mosyle"):
        night(server, page_size=10)


def test_an_empty_account() -> None:
    """An account without devices has none, and that is no error."""
    found = night(Mosyle(rows={}))
    assert (found.devices, found.rejected) == ({}, [])


def test_deleted_devices_are_left_out() -> None:
    """A device that Mosyle only remembers is neither read nor expected, and hides no new row of its own."""
    first, *others = fleet()
    server = Mosyle(rows={"ios": [first | {"is_deleted": "1"}, first, *others]})
    found = night(server, page_size=10)
    assert len(found.devices) == found.expected == 37


def test_vision_pros_are_read() -> None:
    """Vision Pros stand in a list of their own; Macs and Apple TVs are not asked for."""
    vision = mosyle_row(1) | {"os": "visionos", "deviceudid": "v", "device_model": "RealityDevice14,1"}
    server = Mosyle(rows={"ios": fleet(), "visionos": [vision]})
    found = night(server)
    assert (len(found.devices), found.expected) == (38, 38)
    assert found.devices["v"].platform is Platform.VISIONOS
    assert [body["options"]["os"] for body in server.lists()] == ["ios", "visionos"]


def test_an_account_that_knows_no_visionos() -> None:
    """An edition that refuses the system has no Vision Pro, and the rest is whole."""
    assert night(Mosyle(visionos=False)).expected == 37


def test_unknown_columns_are_asked_for_once() -> None:
    """An edition without one of the columns gives all of them, and is not asked again."""
    server = Mosyle(columns=False)
    found = night(server, page_size=10)
    assert len(found.devices) == 37
    assert sum("specific_columns" in body["options"] for body in server.lists()) == 1


def test_no_more_is_asked_of_a_device_than_is_used() -> None:
    """Every column that is asked for changes the record, but for the marker of deleted devices."""
    night(server := Mosyle())
    columns = set(server.lists()[0]["options"]["specific_columns"]) - {"is_deleted"}
    # The system matters where no model tells it, and the family where the model's full name is missing.
    bare = dict.fromkeys(columns) | {"deviceudid": "x"}
    rows = [mosyle_row(5), bare | {"os": "ios"}, bare | {"model_name": "iPad"}]
    used = {
        column
        for row in rows
        for column in columns
        if read_record(row | {column: object()}, "row 1") != read_record(row, "row 1")
    }
    assert used == columns


@pytest.mark.parametrize(("blanks", "pauses"), [(1, [1]), (4, [1, 2, 4, 8])])
def test_empty_answers_are_asked_for_again(blanks: int, pauses: list[float]) -> None:
    """An empty answer with status 200 is waited out."""
    found = night(Mosyle(blanks=blanks))
    assert len(found.devices) == 37
    assert found.waits == pauses


def test_nothing_but_empty_answers_is_an_error() -> None:
    """An endless row of empty answers is told as such."""
    server = Mosyle(blanks=99)
    with pytest.raises(BadAnswer, match="keeps answering with an empty page"):
        night(server)
    assert len(server.lists()) == 5


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"status": "OK", "response": [{"status": "MISSING_DATA", "info": "Ottilie"}]}, "(MISSING_DATA)"),
        ({"status": "OK", "response": {"status": "ACCOUNT_NOTFOUND"}}, "(ACCOUNT_NOTFOUND)"),
        ({"status": "OK", "response": {"status": "INVALID_DATA"}}, "(INVALID_DATA)"),
        ({"status": "OK", "response": {"status": "UNKNOWN_COLUMNS"}}, "(UNKNOWN_COLUMNS)"),
        ({"status": "OK", "response": []}, "(OK)"),
        ({"status": "OK"}, "(OK)"),
        ({}, "(NO_STATUS)"),
        ({"error": "Ottilie was here 7 times"}, "an unknown status"),
    ],
)
def test_errors_that_come_with_status_200(said: object, told: str) -> None:
    """An answer without devices is an error that names Mosyle's word for it, and nothing else of it."""
    with pytest.raises(BadAnswer) as caught:
        night(Mosyle(said=said))
    assert told in str(caught.value)
    assert "check edition, url" in str(caught.value)
    assert "Ottilie" not in str(caught.value)


@pytest.mark.parametrize("said", ["Unauthorized", {"error": "Unauthorized"}, {"status": "unauthorized"}])
def test_an_expired_login_with_status_200(said: object) -> None:
    """Unauthorized is a refused credential, whatever the status says."""
    with pytest.raises(AuthRefused, match="check access_token, email and password"):
        night(Mosyle(said=said))


@pytest.mark.parametrize(
    "said",
    [[], 7, {"response": {"devices": {}}}, {"response": {"devices": "x"}}, {"response": "x"}],
)
def test_an_answer_of_another_shape_is_refused(said: object) -> None:
    """An answer without a list is an error, never an empty fleet."""
    with pytest.raises(BadAnswer):
        night(Mosyle(said=said))


# Logins


def test_a_token_that_ends_is_renewed() -> None:
    """A 401 in the middle of the walk costs one login."""
    server = Mosyle(token_requests=2)
    assert len(night(server, page_size=10).devices) == 37
    assert server.count("/v1/login") == 3


@pytest.mark.parametrize("edition", EDITIONS)
@pytest.mark.parametrize("key", ["email", "password", "access_token"])
def test_wrong_credentials_cost_one_request(edition: str, key: str) -> None:
    """A refused login ends the source at once, with the place, and locks no account."""
    told = r"mosyle\.com/v\d/login refused the credential \(401\)"
    wrong = settings(edition=edition, **{key: "wrong-horse"})
    assert_refused(CONNECTOR, wrong, Mosyle(edition=edition), match=told, secret="wrong-horse")


def test_a_login_without_a_token() -> None:
    """A 200 that brings no token is a refused login and says where the token is managed."""
    with pytest.raises(AuthRefused, match="Integrations > Mosyle API Integration"):
        night(Mosyle(tokenless=True))


def test_a_missing_permission_is_named() -> None:
    """A 403 of the list names the permission to grant."""
    with pytest.raises(PermissionMissing, match='grant "Device: View"'):
        night(Mosyle(status=403))


def test_too_many_requests() -> None:
    """An endless 429 is told as such."""
    with pytest.raises(Throttled, match=r"/v1/devices keeps asking for fewer requests \(429\)"):
        night(Mosyle(status=429))


def test_a_wrong_path_is_told() -> None:
    """The Business host knows no second version of the API."""
    with pytest.raises(NotFound, match="check url"):
        night(Mosyle(status=404))


@pytest.mark.parametrize(
    "keys",
    [{"edition": "school"}, {"edition": None}, {"email": None}, {"password": None}, {"access_token": None},
     {"url": "http://mosyle.example"}, {"detail": False}],
)  # fmt: skip
def test_settings_that_cannot_work(keys: dict[str, object]) -> None:
    """An edition, a whole credential and a safe address are needed, and no key that means nothing here."""
    with pytest.raises(ValidationError):
        MosyleSettings.model_validate({"name": "hq", "kind": "mosyle", **credentials(), **keys})


@pytest.mark.parametrize(
    ("server", "keys", "failing"),
    [
        (Mosyle(), {}, []),
        (Mosyle(), {"password": "wrong"}, ["API Integration: View, Create"]),
        (Mosyle(status=403), {}, ["Device: View"]),
    ],
)
def test_probe_proves_login_and_permission(server: Mosyle, keys: dict[str, str], failing: list[str]) -> None:
    """The doctor learns by the vendor's names what works; without a login nothing else is tried."""
    steps = probed(CONNECTOR, settings(**keys), server.transport)
    assert [name for name, error in steps if error] == failing
    assert len(steps) == (1 if "password" in keys else 2)
    assert {body["options"]["page_size"] for body in server.lists()} <= {1}


# Rows that are not as they should be


@pytest.mark.parametrize(
    "row", [None, 7, "x", [], {}, {"deviceudid": None}, {"deviceudid": {}, "serial_number": " "}]
)
def test_a_row_without_identity_is_rejected(row: object) -> None:
    """It is counted with its place and nothing of its content, and the list stays whole."""
    usual = fleet()
    found = night(Mosyle(rows={"ios": [usual[0], row, *usual[2:]]}), page_size=10)
    assert len(found.devices) == 36
    assert found.rejected == [Rejected("ios, row 2", "no usable deviceudid or serial_number")]


def test_a_serial_number_stands_in_for_the_udid() -> None:
    """A device without a deviceudid is known by its serial number."""
    assert reading(deviceudid=None).native_id == "FK00000002"


@hypothesis_settings(max_examples=examples(150), deadline=None, derandomize=True, database=None)
@given(st.sampled_from(sorted(set(mosyle_row(1)) - {"deviceudid"})), json_values)
def test_no_value_anywhere_breaks_a_row(column: str, value: object) -> None:
    """Any JSON value of any column leaves a record with short, clean texts."""
    record = reading(**{column: value})
    assert_storable(record)


# Fields


def reading(**changes: object) -> DeviceRecord:
    """A usual iPad's record with changed columns; `...` leaves one out."""
    row = {key: value for key, value in (mosyle_row(2) | changes).items() if value is not ...}
    record = read_record(row, "row 1")
    assert isinstance(record, DeviceRecord)
    return record


WHEN = datetime(2026, 9, 20, 8, 0, tzinfo=UTC)
TEXTS = [("Cart 3", "Cart 3"), (" x ", "x"), ("", ABSENT), (None, ABSENT), (..., ABSENT), (5, UNREADABLE)]
FLAGS: list[tuple[object, object]] = [
    ("1", True), ("0", False), (True, True), (False, False), (1, True), (0, False), ("True", True),
    ("", ABSENT), (None, ABSENT), ("null", ABSENT), (..., ABSENT), ("maybe", UNREADABLE), (2, UNREADABLE),
    ([], UNREADABLE),
]  # fmt: skip
TIMES: list[tuple[object, object]] = [
    ("1789891200", WHEN), (1789891200, WHEN), ("1789891200.7", WHEN), ("2026-09-20T08:00:00Z", WHEN),
    ("2026-09-20 08:00:00", WHEN), ("2026-09-20T10:00:00+02:00", WHEN),
    ("0", ABSENT), (0, ABSENT), ("", ABSENT), (None, ABSENT), ("null", ABSENT), (..., ABSENT),
    ("yesterday", UNREADABLE), ("1789891200000", UNREADABLE), ("nan", UNREADABLE), ({}, UNREADABLE),
]  # fmt: skip


RULES = [
    *rules("serial_number", "serial", TEXTS),
    *rules("device_name", "name", TEXTS),
    *rules("asset_tag", "asset_tag", TEXTS),
    *rules("device_model", "model_identifier", TEXTS),
    *rules("osversion", "os_version", TEXTS),
    *rules("BuildVersion", "os_build", TEXTS),
    *rules("username", "user_name", TEXTS),
    *rules("useremail", "user_email", TEXTS),
    *rules("location", "site", TEXTS),
    *rules("is_supervised", "supervised", FLAGS),
    *rules("isCloudBackupEnabled", "backup_enabled", FLAGS),
    *rules("iTunesStoreAccountIsActive", "account_active", FLAGS),
    *rules("isroaming", "roaming", FLAGS),
    *rules("LastCloudBackupDate", "last_cloud_backup_at", TIMES),
    *rules("date_info", "inventory_at", TIMES),
    *rules("date_last_beat", "checkin_at", TIMES),
    *rules("date_enroll", "enrolled_at", TIMES),
    *rules("status", "managed", [("IN", True), ("OUT", UNREADABLE), (None, ABSENT)]),
    *rules(
        "enrollment_type",
        "shared_ipad",
        [("SHARED", True), ("GENERAL", False), ("NEW", UNREADABLE), (None, ABSENT), (..., ABSENT)],
    ),
    *rules(
        "lostmode_status",
        "lost_mode",
        [("ENABLED", True), ("DISABLED", False), ("PENDING", UNREADABLE), (None, ABSENT), ("null", ABSENT)],
    ),
    *rules(
        "battery",
        "battery_percent",
        [("0.81", 81), (0.4, 40), ("1", 100), ("1.0", 100), ("87", 87), ("0", 0), ("-1", ABSENT), (None, ABSENT),
         ("", ABSENT), ("full", UNREADABLE), ("101", UNREADABLE)],
    ),
    *rules(
        "needosupdate",
        "pending_os_version",
        [("18.7.1", "18.7.1"), ("26.2", "26.2"), ("26", "26"), (None, ABSENT), ("", ABSENT), ("0", ABSENT),
         ("null", ABSENT), ("1", UNREADABLE), ("soon", UNREADABLE), (True, UNREADABLE)],
    ),
    *rules(
        "tags",
        "groups",
        [("staff, loaner,staff", ("staff", "loaner")), ("", ()), (None, ABSENT), (..., ABSENT), ("null", ABSENT),
         (["x"], UNREADABLE)],
    ),
    *rules(
        "ManagementStatus",
        "enrollment",
        [
            ('{"EnrolledViaDEP":true}', Enrollment.AUTOMATED),
            ('{"EnrolledViaDEP":false,"IsUserEnrollment":false}', Enrollment.DEVICE),
            ('{"IsUserEnrollment":true}', Enrollment.USER),
            ({"IsUserEnrollment": "1"}, Enrollment.USER),
            ('{"EnrolledViaDEP":false}', ABSENT), ('{"IsUserEnrollment":false}', ABSENT), ("{}", ABSENT),
            ("[]", ABSENT), ("", ABSENT), ("null", ABSENT), (None, ABSENT), (..., ABSENT), ("{", UNREADABLE),
            ("[" * 9999, UNREADABLE),
            ('{"IsUserEnrollment":"?","EnrolledViaDEP":false}', UNREADABLE), ("7", UNREADABLE), (7, UNREADABLE),
        ],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("column", "signal", "given", "fact"), RULES)
def test_a_column_becomes_a_fact(column: str, signal: str, given: object, fact: object) -> None:
    """Text, words, sentinels and wrong types of each column are what the signal says they are."""
    assert getattr(reading(**{column: given}), signal) == fact


@pytest.mark.parametrize(
    ("total", "free", "capacity", "available"),
    [
        ("64.0000000000", "0.9600000000", 64_000_000_000, 960_000_000),
        (64, 0.5, 64_000_000_000, 500_000_000),
        ("64", "0", 64_000_000_000, 0),
        ("64", None, 64_000_000_000, ABSENT),
        ("64", "65", 64_000_000_000, UNREADABLE),
        ("64", "lots", 64_000_000_000, UNREADABLE),
        ("0", "0", ABSENT, ABSENT),
        (None, "3", ABSENT, ABSENT),
        ("", "", ABSENT, ABSENT),
        ("-1", "3", UNREADABLE, 3_000_000_000),
    ],
)
def test_storage(total: object, free: object, capacity: object, available: object) -> None:
    """Gigabytes in text are bytes; nothing of nothing is not full, and more free than there is is no size."""
    record = reading(total_disk=total, available_disk=free)
    assert (record.capacity_bytes, record.available_bytes) == (capacity, available)


def test_a_zero_before_the_first_inventory_is_no_answer() -> None:
    """Backup and account are only known to be off once Mosyle has an inventory."""
    record = reading(isCloudBackupEnabled="0", iTunesStoreAccountIsActive="0", date_info=None)
    assert (record.backup_enabled, record.account_active) == (ABSENT, ABSENT)


def test_no_backup_date_is_not_never() -> None:
    """With backup on and no date, whether there ever was one stays unknown."""
    record = reading(isCloudBackupEnabled="1", LastCloudBackupDate=None)
    assert (record.backup_enabled, record.last_cloud_backup_at) == (True, ABSENT)


def test_user_enrolment_hides_what_apple_hides() -> None:
    """A private device shows neither backup nor account, and its id is no UDID."""
    record = reading(ManagementStatus='{"IsUserEnrollment": true}', serial_number=None)
    hidden = ("serial", "udid", "backup_enabled", "last_cloud_backup_at", "account_active")
    assert {getattr(record, signal) for signal in hidden} == {NOT_PERMITTED}
    assert record.native_id == mosyle_row(2)["deviceudid"]


@pytest.mark.parametrize(
    ("system", "model", "name", "platform"),
    [
        ("ios", "iPad12,1", "iPad", Platform.IPADOS),
        ("ios", "iPhone15,4", "iPhone", Platform.IOS),
        ("ios", None, "iPad", Platform.IPADOS),
        ("ios", None, None, Platform.IOS),
        (None, "iPad12,1", None, Platform.IPADOS),
        (None, None, None, ABSENT),
        ("mac", "MacBookPro18,1", None, Platform.MACOS),
        ("tvos", "AppleTV14,1", None, Platform.TVOS),
        ("bsd", "iPad12,1", None, Platform.IPADOS),
        (3, None, None, UNREADABLE),
    ],
)
def test_platform(system: object, model: object, name: object, platform: object) -> None:
    """Mosyle says ios of iPads too; the model tells them apart."""
    assert reading(os=system, device_model=model, model_name=name).platform is platform


@pytest.mark.parametrize(
    ("long", "short", "name"),
    [
        ("iPad (9th generation)", "iPad", "iPad (9th generation)"),
        (None, "iPad", "iPad"),
        (7, "iPad", "iPad"),
    ],
)
def test_model_name(long: object, short: object, name: object) -> None:
    """The full name, else the family, which is all that some accounts give."""
    assert reading(device_model_name=long, model_name=short).model_name == name


# The connector's word


def test_no_error_carries_a_secret() -> None:
    """Whatever goes wrong, neither the password nor the token is told."""
    troubles = [Mosyle(status=500), Mosyle(status=400), Mosyle(said={"error": PASSWORD}), Mosyle(blanks=99)]
    for server in troubles:
        with pytest.raises(SourceError) as caught:
            night(server)
        assert not {PASSWORD, json.loads(server.asked[0].body)["email"]} & set(str(caught.value).split())
