"""Workspace ONE: the walk over its search, what its profiles prove, and when a false is a fact."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError

from connectors._workspace_one_record import read_record
from connectors.workspace_one import CONNECTOR, WorkspaceOneSettings
from fleet.errors import BadAnswer, PermissionMissing, Throttled
from fleet.model.device import DeviceRecord, Enrollment, Ownership, Platform, Rejected
from fleet.model.fact import ABSENT, NOT_REPORTED, UNREADABLE, Fact
from tests.connectors.walking import NOW, Clock, Night, assert_refused, probed, walked
from tests.servers import workspace_one as vendor
from tests.servers.mobileconfig import NO_BACKUP
from tests.servers.workspace_one import LIST, WorkspaceOne, device, device_uuid, never_inventoried

if TYPE_CHECKING:
    from tests.servers.loopback import Asked, Reply

CLIENT = {
    "client_id": "client-1",
    "client_secret": vendor.SECRET,
    "token_url": f"https://login.uem.example{vendor.TOKEN}",
}
ADMIN = {"username": "reader", "password": vendor.PASSWORD, "api_key": vendor.API_KEY}


def settings(**keys: object) -> WorkspaceOneSettings:
    values = {"name": "hq", "kind": "workspace_one", "url": vendor.HOST}
    credential = {} if "username" in keys else CLIENT
    return WorkspaceOneSettings.model_validate({**values, **credential, **keys})


def night(server: WorkspaceOne, **keys: object) -> Night:
    return walked(CONNECTOR, settings(**keys), server.transport)


def fleet(count: int) -> set[str]:
    return {device_uuid(number) for number in range(1, count + 1)}


# The walk


def test_a_whole_night_over_a_socket() -> None:
    """Token, profiles and every page arrive over HTTP, and nothing is amiss."""
    with WorkspaceOne(page_cap=7, profiles=[vendor.blocking()], installed={1: [1]}) as server:
        found = walked(CONNECTOR, settings(url=server.url, token_url=server.url + vendor.TOKEN))
    assert set(found.devices) == fleet(30)
    assert found.expected == 30
    assert not found.rejected
    assert not found.troubles


@pytest.mark.parametrize(
    ("count", "page_size", "page_cap", "requests"),
    [(1, 500, 500, 1), (30, 500, 10, 3 + 1), (30, 7, 500, 5), (31, 10, 10, 4), (500, 9000, 500, 1 + 1)],
)
def test_every_device_comes_once(count: int, page_size: int, page_cap: int, requests: int) -> None:
    """Pages are cut as the server says, not as was asked; the total ends the walk, after a full page an empty one."""
    server = WorkspaceOne(devices=[device(number) for number in range(1, count + 1)], page_cap=page_cap)
    found = night(server, page_size=page_size, profiles=False)
    assert set(found.devices) == fleet(count)
    assert found.expected == count
    assert server.count(LIST) == requests


def test_the_search_is_asked_for_apples_in_a_stable_order() -> None:
    """Platform, version 2 and a sort by id, from page 0 on, never more than 500 to a page."""
    server = WorkspaceOne()
    night(server, page_size=5000)
    asked = [one for one in server.asked if one.path == LIST]
    assert [one.first("page") for one in asked] == ["0", "1", "2", "3"]
    told = {(one.first("platform"), one.first("orderby"), one.first("sortorder")) for one in asked}
    assert told == {("Apple", "deviceid", "ASC")}
    assert {one.first("pagesize") for one in asked} == {"500"}
    assert {one.headers["accept"] for one in asked} == {"application/json;version=2"}


def test_what_a_thousand_devices_cost() -> None:
    """A token, two pages, the look behind the last and three searches for profiles."""
    server = WorkspaceOne(devices=[device(number) for number in range(1, 1001)], page_cap=500)
    night(server)
    assert len(server.asked) == 1 + 3 + 3


def test_no_devices_are_an_answer_without_a_body() -> None:
    """An empty tenant says 204, which is no error and no broken page."""
    server = WorkspaceOne(devices=[])
    found = night(server, profiles=False)
    assert (found.devices, found.rejected, found.troubles) == ({}, [], [])
    assert server.count(LIST) == 1


def test_a_list_that_shrank_under_the_walk_is_walked_again() -> None:
    """Fewer devices than promised cost one more walk; the second one's total counts."""
    server = WorkspaceOne(totals=lambda search, truth: truth + 1 if search <= 3 else truth)
    found = night(server, profiles=False)
    assert set(found.devices) == fleet(30)
    assert found.expected == 30
    assert server.count(LIST) == 4 + 4


