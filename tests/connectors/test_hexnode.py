"""Hexnode: the list with its links, the devices' own pages within the limits, and how values become facts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pydantic import ValidationError

from connectors._hexnode_record import BY_DETAILS, read_record, with_page
from connectors.hexnode import CONNECTOR, HexnodeSettings
from fleet.errors import AuthRefused, BadAnswer, NotFound, ServerTrouble, SourceError, Throttled
from fleet.model.device import DeviceRecord, Platform, Rejected
from fleet.model.fact import ABSENT, NOT_REPORTED, UNREADABLE
from tests.connectors.fields import anything_in, assert_storable, rules
from tests.connectors.walking import Clock, Night, assert_refused, probed, walked
from tests.examples import examples
from tests.servers.hexnode import API_KEY, BASE, HOST, Hexnode, page, row

DEVICES = f"{BASE}/devices/"


def settings(**keys: object) -> HexnodeSettings:
    """Settings of a source whose key is good."""
    return HexnodeSettings.model_validate(
        {"name": "hq", "kind": "hexnode", "url": HOST, "api_key": API_KEY, **keys}
    )


def night(server: Hexnode, **keys: object) -> Night:
    """Walk a server in memory, one request at a time."""
    return walked(CONNECTOR, settings(**{"max_concurrency": 1, **keys}), server.transport)


def ids(count: int) -> set[str]:
    return {str(number) for number in range(1, count + 1)}


# The walk


def test_a_night_over_a_socket() -> None:
    """Every device with its storage and its groups, from pages that name the next one."""
    with Hexnode() as server:
        found = walked(CONNECTOR, settings(url=server.url, page_size=10))
    assert set(found.devices) == ids(33)
    assert found.expected == 33
    assert found.devices["3"].groups == ("North", "Depot")
    assert found.devices["5"].groups == ()
    assert {device.capacity_bytes for device in found.devices.values()} == {128_000_000_000}
    assert not found.troubles
    assert not found.rejected


@pytest.mark.parametrize(("size", "asked"), [(None, "100"), (7, "7"), (500, "100")])
def test_page_size(size: int | None, asked: str) -> None:
    """Pages are as large as the settings say, and no larger than was seen to work."""
    server = Hexnode()
    assert set(night(server, page_size=size).devices) == ids(33)
    assert {one.first("per_page") for one in server.asked if one.path == DEVICES} == {asked}


@pytest.mark.parametrize("url", [HOST, f"{HOST}/", f"{HOST}/api/v1", f"{HOST}/api/v1/"])
def test_the_portal_may_be_written_with_its_path(url: str) -> None:
    """With or without the API's path, the same requests go out, each with a slash at its end."""
    server = Hexnode()
    night(server, url=url)
    assert all(one.path.startswith(f"{BASE}/") and one.path.endswith("/") for one in server.asked)


def test_the_key_stands_bare() -> None:
    """Hexnode wants its key without a scheme word."""
    server = Hexnode()
    night(server)
    assert {one.headers["authorization"] for one in server.asked} == {API_KEY}


@pytest.mark.no_cover
def test_a_thousand_devices_cost_a_thousand_and_fourteen_requests() -> None:
    """Ten pages, the groups with members, and a page per device; ten requests without details."""
    rows = [row(number) for number in range(1, 1001)]
    pages = {str(number): page(number) for number in range(1, 1001)}
    for keys, requests in ({}, 10 + 1 + 2 + 1000), ({"detail": False}, 10):
        server = Hexnode(devices=rows, pages=pages)
        assert len(night(server, **keys).devices) == 1000
        assert len(server.asked) == requests


def test_thirty_requests_a_minute() -> None:
    """Requests go out two seconds apart, so that no minute has more than thirty."""
    found = night(Hexnode())
    assert sum(found.waits) == pytest.approx(2 * (1 + 1 + 2 + 33 - 1))


