"""SimpleMDM: the walk along its cursors, what custom profiles prove, and how its values become facts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pydantic import ValidationError

from connectors._simplemdm_profiles import Profiles
from connectors._simplemdm_record import read_record
from connectors.simplemdm import CONNECTOR, SimpleMdmSettings
from fleet.errors import (
    BadAnswer,
    NotFound,
    PermissionMissing,
    ServerTrouble,
    SourceError,
    Throttled,
)
from fleet.model.device import DeviceRecord, Enrollment, Platform, Rejected
from fleet.model.fact import ABSENT, NOT_PERMITTED, NOT_REPORTED, UNREADABLE
from tests.connectors.fields import assert_storable, json_values, rules
from tests.connectors.walking import Clock, Night, assert_refused, failed, walked
from tests.examples import examples
from tests.servers.mobileconfig import NO_BACKUP
from tests.servers.simplemdm import (
    API_KEY,
    SimpleMdm,
    group,
    profile,
    simplemdm_row,
)

DEVICES = "/api/v1/devices"
PROFILES = "/custom_configuration_profiles"


def restricted(found: Night) -> set[str]:
    """The devices that a profile keeps from iCloud Backup."""
    return {key for key, device in found.devices.items() if device.backup_restricted is True}


def settings(**keys: object) -> SimpleMdmSettings:
    """Settings of a source whose key is good."""
    return SimpleMdmSettings.model_validate({"name": "hq", "kind": "simplemdm", "api_key": API_KEY, **keys})


def night(server: SimpleMdm, **keys: object) -> Night:
    """Walk a server in memory."""
    found = walked(CONNECTOR, settings(**keys), server.transport)
    assert found.expected is None
    return found


def ids(count: int) -> set[str]:
    return {str(number * 10) for number in range(1, count + 1)}


# The walk


def test_a_night_over_a_socket() -> None:
    """Every device, its groups and what its profiles forbid are read page by page."""
    with SimpleMdm() as server:
        found = walked(CONNECTOR, settings(url=f"{server.url}/api/v1", page_size=10))
    assert set(found.devices) == ids(33)
    assert server.count(DEVICES) == 4
    assert not found.troubles


@pytest.mark.parametrize("size", [1, 10, 32, 33, 34, 5000])
def test_every_device_comes_once(size: int) -> None:
    """Whatever the page size, at most a hundred are asked for and no device is missing."""
    server = SimpleMdm()
    assert set(night(server, page_size=size).devices) == ids(33)
    asked = [one.first("limit") for one in server.asked if one.path == DEVICES]
    assert set(asked) == {str(min(size, 100))}


def test_a_thousand_devices_cost_fourteen_requests() -> None:
    """Ten pages, two lists of groups, one of profiles and their download; without profiles, twelve."""
    rows = [simplemdm_row(number) for number in range(1, 1001)]
    for keys, requests in ({}, 10 + 2 + 1 + 2), ({"profiles": False}, 10 + 2):
        server = SimpleMdm(devices=rows)
        assert len(night(server, **keys).devices) == 1000
        assert len(server.asked) == requests


def test_a_request_a_second() -> None:
    """The walk keeps to some sixty requests a minute."""
    found = night(SimpleMdm(), page_size=1, profiles=False)
    assert sum(found.waits) == pytest.approx(33 + 2 - 1)


def test_secret_attributes_and_devices_that_never_enrolled_are_not_asked_for() -> None:
    """Neither secret custom attributes nor placeholders of devices to come are in the list."""
    server = SimpleMdm()
    night(server)
    assert {name for one in server.asked for name in one.query} <= {"limit", "starting_after"}


def test_a_missing_has_more_does_not_end_the_list() -> None:
    """A list that does not say whether it goes on is followed to an empty page."""
    assert set(night(SimpleMdm(more=(None,)), page_size=10).devices) == ids(33)


@pytest.mark.parametrize("more", [True, "yes"])
def test_a_list_without_end_is_caught(more: object) -> None:
    """A cursor that does not move is an error after few requests."""
    server = SimpleMdm(more=(more,), ignores_cursor=True, lists={})
    with pytest.raises(BadAnswer, match="repeats itself"):
        night(server, page_size=10, profiles=False)
    assert server.count(DEVICES) == 2


def test_a_list_that_goes_on_without_a_cursor() -> None:
    """Rows without an id before more rows are an error, as their successor cannot be asked for."""
    server = SimpleMdm(devices=[{"type": "device"}] * 3, more=(True,))
    with pytest.raises(BadAnswer, match="goes on after rows without an id"):
        night(server)


def test_an_account_without_devices() -> None:
    """An account without devices, groups and profiles has none, and that is no error."""
    empty = SimpleMdm(devices=[], lists={"/assignment_groups": [], "/device_groups": [], PROFILES: []})
    found = night(empty)
    assert (found.devices, found.rejected, found.troubles) == ({}, [], [])


@pytest.mark.parametrize("data", ["x", None, {"id": 1}])
def test_an_answer_of_another_shape_is_refused(data: object) -> None:
    """An answer without rows is an error, never an empty fleet."""

    class Odd(SimpleMdm):
        def _page(self, asked: Any, rows: list[Any]) -> dict[str, Any]:  # noqa: ANN401 - a request of the parent
            page = super()._page(asked, rows)
            return page | {"data": data} if asked.path == DEVICES else page

    with pytest.raises(BadAnswer):
        night(Odd())


# Errors


def test_a_wrong_key_costs_one_request() -> None:
    """A refused key ends the source at once, with the place and without the key."""
    told = r"a\.simplemdm\.com/api/v1/\w+ refused the credential \(401\)"
    assert_refused(CONNECTOR, settings(api_key="wrong"), SimpleMdm(), match=told, secret="wrong")


def test_a_missing_permission_is_named() -> None:
    """A key that may not read devices is told what to grant."""
    with pytest.raises(PermissionMissing, match='grant "Devices: read"'):
        night(SimpleMdm(statuses={"/devices": 403}))


def test_requests_that_are_too_many_are_waited_out() -> None:
    """A 429 is asked again after as long as SimpleMDM says, and the walk is whole."""
    found = night(SimpleMdm(throttles=2, retry_after="7"))
    assert set(found.devices) == ids(33)
    assert sum(found.waits[:3]) == pytest.approx(2 * 7)


def test_too_many_requests_for_ever() -> None:
    """An endless 429 is told as such, after more than the minute in which the limit counts."""
    server = SimpleMdm(throttles=99)
    clock = Clock()
    with pytest.raises(Throttled, match=r"keeps asking for fewer requests \(429\)"):
        walked(CONNECTOR, settings(), server.transport, clock=clock)
    assert sum(clock.waits) > 60


@pytest.mark.parametrize(("status", "error"), [(404, NotFound), (500, ServerTrouble), (422, BadAnswer)])
def test_a_list_that_fails_is_no_empty_fleet(status: int, error: type[SourceError]) -> None:
    """Whatever else the list answers is an error that names it."""
    with pytest.raises(error, match=r"a\.simplemdm\.com/api/v1/devices"):
        night(SimpleMdm(statuses={"/devices": status}))


@pytest.mark.parametrize("keys", [{"api_key": None}, {"url": "http://simplemdm.example"}, {"detail": False}])
def test_settings_that_cannot_work(keys: dict[str, object]) -> None:
    """A key and a safe address are needed, and no setting that means nothing here."""
    with pytest.raises(ValidationError):
        settings(**keys)


@pytest.mark.parametrize(
    ("statuses", "keys", "failing"),
    [
        ({}, {}, []),
        ({}, {"api_key": "wrong"}, [permission.name for permission in CONNECTOR.permissions]),
        ({"/devices": 403}, {}, ["Devices: read"]),
        ({"/assignment_groups": 403}, {}, ["Assignment Groups: read"]),
        ({PROFILES: 403}, {}, ["Custom Configuration Profiles: read"]),
        ({PROFILES: 403}, {"profiles": False}, []),
    ],
)
def test_probe_proves_each_permission(
    statuses: dict[str, int], keys: dict[str, Any], failing: list[str]
) -> None:
    """The doctor learns by the vendor's names what the key may not read, at one row each."""
    server = SimpleMdm(statuses=statuses)
    assert list(failed(CONNECTOR, settings(**keys), server.transport)) == failing
    assert {one.first("limit") for one in server.asked} == {"1"}