def test_a_list_that_stays_short_says_so() -> None:
    """A total that never fits is handed on, for the caller to call it partial."""
    found = night(WorkspaceOne(totals=lambda _, truth: truth + 2), profiles=False)
    assert len(found.devices) == 30
    assert found.expected == 32


def test_a_server_that_ignores_the_page_is_caught() -> None:
    """The first page for ever is an error, not an endless night."""
    same = {"Devices": [device(1)], "Page": 0, "PageSize": 1, "Total": 9000}
    server = WorkspaceOne(page_hook=lambda _: json.dumps(same).encode())
    with pytest.raises(BadAnswer, match="repeats itself"):
        night(server, profiles=False)
    assert server.count(LIST) == 2


@pytest.mark.parametrize("stated", [{"Total": None}, {"PageSize": None}, {"PageSize": 0}])
def test_without_a_total_an_empty_page_ends_the_walk(stated: dict[str, Any]) -> None:
    """Where the answer does not say how far it goes, the 204 past the end does."""
    server = WorkspaceOne(page_hook=lambda page: json.dumps(page | stated).encode())
    assert set(night(server, profiles=False).devices) == fleet(30)
    assert server.count(LIST) == 4


@pytest.mark.parametrize("body", [b'{"errorCode":1,"message":"x"}', b"[]", b"{", b'{"Devices":{}}'])
def test_an_error_that_arrives_as_success_is_no_empty_fleet(body: bytes) -> None:
    """An answer without devices is asked for once more and is then an error."""
    server = WorkspaceOne(page_hook=lambda _: body)
    with pytest.raises(BadAnswer, match="cannot be read"):
        night(server, profiles=False)
    assert server.count(LIST) == 2


@pytest.mark.parametrize(
    "identity", [{"Uuid": None, "Id": None}, {"Uuid": "", "Id": {"Value": True}}, {"Uuid": 7, "Id": 3}]
)
def test_a_row_without_identity_is_rejected(identity: dict[str, Any]) -> None:
    """It is counted once with its place and nothing of its content, and the list stays whole."""
    server = WorkspaceOne(devices=[device(1), device(2, **identity), device(3)])
    found = night(server, profiles=False)
    assert found.rejected == [Rejected("row 2", "no usable Uuid or Id")]
    assert set(found.devices) == {device_uuid(1), device_uuid(3)}
    assert server.count(LIST) == 1


@pytest.mark.parametrize("uuid", [None, "", "00000000-0000-0000-0000-000000000000"])
def test_the_number_stands_in_for_a_missing_uuid(uuid: str | None) -> None:
    """A row without a UUID is known by its number, and is in no profile's list of devices."""
    record = night(WorkspaceOne(devices=[device(12, Uuid=uuid)])).devices["12"]
    assert (record.backup_restricted, record.vpn_configured) == (ABSENT, ABSENT)


# Profiles


def judged(signal: str, number: int = 1, **tenant: Any) -> Fact[bool]:  # noqa: ANN401 - any server switch
    """What a tenant with these profiles proves of one device."""
    return getattr(night(WorkspaceOne(devices=[device(1), device(5)], **tenant))[device_uuid(number)], signal)


FREE = {"AllowBackup": True}
BAN = """<dict><key>PayloadType</key><string>com.apple.applicationaccess</string>
<key>allowCloudBackup</key>
<false/></dict>"""
DIALS = "<dict><key>PayloadType</key><string>com.apple.vpn.managed</string><key>OnDemandEnabled</key><true/></dict>"


