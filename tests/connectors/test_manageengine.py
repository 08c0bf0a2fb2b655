"""ManageEngine MDM: both logins, the list in both its manners, details one by one, and how values become facts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pydantic import ValidationError

from connectors._manageengine_record import BY_DETAILS, read_record, with_details
from connectors.manageengine import CONNECTOR, ManageEngineSettings
from fleet.errors import (
    AuthRefused,
    BadAnswer,
    NotFound,
    PermissionMissing,
    ServerTrouble,
    SourceError,
    Throttled,
)
from fleet.model.device import DeviceRecord, Ownership, Platform, Rejected
from fleet.model.fact import ABSENT, NOT_PERMITTED, NOT_REPORTED, UNREADABLE
from tests.connectors.fields import anything_in, assert_storable, rules
from tests.connectors.walking import Night, assert_refused, probed, walked
from tests.examples import examples
from tests.servers.manageengine import (
    API_KEY,
    CLOUD,
    LIST,
    TOKENS,
    URL,
    ManageEngine,
    details,
    native_id,
    row,
)

SERVER = {"api_key": API_KEY}


def settings(**keys: object) -> ManageEngineSettings:
    """Settings of a source whose credential is good: that of the cloud, unless another is given."""
    known = {} if "api_key" in keys else CLOUD
    return ManageEngineSettings.model_validate(
        {"name": "hq", "kind": "manageengine", "url": URL, **known, **keys}
    )


def night(server: ManageEngine, **keys: object) -> Night:
    """Walk a server in memory, one request at a time."""
    return walked(CONNECTOR, settings(**{"max_concurrency": 1, **keys}), server.transport)


def ids(count: int) -> set[str]:
    return {native_id(number) for number in range(1, count + 1)}


# The walk


@pytest.mark.parametrize("keys", [SERVER, {}], ids=["premises", "cloud"])
def test_a_night_over_a_socket(keys: dict[str, object]) -> None:
    """Every device with its backup, by either login, from pages that name the next one."""
    with ManageEngine() as server:
        addresses = {"url": server.url} | ({} if keys else {"token_url": f"{server.url}{TOKENS}"})
        found = walked(CONNECTOR, settings(page_size=10, **addresses, **keys))
    assert set(found.devices) == ids(33)
    assert found.expected == 33
    assert {device.backup_enabled for device in found.devices.values()} == {True}
    assert {device.last_cloud_backup_at for device in found.devices.values()} == {
        datetime(2026, 11, 21, tzinfo=UTC)
    }
    assert not found.troubles
    assert not found.rejected


@pytest.mark.parametrize(
    "server",
    [
        ManageEngine(links=False),
        ManageEngine(links=False, total=None),
        ManageEngine(links=False, total="33"),
        ManageEngine(total=None),
        ManageEngine(total="many"),
        ManageEngine(links=False, total=float("inf")),
        ManageEngine(links=False, total=float("nan")),
        ManageEngine(slips=12),
        ManageEngine(slips=12, links=False),
    ],
    ids=[
        "offset",
        "no-total",
        "total-as-text",
        "links-alone",
        "odd-total",
        "infinite-total",
        "no-number",
        "slipped",
        "slipped-by-offset",
    ],
)
def test_every_manner_of_list_is_walked_to_its_end(server: ManageEngine) -> None:
    """Links or offsets, with a total or none, or a list that moved: every device comes once."""
    found = night(server, page_size=10, detail=False)
    assert set(found.devices) == ids(33)
    assert not found.rejected


def test_a_total_that_does_not_come_is_told() -> None:
    """After two walks the stated number stands, and the collector sees what is missing."""
    found = night(ManageEngine(total=40), page_size=10, detail=False)
    assert (len(found.devices), found.expected) == (33, 40)


@pytest.mark.parametrize("total", [None, 100])
def test_a_list_that_ignores_the_offset_is_caught(total: int | None) -> None:
    """The same page twice in a row is an error after few requests."""
    server = ManageEngine(links=False, ignores_offset=True, total=total)
    with pytest.raises(BadAnswer, match="repeats itself"):
        night(server, page_size=10, **SERVER)
    assert len(server.asked) == 2


def test_a_list_in_circles_is_caught() -> None:
    """A link that came before is an error after few requests."""
    server = ManageEngine(ignores_offset=True)
    with pytest.raises(BadAnswer, match="repeats itself"):
        night(server, page_size=10, **SERVER)
    assert len(server.asked) == 2


def test_a_next_page_elsewhere_is_not_followed() -> None:
    """The credential goes to no other host, whatever the list says."""
    with pytest.raises(BadAnswer, match=r"points to evil\.example: only its own pages are followed"):
        night(ManageEngine(next_host="https://evil.example"), page_size=10)


@pytest.mark.no_cover
def test_a_thousand_devices_cost_a_thousand_and_twenty_one_requests() -> None:
    """Twenty pages, a request per device and one for a token; twenty-one without details."""
    rows = [row(number) for number in range(1, 1001)]
    told = {native_id(number): details(number) for number in range(1, 1001)}
    for keys, requests in ({}, 1 + 20 + 1000), ({"detail": False}, 1 + 20):
        server = ManageEngine(devices=rows, details=told)
        assert len(night(server, **keys).devices) == 1000
        assert len(server.asked) == requests


def test_ids_beyond_a_double_are_kept() -> None:
    """An id of sixteen digits is the same afterwards, as a number or as text."""
    server = ManageEngine(devices=[row(1) | {"device_id": 9007199254740993}, row(2) | {"device_id": "77"}])
    assert set(night(server, detail=False).devices) == {"9007199254740993", "77"}


@pytest.mark.parametrize("odd", [None, "", "x7", 0, -4, 2.5, True, [7]])
def test_a_row_without_an_id_is_rejected(odd: object) -> None:
    """Such a row is counted by its place, without content."""
    server = ManageEngine()
    server.devices[4]["device_id"] = odd
    found = night(server, page_size=10)
    assert found.rejected == [Rejected("row 5", "no usable device_id")]
    assert set(found.devices) == ids(33) - {native_id(5)}


def test_only_phones_and_tablets_are_asked_about() -> None:
    """Other platforms and removed devices are read from the list alone."""
    server = ManageEngine()
    server.devices[0] |= {"platform_type": "android", "product_name": "samsung"}
    server.devices[1] |= {"product_name": "AppleTV14,1"}
    server.devices[2] |= {"platform_type": "macOS", "product_name": "Mac14,2"}
    server.devices[3] |= {"is_removed": True}
    found = night(server)
    platforms = [found.devices[native_id(number)].platform for number in (1, 2, 3)]
    assert platforms == [Platform.ANDROID, Platform.TVOS, Platform.MACOS]
    assert found.devices[native_id(4)].managed is False
    assert not [number for number in range(1, 5) if server.count(f"{LIST}/{native_id(number)}")]


def test_without_detail_nothing_more_is_asked_or_reported() -> None:
    """`detail = false` costs only the list, and what it lacks reads as not reported."""
    server = ManageEngine()
    found = night(server, detail=False, **SERVER)
    assert {one.path for one in server.asked} == {LIST}
    assert {getattr(device, signal) for device in found.devices.values() for signal in BY_DETAILS} == {
        NOT_REPORTED
    }
    assert CONNECTOR.reported(settings(detail=False)) == CONNECTOR.provides - BY_DETAILS


def test_an_account_without_devices() -> None:
    """An account without devices has none, and that is no error."""
    found = night(ManageEngine(devices=[]))
    assert (found.devices, found.rejected, found.troubles, found.expected) == ({}, [], [], 0)


# Logins


def test_the_cloud_wants_zohos_own_word() -> None:
    """The token stands after Zoho-oauthtoken and serves the whole night; the secrets go to Zoho alone."""
    server = ManageEngine()
    night(server)
    assert server.count(TOKENS) == 1
    sent = {one.headers["authorization"] for one in server.asked if one.path != TOKENS}
    assert sent == {"Zoho-oauthtoken fk1"}


def test_a_server_of_ones_own_wants_the_bare_key() -> None:
    """The API key stands without a scheme word."""
    server = ManageEngine()
    night(server, **SERVER)
    assert {one.headers["authorization"] for one in server.asked} == {API_KEY}


def test_a_token_that_ends_midway_is_replaced() -> None:
    """A 401 in the middle of the night fetches a new token, and nothing is lost."""
    server = ManageEngine(ends_after=20)
    found = night(server)
    assert set(found.devices) == ids(33)
    assert not found.troubles
    assert server.count(TOKENS) == 2


@pytest.mark.parametrize(
    ("said", "error", "message"),
    [
        ({"error": "invalid_code"}, AuthRefused, r"gave no token \(invalid_code\).*account's data centre"),
        ({"error": "invalid_client"}, AuthRefused, r"gave no token \(invalid_client\)"),
        ({"error": "<b>Kim's</b> secret"}, AuthRefused, r"gave no token \(an unknown error\)"),
        ({"error": "Access Denied"}, Throttled, "at most ten in ten minutes: run later"),
        ({"api_domain": "x"}, BadAnswer, "accounts.fk.example/oauth/v2/token answered 200"),
    ],
)
def test_a_refused_token_comes_with_status_200(said: object, error: type[SourceError], message: str) -> None:
    """Zoho says no in the body of a good answer: that ends the source with what to check."""
    server = ManageEngine(answers={TOKENS: said})
    with pytest.raises(error, match=message) as caught:
        night(server)
    assert not server.count(LIST)
    assert "fk-client" not in str(caught.value)
    assert "fk-refresh" not in str(caught.value)


def test_a_wrong_key_costs_one_request() -> None:
    """A refused key ends the source at once, with the place and without the key."""
    told = r"/api/v1/mdm/devices refused the credential \(401\)"
    assert_refused(
        CONNECTOR, settings(api_key="wrong-horse"), ManageEngine(), match=told, secret="wrong-horse"
    )


@pytest.mark.parametrize(
    ("keys", "scope"), [({}, "MDMOnDemand.MDMInventory.READ"), (SERVER, "MDMInventory.READ")]
)
def test_a_missing_permission_is_named(keys: dict[str, object], scope: str) -> None:
    """A 403 names the scope as the vendor does, that of the cloud or of the server."""
    with pytest.raises(PermissionMissing, match=rf'\(403\): grant "{scope}" to it'):
        night(ManageEngine(statuses={LIST: 403}), **keys)


@pytest.mark.parametrize("url", [URL, f"{URL}/", f"{URL}/api/v1", f"{URL}/api/v1/mdm"])
def test_the_server_may_be_written_with_its_path(url: str) -> None:
    """With or without the API's path, the same requests go out."""
    server = ManageEngine()
    assert set(night(server, url=url).devices) == ids(33)


