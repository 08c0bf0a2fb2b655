"""Apple Business: the signed login, three lists, details per device, and every rule by which a field becomes a fact."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pydantic import ValidationError

from connectors.apple_business import CONNECTOR, AppleBusinessSettings
from fleet.errors import (
    AuthRefused,
    BadAnswer,
    PermissionMissing,
    SecretUnavailable,
    ServerTrouble,
    Throttled,
)
from fleet.model.device import SIGNALS, Ownership, Platform, Rejected
from fleet.model.fact import ABSENT, NOT_PERMITTED, NOT_REPORTED, UNREADABLE
from tests.connectors.walking import NOW, Night, probed, walked
from tests.servers.apple_business import MAC, TOKEN_PATH, AppleBusiness, Record, credential, serial

if TYPE_CHECKING:
    from collections.abc import Callable


DETAILED = {"os_version", "capacity_bytes", "available_bytes", "checkin_at", "lost_mode"}
PERSONAL = ("user_name", "user_email", "department")


def settings(**keys: object) -> AppleBusinessSettings:
    places = {"url": "https://api.example", "token_url": f"https://login.example{TOKEN_PATH}"}
    return AppleBusinessSettings.model_validate(
        {"name": "abm", "kind": "apple_business", **places, **credential(), **keys}
    )


def night(server: AppleBusiness, **keys: object) -> Night:
    """Walk an organization in memory."""
    return walked(CONNECTOR, settings(**keys), server.transport)


def serials(count: int) -> set[str]:
    return {serial(i) for i in range(count)}


# The walk


def test_a_night_over_a_socket() -> None:
    """Pages by links, a token that ends in mid-walk and details one by one bring every device once."""
    with AppleBusiness(devices=28, token_requests=12) as server:
        chosen = settings(url=server.url, token_url=server.url + TOKEN_PATH, page_size=10, max_concurrency=2)
        found = walked(CONNECTOR, chosen)
    assert set(found.devices) == serials(28)
    assert found.expected == 28
    assert len(found.came) == 28
    assert not found.rejected
    assert not found.troubles
    assert server.count(TOKEN_PATH) > 1


@pytest.mark.parametrize("by_cursor", [True, False])
@pytest.mark.parametrize(("count", "page_size"), [(0, 10), (1, 10), (10, 10), (11, 10), (25, 1)])
def test_every_device_comes_once(by_cursor: bool, count: int, page_size: int) -> None:
    """Pages name the next one by a link or by a cursor alone; neither is the end."""
    found = night(AppleBusiness(devices=count, by_cursor=by_cursor), page_size=page_size)
    assert set(found.devices) == serials(count)
    assert not found.troubles


def test_a_total_may_be_missing() -> None:
    """Where no page states one, none is expected."""
    assert night(AppleBusiness(totals=False)).expected is None


def test_an_empty_page_with_a_next_is_not_the_end() -> None:
    """What the list names as next is believed."""

    def emptied(path: str, page: Record) -> Record:
        first = path == "/v1/mdmDevices" and page["meta"]["paging"].get("nextCursor") == "after-10"
        return page | {"data": []} if first else page

    found = night(AppleBusiness(page_hook=emptied), page_size=10)
    assert set(found.devices) == serials(28) - serials(10)


def test_a_list_that_runs_in_a_circle_is_caught() -> None:
    """The same next page again is an error after a few requests."""

    def circle(_path: str, page: Record) -> Record:
        return page | {"links": {"next": "https://api.example/v1/orgDevices?cursor=after-1"}}

    server = AppleBusiness(page_hook=circle, refused=frozenset({"/v1/users", "/v1/mdmDevices"}))
    with pytest.raises(PermissionMissing):
        night(server)
    assert server.count("/v1/orgDevices") == 2


@pytest.mark.parametrize(
    "link", ["https://evil.example/v1/mdmDevices?cursor=1", "http://api.example/v1/mdmDevices"]
)
def test_a_link_to_elsewhere_is_not_followed(link: str) -> None:
    """The token never leaves Apple's host."""

    def lured(path: str, page: Record) -> Record:
        return page | {"links": {"next": link}} if path == "/v1/mdmDevices" else page

    server = AppleBusiness(page_hook=lured)
    with pytest.raises(BadAnswer, match=r"only its own pages are followed|which is not followed"):
        night(server)
    assert server.count("/v1/mdmDevices") == 1


