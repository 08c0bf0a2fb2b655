"""Iru: the walk over a list that moves, the lists beside it, the details, and what profiles prove."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from pydantic import ValidationError

from connectors._iru_details import with_details
from connectors._iru_profiles import custom_profiles, judged
from connectors._iru_record import Inventory, SideData, read_inventory, read_record
from connectors.iru import CONNECTOR, IruSettings
from fleet.errors import BadAnswer, PermissionMissing, Throttled
from fleet.model.device import DeviceRecord, Enrollment, Platform, Rejected
from fleet.model.fact import ABSENT, NOT_PERMITTED, NOT_REPORTED, UNREADABLE
from tests.connectors.fields import rules
from tests.connectors.walking import Night, assert_refused, failed, probed, walked
from tests.servers.iru import (
    CHECKED_IN,
    FORBIDS,
    RESTRICTIONS,
    TOKEN,
    URL,
    VPN,
    IruServer,
    Row,
    device_id,
    installed,
    inventory,
    iru_details,
    iru_device,
    profile,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

LIST = "/api/v1/devices"
DEVICES = 30
IPHONES_AND_IPADS = 24


def settings(**keys: object) -> IruSettings:
    return IruSettings.model_validate({"name": "nw", "kind": "iru", "url": URL, "api_token": TOKEN, **keys})


def night(server: IruServer, **keys: object) -> Night:
    return walked(CONNECTOR, settings(**keys), server.transport)


def details_asked(server: IruServer) -> int:
    return sum(asked.path.endswith("/details") for asked in server.asked)


def fleet(count: int) -> list[str]:
    return [device_id(number) for number in range(count)]


# The walk


def test_a_night_over_a_socket() -> None:
    """Every device once, in pages of eleven that overlap by one, and details of iPhones and iPads alone."""
    with IruServer() as server:
        found = walked(CONNECTOR, settings(url=server.url, page_size=11))
    assert found.came == fleet(DEVICES)
    assert not found.troubles
    assert details_asked(server) == IPHONES_AND_IPADS


def test_pages_are_asked_for_in_a_stable_order() -> None:
    """300 at most, sorted by what does not change, each page from the last row of the one before."""
    server = IruServer()
    night(server, page_size=1000)
    walked = [asked.query for asked in server.asked if asked.path == LIST and "ordering" in asked.query]
    assert {(one["limit"][0], one["ordering"][0]) for one in walked} == {("300", "device_id")}
    assert [one["offset"][0] for one in walked] == ["0", "29"]


@pytest.mark.parametrize(("page_size", "cap"), [(None, 300), (300, 7), (5, 300), (2, 300), (1, 300)])
def test_every_device_comes_once(page_size: int | None, cap: int) -> None:
    """Whatever is asked for and granted; a short page is not the last one."""
    found = night(IruServer(cap=cap), page_size=page_size, detail=False)
    assert found.came == fleet(DEVICES)


@pytest.mark.parametrize("leavers", [[3], [3, 4], [1, 2, 3, 4, 5, 6]])
def test_devices_that_leave_meanwhile_cost_no_other(leavers: list[int]) -> None:
    """All later rows move up; the list is walked once more, and nobody is asked for details twice."""
    server = IruServer(leaves={1: [device_id(number) for number in leavers]})
    found = night(server, page_size=10)
    assert sorted(found.came) == fleet(DEVICES)
    assert details_asked(server) == IPHONES_AND_IPADS


def test_a_list_that_stands_still_is_walked_once() -> None:
    """Thirty devices in pages of ten and one of overlap: four pages and the look behind the last."""
    server = IruServer()
    night(server, page_size=10)
    assert sum("ordering" in asked.query for asked in server.asked) == 5


def test_a_list_that_ignores_the_offset_ends() -> None:
    """The first page for ever is an error after a few requests."""
    server = IruServer(deaf=True)
    with pytest.raises(BadAnswer, match="repeats itself"):
        night(server, page_size=10, detail=False)
    assert server.count(LIST) < 6


@pytest.mark.no_cover
def test_what_a_thousand_devices_cost() -> None:
    """Four requests to prove and list, and one per iPhone and iPad at a pace that leaves Iru's hour to others."""
    server = IruServer(devices=[iru_device(n) for n in range(1000)], installed=[])
    found = night(server, max_concurrency=1)
    assert server.count(LIST) == 1 + 5
    assert details_asked(server) == 800
    # 600 at once, from then on two a second.
    assert sum(found.waits) == pytest.approx((len(server.asked) - 600) / 2, abs=1)