@pytest.mark.parametrize(
    ("profile", "restricted", "vpn"),
    [
        (vendor.blocking(), True, False),
        (vendor.tunnel(1), False, True),
        (vendor.profile(1, Restrictions=FREE), False, False),
        (vendor.profile(1, Restrictions=None, VpnList=None), False, False),
        (vendor.profile(1, Restrictions={}), ABSENT, False),
        (vendor.profile(1, Restrictions={"AllowBackup": "no"}), ABSENT, False),
        (vendor.profile(1, VpnList=[{"ConnectionType": "IKEv2", "EnableVPNOnDemand": False}]), False, False),
        (vendor.profile(1, VpnList="x"), False, ABSENT),
        (vendor.profile(1, CustomSettingsList=[{"CustomSettings": BAN}]), True, False),
        (vendor.profile(1, CustomSettingsList=[{"CustomSettings": BAN + DIALS}]), True, True),
        (vendor.profile(1, CustomSettingsList=[{"CustomSettings": NO_BACKUP.decode()}]), True, False),
        (vendor.profile(1, CustomSettingsList=[{"CustomSettings": "<true/>"}]), False, False),
        (vendor.profile(1, CustomSettingsList=[{"CustomSettings": "<dict>"}]), ABSENT, ABSENT),
        (vendor.profile(1, CustomSettingsList=[{"CustomSettings": None}]), ABSENT, ABSENT),
        (vendor.profile(1, CustomSettingsList=[{"CustomSettings": DIALS}]), False, True),
    ],
)
def test_a_profile_counts_where_it_is_installed(
    profile: dict[str, Any], restricted: object, vpn: object
) -> None:
    """What an installed profile forbids or sets up is proven; one that cannot be read leaves it unproven."""
    found = night(WorkspaceOne(devices=[device(1)], profiles=[profile], installed={1: [1]}))
    assert (found[device_uuid(1)].backup_restricted, found[device_uuid(1)].vpn_configured) == (
        restricted,
        vpn,
    )


def test_a_profile_that_is_not_installed_does_nothing() -> None:
    """Another device's profile says of this one that it is free."""
    assert judged("backup_restricted", 1, profiles=[vendor.blocking()], installed={1: [5]}) is False


def test_a_ban_does_nothing_to_an_unsupervised_device() -> None:
    """Since iOS 13 the ban needs supervision: an installed profile alone proves nothing."""
    assert judged("backup_restricted", 5, profiles=[vendor.blocking()], installed={1: [5]}) is ABSENT


def test_profiles_cost_what_is_said() -> None:
    """Three searches, a request per profile, and one per page of devices for a profile that matters."""
    profiles = [vendor.blocking(), vendor.tunnel(), vendor.profile(3, Restrictions=FREE)]
    server = WorkspaceOne(profiles=profiles, installed={1: list(range(1, 31)), 2: [1]})
    assert night(server)[device_uuid(29)].backup_restricted is True
    asked = [one.path for one in server.asked if "/profiles/" in one.path]
    assert len(asked) == 3 + 3 + (3 + 1)


@pytest.mark.parametrize(("keys", "free"), [({}, False), (ADMIN, ABSENT)])
def test_only_a_client_sees_every_profile(keys: dict[str, str], free: object) -> None:
    """An administrator may stand below the group whose profile is on the device: it proves no absence."""
    found = night(WorkspaceOne(devices=[device(1)]), **keys)
    assert found[device_uuid(1)].backup_restricted == free


@pytest.mark.parametrize("broken", [{"ProfileId": None}, {"ProfileUuid": ""}])
def test_a_profile_without_ids_proves_nothing(broken: dict[str, Any]) -> None:
    """A profile that cannot be asked for may be the one that forbids: told, and nothing is called free."""
    profile = vendor.blocking()
    profile["General"] |= broken
    found = night(WorkspaceOne(devices=[device(1)], profiles=[profile]))
    assert found[device_uuid(1)].backup_restricted is ABSENT
    assert found.codes == ["profiles_unread"]