# Groups


def test_groups_are_named_by_kind() -> None:
    """A group of the older kind and one of the newer with the same id are two groups."""
    row = simplemdm_row(1)
    row["relationships"] = {
        "device_group": {"data": {"id": 7}},
        "groups": {"data": [{"id": 7}, {"id": 8}, {"id": "?"}, 5]},
    }
    lists = {
        "/assignment_groups": [group(7, "New"), group(8, "New too")],
        "/device_groups": [group(7, "Old")],
    }
    found = night(SimpleMdm(devices=[row], lists=lists), profiles=False)
    assert found.devices["10"].groups == ("New", "New too", "Old")


@pytest.mark.parametrize(
    ("relationships", "groups"),
    [
        (None, ABSENT),
        ({}, ABSENT),
        ("x", UNREADABLE),
        ({"groups": {"data": "x"}}, UNREADABLE),
        ({"groups": {"data": []}}, ()),
        ({"groups": {"data": [{"id": 900}]}}, ("Benches",)),
        ({"device_group": {"data": {"id": 37}}}, ("Everyone",)),
        ({"device_group": {"data": None}, "groups": {"data": []}}, ()),
    ],
)
def test_groups(relationships: object, groups: object) -> None:
    """No groups is known, no relationship is absent."""
    row = simplemdm_row(1) | {"relationships": relationships}
    assert night(SimpleMdm(devices=[row])).devices["10"].groups == groups