@pytest.mark.no_cover
def test_details_stop_where_the_time_does() -> None:
    """Devices beyond what the deadline leaves time for come without details, and the report says how many."""
    server = IruServer(devices=[iru_device(n) for n in range(1000)], installed=[])
    found = night(server, deadline_minutes=1, max_concurrency=1)
    assert found.came == fleet(1000)
    # 600 at once, and two a second for the nine tenths of a minute.
    assert len(server.asked) == pytest.approx(600 + 108, abs=5)
    assert [(one.code, one.count) for one in found.troubles] == [
        ("details_left_out", 800 - details_asked(server))
    ]
    assert "raise deadline_minutes" in found.troubles[0].message


@pytest.mark.parametrize(
    ("keys", "gone"),
    [
        ({"detail": False}, {"udid", "supervised", "enrollment", "available_bytes"}),
        ({"profiles": False}, {"backup_restricted", "vpn_configured"}),
    ],
)
def test_what_is_switched_off_is_neither_asked_for_nor_promised(
    keys: dict[str, bool], gone: set[str]
) -> None:
    """The signals read as not reported, and their requests are not made."""
    server = IruServer()
    found = night(server, **keys)
    assert CONNECTOR.provides - CONNECTOR.reported(settings(**keys)) == gone
    assert {getattr(one, signal) for one in found.devices.values() for signal in gone} == {NOT_REPORTED}
    assert (details_asked(server) == 0) is ("detail" in keys)
    assert (server.count("/api/v1/prism/installed_profiles") == 0) is ("profiles" in keys)


def test_the_token_stays_on_the_hosts_own_pages() -> None:
    """Lists of users and profiles name a next page on the console's host; only its number is taken."""
    server = IruServer()
    found = night(server)
    assert {asked.headers["host"] for asked in server.asked} == {"northwind.api.kandji.io"}
    assert server.count("/api/v1/users") == 2
    assert server.count("/api/v1/library/custom-profiles") == 2
    assert not found.troubles


# Errors


def test_a_wrong_token() -> None:
    """One request, one clear line, and no token in it."""
    told = r"refused the credential \(401\): check it"
    assert_refused(CONNECTOR, settings(api_token="wrong"), IruServer(), match=told, secret="wrong")


def test_a_token_without_the_tick_for_devices() -> None:
    """The tick box is named."""
    with pytest.raises(PermissionMissing, match=r'grant "Device list \(/devices\)"'):
        night(IruServer(refused={"devices": 403}))


def test_a_busy_tenant_is_waited_for() -> None:
    """Iru names no time to wait; it is tried again, later and later."""
    found = night(IruServer(throttled=3), detail=False)
    assert found.came == fleet(DEVICES)
    assert 0 < found.waits[0] <= 1 < found.waits[2] <= 4


def test_a_rate_limit_without_end() -> None:
    """The line says what to do."""
    with pytest.raises(Throttled, match=r"fewer requests \(429\): lower max_concurrency"):
        night(IruServer(throttled=1000))


@pytest.mark.parametrize(
    ("keys", "why"),
    [
        ({"url": "https://northwind.kandji.io"}, "is the console's"),
        ({"url": "https://northwind.iru.com"}, "is the console's"),
        ({"url": "http://northwind.api.kandji.io"}, "must begin with https"),
        ({"api_token": None}, "api_token"),
    ],
)
def test_settings_that_cannot_work(keys: dict[str, object], why: str) -> None:
    """The console's address has no API, and the message says where the right one stands."""
    with pytest.raises(ValidationError, match=why):
        settings(**keys)


@pytest.mark.parametrize(
    "url", ["https://n.api.eu.kandji.io", "https://n.api.iru.com", "https://proxy.example/iru/"]
)
def test_addresses_of_the_api(url: str) -> None:
    """Both regions, the new name, and a gateway of one's own."""
    assert settings(url=url).url == url.rstrip("/")