@pytest.mark.parametrize(
    "keys",
    [
        {"api_key": None},
        {"api_key": None, **CLOUD, "refresh_token": None},
        {"api_key": API_KEY, **CLOUD},
        {"api_key": API_KEY, "client_id": "1000.FK"},
        {"token_url": "http://accounts.fk.example"},
        {"url": "http://mdm.fk.example"},
        {"profiles": True},
    ],
)
def test_settings_that_cannot_work(keys: dict[str, object]) -> None:
    """One whole credential and safe addresses are needed, and no setting that means nothing here."""
    with pytest.raises(ValidationError):
        settings(**keys)


@pytest.mark.parametrize(
    ("server", "keys", "steps"),
    [
        (ManageEngine(), {}, {"login": None, "MDMOnDemand.MDMInventory.READ": None}),
        (ManageEngine(), SERVER, {"login": None, "MDMInventory.READ": None}),
        (ManageEngine(), {"api_key": "x"}, {"login": "(401)"}),
        (ManageEngine(answers={TOKENS: {"error": "invalid_code"}}), {}, {"login": "invalid_code"}),
        (ManageEngine(statuses={LIST: 403}), SERVER, {"login": None, "MDMInventory.READ": "(403)"}),
        (
            ManageEngine(statuses={f"{LIST}/{native_id(1)}": 403}),
            {},
            {"login": None, "MDMOnDemand.MDMInventory.READ": "(403)"},
        ),
    ],
)
def test_probe(server: ManageEngine, keys: dict[str, object], steps: dict[str, str | None]) -> None:
    """The doctor learns whether login and scope are good, by the vendor's names and at one row each."""
    found = dict(probed(CONNECTOR, settings(**keys), server.transport))
    assert list(found) == list(steps)
    for name, error in steps.items():
        assert (found[name] is None) if error is None else (error in (found[name] or ""))
    assert {one.first("limit") for one in server.asked if one.path == LIST} <= {"1"}