def test_an_account_without_the_older_groups() -> None:
    """Where the list of device groups is gone, the others are named and nothing is amiss."""
    server = SimpleMdm()
    del server.lists["/device_groups"]
    found = night(server)
    assert found.devices["10"].groups == ("Office",)
    assert not found.troubles


@pytest.mark.parametrize("path", ["/assignment_groups", "/device_groups"])
def test_groups_that_may_not_be_read(path: str) -> None:
    """Without the permission every device is read, its groups are absent, and the report says what to grant."""
    found = night(SimpleMdm(statuses={path: 403}))
    assert {device.groups for device in found.devices.values()} == {ABSENT}
    assert [trouble.code for trouble in found.troubles] == ["groups_unresolved"]
    assert 'grant "Assignment Groups: read" (Settings > API)' in found.troubles[0].message


# Profiles


def test_a_profile_of_a_group_restricts_its_devices() -> None:
    """Devices of a group whose profile forbids backups are restricted; of the others nothing is proven."""
    found = night(SimpleMdm())
    assert restricted(found) == {str(number * 10) for number in range(1, 34) if number % 3 == 1}
    assert found.devices["20"].backup_restricted is ABSENT
    assert {device.vpn_configured for device in found.devices.values()} == {True}


def test_without_profiles_nothing_is_asked_or_reported() -> None:
    """`profiles = false` costs no request and makes both signals not reported."""
    server = SimpleMdm()
    found = night(server, profiles=False)
    signals = ("backup_restricted", "vpn_configured")
    assert {getattr(device, signal) for device in found.devices.values() for signal in signals} == {
        NOT_REPORTED
    }
    assert not [one for one in server.asked if PROFILES in one.path]
    assert CONNECTOR.reported(settings(profiles=False)) == CONNECTOR.provides - set(signals)


def test_a_profile_without_groups_is_not_fetched() -> None:
    """A profile that no device can be linked to costs nothing."""
    server = SimpleMdm(lists={PROFILES: [profile(5), profile(6, groups=[])]})
    assert not restricted(night(server))
    assert not [one for one in server.asked if one.path.endswith("/download")]


def test_profiles_that_may_not_be_read() -> None:
    """Without the permission every device is read, and the report says what to grant or to switch off."""
    found = night(SimpleMdm(statuses={PROFILES: 403}))
    assert {device.backup_restricted for device in found.devices.values()} == {ABSENT}
    assert [trouble.code for trouble in found.troubles] == ["profiles_unread"]
    assert 'grant "Custom Configuration Profiles: read"' in found.troubles[0].message
    assert "profiles = false" in found.troubles[0].message


@pytest.mark.parametrize("body", [b"", b"<plist></plist>", b"{}", b"<html>", b"\xff\x00" * 9, None])
def test_one_unreadable_profile_costs_no_other(body: bytes | None) -> None:
    """A profile that is gone or no property list is counted, and the others are read."""
    downloads = {"5": NO_BACKUP} | ({} if body is None else {"6": body})
    found = night(SimpleMdm(downloads=downloads))
    assert restricted(found)
    assert [(trouble.code, trouble.count) for trouble in found.troubles] == [("profiles_unreadable", 1)]


# Rows that are not as they should be