def test_only_phones_and_tablets_under_management_are_asked_about() -> None:
    """Other platforms and devices that left are read from the list alone."""
    server = Hexnode()
    server.devices[0] |= {"os_name": "Android", "model_name": "SM-A546B"}
    server.devices[1] |= {"os_name": "macOS", "model_name": "MacBook Air"}
    server.devices[2] |= {"os_name": "tvOS", "model_name": "Apple TV"}
    server.devices[3] |= {"enrollment_status": "disenrolled"}
    found = night(server)
    assert set(found.devices) == ids(33)
    assert [found.devices[key].platform for key in "123"] == [Platform.ANDROID, Platform.MACOS, Platform.TVOS]
    assert found.devices["4"].managed is False
    assert not [number for number in range(1, 5) if server.count(f"{DEVICES}{number}/")]


def test_without_detail_nothing_more_is_asked_or_reported() -> None:
    """`detail = false` costs only the list, and what it lacks reads as not reported."""
    server = Hexnode()
    found = night(server, detail=False)
    lacking = BY_DETAILS | {"groups"}
    assert {one.path for one in server.asked} == {DEVICES}
    assert {getattr(device, signal) for device in found.devices.values() for signal in lacking} == {
        NOT_REPORTED
    }
    assert CONNECTOR.reported(settings(detail=False)) == CONNECTOR.provides - lacking


def test_a_device_that_slipped_through_is_found() -> None:
    """A list that brings fewer devices than it counts is walked once more."""
    server = Hexnode(slips=12)
    found = night(server, page_size=10, detail=False)
    assert set(found.devices) == ids(33)
    assert server.count(DEVICES) == 8


def test_a_list_that_stays_short_is_told_by_its_count() -> None:
    """After two walks the stated number stands, and the collector sees what is missing."""
    server = Hexnode(shrinks=True)
    found = night(server, page_size=10, detail=False)
    assert (len(found.devices), found.expected) == (30, 33)


def test_a_portal_without_devices() -> None:
    """A portal without devices and groups has none, and that is no error."""
    found = night(Hexnode(devices=[], groups={}))
    assert (found.devices, found.rejected, found.troubles, found.expected) == ({}, [], [], 0)


def test_a_next_page_elsewhere_is_not_followed() -> None:
    """The key goes to no other host, whatever the list says."""
    with pytest.raises(BadAnswer, match=r"points to evil\.example: only its own pages are followed"):
        night(Hexnode(next_host="https://evil.example"), page_size=10)


def test_a_list_in_circles_is_caught() -> None:
    """A link that came before is an error after few requests."""
    server = Hexnode(circles=True)
    with pytest.raises(BadAnswer, match="runs in a circle"):
        night(server, page_size=10)
    assert len(server.asked) == 2


@pytest.mark.parametrize("native_id", [None, "", 0, -4, 2.5, True, [7], {"n": 1}])
def test_a_row_without_an_id_is_rejected(native_id: object) -> None:
    """Such a row is counted by its place, without content."""
    server = Hexnode()
    server.devices[4]["id"] = native_id
    found = night(server, page_size=10)
    assert found.rejected == [Rejected("row 5", "no usable id")]
    assert set(found.devices) == ids(33) - {"5"}


@pytest.mark.parametrize("odd", [None, 7, "x", []])
def test_a_row_that_is_no_object_costs_only_itself(odd: object) -> None:
    """Whatever stands in place of a row is rejected."""
    server = Hexnode()
    server.devices[32] = odd
    found = night(server, detail=False)
    assert (len(found.devices), [one.where for one in found.rejected]) == (32, ["row 33"])


# Errors


def test_a_wrong_key_costs_one_request() -> None:
    """A refused key ends the source at once, with the place and without the key."""
    told = r"/api/v1/devices/ refused the credential \(401\)"
    assert_refused(CONNECTOR, settings(api_key="wrong-horse"), Hexnode(), match=told, secret="wrong-horse")


def test_a_missing_permission_is_named() -> None:
    """A 403 says where the API is enabled: Hexnode's keys have no rights that could be missing."""
    message = r"API key \(403\): check api_key, and that API access is enabled \(Admin > API\)"
    with pytest.raises(AuthRefused, match=message):
        night(Hexnode(statuses={"/devices/": 403}))