# Errors


def test_an_error_with_status_200() -> None:
    """An error in the body of a good answer is no empty fleet, and only its code is told."""
    said = {"error_code": "COM0015", "error_description": "Kim may not"}
    with pytest.raises(BadAnswer, match=r"error of its own \(COM0015\)") as caught:
        night(ManageEngine(answers={LIST: said}))
    assert "Kim" not in str(caught.value)


@pytest.mark.parametrize(
    "odd", [{}, [], {"devices": None}, {"devices": {}}, {"devices": [], "paging": {"next": 7}}]
)
def test_an_answer_of_another_shape_is_refused(odd: object) -> None:
    """An answer without rows is an error, never an empty fleet."""
    with pytest.raises(BadAnswer):
        night(ManageEngine(answers={LIST: odd}))


def test_requests_that_are_too_many_are_waited_out() -> None:
    """A 429 is asked again after as long as the server says, and the walk is whole."""
    found = night(ManageEngine(throttles=2, retry_after="9"))
    assert set(found.devices) == ids(33)
    assert sum(found.waits) == pytest.approx(2 * 9)


def test_too_many_requests_for_ever() -> None:
    """An endless 429 is told as such."""
    with pytest.raises(Throttled, match=r"keeps asking for fewer requests \(429\)"):
        night(ManageEngine(throttles=-1))


