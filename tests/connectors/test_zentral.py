"""Zentral: devices from one list, their answers from another, and every rule by which they become facts."""

from __future__ import annotations

import base64
import plistlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from connectors._zentral_device import FROM_INFORMATION, FROM_RESTRICTIONS
from connectors.zentral import CONNECTOR
from fleet.errors import BadAnswer, PermissionMissing, ServerTrouble, Throttled
from fleet.model.device import SIGNALS, DeviceRecord, Enrollment, Ownership, Platform, Rejected
from fleet.model.fact import ABSENT, NOT_PERMITTED, NOT_REPORTED, UNREADABLE, Gap
from tests.connectors.fields import rules
from tests.connectors.walking import Night, assert_refused, probed, walked
from tests.examples import examples
from tests.servers.zentral import (
    COMMANDS,
    DEVICES,
    TOKEN,
    ZentralServer,
    command,
    device,
    personal,
    responses,
    restrictions,
    written,
)

if TYPE_CHECKING:
    from connectors._zentral_answers import ZentralSettings


def settings(**keys: object) -> ZentralSettings:
    usual = {"name": "ferry", "kind": "zentral", "url": "https://zentral.example", "api_token": TOKEN}
    return CONNECTOR.settings.model_validate(usual | keys)


def night(server: ZentralServer | None, **keys: object) -> Night:
    found = walked(CONNECTOR, settings(**keys), server.transport if server else None)
    assert len(found.came) == len(found.devices)
    return found


def listed(**changes: Any) -> DeviceRecord:  # noqa: ANN401 - any JSON value
    """One iPhone as it is collected, with changes to its row."""
    return night(ZentralServer([device(1, **changes)])).devices["1"]


def answering(said: object, row: dict[str, Any] | None = None, **changes: Any) -> DeviceRecord:  # noqa: ANN401 - any JSON value
    """One device as it is collected, with this answer."""
    return night(ZentralServer([row or device(1)], [command(1, said, **changes)])).devices["1"]


def ids(count: int) -> set[str]:
    return {str(number) for number in range(1, count + 1)}


# The walk


def test_a_fleet_over_a_socket() -> None:
    """Every device of four pages is read with what it answered, and the stated count is told."""
    with ZentralServer(35) as server:
        found = night(None, url=server.url, page_size=10)
    assert set(found.devices) == ids(35)
    assert found.expected == 35
    assert not found.troubles
    assert not any(isinstance(one.backup_enabled, Gap) for one in found.devices.values())


@pytest.mark.parametrize(("count", "page_size"), [(0, 10), (1, 1), (10, 10), (11, 10), (30, 7)])
def test_every_device_comes_once(count: int, page_size: int) -> None:
    """Whatever the page size, no device is missing and none is asked for by itself."""
    server = ZentralServer(count)
    found = night(server, page_size=page_size)
    assert set(found.devices) == ids(count)
    assert found.expected == count
    assert not server.singles


def test_what_a_thousand_devices_cost() -> None:
    """Two pages of devices, two of their answers, and one look for answers to `Restrictions`."""
    server = ZentralServer(1000)
    assert len(night(server, page_size=5000).devices) == 1000
    assert (server.count(DEVICES), server.count(COMMANDS)) == (2, 2 + 1)
    assert {asked.first("limit") for asked in server.asked} == {"500"}


def test_devices_are_asked_for_oldest_first() -> None:
    """A device that enrols during the walk comes at the end and moves none to a page already read."""
    server = ZentralServer(3)
    night(server)
    assert [asked.first("ordering") for asked in server.asked if asked.path == DEVICES] == ["created_at"]


@pytest.mark.parametrize(
    ("keys", "missing", "requests"),
    [
        ({"detail": False}, FROM_INFORMATION, 1 + 1),
        ({"profiles": False}, FROM_RESTRICTIONS, 1 + 1),
        ({"detail": False, "profiles": False}, FROM_INFORMATION | FROM_RESTRICTIONS, 1),
    ],
)
def test_what_is_switched_off_costs_nothing(
    keys: dict[str, bool], missing: frozenset[str], requests: int
) -> None:
    """Without `detail` or `profiles` their requests are not made and their signals not reported."""
    server = ZentralServer(20)
    record = night(server, **keys).devices["1"]
    assert len(server.asked) == requests
    assert CONNECTOR.reported(settings(**keys)) == CONNECTOR.provides - missing
    assert {signal for signal in CONNECTOR.provides if getattr(record, signal) == NOT_REPORTED} == missing