def test_without_profiles_none_is_read() -> None:
    """The setting spares the requests and the permission."""
    server = WorkspaceOne(granted={vendor.READ_DEVICES})
    chosen = settings(profiles=False)
    record = walked(CONNECTOR, chosen, server.transport)[device_uuid(1)]
    assert (record.backup_restricted, record.vpn_configured) == (NOT_REPORTED, NOT_REPORTED)
    assert not CONNECTOR.reported(chosen) & {"backup_restricted", "vpn_configured"}
    assert [step for step, _ in probed(CONNECTOR, chosen, server.transport)] == ["login", vendor.READ_DEVICES]


# Login, permissions, limits


def test_a_client_signs_in_at_its_region() -> None:
    """The secret goes to the login host alone, the token to the tenant alone."""
    server = WorkspaceOne(devices=[device(1)])
    night(server)
    assert [one.headers["host"] for one in server.asked if one.path == vendor.TOKEN] == ["login.uem.example"]
    assert {one.headers["host"] for one in server.asked if "authorization" in one.headers} == {
        "as1234.uem.example"
    }


def test_an_administrator_signs_in_with_the_api_key() -> None:
    """Name and password go with the tenant code, and no token is asked for."""
    server = WorkspaceOne(devices=[device(1)])
    assert set(night(server, **ADMIN).devices) == fleet(1)
    assert not server.count(vendor.TOKEN)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"client_secret": "wrong"}, r"login\.uem\.example/connect/token refused the credential \(400\)"),
        (ADMIN | {"password": "wrong"}, r"as1234\.uem\.example/.* refused the credential \(401\)"),
        (ADMIN | {"api_key": "wrong"}, r"as1234\.uem\.example/.* refused the credential \(401\)"),
    ],
)
def test_a_wrong_credential_ends_the_source(keys: dict[str, str], message: str) -> None:
    """One clear line names the host, and the credential is not in it."""
    assert_refused(CONNECTOR, settings(**keys), WorkspaceOne(), match=message, secret="wrong")


def test_a_token_that_is_none() -> None:
    """An answer of the login host without a token is no login."""
    server = WorkspaceOne()

    def tokenless(asked: Asked) -> Reply:
        return vendor.reply({"expires_in": 3600})

    server.route = tokenless
    with pytest.raises(BadAnswer, match=r"login\.uem\.example"):
        night(server)


def test_a_missing_permission_is_named() -> None:
    """Without the permission for devices the source fails and says which to grant."""
    with pytest.raises(PermissionMissing, match='grant "REST API Devices Read"'):
        night(WorkspaceOne(granted={vendor.READ_PROFILES}))


def test_a_missing_permission_for_profiles_costs_their_signals_alone() -> None:
    """Every device is read, both signals are absent, and the report names the permission."""
    found = night(WorkspaceOne(granted={vendor.READ_DEVICES}))
    assert set(found.devices) == fleet(30)
    assert {record.vpn_configured for record in found.devices.values()} == {ABSENT}
    assert found.codes == ["profiles_unread"]
    assert 'grant "REST API Profiles Read"' in found.troubles[0].message


def test_throttling_is_waited_out() -> None:
    """A refusal that names a pause costs that pause and nothing else."""
    server = WorkspaceOne(throttled=1, retry_after="7", devices=[device(1)])
    found = night(server, profiles=False)
    assert set(found.devices) == fleet(1)
    assert 7.0 in found.waits


def test_a_spent_daily_quota_is_one_line() -> None:
    """A tenant that stays shut until tomorrow is told as such, without waiting for it."""
    server = WorkspaceOne(throttled=10**6, retry_after="80000")
    with pytest.raises(Throttled, match="longer than deadline_minutes leaves"):
        night(server, profiles=False)