@pytest.mark.parametrize(("status", "error"), [(404, NotFound), (500, ServerTrouble), (422, BadAnswer)])
def test_a_list_that_fails_is_no_empty_fleet(status: int, error: type[SourceError]) -> None:
    """Whatever else the list answers is an error that names it."""
    with pytest.raises(error, match=r"mdm\.fk\.example/api/v1/mdm/devices"):
        night(ManageEngine(statuses={LIST: status}))


# Details


def test_a_device_that_left_between_list_and_details() -> None:
    """Its row stands, its details are absent, and nothing is amiss."""
    server = ManageEngine()
    del server.details[native_id(8)]
    found = night(server)
    assert found.devices[native_id(8)].backup_enabled is ABSENT
    assert found.devices[native_id(8)].serial == "FK00000008"
    assert not found.troubles


@pytest.mark.parametrize("odd", ["x", [], None, {"error_code": "COM0001"}, {"os": {"device_id": 5}}])
def test_details_that_are_not_the_devices(odd: object) -> None:
    """An answer of another shape or about another device is left, and the report counts it."""
    server = ManageEngine()
    server.details[native_id(8)] = odd
    found = night(server)
    assert found.devices[native_id(8)].backup_enabled is ABSENT
    assert [(trouble.code, trouble.count) for trouble in found.troubles] == [("details_unread", 1)]


def test_details_that_all_fail_are_given_up() -> None:
    """After five failures no more are asked for; the list stands, and the report says why."""
    found = night(ManageEngine(statuses={f"{LIST}/{one}": 500 for one in ids(33)}))
    assert set(found.devices) == ids(33)
    assert {trouble.code: trouble.count for trouble in found.troubles} == {
        "details_unread": 5,
        "details_left_out": 28,
    }
    assert "answers with an error of its own (500)" in found.troubles[1].message


def test_details_that_may_not_be_read() -> None:
    """A 403 is not met a second time; every device is read from the list, and the report names the scope."""
    server = ManageEngine(statuses={f"{LIST}/{one}": 403 for one in ids(33)})
    found = night(server)
    assert set(found.devices) == ids(33)
    assert [(trouble.code, trouble.count) for trouble in found.troubles] == [("details_forbidden", 33)]
    assert {device.backup_enabled for device in found.devices.values()} == {NOT_PERMITTED}
    assert 'grant "MDMOnDemand.MDMInventory.READ"' in found.troubles[0].message
    assert len([one for one in server.asked if one.path.startswith(f"{LIST}/")]) == 1


def test_the_time_that_a_source_has_bounds_the_details() -> None:
    """When nine tenths of the time are spent no more is asked, and the report says what to raise."""
    found = night(ManageEngine(throttles=1, retry_after="55"), deadline_minutes=1)
    assert set(found.devices) == ids(33)
    assert found.codes == ["details_left_out"]
    assert "raise deadline_minutes" in found.troubles[0].message


# Fields