# The lists beside


@pytest.mark.parametrize("status", [401, 403, 404, 500])
@pytest.mark.parametrize(
    ("path", "code", "signals", "name"),
    [
        ("prism/device_information", "inventory_unread", {"inventory_at", "shared_ipad"}, "Device information"),
        ("prism/cellular", "roaming_unread", {"roaming"}, "Cellular"),
        ("users", "departments_unread", {"department"}, "Users"),
        ("prism/installed_profiles", "installed_profiles_unread", {"backup_restricted", "vpn_configured"},
         "Installed profiles"),
    ],
)  # fmt: skip
def test_a_list_that_may_not_be_read_costs_its_facts(
    path: str, code: str, signals: set[str], name: str, status: int
) -> None:
    """Every device is read, the facts are absent, and the report names the tick box."""
    found = night(IruServer(refused={path: status}))
    assert found.came == fleet(DEVICES)
    assert {getattr(one, signal) for one in found.devices.values() for signal in signals} == {ABSENT}
    assert found.codes == [code]
    assert f'"{name} (/' in found.troubles[0].message
    assert "Settings > Access" in found.troubles[0].message


def test_without_custom_profiles_restrictions_stay_unknown() -> None:
    """A device with a restrictions profile is not known to be free, one without any still is."""
    found = night(IruServer(refused={"custom-profiles": 403}))
    assert [found[device_id(n)].backup_restricted for n in (1, 3, 4)] == [ABSENT, ABSENT, False]
    assert found.codes == ["custom_profiles_unread"]


def test_without_prism_the_details_say_model_and_storage() -> None:
    """What stands in both places is taken from the other."""
    device = night(IruServer(refused={"prism": 403}))[device_id(1)]
    assert (device.model_identifier, device.capacity_bytes) == ("iPad12,1", 64_000_000_000)
    assert device.os_build == "23E246"


@pytest.mark.parametrize("status", [401, 403])
def test_details_that_may_not_be_read_are_asked_for_once(status: int) -> None:
    """A token without that tick is not tried on every device."""
    server = IruServer(refused={"/details": status})
    found = night(server, max_concurrency=1)
    assert found.came == fleet(DEVICES)
    assert details_asked(server) == 1
    assert found.codes == ["details_forbidden"]
    assert 'grant "Device details' in found.troubles[0].message
    assert found[device_id(1)].available_bytes is NOT_PERMITTED


def test_broken_details_are_given_up() -> None:
    """A server error on every device ends the asking, not the night."""
    server = IruServer(refused={"/details": 500})
    found = night(server, max_concurrency=1)
    assert found.came == fleet(DEVICES)
    assert details_asked(server) == 5
    assert [(one.code, one.count) for one in found.troubles] == [
        ("details_unread", 5),
        ("details_left_out", IPHONES_AND_IPADS - 5),
    ]


def test_a_device_removed_meanwhile_has_no_details() -> None:
    """A 404 for one device is nobody's trouble."""
    found = night(IruServer(refused={f"{device_id(1)}/details": 404}))
    assert found[device_id(1)].supervised is ABSENT
    assert not found.troubles


# Probe


def test_probe_proves_each_tick_box() -> None:
    """The doctor learns of the token and of every permission, by path."""
    steps = probed(CONNECTOR, settings(), IruServer().transport)
    assert steps[0] == ("login", None)
    assert {name for name, _ in steps[1:]} == {one.name for one in CONNECTOR.permissions}
    assert {error for _, error in steps} == {None}


@pytest.mark.parametrize(
    ("refused", "step"),
    [
        ("prism/cellular", "Cellular"),
        ("/details", "Device details"),
        ("users", "Users"),
        ("custom", "Custom"),
    ],
)
def test_probe_names_the_missing_tick_box(refused: str, step: str) -> None:
    """What is wrong fails at its own step, with its remedy."""
    ((name, error),) = failed(CONNECTOR, settings(), IruServer(refused={refused: 403}).transport).items()
    assert name.startswith(step)
    assert f'grant "{step}' in error