def test_requests_that_are_too_many_are_waited_out() -> None:
    """A 429 is asked again after as long as Hexnode says, and the walk is whole."""
    found = night(Hexnode(throttles=2, retry_after="38"), detail=False)
    assert set(found.devices) == ids(33)
    assert sum(found.waits) == pytest.approx(2 * 38)


def test_too_many_requests_for_ever() -> None:
    """An endless 429 is told as such, after more than the minute in which the limit counts."""
    clock = Clock()
    with pytest.raises(Throttled, match=r"keeps asking for fewer requests \(429\)"):
        walked(CONNECTOR, settings(), Hexnode(throttles=-1).transport, clock=clock)
    assert sum(clock.waits) > 60


@pytest.mark.parametrize(("status", "error"), [(404, NotFound), (500, ServerTrouble), (422, BadAnswer)])
def test_a_list_that_fails_is_no_empty_fleet(status: int, error: type[SourceError]) -> None:
    """Whatever else the list answers is an error that names it."""
    with pytest.raises(error, match=r"fk\.hexnodemdm\.example/api/v1/devices/"):
        night(Hexnode(statuses={"/devices/": status}))


@pytest.mark.parametrize("odd", [{}, [], {"results": None}, {"results": {}}, {"results": [], "next": 7}])
def test_an_answer_of_another_shape_is_refused(odd: object) -> None:
    """An answer without rows is an error, never an empty fleet."""
    with pytest.raises(BadAnswer):
        night(Hexnode(answers={"/devices/": odd}))


@pytest.mark.parametrize("keys", [{"api_key": None}, {"url": "http://hexnode.example"}, {"profiles": True}])
def test_settings_that_cannot_work(keys: dict[str, object]) -> None:
    """A key and a safe address are needed, and no setting that means nothing here."""
    with pytest.raises(ValidationError):
        settings(**keys)


@pytest.mark.parametrize(
    ("statuses", "keys", "error"),
    [({}, {}, None), ({}, {"api_key": "x"}, "(401)"), ({"/devices/": 403}, {}, "API access is enabled")],
)
def test_probe(statuses: dict[str, int], keys: dict[str, object], error: str | None) -> None:
    """The doctor learns at the cost of one row whether the key is good."""
    server = Hexnode(statuses=statuses)
    [(name, found)] = probed(CONNECTOR, settings(**keys), server.transport)
    assert name == "API access"
    assert (found is None) if error is None else (error in (found or ""))
    assert [one.first("per_page") for one in server.asked] == ["1"]


# The devices' own pages


def test_a_device_that_left_between_list_and_page() -> None:
    """Its row stands, its details are absent, and nothing is amiss."""
    server = Hexnode()
    del server.pages["8"]
    found = night(server)
    assert found.devices["8"].capacity_bytes is ABSENT
    assert found.devices["8"].serial == "FK00000008"
    assert not found.troubles


@pytest.mark.parametrize("odd", ["x", [], 7, None, {"id": 99}])
def test_a_page_that_is_not_the_devices(odd: object) -> None:
    """A page of another shape or another device is left, and the report counts it."""
    server = Hexnode()
    server.pages["8"] = odd
    found = night(server)
    assert found.devices["8"].capacity_bytes is ABSENT
    assert [(trouble.code, trouble.count) for trouble in found.troubles] == [("details_unread", 1)]


def test_pages_that_all_fail_are_given_up() -> None:
    """After five failures no more are asked for; the list stands, and the report says why."""
    server = Hexnode(statuses={f"/devices/{number}/": 500 for number in range(1, 34)})
    found = night(server)
    assert set(found.devices) == ids(33)
    assert {trouble.code: trouble.count for trouble in found.troubles} == {
        "details_unread": 5,
        "details_left_out": 28,
    }
    assert "/api/v1/devices/5/ answers with an error of its own (500)" in found.troubles[1].message