def reading(given: dict[str, Any], told: object = None) -> DeviceRecord:
    """The record of device 1, with keys of its row replaced."""
    record = read_record(row(1) | given, "row 1")
    assert isinstance(record, DeviceRecord)
    return with_details(record, told)


def details_with(path: str, value: object) -> dict[str, Any]:
    """The details of device 1 with another value at a dotted path; ... takes the key away."""
    whole = details(1)
    section, _, key = path.rpartition(".")
    place: dict[str, Any] = whole[section] if section else whole
    if value is ...:
        del place[key]
    else:
        place[key] = value
    return whole


WHEN = datetime(2026, 11, 21, tzinfo=UTC)
TEXTS: list[tuple[object, object]] = [
    (" a\tb ", "a b"), ("", ABSENT), ("--", ABSENT), (None, ABSENT), (5, UNREADABLE), (["x"], UNREADABLE),
]  # fmt: skip
TIMES: list[tuple[object, object]] = [
    (1795219200000, WHEN), ("1795219200000", WHEN), (1795219200999.0, WHEN), (-1, ABSENT), ("-1", ABSENT), (0, ABSENT),
    ("0", ABSENT), ("", ABSENT), ("--", ABSENT), (None, ABSENT), (..., ABSENT), ("yesterday", UNREADABLE),
    ([1], UNREADABLE), ({}, UNREADABLE), (10**17, UNREADABLE),
]  # fmt: skip
FLAGS: list[tuple[object, object]] = [
    (True, True), (False, False), ("true", True), ("False", False), (None, ABSENT), ("", ABSENT), (..., ABSENT),
    ("maybe", UNREADABLE), (1, UNREADABLE),
]  # fmt: skip