def test_requests_stay_within_the_tenants_limit() -> None:
    """Far fewer than 5000 in any minute, by a clock that only sleeping moves."""
    clock, sent = Clock(), list[float]()

    def noting(page: dict[str, Any]) -> bytes:
        sent.append(clock.now())
        return json.dumps(page).encode()

    server = WorkspaceOne(devices=[device(number) for number in range(1, 301)], page_cap=1, page_hook=noting)
    walked(CONNECTOR, settings(profiles=False), server.transport, clock=clock)
    assert len(sent) == 300
    assert max(sum(start <= moment < start + 60 for moment in sent) for start in sent) <= 5000
    assert sum(clock.waits) > 4


def test_probe_proves_each_permission() -> None:
    """The doctor learns of the login and of both permissions by the console's names."""
    steps = probed(CONNECTOR, settings(), WorkspaceOne(granted={vendor.READ_DEVICES}).transport)
    assert [step for step, _ in steps] == ["login", vendor.READ_DEVICES, vendor.READ_PROFILES]
    assert [error is None for _, error in steps] == [True, True, False]
    assert vendor.READ_PROFILES in str(steps[2][1])


def test_probe_stops_at_a_refused_login() -> None:
    """Without a login nothing else is tried."""
    steps = probed(CONNECTOR, settings(client_secret="wrong"), WorkspaceOne().transport)
    assert [step for step, error in steps if error] == ["login"] == [step for step, _ in steps]


def test_probe_of_an_administrator() -> None:
    """A wrong password shows at the first permission, where it is first sent."""
    right = probed(CONNECTOR, settings(**ADMIN), WorkspaceOne().transport)
    wrong = probed(CONNECTOR, settings(**ADMIN | {"password": "x"}), WorkspaceOne().transport)
    assert right == [(vendor.READ_DEVICES, None), (vendor.READ_PROFILES, None)]
    assert "refused the credential" in str(wrong[0][1])


@pytest.mark.parametrize(
    "keys",
    [
        {"client_secret": None},
        {"token_url": None},
        {"username": "reader"},
        {"username": "reader", "password": "p"},
        {**ADMIN, "client_id": "c"},
        {"url": "http://as1234.uem.example"},
        {"token_url": "ftp://login"},
    ],
)
def test_settings_that_cannot_work(keys: dict[str, str | None]) -> None:
    """One whole credential and safe addresses are needed."""
    with pytest.raises(ValidationError):
        settings(**keys)


@pytest.mark.parametrize("url", [vendor.HOST, vendor.HOST + "/", vendor.HOST + "/API", vendor.HOST + "/api/"])
def test_the_address_may_end_in_the_apis_path(url: str) -> None:
    """The address is written both ways, and means the same."""
    assert settings(url=url).url == vendor.HOST


# Fields


def reading(**changes: Any) -> DeviceRecord:  # noqa: ANN401 - any JSON value
    """A usual iPhone's row with changes, as a record."""
    record = read_record(device(1, **changes), "row 1", NOW)
    assert isinstance(record, DeviceRecord)
    return record