def test_an_allowance_used_up_midway_costs_only_details() -> None:
    """Where the day's requests are spent, what the list said stays good."""
    server = Hexnode(statuses={"/devices/8/": 429})
    found = night(server)
    assert set(found.devices) == ids(33)
    assert [(trouble.code, trouble.count) for trouble in found.troubles] == [("details_left_out", 26)]
    assert "keeps asking for fewer requests (429)" in found.troubles[0].message
    assert found.devices["7"].battery_percent == 64


def test_the_time_that_a_source_has_bounds_the_details() -> None:
    """When nine tenths of the time are spent no more is asked, and the report says what to raise."""
    found = night(Hexnode(), deadline_minutes=1)
    assert set(found.devices) == ids(33)
    assert found.codes == ["details_left_out"]
    assert "raise deadline_minutes" in found.troubles[0].message
    assert sum(found.waits) < 60


# Groups


@pytest.mark.parametrize(
    "server",
    [
        Hexnode(statuses={"/devicegroups/": 500}),
        Hexnode(statuses={"/devicegroups/71/": 404}),
        Hexnode(hidden_members=1),
        Hexnode(answers={"/devicegroups/": {"results": [{"id": 70}]}}),
        Hexnode(answers={"/devicegroups/70/": {"devices": None}}),
    ],
    ids=["list", "group", "members", "name", "shape"],
)
def test_groups_that_cannot_be_read_whole(server: Hexnode) -> None:
    """Groups are absent rather than wrong, every device is read, and the report says so."""
    found = night(server)
    assert set(found.devices) == ids(33)
    assert {device.groups for device in found.devices.values()} == {ABSENT}
    assert found.codes == ["groups_unresolved"]


# Fields


def reading(given: dict[str, Any], shown: object = None) -> DeviceRecord:
    """The record of device 1, with keys of its row and of its page replaced."""
    record = read_record(row(1) | given, "row 1", {})
    assert isinstance(record, DeviceRecord)
    return with_page(record, shown)


def page_with(path: str, value: object) -> dict[str, Any]:
    """The page of device 1 with another value at a dotted path; ... takes the key away."""
    whole = page(1)
    section, _, key = path.rpartition(".")
    place: dict[str, Any] = whole[section] if section else whole
    if value is ...:
        del place[key]
    else:
        place[key] = value
    return whole


WHEN = datetime(2026, 9, 19, 22, 9, 12, tzinfo=UTC)
TEXTS: list[tuple[object, object]] = [
    (" a\tb ", "a b"), ("", ABSENT), (None, ABSENT), (5, UNREADABLE), (["x"], UNREADABLE),
]  # fmt: skip
TIMES: list[tuple[object, object]] = [
    ("2026-09-19T22:09:12.120338Z", WHEN), ("2026-09-20T00:09:12+02:00", WHEN), ("", ABSENT), (None, ABSENT),
    ("1970-01-01T00:00:00Z", ABSENT), ("2026-09-19T22:09:12", UNREADABLE), (1789891200, UNREADABLE),
]  # fmt: skip
FLAGS: list[tuple[object, object]] = [
    (True, True), (False, False), (None, ABSENT), (..., ABSENT), ("true", UNREADABLE), (1, UNREADABLE),
]  # fmt: skip