OF_ROWS = [
    *rules("serial_number", "serial", TEXTS),
    *rules("udid", "udid", TEXTS),
    *rules("device_name", "name", TEXTS),
    *rules("product_name", "model_identifier", TEXTS),
    *rules("os_version", "os_version", TEXTS),
    *rules("is_lost_mode_enabled", "lost_mode", [one for one in FLAGS if one[0] is not ...]),
    *rules("is_removed", "managed", [(False, True), (True, False), ("false", True), (None, ABSENT), (0, UNREADABLE)]),
    *rules(
        "owned_by",
        "ownership",
        [(1, Ownership.ORGANISATION), (2, Ownership.PERSONAL), ("1", Ownership.ORGANISATION),
         ("Personal", Ownership.PERSONAL), (3, UNREADABLE), (True, UNREADABLE), (None, ABSENT)],
    ),
    *rules(
        "user",
        "user_name",
        [({"user_name": "Kim"}, "Kim"), ({"user_name": "--"}, ABSENT), ({}, ABSENT), (None, ABSENT), ("x", UNREADABLE)],
    ),
    *rules("user", "user_email", [({"user_email": "k@fk.example"}, "k@fk.example"), ({"user_email": ""}, ABSENT)]),
]  # fmt: skip
OF_DETAILS = [
    *rules("asset_tag", "asset_tag", TEXTS),
    *rules("model_name", "model_name", TEXTS),
    *rules("os.build_version", "os_build", TEXTS),
    *rules("is_supervised", "supervised", FLAGS),
    *rules("is_cloud_backup_enabled", "backup_enabled", FLAGS),
    *rules("is_itunes_account_active", "account_active", FLAGS),
    *rules("network.is_roaming", "roaming", FLAGS),
    *rules("last_cloud_backup_date", "last_cloud_backup_at", TIMES),
    *rules("registered_time", "enrolled_at", TIMES),
    *rules(
        "battery_level",
        "battery_percent",
        [("82", 82), (82, 82), (0.82, 82), ("0.05", 5), (0, 0), (100, 100), (2, 2), (-1, ABSENT), ("-1", ABSENT),
         ("", ABSENT), (1, UNREADABLE), ("1.0", UNREADABLE), (101, UNREADABLE), ("half", UNREADABLE),
         ([], UNREADABLE)],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("key", "signal", "given", "fact"), OF_ROWS)
def test_a_value_of_the_list_becomes_a_fact(key: str, signal: str, given: object, fact: object) -> None:
    """Text, sentinels and wrong types of each key are what the signal says they are."""
    assert getattr(reading({key: given}), signal) == fact


@pytest.mark.parametrize(("path", "signal", "given", "fact"), OF_DETAILS)
def test_a_value_of_the_details_becomes_a_fact(path: str, signal: str, given: object, fact: object) -> None:
    """The same of what is told of one device."""
    assert getattr(reading({}, details_with(path, given)), signal) == fact


@pytest.mark.parametrize(
    ("row_keys", "detail_keys", "enabled", "active"),
    [
        ({}, {}, False, False),
        ({}, {"device_capacity": "0.0"}, ABSENT, ABSENT),
        ({}, {"device_capacity": None}, ABSENT, ABSENT),
        ({"serial_number": "", "udid": ""}, {"serial_number": ""}, ABSENT, ABSENT),
        ({"serial_number": ""}, {}, False, False),
        ({"product_name": "AppleTV14,1"}, {}, ABSENT, ABSENT),
        ({"product_name": None}, {"model_name": "iPad mini"}, False, False),
    ],
)
def test_a_false_flag_counts_where_the_device_has_spoken(
    row_keys: dict[str, Any], detail_keys: dict[str, Any], enabled: object, active: object
) -> None:
    """Before an inventory a false is a default, and a device without a serial number may be a private one."""
    off = {"is_cloud_backup_enabled": False, "is_itunes_account_active": False}
    record = reading(row_keys, details(1) | off | detail_keys)
    assert (record.backup_enabled, record.account_active) == (enabled, active)


@pytest.mark.parametrize(
    ("total", "free", "capacity", "available"),
    [
        ("128.0", "3.2", 128_000_000_000, 3_200_000_000),
        (64, 0.5, 64_000_000_000, 500_000_000),
        ("64.0", "0.0", 64_000_000_000, ABSENT),
        ("0.0", "0.0", ABSENT, ABSENT),
        (64, 65, 64_000_000_000, UNREADABLE),
        ("64 GB", None, UNREADABLE, ABSENT),
        (True, [3], UNREADABLE, UNREADABLE),
    ],
)
def test_storage(total: object, free: object, capacity: object, available: object) -> None:
    """Gigabytes are bytes, as numbers or text; the server's 0.0 is unknown, never full."""
    record = reading({}, details(1) | {"device_capacity": total, "available_device_capacity": free})
    assert (record.capacity_bytes, record.available_bytes) == (capacity, available)


@pytest.mark.parametrize(
    ("removed", "status", "managed"),
    [
        (False, 5, True),
        (True, 2, False),
        (None, 2, True),
        (None, "2", True),
        (None, 4, UNREADABLE),
        (None, None, ABSENT),
    ],
)
def test_managed(removed: object, status: object, managed: object) -> None:
    """What the list says of removal counts; else only the number of a managed device is known."""
    record = reading({"is_removed": removed}, details(1) | {"managed_status": status})
    assert record.managed == managed


@pytest.mark.parametrize(
    ("system", "product", "name", "platform"),
    [
        ("iOS", "iPad13,18", None, Platform.IPADOS),
        ("iOS", "iPhone14,5", None, Platform.IOS),
        ("iOS", "AppleTV14,1", None, Platform.TVOS),
        ("iOS", None, "iPad mini", Platform.IPADOS),
        ("iOS", None, None, Platform.IOS),
        ("android", "samsung", None, Platform.ANDROID),
        ("windows", "Surface", None, Platform.OTHER),
        (None, "Mac14,2", None, Platform.MACOS),
        ("fuchsia", "Hub", None, UNREADABLE),
        (None, None, None, ABSENT),
    ],
)
def test_platform(system: object, product: object, name: object, platform: object) -> None:
    """The model tells iPads, iPhones and Apple TVs apart where the vendor says iOS of all."""
    record = reading({"platform_type": system, "product_name": product}, details(1) | {"model_name": name})
    assert record.platform == platform


@hypothesis_settings(max_examples=examples(60), deadline=None, derandomize=True)
@given(st.data())
def test_no_value_breaks_a_row(data: st.DataObject) -> None:
    """Whatever JSON stands in place of any value, the row becomes a record or is rejected."""
    record = read_record(anything_in(data, row(1), "user"), "row 1")
    if isinstance(record, DeviceRecord):
        assert_storable(with_details(record, anything_in(data, details(1), "os", "network")))