@pytest.mark.parametrize(
    "broken",
    [
        {"data": None},
        {"data": {}},
        {"links": {"next": 5}},
        {"meta": {"paging": {"nextCursor": ["x"]}}, "links": None},
    ],
)
def test_a_page_of_another_shape_is_an_error(broken: Record) -> None:
    """A list that cannot be walked on is never taken for a whole one."""

    def odd(path: str, page: Record) -> Record:
        return page | broken if path == "/v1/mdmDevices" else page

    with pytest.raises(BadAnswer, match=r"api\.example/v1/mdmDevices"):
        night(AppleBusiness(page_hook=odd))


@pytest.mark.no_cover
def test_requests_for_a_thousand_devices() -> None:
    """A token, three lists in pages of a thousand, and a request for each iPhone and iPad; a Mac costs none."""
    server = AppleBusiness(devices=1000)
    found = night(server)
    assert len(found.devices) == 1000
    assert len(server.asked) == 1 + 3 + 999
    assert found.devices[serial(MAC)].platform is Platform.MACOS
    assert server.asked[1].query["limit"] == ["1000"]


def test_without_details_a_fleet_costs_a_few_requests() -> None:
    """`detail = false` leaves out the request per device, and says so of what it told."""
    server = AppleBusiness(devices=1000)
    found = night(server, detail=False, page_size=5000)
    assert len(server.asked) == 1 + 3
    assert {getattr(device, signal) for device in found.devices.values() for signal in DETAILED} == {
        NOT_REPORTED
    }
    assert CONNECTOR.reported(settings(detail=False)) == CONNECTOR.provides - DETAILED


def test_repeated_rows_count_once() -> None:
    """A row that shifts into the next page is one device, asked for once."""
    server = AppleBusiness(devices=15)
    server.lists["/v1/mdmDevices"].insert(10, server.lists["/v1/mdmDevices"][9])
    assert set(night(server, page_size=10).devices) == serials(15)
    assert server.count(f"/v1/mdmDevices/{serial(9)}/details") == 1


def test_devices_of_another_mdm_are_counted_not_told() -> None:
    """The catalogue of purchases knows nothing that such a device said itself; released ones are not counted."""
    server = AppleBusiness(devices=5, elsewhere=4)
    server.lists["/v1/orgDevices"][8]["attributes"]["releasedFromOrgDateTime"] = "2026-01-01T00:00:00Z"
    found = night(server)
    assert set(found.devices) == serials(5)
    assert [(trouble.code, trouble.count) for trouble in found.troubles] == [("enrolled_elsewhere", 3)]


# Logins


def test_the_assertion_is_what_apple_asks_for() -> None:
    """Signed with r and s bare, for Apple's audience, for less than the 180 days that it may last."""
    server = AppleBusiness(devices=1)
    night(server)
    (claims,) = server.claims
    assert claims["iss"] == claims["sub"] == credential()["client_id"]
    assert claims["aud"] == "https://account.apple.com/auth/oauth2/v2/token"
    assert claims["iat"] < NOW.timestamp() < claims["exp"] <= (NOW + timedelta(days=1)).timestamp()
    assert claims["jti"]
    asked = server.asked[0]
    assert (asked.headers["host"], asked.headers.get("authorization")) == ("login.example", None)


def test_a_wrong_key_id_is_told_in_one_line() -> None:
    """A refused login ends the source at once, names what to check and keeps the key to itself."""
    server = AppleBusiness()
    with pytest.raises(AuthRefused) as caught:
        night(server, key_id="another")
    message = str(caught.value)
    assert message.startswith("login.example/auth/oauth2/token refused the credential (400)")
    assert "client_id, key_id and private_key are those of one API account" in message
    assert "\n" not in message
    assert "PRIVATE" not in message
    assert len(server.asked) == 1