@pytest.mark.parametrize(
    "row", [None, 7, "x", [], {}, {"id": None}, {"id": {}}, {"id": True}, {"id": -1}, {"id": " "}]
)
def test_a_row_without_identity_is_rejected(row: object) -> None:
    """It is counted with its place and nothing of its content, and the list stays whole."""
    usual = SimpleMdm().devices
    found = night(SimpleMdm(devices=[*usual[:11], row, *usual[12:]]), page_size=10)
    assert set(found.devices) == ids(33) - {"120"}
    assert found.rejected == [Rejected("row 12", "no usable id")]


def test_a_page_that_ends_in_a_row_without_id_is_followed() -> None:
    """The cursor is the last id there is; what comes again is the same device."""
    usual = SimpleMdm().devices
    found = night(SimpleMdm(devices=[*usual[:9], "?", *usual[10:]]), page_size=10)
    assert set(found.devices) == ids(33) - {"100"}


@pytest.mark.parametrize("section", ["x", 7, []])
def test_attributes_of_another_kind_are_unreadable(section: object) -> None:
    """A row whose attributes are no object keeps its id, and every fact of it is unreadable."""
    found = night(SimpleMdm(devices=[simplemdm_row(1) | {"attributes": section}]))
    assert found.devices["10"].backup_enabled is UNREADABLE
    assert found.devices["10"].serial is UNREADABLE


@hypothesis_settings(max_examples=examples(150), deadline=None, derandomize=True, database=None)
@given(st.sampled_from(sorted(simplemdm_row(1)["attributes"])), json_values)
def test_no_value_anywhere_breaks_a_row(attribute: str, value: object) -> None:
    """Any JSON value of any attribute leaves a record with short, clean texts."""
    record = reading(**{attribute: value})
    assert_storable(record)


# Fields


def reading(**changes: object) -> DeviceRecord:
    """A usual iPad's record with changed attributes; `...` leaves one out."""
    row = simplemdm_row(1)
    row["attributes"] = {
        key: value for key, value in (row["attributes"] | changes).items() if value is not ...
    }
    record = read_record(row, "row 1", {}, Profiles({("device_groups", "37")}))
    assert isinstance(record, DeviceRecord)
    return record


WHEN = datetime(2026, 9, 19, 22, 9, 12, tzinfo=UTC)
TEXTS: list[tuple[object, object]] = [
    ("Cart 3", "Cart 3"), (" x ", "x"), ("", ABSENT), (None, ABSENT), (..., ABSENT), (5, UNREADABLE),
]  # fmt: skip
FLAGS: list[tuple[object, object]] = [
    (True, True), (False, False), (None, ABSENT), (..., ABSENT), ("true", UNREADABLE), (1, UNREADABLE),
]  # fmt: skip
TIMES: list[tuple[object, object]] = [
    ("2026-09-19T15:09:12.000-07:00", WHEN), ("2026-09-19T15:09:12.000-0700", WHEN), ("2026-09-19T22:09:12Z", WHEN),
    ("1970-01-01T00:00:00.000Z", ABSENT), ("", ABSENT), (None, ABSENT), (..., ABSENT),
    ("2026-09-19T15:09:12", UNREADABLE), ("yesterday", UNREADABLE), (1789891200, UNREADABLE),
]  # fmt: skip