def test_probe_stops_at_a_refused_token() -> None:
    """Without a login nothing else is tried; without the first tick the others still are."""
    steps = probed(CONNECTOR, settings(api_token="wrong"), IruServer().transport)
    assert [name for name, _ in steps] == ["login"]
    steps = probed(CONNECTOR, settings(detail=False), IruServer(refused={"devices": 403}).transport)
    assert [name for name, error in steps if error] == ["Device list (/devices)"]


# Profiles


def test_profiles_of_a_fleet() -> None:
    """Forbidden by a custom profile, free, free although restricted otherwise, unknown where Iru made it."""
    found = night(IruServer())
    restricted = {n: found[device_id(n)].backup_restricted for n in (1, 2, 3, 5, 25)}
    assert restricted == {1: True, 2: False, 3: False, 5: ABSENT, 25: ABSENT}
    vpn = {n: found[device_id(n)].vpn_configured for n in (1, 2, 5, 25)}
    assert vpn == {1: False, 2: True, 5: ABSENT, 25: ABSENT}


OWN = custom_profiles(
    [
        profile("x", {"PayloadType": RESTRICTIONS, "allowCloudBackup": False}, mdm_identifier=FORBIDS),
        profile("ok", {"PayloadType": RESTRICTIONS, "allowCloudBackup": True}),
    ]
)


@pytest.mark.parametrize(
    ("rows", "facts"),
    [
        ([installed(1, "mdm", "com.apple.mdm")], (False, False)),
        ([installed(1, "mdm")], (ABSENT, ABSENT)),
        ([installed(1, FORBIDS)], (True, False)),
        ([installed(1, "x", RESTRICTIONS)], (True, False)),
        ([installed(1, "ok", RESTRICTIONS)], (False, False)),
        ([installed(1, "iru", RESTRICTIONS)], (ABSENT, False)),
        ([installed(1, "iru", VPN)], (False, ABSENT)),
        ([installed(1, "iru", RESTRICTIONS), installed(1, "x", RESTRICTIONS)], (True, False)),
        ([installed(1, "x", RESTRICTIONS), installed(1, "iru", RESTRICTIONS)], (True, False)),
        ([installed(1, "mdm", "com.apple.mdm"), installed(1, "iru")], (ABSENT, ABSENT)),
        ([{"device_id": device_id(1), "profile_data": "com.apple.mdm"}], (ABSENT, ABSENT)),
        ([{"device_id": device_id(1), "profile_data": [7, None]}], (ABSENT, ABSENT)),
    ],
)
def test_what_installed_profiles_prove(rows: Iterable[object], facts: tuple[object, object]) -> None:
    """Freedom is proven by types that are all known and none of them in question, guilt by one of our own."""
    assert judged(rows, OWN)[device_id(1)] == facts


def test_rows_without_a_device_prove_nothing() -> None:
    """They are passed over."""
    assert judged([None, 7, {}, {"device_id": ""}], OWN) == {}


@pytest.mark.parametrize(
    "xml",
    [
        None,
        7,
        "",
        "PK",
        "<plist><array/></plist>",
        "<plist><dict><key>",
        "<plist><dict><integer>1</integer></dict></plist>",
        "<plist><key>a</key></plist>",
        "<plist><date>yesterday</date></plist>",
        '<!DOCTYPE p [<!ENTITY a "b">]><plist><string>&a;</string></plist>',
        "<plist><string>\ud800</string></plist>",
    ],
)
def test_a_profile_that_cannot_be_read_proves_nothing(xml: object) -> None:
    """Signed, cut, hostile: such a profile is as unknown as one that Iru made."""
    row = {"mdm_identifier": FORBIDS, "profile": xml}
    assert judged([installed(1, FORBIDS, RESTRICTIONS)], custom_profiles([row])) == {
        device_id(1): (ABSENT, False)
    }


# One device


def reading(side: SideData | None = None, **changes: object) -> DeviceRecord:
    record = read_record(iru_device(1) | changes, "row 1", side or SideData())
    assert isinstance(record, DeviceRecord)
    return record


def detailed(**changes: object) -> DeviceRecord:
    return with_details(reading(), iru_details(1) | changes)