def pem(curve: ec.EllipticCurve) -> str:
    key = ec.derive_private_key(77, curve)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@pytest.mark.parametrize(
    "key", ["", "hush", "-----BEGIN PRIVATE KEY-----\nhush\n-----END PRIVATE KEY-----", pem(ec.SECP384R1())]
)
def test_a_private_key_that_is_none(key: str) -> None:
    """What is no P-256 key in PEM is told before anything is sent."""
    server = AppleBusiness()
    with pytest.raises(SecretUnavailable, match="private_key is no EC P-256 key in PEM") as caught:
        night(server, private_key=key)
    assert not server.asked
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize(
    "keys",
    [
        {"client_id": "SCHOOLAPI.1f1e7c40-0000-4000-8000-00000000c0de"},
        {"client_id": ""},
        {"url": "http://api.example"},
        {"token_url": "http://login.example/token"},
        {"private_key": None},
    ],
)
def test_settings_that_cannot_work(keys: Record) -> None:
    """A school's account has no managed devices to tell of, and no address may be read by others."""
    with pytest.raises(ValidationError):
        settings(**keys)


def test_a_placeholder_is_settings_enough() -> None:
    """Settings are read before their secret is; nothing looks into it."""
    assert settings(private_key="not there yet").detail


# Limits and permissions


def test_a_rate_limit_is_waited_out() -> None:
    """Apple publishes no limit: what an answer asks for is waited, and every device is read."""
    found = night(AppleBusiness(throttled=7), max_concurrency=1)
    assert set(found.devices) == serials(28)
    assert not found.troubles
    assert set(found.waits) == {3.0}


def test_a_rate_limit_without_end() -> None:
    """Where nothing else comes, the message says what to change."""
    with pytest.raises(
        Throttled, match=r"keeps asking for fewer requests \(429\): lower max_concurrency or run later"
    ):
        night(AppleBusiness(throttled=1, retry_after=None))


def test_without_the_role_nothing_is_told() -> None:
    """The message names the role by Apple's name."""
    server = AppleBusiness(refused=frozenset({"/v1/mdmDevices"}))
    with pytest.raises(PermissionMissing, match='grant "Device Management Manager"'):
        night(server)


@pytest.mark.parametrize(
    ("path", "code", "signals", "gap"),
    [
        ("/v1/users", "users_unread", PERSONAL, NOT_PERMITTED),
        ("/v1/orgDevices", "organization_unread", ("model_identifier", "ownership"), ABSENT),
        ("details", "details_forbidden", tuple(DETAILED), NOT_PERMITTED),
    ],
)
def test_what_may_not_be_read_costs_what_it_tells(
    path: str, code: str, signals: tuple[str, ...], gap: object
) -> None:
    """Every device is read all the same, and the report names the permission."""
    server = AppleBusiness(refused=frozenset({path}))
    found = night(server, page_size=10)
    assert set(found.devices) == serials(28)
    assert {getattr(found.devices[serial(1)], signal) for signal in signals} == {gap}
    assert found.codes == [code]
    assert 'grant "' in found.troubles[0].message


def test_refused_details_are_not_asked_for_again() -> None:
    """One refusal is enough for all; those already under way may follow it."""
    server = AppleBusiness(devices=100, refused=frozenset({"details"}))
    night(server, max_concurrency=2)
    assert len(server.asked) <= 4 + 2


def test_a_missing_path_of_people_is_no_permission() -> None:
    """Where there is no such list, who uses a device is unknown rather than hidden."""
    server = AppleBusiness()
    del server.lists["/v1/users"]
    found = night(server)
    assert found.devices[serial(1)].user_name is ABSENT
    assert found.codes == ["users_unread"]


def test_one_devices_details_cost_no_other() -> None:
    """A device without details is listed without them; one whose details break keeps its last known facts."""
    server = AppleBusiness(statuses={serial(2): 404, serial(3): 500, serial(5): 400})
    found = night(server)
    assert set(found.devices) == serials(28) - {serial(3), serial(5)}
    assert found.devices[serial(2)].checkin_at is ABSENT
    assert found.devices[serial(2)].name == "Device 002"
    assert found.rejected == [
        Rejected(f"device {serial(i)}", "its details cannot be read", serial(i)) for i in (3, 5)
    ]