RULES = [
    *rules("serial_number", "serial", TEXTS),
    *rules("unique_identifier", "udid", TEXTS),
    *rules("product_name", "model_identifier", TEXTS),
    *rules("model_name", "model_name", [*TEXTS, ("Unknown", ABSENT)]),
    *rules("os_version", "os_version", TEXTS),
    *rules("build_version", "os_build", TEXTS),
    *rules("is_supervised", "supervised", FLAGS),
    *rules("is_roaming", "roaming", FLAGS),
    *rules("itunes_store_account_is_active", "account_active", FLAGS),
    *rules("is_cloud_backup_enabled", "backup_enabled", FLAGS),
    *rules("lost_mode_enabled", "lost_mode", FLAGS),
    *rules("last_cloud_backup_date", "last_cloud_backup_at", TIMES),
    *rules("last_seen_at", "checkin_at", TIMES),
    *rules("enrolled_at", "enrolled_at", TIMES),
    *rules(
        "status",
        "managed",
        [("enrolled", True), ("awaiting enrollment", False), ("unenrolled", False), ("odd", UNREADABLE), (..., ABSENT)],
    ),
    *rules(
        "battery_level",
        "battery_percent",
        [("93%", 93), (" 5% ", 5), ("0%", 0), (0.81, 81), (1, 100), (87, 87), (-1, ABSENT), (None, ABSENT),
         ("", ABSENT), (..., ABSENT), ("101%", UNREADABLE), ("half", UNREADABLE), ("-5%", UNREADABLE),
         ([], UNREADABLE)],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("attribute", "signal", "given", "fact"), RULES)
def test_an_attribute_becomes_a_fact(attribute: str, signal: str, given: object, fact: object) -> None:
    """Text, sentinels and wrong types of each attribute are what the signal says they are."""
    assert getattr(reading(**{attribute: given}), signal) == fact


@pytest.mark.parametrize(
    ("total", "free", "capacity", "available"),
    [
        (32.0, 0.96, 32_000_000_000, 960_000_000),
        (55.6296, 3, 55_629_600_000, 3_000_000_000),
        (64, 0, 64_000_000_000, 0),
        (64, None, 64_000_000_000, ABSENT),
        (64, 65, 64_000_000_000, UNREADABLE),
        ("64", "3", UNREADABLE, UNREADABLE),
        (0, 0, ABSENT, ABSENT),
        (None, None, ABSENT, ABSENT),
    ],
)
def test_storage(total: object, free: object, capacity: object, available: object) -> None:
    """Gigabytes are bytes; nothing of nothing is not full, and more free than there is is no size."""
    record = reading(device_capacity=total, available_device_capacity=free)
    assert (record.capacity_bytes, record.available_bytes) == (capacity, available)


@pytest.mark.parametrize(
    ("by_user", "automated", "enrollment"),
    [
        (True, False, Enrollment.USER),
        (False, True, Enrollment.AUTOMATED),
        (..., True, Enrollment.AUTOMATED),
        (False, False, Enrollment.DEVICE),
        (..., False, ABSENT),
        (False, None, ABSENT),
        (None, None, ABSENT),
        ("no", False, UNREADABLE),
    ],
)
def test_enrollment(by_user: object, automated: object, enrollment: object) -> None:
    """A reply that does not tell of User Enrolment does not rule it out."""
    assert reading(user_enrollment=by_user, is_dep_enrollment=automated).enrollment == enrollment


def test_user_enrolment_hides_what_apple_hides() -> None:
    """A private device shows neither backup nor account nor restriction."""
    record = reading(user_enrollment=True, serial_number=None, unique_identifier=None)
    hidden = (
        "serial",
        "udid",
        "backup_enabled",
        "last_cloud_backup_at",
        "account_active",
        "backup_restricted",
    )
    assert {getattr(record, signal) for signal in hidden} == {NOT_PERMITTED}


@pytest.mark.parametrize(
    ("product", "name", "model", "platform", "enabled"),
    [
        ("iPad12,1", None, "MK2K3LL", Platform.IPADOS, False),
        ("iPhone15,4", None, None, Platform.IOS, False),
        (None, "iPad (9th Generation)", None, Platform.IPADOS, False),
        ("RealityDevice14,1", None, None, Platform.VISIONOS, False),
        ("AppleTV14,1", None, None, Platform.TVOS, ABSENT),
        ("Mac14,2", None, None, Platform.MACOS, ABSENT),
        (None, None, "MacBookPro18,1", Platform.MACOS, ABSENT),
        (None, "Unknown", None, ABSENT, ABSENT),
    ],
)
def test_platform(product: object, name: object, model: object, platform: object, enabled: object) -> None:
    """The model tells the platform, and where there is no iCloud Backup its flag says nothing."""
    record = reading(product_name=product, model_name=name, model=model, is_cloud_backup_enabled=False)
    assert (record.platform, record.backup_enabled) == (platform, enabled)


@pytest.mark.parametrize(
    ("console", "own", "name"),
    [("Cart 3", "iPad", "Cart 3"), (None, "iPad", "iPad"), ("", "iPad", "iPad"), (None, None, ABSENT)],
)
def test_name(console: object, own: object, name: object) -> None:
    """The console's name, else the device's own."""
    assert reading(name=console, device_name=own).name == name


def test_no_backup_date_is_not_never() -> None:
    """With backup on and no date, whether there ever was one stays unknown."""
    record = reading(is_cloud_backup_enabled=True, last_cloud_backup_date=None)
    assert (record.backup_enabled, record.last_cloud_backup_at) == (True, ABSENT)


# The connector's word


def test_no_record_carries_a_recovery_key() -> None:
    """The secrets that stand in the list go no further than its page."""
    assert "KEEP-OUT" not in repr(list(night(SimpleMdm()).devices.values()))