# The log of commands


def test_the_log_is_not_read_to_its_end() -> None:
    """Ten nights of answers cost one night's pages: the next ones bring no device that was not met."""
    log = [command(n, responses(), day=day) for day in range(21, 11, -1) for n in range(1, 201)]
    server = ZentralServer(200, log)
    found = night(server, page_size=50, profiles=False)
    assert server.count(COMMANDS) == 4 + 1
    assert {
        one.inventory_at.day for one in found.devices.values() if isinstance(one.inventory_at, datetime)
    } == {21}


def test_a_device_that_was_silent_for_long_is_asked_for_by_itself() -> None:
    """Its last answer stands pages deep in the log: one request brings it, with its old date."""
    recent = [command(n, responses(), day=day) for day in (21, 20, 19) for n in range(1, 51)]
    server = ZentralServer(51, [*recent, command(51, responses(BatteryLevel=0.1), day=2)])
    found = night(server, page_size=50, profiles=False)
    assert server.singles == ["51"]
    assert found.devices["51"].inventory_at == datetime(2026, 11, 2, 22, 40, 51, tzinfo=UTC)
    assert found.devices["51"].battery_percent == 10


def test_never_more_than_a_request_per_device() -> None:
    """Of a fleet that never answered, each phone is asked for once; Macs and devices that left are not."""
    rows = [device(1), device(2, platform="macOS"), device(3, checkout_at="2026-11-01T00:00:00"), device(4)]
    server = ZentralServer(rows, [])
    found = night(server)
    assert sorted(server.singles) == ["1", "4"]
    assert found.devices["1"].backup_enabled is ABSENT
    assert not found.troubles


def test_the_newest_answer_counts() -> None:
    """Of several answers the one given last counts, whenever its command was sent."""
    sent_later = command(1, responses(BatteryLevel=0.2), result_time="2026-11-20T08:00:00")
    sent_earlier = command(1, responses(BatteryLevel=0.9), result_time="2026-11-21T08:00:00")
    record = night(ZentralServer(1, [sent_later, sent_earlier])).devices["1"]
    assert record.battery_percent == 90


@pytest.mark.parametrize(
    "open_command",
    [
        command(1, None, status=None, result_time=None),
        command(1, written({"Status": "NotNow"}), status="NotNow"),
        command(1, written({"ErrorChain": []}), status="Error"),
        command(1, "cut off", status="Error"),
        command(1, written({"Status": "Acknowledged"})),
        {},
        None,
    ],
)
def test_a_command_without_an_answer_hides_no_older_one(open_command: object) -> None:
    """What is under way, put off or failed says nothing; the answer before it does."""
    record = night(ZentralServer(1, [open_command, command(1, responses(), day=19)])).devices["1"]
    assert record.backup_enabled is True
    assert record.inventory_at == datetime(2026, 11, 19, 22, 40, 1, tzinfo=UTC)


XML = base64.b64encode(plistlib.dumps({"QueryResponses": {"IsCloudBackupEnabled": False}})).decode()
DEEP = base64.b64encode(b"bplist00" + b"\xa1\x01" * 4000).decode()


@pytest.mark.parametrize("result", ["not base64!", "", "aGVsbG8=", XML, DEEP, 5, [], {"a": 1}, True])
def test_an_answer_that_cannot_be_decoded(result: object) -> None:
    """It makes what it should tell unreadable, and costs neither the device nor the page."""
    log = [command(1, None, result=result), command(2, responses())]
    found = night(ZentralServer(2, log))
    told = {getattr(found.devices["1"], signal) for signal in FROM_INFORMATION - {"inventory_at"}}
    assert told == {UNREADABLE}
    assert found.devices["1"].serial == "FK00000001"
    assert found.devices["2"].backup_enabled is True