def test_an_outage_is_no_bad_device() -> None:
    """A 503 for ever ends the asking after a few tries, and what was not read keeps its last known facts."""
    server = AppleBusiness(statuses={serial(i): 503 for i in range(28)})
    found = Night()
    with pytest.raises(ServerTrouble):
        walked(CONNECTOR, settings(max_concurrency=1), server.transport, into=found)
    assert len(server.asked) < 20
    unread = {row.native_id for row in found.rejected}
    assert unread | set(found.devices) == serials(28)
    assert {found.devices[key].platform for key in found.devices} == {Platform.MACOS}


def test_probe_proves_each_permission() -> None:
    """The doctor learns of the login, the role, and what is needed for people."""
    steps = probed(CONNECTOR, settings(), AppleBusiness(refused=frozenset({"/v1/users"})).transport)
    assert [step for step, _ in steps] == ["login", "Device Management Manager", "view users"]
    assert [error for _, error in steps[:2]] == [None, None]
    assert 'grant "view users"' in str(steps[2][1])


@pytest.mark.parametrize("path", ["details", "/v1/orgDevices", "/v1/mdmDevices"])
def test_probe_tries_what_a_walk_will_ask(path: str) -> None:
    """A role that may read the list alone is found out before the night."""
    steps = dict(probed(CONNECTOR, settings(), AppleBusiness(refused=frozenset({path})).transport))
    assert 'grant "Device Management Manager"' in str(steps["Device Management Manager"])


def test_probe_stops_at_a_refused_login() -> None:
    """Without a login nothing else is tried."""
    steps = probed(CONNECTOR, settings(key_id="another"), AppleBusiness().transport)
    assert [step for step, error in steps if error] == ["login"] == [step for step, _ in steps]


# Facts


def test_a_usual_device() -> None:
    """The lists and the details make one record, with bytes as bytes and times in UTC."""
    device = night(AppleBusiness()).devices[serial(2)]
    assert {signal: getattr(device, signal) for signal in CONNECTOR.provides} == {
        "serial": serial(2),
        "name": "Device 002",
        "model_identifier": "iPad11,6",
        "model_name": "iPad (8th generation)",
        "platform": Platform.IPADOS,
        "managed": True,
        "ownership": Ownership.ORGANISATION,
        "os_version": "26.3.1",
        "capacity_bytes": 32_000_000_000,
        "available_bytes": 1_920_000_000,
        "checkin_at": datetime(2026, 3, 1, 3, 4, 5, tzinfo=UTC),
        "lost_mode": False,
        "user_name": "User Number 2",
        "user_email": "user2@firm.example",
        "department": "Team 2",
    }
    assert {getattr(device, signal) for signal in set(SIGNALS) - CONNECTOR.provides} == {NOT_REPORTED}


def changed(path: str, **changes: object) -> Callable[[str, Record], Record]:
    """A page hook that changes the attributes of the first row of one list."""

    def hook(asked: str, page: Record) -> Record:
        if asked == path:
            row = page["data"][0]
            page = page | {"data": [row | {"attributes": row["attributes"] | changes}, *page["data"][1:]]}
        return page

    return hook


@pytest.mark.parametrize(
    ("path", "changes", "signal", "expected"),
    [
        ("mdmDevices", {"serialNumber": None}, "serial", ABSENT),
        ("mdmDevices", {"serialNumber": 5}, "serial", UNREADABLE),
        ("mdmDevices", {"deviceName": "a\u0000b\t"}, "name", "ab"),
        ("mdmDevices", {"productFamily": "iPad"}, "platform", Platform.IPADOS),
        ("mdmDevices", {"productFamily": "Vision"}, "platform", Platform.VISIONOS),
        ("mdmDevices", {"productFamily": "AppleTV"}, "platform", Platform.TVOS),
        ("mdmDevices", {"productFamily": "Newton"}, "platform", Platform.IOS),
        ("mdmDevices", {"enrolledUserId": None}, "user_name", ABSENT),
        ("mdmDevices", {"enrolledUserId": "nobody"}, "user_email", ABSENT),
        ("mdmDevices", {"enrolledUserId": 900}, "department", UNREADABLE),
        ("orgDevices", {"releasedFromOrgDateTime": None}, "ownership", Ownership.ORGANISATION),
        ("orgDevices", {"releasedFromOrgDateTime": "2026-01-01T00:00:00Z"}, "ownership", ABSENT),
        ("orgDevices", {"productType": None}, "model_identifier", ABSENT),
        ("users", {"firstName": None}, "user_name", "Number 0"),
        ("users", {"firstName": "", "lastName": None}, "user_name", "user0@appleid.firm.example"),
        ("users", {"email": None}, "user_email", ABSENT),
        ("users", {"department": ["x"]}, "department", UNREADABLE),
    ],
)
def test_fields_of_lists(path: str, changes: Record, signal: str, expected: object) -> None:
    """Each key of the three lists by its rule."""
    found = night(AppleBusiness(devices=2, page_hook=changed(f"/v1/{path}", **changes)))
    assert getattr(found.devices[serial(0)], signal) == expected