OF_ROWS = [
    *rules("serial_number", "serial", TEXTS),
    *rules("udid", "udid", TEXTS),
    *rules("device_name", "name", TEXTS),
    *rules("model_name", "model_name", TEXTS),
    *rules("os_version", "os_version", TEXTS),
    *rules("last_reported", "checkin_at", TIMES),
    *rules("enrolled_time", "enrolled_at", TIMES),
    *rules(
        "enrollment_status",
        "managed",
        [("enrolled", True), ("Disenrolled", False), ("pending", UNREADABLE), (None, ABSENT), (1, UNREADABLE)],
    ),
    *rules(
        "user",
        "user_name",
        [({"name": "Kim"}, "Kim"), ({"name": "Default User"}, ABSENT), ({}, ABSENT), (None, ABSENT), ("x", UNREADABLE)],
    ),
]  # fmt: skip
OF_PAGES = [
    *rules("device.product_name", "model_identifier", TEXTS),
    *rules("device.build_version", "os_build", TEXTS),
    *rules("device.is_supervised", "supervised", FLAGS),
    *rules("network.is_roaming", "roaming", FLAGS),
    *rules("lostmode", "lost_mode", FLAGS),
    *rules("lastscanned", "inventory_at", TIMES),
    *rules("user.email", "user_email", TEXTS),
    *rules("network", "roaming", [(None, ABSENT), ("x", UNREADABLE)]),
    *rules(
        "device.battery_level",
        "battery_percent",
        [(0, 0), (1, 1), (100, 100), (-1, ABSENT), (None, ABSENT), (101, UNREADABLE), ("82", UNREADABLE)],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("key", "signal", "given", "fact"), OF_ROWS)
def test_a_value_of_the_list_becomes_a_fact(key: str, signal: str, given: object, fact: object) -> None:
    """Text, sentinels and wrong types of each key are what the signal says they are."""
    assert getattr(reading({key: given}), signal) == fact


@pytest.mark.parametrize(("path", "signal", "given", "fact"), OF_PAGES)
def test_a_value_of_a_page_becomes_a_fact(path: str, signal: str, given: object, fact: object) -> None:
    """The same of the device's own page."""
    assert getattr(reading({}, page_with(path, given)), signal) == fact


@pytest.mark.parametrize(
    ("total", "free", "capacity", "available"),
    [
        (64.0, 3.2, 64_000_000_000, 3_200_000_000),
        (64, 0, 64_000_000_000, 0),
        (64, None, 64_000_000_000, ABSENT),
        (64, 65, 64_000_000_000, UNREADABLE),
        ("64", 3, UNREADABLE, 3_000_000_000),
        (0.0, 0.0, ABSENT, ABSENT),
        (None, None, ABSENT, ABSENT),
    ],
)
def test_storage(total: object, free: object, capacity: object, available: object) -> None:
    """Gigabytes are bytes; nothing of nothing is not full, and more free than there is is no size."""
    shown = {"device": {"device_capacity": total, "available_device_capacity": free}}
    record = reading({}, shown)
    assert (record.capacity_bytes, record.available_bytes) == (capacity, available)


@pytest.mark.parametrize(
    ("system", "model", "identifier", "platform"),
    [
        ("iOS", "iPad Air", None, Platform.IPADOS),
        ("iOS", "iPhone 15", None, Platform.IOS),
        ("iOS", "Front desk", "iPad13,18", Platform.IPADOS),
        ("iOS", "Front desk", None, Platform.IOS),
        ("iPadOS", None, None, Platform.IPADOS),
        ("macOS", "MacBook Air", None, Platform.MACOS),
        ("Android", "SM-A546B", "a54x", Platform.ANDROID),
        ("Windows", "Latitude", None, Platform.OTHER),
        (None, "iPhone SE", None, Platform.IOS),
        ("Fuchsia", "Hub", None, UNREADABLE),
        (None, None, None, ABSENT),
    ],
)
def test_platform(system: object, model: object, identifier: object, platform: object) -> None:
    """The model tells iPads from iPhones where Hexnode says iOS of both."""
    shown = {"device": {"product_name": identifier}}
    assert reading({"os_name": system, "model_name": model}, shown).platform == platform


@hypothesis_settings(max_examples=examples(60), deadline=None, derandomize=True)
@given(st.data())
def test_no_value_breaks_a_row(data: st.DataObject) -> None:
    """Whatever JSON stands in place of any value, the row becomes a record or is rejected."""
    record = read_record(anything_in(data, row(1), "user"), "row 1", {})
    if isinstance(record, DeviceRecord):
        assert_storable(with_page(record, anything_in(data, page(1), "device", "network", "user")))