TEXTS = [("Cart 3", "Cart 3"), (" x ", "x"), ("", ABSENT), (None, ABSENT), (5, UNREADABLE)]
TIMES = [
    ("2018-03-15T08:08:09.460", datetime(2018, 3, 15, 8, 8, 9, tzinfo=UTC)),
    ("2018-03-15T01:08:09.460-07:00", datetime(2018, 3, 15, 8, 8, 9, tzinfo=UTC)),
    ("2018-03-15T08:08:09Z", datetime(2018, 3, 15, 8, 8, 9, tzinfo=UTC)),
    ("0001-01-01T00:00:00.000", ABSENT),
    ("", ABSENT),
    ("yesterday", UNREADABLE),
    (5, UNREADABLE),
]
FIELD_RULES = [
    *[("SerialNumber", "serial", *rule) for rule in TEXTS],
    *[("Udid", "udid", *rule) for rule in TEXTS],
    *[("AssetNumber", "asset_tag", *rule) for rule in TEXTS],
    ("AssetNumber", "asset_tag", "00008130-0000000000000001", ABSENT),
    ("DeviceReportedName", "name", "", "worker1 iOS 1"),
    *[("OperatingSystem", "os_version", *rule) for rule in TEXTS],
    *[("OSBuildVersion", "os_build", *rule) for rule in TEXTS],
    *[("UserEmailAddress", "user_email", *rule) for rule in TEXTS],
    *[("LocationGroupName", "site", *rule) for rule in TEXTS],
    *[("LastSeen", "checkin_at", *rule) for rule in TIMES],
    *[("LastSystemSampleTime", "inventory_at", *rule) for rule in TIMES],
    *[("LastEnrolledOn", "enrolled_at", *rule) for rule in TIMES],
    ("UserId", "user_name", {"Name": "Ada L."}, "Ada L."),
    ("UserId", "user_name", {"Name": ""}, "worker1"),
    ("UserId", "user_name", None, "worker1"),
    ("Model", "model_name", "iPad Pro (10.5-inch)(256 GB Rose Gold)", "iPad Pro (10.5-inch)"),
    ("Model", "model_name", "iPhone 15 Pro Max (1 TB Blue Titanium)", "iPhone 15 Pro Max"),
    ("Model", "model_name", "iPad (10th generation)", "iPad (10th generation)"),
    ("Model", "model_name", "", "iPhone 16"),
    ("EnrollmentStatus", "managed", "Enrolled", True),
    ("EnrollmentStatus", "managed", "Unenrolled", False),
    ("EnrollmentStatus", "managed", "EnterpriseWipePending", False),
    ("EnrollmentStatus", "managed", "SomethingNew", UNREADABLE),
    ("EnrolledViaDEP", "enrollment", True, Enrollment.AUTOMATED),
    ("EnrolledViaDEP", "enrollment", False, ABSENT),
    ("EnrolledViaDEP", "enrollment", None, ABSENT),
    ("EnrolledViaDEP", "enrollment", 1, UNREADABLE),
    ("Ownership", "ownership", "C", Ownership.ORGANISATION),
    ("Ownership", "ownership", "S", Ownership.ORGANISATION),
    ("Ownership", "ownership", "E", Ownership.PERSONAL),
    ("Ownership", "ownership", "EMPLOYEE", Ownership.PERSONAL),
    ("Ownership", "ownership", "Undefined", ABSENT),
    ("Ownership", "ownership", "X", UNREADABLE),
    ("IsSupervised", "supervised", True, True),
    ("IsSupervised", "supervised", False, False),
    ("IsSupervised", "supervised", "true", UNREADABLE),
    ("IsRoaming", "roaming", True, True),
    ("IsRoaming", "roaming", False, False),
    ("DeviceCellularNetworkInfo", "roaming", [{"IsRoaming": True}], True),
    ("DeviceCellularNetworkInfo", "roaming", None, False),
    ("DeviceCellularNetworkInfo", "roaming", "x", UNREADABLE),
    ("BatteryLevel", "battery_percent", "82", 82),
    ("BatteryLevel", "battery_percent", 82, 82),
    ("BatteryLevel", "battery_percent", "0", 0),
    ("BatteryLevel", "battery_percent", "", ABSENT),
    ("BatteryLevel", "battery_percent", "-1", ABSENT),
    ("BatteryLevel", "battery_percent", "700", UNREADABLE),
    ("BatteryLevel", "battery_percent", "9" * 5000, UNREADABLE),
    ("BatteryLevel", "battery_percent", "full", UNREADABLE),
    ("DeviceCapacity", "capacity_bytes", 252531818496.0, 252531818496),
    ("DeviceCapacity", "capacity_bytes", 0, ABSENT),
    ("DeviceCapacity", "capacity_bytes", "1", UNREADABLE),
    ("AvailableDeviceCapacity", "available_bytes", 2147483648.0, 2147483648),
    ("AvailableDeviceCapacity", "available_bytes", 0.0, 0),
    ("AvailableDeviceCapacity", "available_bytes", None, ABSENT),
]