@pytest.mark.parametrize(
    ("changes", "signal", "expected"),
    [
        ({"osVersion": None}, "os_version", ABSENT),
        ({"osVersion": 26}, "os_version", UNREADABLE),
        ({"storageTotalCapacity": 0, "storageFreeCapacity": 0}, "available_bytes", ABSENT),
        ({"storageTotalCapacity": 0, "storageFreeCapacity": 0}, "capacity_bytes", ABSENT),
        ({"storageTotalCapacity": None}, "available_bytes", ABSENT),
        ({"storageFreeCapacity": 0}, "available_bytes", 0),
        ({"storageFreeCapacity": None}, "available_bytes", ABSENT),
        ({"storageTotalCapacity": "128GB"}, "capacity_bytes", UNREADABLE),
        ({"storageFreeCapacity": 2**80}, "available_bytes", UNREADABLE),
        ({"storageFreeCapacity": -1}, "available_bytes", UNREADABLE),
        ({"lastCheckInDateTime": None}, "checkin_at", ABSENT),
        ({"lastCheckInDateTime": "1970-01-01T00:00:00.000Z"}, "checkin_at", ABSENT),
        ({"lastCheckInDateTime": "2026-03-01T03:04:05"}, "checkin_at", UNREADABLE),
        ({"lastCheckInDateTime": "2026-03-01T04:04:05.1234567+01:00"}, "checkin_at", datetime(2026, 3, 1, 3, 4, 5, tzinfo=UTC)),  # noqa: E501 - a row
        ({"lostModeStatus": "ENABLED"}, "lost_mode", True),
        ({"lostModeStatus": "SOMEHOW"}, "lost_mode", UNREADABLE),
        ({"lostModeStatus": None}, "lost_mode", ABSENT),
        ({"deviceModel": None}, "model_name", "iPhone 13"),
    ],
)  # fmt: skip
def test_fields_of_details(changes: Record, signal: str, expected: object) -> None:
    """Each key of the details by its rule; nothing of nothing is unknown, not full."""
    server = AppleBusiness(devices=1, detail_hook=lambda _, attributes: attributes | changes)
    assert getattr(night(server).devices[serial(0)], signal) == expected


@pytest.mark.parametrize("row", [None, 7, "x", [], {}, {"id": None}, {"id": " "}, {"id": 5}, {"id": {}}])
def test_a_row_without_identity_is_rejected(row: Any) -> None:  # noqa: ANN401 - any JSON value
    """It is counted with its place and nothing of its content, and the list stays whole."""
    server = AppleBusiness(devices=15)
    server.lists["/v1/mdmDevices"][11] = row
    found = night(server, page_size=10)
    assert set(found.devices) == serials(15) - {serial(11)}
    assert found.rejected == [Rejected("row 12", "no usable id")]


@pytest.mark.parametrize("attributes", [None, 7, [], "x"])
def test_details_of_another_shape(attributes: Any) -> None:  # noqa: ANN401 - any JSON value
    """An answer that tells nothing leaves the device its last known facts."""
    server = AppleBusiness(devices=2, detail_hook=lambda key, told: attributes if key == serial(0) else told)
    found = night(server)
    assert [row.native_id for row in found.rejected] == [serial(0)]
    assert set(found.devices) == {serial(1)}