MOMENT = datetime(2026, 11, 21, 20, 15, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("key", "signal", "value", "fact"),
    [
        *rules("device_name", "name", [("Van 7", "Van 7"), ("", ABSENT), (5, UNREADABLE)]),
        *rules("asset_tag", "asset_tag", [("NW-1", "NW-1"), ("", ABSENT), (None, ABSENT)]),
        *rules("os_version", "os_version", [("17.5.1", "17.5.1"), ("", ABSENT), (26, UNREADABLE)]),
        *rules("supplemental_build_version", "os_build", [("21F90", "21F90"), ("", ABSENT)]),
        *rules("mdm_enabled", "managed", [(True, True), (False, False), (None, ABSENT), ("True", UNREADABLE)]),
        *rules("is_removed", "managed", [(True, False), (False, True), (None, True)]),
        *rules("last_check_in", "checkin_at",
               [("2026-11-21T20:15:30.320664+00:00", MOMENT), ("2026-11-21T20:15:30.320664Z", MOMENT),
                ("2026-11-21 20:15:30.320664+00:00", MOMENT), ("", ABSENT), (None, ABSENT),
                ("1970-01-01T00:00:00Z", ABSENT), ("soon", UNREADABLE), (7, UNREADABLE)]),
        *rules("last_enrollment", "enrolled_at",
               [("2026-11-21 20:15:30.788917+00:00", MOMENT), ("", datetime(2024, 12, 4, 9, 30, tzinfo=UTC))]),
        *rules("lost_mode_status", "lost_mode",
               [("", False), ("ENABLED", True), ("PENDING", UNREADABLE), (None, ABSENT), (0, UNREADABLE)]),
        *rules("platform", "platform",
               [("iPhone", Platform.IOS), ("iPad", Platform.IPADOS), ("AppleTV", Platform.TVOS),
                ("Mac", Platform.MACOS), ("Windows", Platform.OTHER), ("Android", Platform.ANDROID)]),
        *rules("user", "user_email",
               [("", ABSENT), (None, ABSENT), ({"email": "a@example.com", "name": "A"}, "a@example.com"),
                ({"email": None, "name": "A"}, ABSENT), ({"name": "A", "id": 5}, UNREADABLE), ("a", UNREADABLE),
                ([], UNREADABLE)]),
        *rules("tags", "groups",
               [([], ("Field staff",)), (["b", "b"], ("Field staff", "b")), (None, ("Field staff",)),
                ("b", UNREADABLE)]),
        *rules("blueprint_name", "groups", [(None, ("vans",)), ("", ("vans",)), (5, UNREADABLE)]),
    ],
)  # fmt: skip
def test_one_field_one_fact(key: str, signal: str, value: object, fact: object) -> None:
    """Each field becomes its signal, and what it cannot say has the right reason."""
    assert getattr(reading(SideData(), **{key: value}), signal) == fact


@pytest.mark.parametrize(
    ("model", "platform"), [("Apple Vision Pro", Platform.VISIONOS), ("Fridge", UNREADABLE)]
)
def test_a_platform_without_a_word_for_it(model: str, platform: object) -> None:
    """Its model may say it; nothing else does."""
    assert reading(platform="Headset", model=model).platform == platform


@pytest.mark.parametrize(
    ("key", "signal", "value", "fact"),
    [
        *rules("hardware_overview", "udid", [({"uuid": "00008020-1"}, "00008020-1"), ({}, ABSENT), ([], UNREADABLE)]),
        *rules("mdm", "supervised",
               [({"supervised": "True"}, True), ({"supervised": "False"}, False), ({}, ABSENT),
                ({"supervised": "Maybe"}, UNREADABLE), ({"supervised": True}, UNREADABLE)]),
        *rules("automated_device_enrollment", "enrollment",
               [({"auto_enrolled": True}, Enrollment.AUTOMATED), ({"auto_enrolled": False}, ABSENT), ({}, ABSENT),
                (None, ABSENT), ({"auto_enrolled": "yes"}, UNREADABLE)]),
    ],
)  # fmt: skip
def test_one_detail_one_fact(key: str, signal: str, value: object, fact: object) -> None:
    """What only the details say; not automated may be device or User Enrolment."""
    assert getattr(detailed(**{key: value}), signal) == fact