@hypothesis_settings(max_examples=examples(200), deadline=None, derandomize=True, database=None)
@given(st.data())
def test_no_bytes_of_an_answer_break_a_page(data: st.DataObject) -> None:
    """A property list damaged anywhere leaves a record."""
    body = bytearray(plistlib.dumps({"QueryResponses": responses()}, fmt=plistlib.FMT_BINARY))
    for _ in range(data.draw(st.integers(1, 6))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    record = answering(base64.b64encode(bytes(body)).decode())
    assert record.serial == "FK00000001"


# Restrictions


@pytest.mark.parametrize(
    ("answer", "fact"),
    [
        (restrictions(1, allowed=False), True),
        (restrictions(1, allowed=True), False),
        (restrictions(1, allowed=None), ABSENT),
        (restrictions(1, allowed="no"), UNREADABLE),
        (restrictions(1, allowed=False, day=14), ABSENT),
        (restrictions(1, allowed=False) | {"result_time": None}, ABSENT),
        (command(1, written({"ProfileList": []}), name="CustomCommand"), ABSENT),
        (command(1, "not base64!", name="CustomCommand"), ABSENT),
        (command(1, written({"GlobalRestrictions": 5}), name="CustomCommand"), UNREADABLE),
    ],
)
def test_restrictions_that_somebody_asked_for(answer: dict[str, Any], fact: object) -> None:
    """A fresh answer says whether backup is forbidden; an old one, another command or silence proves nothing."""
    record = night(ZentralServer(1, [command(1, responses()), answer])).devices["1"]
    assert record.backup_restricted == fact


# What goes wrong


@pytest.mark.parametrize("row", [None, 7, [], {}, {"id": None}, {"id": "8"}, {"id": True}, {"id": 0}])
def test_a_row_without_identity_is_rejected(row: object) -> None:
    """It is counted with its place and nothing of its content."""
    found = night(ZentralServer([device(1), row, device(3)], []), page_size=2)
    assert set(found.devices) == {"1", "3"}
    assert found.rejected == [Rejected("row 2", "no usable id")]


def test_the_log_needs_an_action_of_its_own() -> None:
    """Without it devices are listed, and the report names what to permit, once."""
    server = ZentralServer(30, actions="viewEnrolledDevice")
    found = night(server, page_size=10)
    assert set(found.devices) == ids(30)
    assert found.devices["1"].backup_enabled is ABSENT
    assert found.codes == ["permission_missing"]
    assert 'MDM::Action::"viewDeviceCommand"' in found.troubles[0].message
    assert server.count(COMMANDS) == 1


def test_a_device_whose_log_is_broken() -> None:
    """It costs its own answer only, and is counted."""
    found = night(ZentralServer(3, [command(3, responses())], broken=frozenset({2})), page_size=500)
    assert set(found.devices) == ids(3)
    assert [(trouble.code, trouble.count) for trouble in found.troubles] == [("details_unread", 1)]


def test_a_wrong_or_expired_token() -> None:
    """It ends the source with the first request, and is not quoted."""
    told = r"refused the credential \(401\): check it, and that it has not expired"
    assert_refused(CONNECTOR, settings(api_token="wrong"), ZentralServer(3), match=told, secret="wrong")


def test_a_missing_action() -> None:
    """It is named as Zentral names it."""
    with pytest.raises(PermissionMissing, match=r'\(403\): grant MDM::Action::"viewEnrolledDevice" to it'):
        night(ZentralServer(3, actions="viewDeviceCommand"))


def test_a_throttled_request_waits_as_long_as_it_is_told() -> None:
    """A proxy's Retry-After is honoured, and then the night goes on."""
    found = night(ZentralServer(3, throttled=1))
    assert found.waits[:1] == [7.0]
    assert len(found.devices) == 3


def test_a_server_that_only_throttles() -> None:
    """It ends in an error that says what to change."""
    with pytest.raises(Throttled, match=r"keeps asking for fewer requests \(429\): lower max_concurrency"):
        night(ZentralServer(3, throttled=1000))


def test_a_link_that_leads_elsewhere_is_not_followed() -> None:
    """The token goes to no other host."""
    with pytest.raises(BadAnswer, match=r"elsewhere\.example: only its own pages are followed"):
        night(ZentralServer(30, elsewhere=True), page_size=10, detail=False, profiles=False)


def test_a_proxy_in_trouble_ends_the_walk() -> None:
    """A 502 for ever is not taken for single broken devices."""

    class Down(ZentralServer):
        def route(self, asked: Any) -> Any:  # noqa: ANN401 - the loopback's own types
            found = super().route(asked)
            return type(found)(502, b"") if "enrolled_device" in asked.query else found

    with pytest.raises(ServerTrouble, match="502"):
        night(Down(3, []))


@pytest.mark.parametrize(
    "body", [b'{"count": 3}', b'{"results": {}}', b'{"results": [], "next": 5}', b"<html>"]
)
def test_an_answer_of_another_shape_is_refused(body: bytes) -> None:
    """An answer without rows is an error, never an empty fleet."""

    class Odd(ZentralServer):
        def route(self, asked: Any) -> Any:  # noqa: ANN401 - the loopback's own types
            return type(super().route(asked))(200, body)

    with pytest.raises(BadAnswer):
        night(Odd(3))


@pytest.mark.parametrize(
    ("actions", "token", "failing"),
    [
        ("viewEnrolledDevice viewDeviceCommand", TOKEN, []),
        ("viewEnrolledDevice viewDeviceCommand", "wrong", ["login"]),
        ("viewEnrolledDevice", TOKEN, ['MDM::Action::"viewDeviceCommand"']),
        ("", TOKEN, ['MDM::Action::"viewEnrolledDevice"', 'MDM::Action::"viewDeviceCommand"']),
    ],
)
def test_probe_proves_each_action(actions: str, token: str, failing: list[str]) -> None:
    """The doctor learns of the token and of both actions, each by itself."""
    server = ZentralServer(2, actions=actions)
    steps = probed(CONNECTOR, settings(api_token=token), server.transport)
    assert [step for step, error in steps if error] == failing
    assert steps[0][0] == "login"


# Fields

THEN = datetime(2026, 11, 20, 3, 12, 44, tzinfo=UTC)
TEXTS = [("Cart 3", "Cart 3"), (" x ", "x"), ("", ABSENT), (None, ABSENT), (5, UNREADABLE)]
FLAGS = [(True, True), (False, False), (None, ABSENT), ("true", UNREADABLE), (0, UNREADABLE)]
TIMES = [
    ("2026-11-20T03:12:44.480021", THEN),
    ("2026-11-20T03:12:44", THEN),
    ("2026-11-20T04:12:44+01:00", THEN),
    ("2026-11-20T03:12:44Z", THEN),
    ("1970-01-01T00:00:00", ABSENT),
    ("", ABSENT),
    (None, ABSENT),
    ("yesterday", UNREADABLE),
    (1771557164, UNREADABLE),
]


ROW_RULES = [
    *rules("serial_number", "serial", TEXTS),
    *rules("udid", "udid", TEXTS),
    *rules("name", "name", TEXTS),
    *rules("model", "model_identifier", TEXTS),
    *rules("os_version", "os_version", [*TEXTS, ("17.7 (a)", "17.7 (a)")]),
    *rules("build_version", "os_build", TEXTS),
    *rules("supervised", "supervised", FLAGS),
    *rules("last_seen_at", "checkin_at", TIMES),
    *rules("created_at", "enrolled_at", TIMES),
    *rules(
        "platform",
        "platform",
        [
            ("iOS", Platform.IOS),
            ("iPadOS", Platform.IPADOS),
            ("tvOS", Platform.TVOS),
            ("macOS", Platform.MACOS),
            ("newOS", UNREADABLE),
            (None, ABSENT),
        ],
    ),
    *rules("checkout_at", "managed", [(None, True), ("2026-11-20T03:12:44", False), (5, UNREADABLE)]),
    *rules("blocked_at", "managed", [(None, True), ("2026-11-20T03:12:44", False), ("?", UNREADABLE)]),
    *rules(
        "realm_user",
        "user_name",
        [({"username": "ab"}, "ab"), (None, ABSENT), ({}, ABSENT), ("ab", UNREADABLE)],
    ),
    *rules(
        "realm_user",
        "user_email",
        [({"email": "a@x.example"}, "a@x.example"), (None, ABSENT), ([], UNREADABLE)],
    ),
]


@pytest.mark.parametrize(("key", "signal", "value", "fact"), ROW_RULES)
def test_one_field_of_a_row_one_fact(key: str, signal: str, value: object, fact: object) -> None:
    """Each column becomes its signal; a time without a zone is UTC, as Zentral means it."""
    assert getattr(listed(**{key: value}), signal) == fact


ANSWER_FLAGS = [(True, True), (False, False), (None, ABSENT), ("true", UNREADABLE), (0, UNREADABLE)]
ANSWER_RULES = [
    *rules("IsMultiUser", "shared_ipad", ANSWER_FLAGS),
    *rules("IsCloudBackupEnabled", "backup_enabled", ANSWER_FLAGS),
    *rules("iTunesStoreAccountIsActive", "account_active", ANSWER_FLAGS),
    *rules("IsMDMLostModeEnabled", "lost_mode", ANSWER_FLAGS),
    *rules(
        "LastCloudBackupDate",
        "last_cloud_backup_at",
        [
            (THEN.replace(tzinfo=None), THEN),
            (datetime(1970, 1, 1), ABSENT),  # noqa: DTZ001 - property lists know no zone
            (None, ABSENT),
            ("2026-11-20T03:12:44Z", UNREADABLE),
        ],
    ),
    *rules(
        "BatteryLevel",
        "battery_percent",
        [(0.56000000238418579, 56), (1.0, 100), (0.0, 0), (-1.0, ABSENT), (None, ABSENT), (56, UNREADABLE)],
    ),
    *rules(
        "ServiceSubscriptions",
        "roaming",
        [
            ([{"IsRoaming": False}, {"Slot": "Two"}], False),
            ([{"IsRoaming": False}, {"IsRoaming": True}], True),
            ([{"Slot": "One"}], ABSENT),
            ([], ABSENT),
            (None, ABSENT),
            ("no", UNREADABLE),
        ],
    ),
]


@pytest.mark.parametrize(("key", "signal", "value", "fact"), ANSWER_RULES)
def test_one_key_of_an_answer_one_fact(key: str, signal: str, value: object, fact: object) -> None:
    """Each key becomes its signal, and one that Apple left out is absent: neither off, nor never."""
    assert getattr(answering(responses(**{key: value})), signal) == fact


@pytest.mark.parametrize(
    ("total", "free", "facts"),
    [
        (128.0, 41.318, (128_000_000_000, 41_318_000_000)),
        (64.0, 0.0, (64_000_000_000, 0)),
        # iOS 11: whole blocks of 4096 bytes in GiB.
        (26.914535522460938, 1.5, (28_899_262_464, 1_610_612_736)),
        (0.0, 0.0, (ABSENT, ABSENT)),
        (None, None, (ABSENT, ABSENT)),
        ("64", 5.0, (UNREADABLE, 5_000_000_000)),
    ],
)
def test_storage(total: object, free: object, facts: tuple[object, object]) -> None:
    """Apple's gigabytes are decimal, and binary before iOS 13; 0 of 0 is no size, and is not full."""
    record = answering(responses(DeviceCapacity=total, AvailableDeviceCapacity=free))
    assert (record.capacity_bytes, record.available_bytes) == facts


def test_the_time_of_the_answer_is_that_of_the_inventory() -> None:
    """Facts are as old as the answer, however often the device was seen since."""
    record = answering(responses(), result_time="2026-11-18T01:00:00.5")
    assert record.inventory_at == datetime(2026, 11, 18, 1, tzinfo=UTC)
    assert record.checkin_at == datetime(2026, 11, 21, 23, 10, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("by_user", "automated", "facts"),
    [
        (True, False, (Enrollment.USER, Ownership.PERSONAL)),
        (True, None, (Enrollment.USER, Ownership.PERSONAL)),
        (False, True, (Enrollment.AUTOMATED, Ownership.ORGANISATION)),
        (None, True, (Enrollment.AUTOMATED, Ownership.ORGANISATION)),
        (False, False, (Enrollment.DEVICE, ABSENT)),
        (False, None, (ABSENT, ABSENT)),
        (None, None, (ABSENT, ABSENT)),
        ("yes", False, (UNREADABLE, ABSENT)),
    ],
)
def test_how_it_came_under_management(
    by_user: object, automated: object, facts: tuple[object, object]
) -> None:
    """Both columns may be empty, and are no false then."""
    record = listed(user_enrollment=by_user, dep_enrollment=automated)
    assert (record.enrollment, record.ownership) == facts


def test_user_enrolment_hides_what_apple_hides() -> None:
    """Whatever stands in its columns, a personal phone has no serial number, UDID or backup for an MDM to see."""
    log = [command(8, responses(IsCloudBackupEnabled=None)), restrictions(8, allowed=True)]
    record = night(ZentralServer([personal(8)], log)).devices["8"]
    hidden = {signal for signal in SIGNALS if getattr(record, signal) is NOT_PERMITTED}
    assert hidden == {
        "serial",
        "udid",
        "backup_enabled",
        "last_cloud_backup_at",
        "backup_restricted",
        "account_active",
        "lost_mode",
    }
    assert record.available_bytes == 41_300_000_000


def test_a_shared_ipad_is_flagged() -> None:
    """ICloud Backup means nothing there, so the checks must know."""
    assert answering(responses(IsMultiUser=True), device(1, platform="iPadOS")).shared_ipad is True