@pytest.mark.parametrize(("key", "signal", "value", "fact"), FIELD_RULES)
def test_one_field_one_fact(key: str, signal: str, value: object, fact: object) -> None:
    """Each key becomes its signal, and what it cannot say has the right reason."""
    assert getattr(reading(**{key: value}), signal) == fact


@pytest.mark.parametrize(
    ("total", "free", "facts"),
    [
        (64e9, 0, (64_000_000_000, 0)),
        (0, 0, (ABSENT, ABSENT)),
        (None, 0, (ABSENT, ABSENT)),
        (64e9, 65e9, (64_000_000_000, UNREADABLE)),
    ],
)
def test_storage(total: object, free: object, facts: tuple[object, object]) -> None:
    """Nothing of nothing is not full, and no device has more free than it holds."""
    record = reading(DeviceCapacity=total, AvailableDeviceCapacity=free)
    assert (record.capacity_bytes, record.available_bytes) == facts


@pytest.mark.parametrize(
    ("system", "model", "platform"),
    [
        ("Apple", "iPhone 15 (128 GB Black)", Platform.IOS),
        ("Apple", "iPad Air 11-inch", Platform.IPADOS),
        ("Apple", "Apple Vision Pro", Platform.VISIONOS),
        ("Apple", "SomethingElse", Platform.IOS),
        ("AppleOsX", "MacBook Pro", Platform.MACOS),
        ("AppleTv", "Apple TV 4K", Platform.TVOS),
        ("Android", "Pixel", Platform.ANDROID),
        ("WindowsPc", "Laptop", Platform.OTHER),
        ("SomethingNew", "x", UNREADABLE),
        (None, "iPad", Platform.IPADOS),
    ],
)
def test_platform(system: object, model: str, platform: object) -> None:
    """One word stands for iPhone and iPad, and the model tells them apart."""
    assert reading(Platform=system, Model=model).platform == platform


@pytest.mark.parametrize(
    ("changes", "enabled"),
    [
        ({"IsCloudBackupEnabled": True}, True),
        ({"IsCloudBackupEnabled": False}, False),
        ({"IsCloudBackupEnabled": False, "LastSeen": "2026-11-15T02:00:00.000"}, False),
        ({"IsCloudBackupEnabled": False, "LastSeen": "2026-11-15T01:59:59.000"}, ABSENT),
        ({"IsCloudBackupEnabled": False, "LastSeen": "0001-01-01T00:00:00.000"}, ABSENT),
        ({"IsCloudBackupEnabled": False, "DeviceCapacity": None}, ABSENT),
        ({"IsCloudBackupEnabled": False, "SerialNumber": ""}, ABSENT),
        ({"IsCloudBackupEnabled": False, "Ownership": "S"}, ABSENT),
        ({"IsCloudBackupEnabled": True, "LastSeen": "2026-01-01T00:00:00.000"}, True),
        ({"IsCloudBackupEnabled": None}, ABSENT),
        ({"IsCloudBackupEnabled": "false"}, UNREADABLE),
    ],
)
def test_when_a_false_backup_flag_means_off(changes: dict[str, Any], enabled: object) -> None:
    """False is also what a device gets that was never asked, may not say, or has no backup of its own."""
    assert reading(**changes).backup_enabled == enabled


def test_defaults_of_a_device_that_never_answered_are_no_facts() -> None:
    """Keys that are not there and flags that stand at false leave nothing but gaps."""
    record = read_record(never_inventoried(1), "row 1", NOW)
    assert isinstance(record, DeviceRecord)
    silent = (
        "backup_enabled",
        "supervised",
        "roaming",
        "capacity_bytes",
        "available_bytes",
        "battery_percent",
    )
    assert {getattr(record, signal) for signal in (*silent, "inventory_at", "checkin_at", "enrollment")} == {
        ABSENT
    }