@pytest.mark.parametrize(
    ("volumes", "facts"),
    [
        ([{"capacity": "128.0 GB", "available": "113.26 GB"}], (128_000_000_000, 113_260_000_000)),
        ([{"capacity": "1.0 TB", "available": "512 MB"}], (1_000_000_000_000, 512_000_000)),
        ([{"capacity": "128.0 GB", "available": "0 GB"}], (128_000_000_000, 0)),
        ([{"capacity": "0 GB", "available": "0 GB"}], (ABSENT, ABSENT)),
        ([{"capacity": "", "available": ""}], (ABSENT, ABSENT)),
        ([{"capacity": "64 GB", "available": "65 GB"}], (64_000_000_000, UNREADABLE)),
        ([{"capacity": "64 GB", "available": "half"}], (64_000_000_000, UNREADABLE)),
        ([{"capacity": "64 GB", "available": 9}], (64_000_000_000, UNREADABLE)),
        ([], (ABSENT, ABSENT)),
        (None, (ABSENT, ABSENT)),
        ("full", (ABSENT, UNREADABLE)),
        ([7], (ABSENT, UNREADABLE)),
    ],
)
def test_storage_is_text_with_a_unit(volumes: object, facts: tuple[object, object]) -> None:
    """Decimal units; nothing of nothing is not full."""
    record = detailed(volumes=volumes)
    assert (record.capacity_bytes, record.available_bytes) == facts


def test_a_capacity_that_the_details_lack_comes_from_prism() -> None:
    """Free space is measured against it."""
    side = SideData(inventories={device_id(1): Inventory(capacity_bytes=64_000_000_000)})
    record = with_details(reading(side), {"volumes": [{"available": "70 GB"}]})
    assert (record.capacity_bytes, record.available_bytes) == (64_000_000_000, UNREADABLE)


@pytest.mark.parametrize(
    ("changes", "read"),
    [
        ({"model_id": None, "model_identifier": "iPad12,1"}, ("iPad12,1", 64_000_000_000)),
        ({"device_capacity": 0}, ("iPad12,1", ABSENT)),
        ({"device_capacity": None}, ("iPad12,1", ABSENT)),
        ({"device_capacity": "64"}, ("iPad12,1", UNREADABLE)),
    ],
)
def test_prism_rows_old_and_odd(changes: Row, read: tuple[object, object]) -> None:
    """An older row has another key for the model, and a capacity of 0 is none."""
    found = read_inventory(inventory(1) | changes)
    assert (found.model_identifier, found.capacity_bytes) == read


@pytest.mark.parametrize(
    ("kind", "said", "fact"),
    [("iPad", True, True), ("iPad", False, False), ("iPad", None, ABSENT), ("Mac", True, ABSENT)],
)
def test_only_an_ipad_is_shared(kind: str, said: object, fact: object) -> None:
    """Prism has been seen to call a Mac a Shared iPad."""
    side = SideData(inventories={device_id(1): read_inventory(inventory(1) | {"shared_ipad": said})})
    assert reading(side, platform=kind).shared_ipad == fact


def test_inventory_and_check_in_are_two_times() -> None:
    """Prism says when the inventory was collected, the list when the device was last there."""
    device = night(IruServer())[device_id(0)]
    assert device.checkin_at == CHECKED_IN
    assert device.inventory_at == CHECKED_IN.replace(minute=20)


def test_departments_are_joined_by_either_id() -> None:
    """A person's id was a number once, and is text now."""
    side = SideData(departments={"aa001": "Sales", "31": "Service"})
    assert reading(side).department == "Sales"
    assert reading(side, user={"email": "x@example.com", "name": "X", "id": 31}).department == "Service"
    assert reading(side, user="").department is ABSENT


@pytest.mark.parametrize(
    "row", [None, 7, "x", [], {}, {"device_id": None}, {"device_id": " "}, {"device_id": 5}]
)
def test_a_row_without_identity_is_rejected(row: object) -> None:
    """It is counted once with its place and nothing of its content, and the rest of its page is read."""
    found = night(IruServer(devices=[iru_device(0), row, iru_device(2)]), page_size=2)
    assert found.came == [device_id(0), device_id(2)]
    assert found.rejected == [Rejected("row 2", "no usable device_id")]
