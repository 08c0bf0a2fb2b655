"""Addigy: facts in pages, a ban in place of a rate limit, and what stands beside the list."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pydantic import ValidationError

from connectors import _rows
from connectors._addigy_record import FACTS, PAGE, Beside, groups_of, read_record
from connectors.addigy import CONNECTOR, AddigySettings
from fleet.errors import AuthRefused, BadAnswer, PermissionMissing, SourceError, Throttled
from fleet.model.device import DeviceRecord, Enrollment, Platform, Rejected
from fleet.model.fact import ABSENT, NOT_PERMITTED, NOT_REPORTED, UNREADABLE, Gap
from tests.connectors.fields import assert_storable, json_values, rules
from tests.connectors.walking import Night, probed, walked
from tests.examples import examples
from tests.servers.addigy import API_KEY, ORG, Addigy, Item, fact, item, mac
from tests.servers.loopback import Reply, reply

Table = list[tuple[object, object]]
DEVICES = "/api/v2/devices"
PENDING = f"/api/v2/o/{ORG}/ddm-updates/devices/status/pending-updates"
ASSIGNED = f"/api/v2/o/{ORG}/end-users/devices/query"
PEOPLE = f"/api/v2/o/{ORG}/end-users/query"
POLICIES = "/api/v2/oa/policies/query"


def settings(**keys: object) -> AddigySettings:
    return AddigySettings.model_validate({"name": "msp", "kind": "addigy", "api_key": API_KEY} | keys)


def night(vendor: Addigy, **keys: object) -> Night:
    return walked(CONNECTOR, settings(**keys), vendor.transport)


def agent(i: int) -> str:
    return item(i)["agentid"]


# The walk


def test_a_night_over_a_socket() -> None:
    """Thirty devices in four pages are read whole, with people, policies and pending updates."""
    with Addigy(30) as vendor:
        found = walked(CONNECTOR, settings(url=f"{vendor.url}/api/v2", page_size=8))
    assert (len(found.devices), found.expected, found.rejected, found.troubles) == (30, 30, [], [])
    first = found.devices[agent(1)]
    assert (first.user_name, first.user_email) == ("Person Number 1", "person1@client.example")
    assert (first.groups, first.pending_os_version) == (("Policy 1", "Policy 2"), "26.5")


@pytest.mark.parametrize(
    ("count", "page_size", "per_page"),
    [(0, 100, 100), (1, 100, 100), (100, 100, 100), (101, 100, 50), (35, 1, 100)],
)
def test_every_device_comes_once(count: int, page_size: int, per_page: int) -> None:
    """Whatever page size is asked for and granted, the walk is whole and says how many there are."""
    found = night(Addigy(count, per_page=per_page), page_size=page_size)
    assert set(found.devices) == {agent(i) for i in range(count)}
    assert (found.expected, found.troubles) == (count, [])


@pytest.mark.no_cover
def test_what_a_thousand_devices_cost() -> None:
    """One request per page for devices, one for their updates; people and policies once a night."""
    vendor = Addigy(1000)
    night(vendor)
    paths = (DEVICES, PENDING, ASSIGNED, PEOPLE, POLICIES)
    assert [vendor.count(path) for path in paths] == [10, 10, 9, 10, 1]
    assert len(vendor.asked) == 40


def test_without_detail_only_the_list_and_its_policies() -> None:
    """`detail = false` costs a request per page and one, and promises less."""
    vendor = Addigy(1000)
    found = night(vendor, detail=False)
    assert (vendor.count(DEVICES), len(vendor.asked)) == (10, 11)
    device = found.devices[agent(1)]
    unasked = (device.user_name, device.user_email, device.department, device.pending_os_version)
    assert unasked == (NOT_REPORTED,) * 4
    less = CONNECTOR.reported(settings()) - CONNECTOR.reported(settings(detail=False))
    assert less == {"user_name", "user_email", "department", "pending_os_version"}


def test_facts_are_asked_for_by_name_and_no_filter_is_sent() -> None:
    """Without names the server sends few facts, and filters it ignores; the sort keeps pages apart."""
    vendor = Addigy(3)
    night(vendor)
    body = json.loads(next(asked.body for asked in vendor.asked if asked.path == DEVICES))
    assert set(body["desired_fact_identifiers"]) == set(FACTS)
    assert body["query"] == {"filters": [], "policy_id": "", "search_any": ""}
    assert (body["sort_field"], body["sort_direction"], body["page"], body["per_page"]) == (
        "serial_number",
        "asc",
        1,
        100,
    )


def test_the_allowance_is_kept_far_below_its_limit() -> None:
    """At one moment no more than a hundred requests leave, each further one waits its tenth of a second."""
    assert not night(Addigy(30), page_size=1, detail=False).waits
    vendor = Addigy(150)
    found = night(vendor, page_size=1, detail=False, max_concurrency=1)
    assert len(found.waits) == len(vendor.asked) - 100
    assert found.waits[0] == pytest.approx(0.1)


def test_a_moved_list_is_walked_again() -> None:
    """A total that differs between pages means shifted rows: one more walk, and no device is missing."""
    stated = iter([31, 31])
    vendor = Addigy(30, total=lambda _, truth: next(stated, truth))
    found = night(vendor, page_size=10, max_concurrency=1)
    assert (len(found.devices), found.expected) == (30, 30)
    assert vendor.count(DEVICES) == 4 + 3


def test_a_list_that_stays_short_says_so() -> None:
    """A total that never fits is handed on, for the caller to call it partial."""
    found = night(Addigy(30, total=lambda _, truth: truth + 2))
    assert (len(found.devices), found.expected) == (30, 32)


def test_a_server_that_ignores_the_page_is_caught() -> None:
    """The first page for ever is an error after a few requests, not an endless night."""
    vendor = Addigy(10, same_page=True, total=lambda _, __: 5000)
    with pytest.raises(BadAnswer, match="repeats itself"):
        night(vendor, page_size=5)
    assert vendor.count(DEVICES) < 12


def test_devices_of_one_name_are_two() -> None:
    """Names are not unique; the agent id is."""
    twins = [item(1, device_name="iPad"), item(2, device_name="iPad")]
    assert len(night(Addigy(twins)).devices) == 2


@pytest.mark.parametrize(
    "row",
    [
        None,
        7,
        "x",
        [],
        {},
        {"agentid": None},
        {"agentid": " "},
        {"agentid": 5},
        {"facts": {"agentid": fact("a")}},
    ],
)
def test_a_row_without_identity_is_rejected(row: object) -> None:
    """It is counted with its place and nothing of its content, and no other row is lost."""
    found = night(Addigy([item(0), row, item(2)]))
    assert found.rejected == [Rejected("row 2", "no usable agentid")]
    assert set(found.devices) == {agent(0), agent(2)}


# Refusals


def test_a_wrong_token_is_told() -> None:
    """A refused token ends the source after one request, and is not in the message."""
    vendor = Addigy(3)
    with pytest.raises(
        AuthRefused, match=r"api\.addigy\.com/api/v2/devices refused the credential"
    ) as caught:
        night(vendor, api_key="wrong-token")
    assert len(vendor.asked) == 1
    assert "wrong-token" not in str(caught.value)


def test_a_missing_permission_is_named() -> None:
    """A token that may not see devices is told which permission to grant."""
    with pytest.raises(PermissionMissing, match='grant "View Devices"'):
        night(Addigy(3, refused=("/v2/devices",)))


@pytest.mark.parametrize("answered", [0, 3, 7])
def test_a_ban_ends_the_night_at_once(answered: int) -> None:
    """A 429 blocks for 24 hours: it is never retried, wherever it comes, and the message says what to do."""
    vendor = Addigy(60, banned_after=answered)
    with pytest.raises(Throttled, match=r"block an organisation for 24 hours; .*run again tomorrow"):
        night(vendor, page_size=10, max_concurrency=1)
    assert len(vendor.asked) <= answered + 2


@pytest.mark.parametrize(
    "whole",
    [
        reply({"code": 500, "message": "what?"}),
        reply({"items": "x", "metadata": {"page_count": 1, "total": 1}}),
        reply({"items": [], "metadata": {}}),
        reply({"items": []}),
        reply([]),
        Reply(200, b"<html>Sign in</html>", {"Content-Type": "text/html"}),
    ],
)
def test_an_answer_of_another_shape_is_no_empty_fleet(whole: Reply) -> None:
    """Without rows and the number of pages it is an error."""
    with pytest.raises(BadAnswer):
        night(Addigy(3, whole=whole))


@pytest.mark.parametrize("keys", [{"url": "http://addigy.example"}, {"api_key": None}, {"client_id": "x"}])
def test_settings_that_cannot_work(keys: dict[str, str | None]) -> None:
    """A token, a safe address and known keys are needed."""
    with pytest.raises(ValidationError):
        settings(**keys)


# Beside the list


@pytest.mark.parametrize(
    ("part", "code", "signals", "remedy"),
    [
        (
            "end-users",
            "users_unresolved",
            ("user_name", "user_email", "department"),
            'grant "View end users"',
        ),
        ("pending-updates", "updates_unresolved", ("pending_os_version",), 'grant "View Devices"'),
        ("policies", "policies_unresolved", ("groups",), "let the token view policies"),
    ],
)
@pytest.mark.parametrize("way", ["refused", "broken"])
def test_side_data_is_optional(part: str, code: str, signals: tuple[str, ...], remedy: str, way: str) -> None:
    """Where it is refused it is not permitted, where it fails it is absent; the report says so once."""
    vendor = Addigy(30, refused=(part,)) if way == "refused" else Addigy(30, broken=(part,))
    found = night(vendor, page_size=10)
    assert len(found.devices) == 30
    assert found.codes == [code]
    assert remedy in found.troubles[0].message
    gap = NOT_PERMITTED if way == "refused" else ABSENT
    assert {getattr(device, name) for device in found.devices.values() for name in signals} == {gap}
    assert sum(part in asked.path for asked in vendor.asked) <= 2


def test_people_of_devices() -> None:
    """The latest assignment counts; a missing name falls back to the login, no user is absent."""
    found = night(Addigy(12)).devices
    assert found[agent(0)].user_name == "person0"
    assert found[agent(0)].department is ABSENT
    assert (found[agent(7)].user_name, found[agent(7)].department) == ("Person Number 7", "Team 3")
    assert found[agent(7)].user_email == "person7@client.example"
    assert {found[agent(4)].user_name, found[agent(4)].user_email} == {ABSENT}


@pytest.mark.parametrize(
    ("emails", "address"),
    [
        ([{"value": "a@x.example"}, {"value": "b@x.example", "primary": True}], "b@x.example"),
        ([{"value": "a@x.example"}, {"value": "b@x.example"}], "a@x.example"),
        ([], ABSENT),
        (None, ABSENT),
        ("a@x.example", UNREADABLE),
        ([7], UNREADABLE),
    ],
)
def test_the_address_of_a_person(emails: object, address: object) -> None:
    """The primary address, else the first."""
    assert night(Addigy(1, person={"emails": emails})).devices[agent(0)].user_email == address


def test_nobody_is_looked_up_where_nobody_has_a_device() -> None:
    """Without an assignment the directory is not read."""
    vendor = Addigy([item(0) | {"agentid": "unassigned"}], broken=("end-users/query",), assigned=False)
    assert night(vendor).devices["unassigned"].user_name is ABSENT
    assert vendor.count(PEOPLE) == 0


def test_people_are_read_only_as_far_as_needed() -> None:
    """A directory of hundreds is not read to its end for the users of three devices."""
    vendor = Addigy(3)
    night(vendor)
    assert vendor.count(PEOPLE) == 1


def test_updates_are_asked_for_handhelds_with_a_udid() -> None:
    """Macs are left out of the question, and so is a device that hides its UDID."""
    vendor = Addigy([item(0), mac(1), item(2, udid=None)])
    found = night(vendor)
    asked = next(asked for asked in vendor.asked if asked.path == PENDING)
    assert json.loads(asked.body) == ["00008120-0000000000000000"]
    assert {device.pending_os_version for device in found.devices.values()} == {ABSENT}


def test_each_organisation_is_asked_by_itself() -> None:
    """Devices of a child organisation get their people and updates from there."""
    vendor = Addigy([item(0), item(1) | {"orgid": "child/../x"}])
    night(vendor)
    assert vendor.count("/api/v2/o/child/../x/end-users/devices/query") == 1
    assert vendor.count(ASSIGNED) == 1


@pytest.mark.parametrize(
    ("vendor", "keys", "steps"),
    [
        (Addigy(2), {}, {"login": None, "View Devices": None, "View end users": None}),
        (
            Addigy(2, refused=("end-users",)),
            {},
            {"login": None, "View Devices": None, "View end users": 'grant "View end users"'},
        ),
        (Addigy(2, refused=("/v2/devices",)), {}, {"login": None, "View Devices": 'grant "View Devices"'}),
        (Addigy(2), {"api_key": "wrong"}, {"login": "refused the credential"}),
        (Addigy(2), {"detail": False}, {"login": None, "View Devices": None}),
        (Addigy(0), {}, {"login": None, "View Devices": None}),
    ],
)
def test_probe(vendor: Addigy, keys: dict[str, Any], steps: dict[str, str | None]) -> None:
    """The doctor learns of the login and of each permission that can be tried, with its remedy."""
    found = dict(probed(CONNECTOR, settings(**keys), vendor.transport))
    assert found.keys() == steps.keys()
    assert all((part is None) == (found[name] is None) for name, part in steps.items())
    assert all(part in (found[name] or "") for name, part in steps.items() if part)
    assert len(vendor.asked) <= 2


# Facts


def reading(**changes: object) -> DeviceRecord:
    """A usual iPhone's record with changes to the values of its facts."""
    return reading_of(item(0, **changes))


def reading_of(row: object) -> DeviceRecord:
    record = read_record(row, "row 1", Beside())
    assert isinstance(record, DeviceRecord)
    return record


THEN = datetime(2026, 9, 19, 22, 9, 12, tzinfo=UTC)
TEXTS: Table = [("Cart 3", "Cart 3"), (" x ", "x"), ("", ABSENT), (None, ABSENT), (5, UNREADABLE)]
FLAGS: Table = [(True, True), (False, False), (None, ABSENT), ("true", UNREADABLE), (0, UNREADABLE)]
TIMES: Table = [
    ("2026-09-19T22:09:12Z", THEN),
    ("2026-09-19T22:09:12.5Z", THEN),
    ("2026-09-19T22:09:12.551Z", THEN),
    ("2026-09-20T00:09:12+02:00", THEN),
    ("", ABSENT),
    (None, ABSENT),
    ("1970-01-01T00:00:00Z", ABSENT),
    ("2026-09-19T22:09:12", UNREADABLE),
    (-1, UNREADABLE),
]


PLAIN_RULES = [
    *rules("serial_number", "serial", TEXTS),
    *rules("udid", "udid", TEXTS),
    *rules(
        "device_name",
        "name",
        [*TEXTS, ("Sam\\u2019s \\ud83d\\ude00", "Sam\u2019s \U0001f600"), ("a\\ud83d", "a\ufffd")],
    ),
    *rules(
        "product_name", "model_identifier", [("iPad8,3", "iPad8,3"), (None, "iPhone17,3"), ("", "iPhone17,3")]
    ),
    *rules("device_model_name", "model_name", TEXTS),
    *rules("os_version", "os_version", TEXTS),
    *rules("build_version", "os_build", TEXTS),
    *rules("is_supervised", "supervised", FLAGS),
    *rules("is_cloud_backup_enabled", "backup_enabled", FLAGS),
    *rules("is_roaming", "roaming", FLAGS),
    *rules("is_mdm_lost_mode_enabled", "lost_mode", FLAGS),
    *rules("last_cloud_backup_date", "last_cloud_backup_at", TIMES),
    *rules("registration_date", "enrolled_at", TIMES),
    *rules("mdm_last_connected", "checkin_at", TIMES),
    *rules(
        "battery_percentage",
        "battery_percent",
        [(52.7, 53), (100, 100), (0, 0), (-1, ABSENT), (None, ABSENT), (101, UNREADABLE)],
    ),
    *rules(
        "maximum_resident_users", "shared_ipad", [(8, True), (0, ABSENT), (None, ABSENT), ("8", UNREADABLE)]
    ),
]


@pytest.mark.parametrize(("name", "signal", "value", "known"), PLAIN_RULES)
def test_one_fact_one_signal(name: str, signal: str, value: object, known: object) -> None:
    """Each fact becomes its signal, and what it cannot say has the right reason."""
    assert getattr(reading(**{name: value}), signal) == known


def test_a_backup_without_a_date_is_not_never() -> None:
    """On without a date is a state of its own: the date may never have been, or not been told."""
    record = reading(is_cloud_backup_enabled=True, last_cloud_backup_date=None)
    assert (record.backup_enabled, record.last_cloud_backup_at) == (True, ABSENT)


def test_a_fact_with_an_error_has_no_value() -> None:
    """A value that came with an error message is not believed."""
    row = item(0)
    row["facts"]["is_cloud_backup_enabled"] = fact(value=False, error="fact not available")
    assert reading_of(row).backup_enabled is ABSENT


@pytest.mark.parametrize(
    ("facts", "gap"), [({}, ABSENT), (None, ABSENT), ("x", UNREADABLE), ({"is_roaming": "x"}, UNREADABLE)]
)
def test_facts_that_are_missing_or_of_another_kind(facts: object, gap: Gap) -> None:
    """What was not sent is absent, what is no fact is unreadable."""
    assert reading_of(item(0) | {"facts": facts}).roaming is gap


def test_inventory_and_check_in() -> None:
    """The audit is the inventory, MDM's connection the check-in; each has a second best."""
    record = reading_of(mac(1) | {"audit_date": None})
    assert record.inventory_at == datetime(2026, 11, 20, 12, tzinfo=UTC)
    assert record.checkin_at == datetime(2026, 11, 21, 6, tzinfo=UTC)


@pytest.mark.parametrize(
    ("total", "free", "facts"),
    [
        (128, 49.9, (128_000_000_000, 49_900_000_000)),
        (256, 242.6499072, (256_000_000_000, 242_649_907_200)),
        (64, 0, (64_000_000_000, 0)),
        (0, 0, (ABSENT, ABSENT)),
        (None, 5, (ABSENT, ABSENT)),
        (64, None, (64_000_000_000, ABSENT)),
        (64, 65, (64_000_000_000, UNREADABLE)),
        ("64", 5, (UNREADABLE, 5_000_000_000)),
    ],
)
def test_storage(total: object, free: object, facts: tuple[object, object]) -> None:
    """Decimal GB; 0 of 0 is not full, and no device has more free than it holds."""
    record = reading(total_disk_space_gb=total, free_disk_space_gb=free)
    assert (record.capacity_bytes, record.available_bytes) == facts


@pytest.mark.parametrize(
    ("product", "model", "system", "platform"),
    [
        ("iPad8,3", "iPad", "iOS 15.1 (19B74)", Platform.IPADOS),
        ("iPhone17,3", "iPhone", "iOS 26.1 (23B85)", Platform.IOS),
        (None, "iPad", None, Platform.IPADOS),
        (None, None, "iOS 26.1 (23B85)", Platform.IOS),
        ("AppleTV11,1", None, None, Platform.TVOS),
        ("Mac14,2", None, None, Platform.MACOS),
        ("VirtualMac2,1", None, "macOS 26.1 (25B78)", Platform.MACOS),
        (None, None, "ChromeOS 1", UNREADABLE),
        (None, None, None, ABSENT),
    ],
)
def test_platform(product: str | None, model: str | None, system: str | None, platform: object) -> None:
    """An iPad is told from an iPhone by its model; Macs keep their platform, for the checks to leave them out."""
    record = reading(
        product_name=product, hardware_model=None, device_model_name=model, system_version=system
    )
    assert record.platform == platform


def test_a_mac_may_be_told_by_its_own_fact() -> None:
    """A Mac without a model word and system has a version of Mac OS X."""
    row = mac(1)
    row["facts"]["system_version"] = fact(None)
    assert reading_of(row).platform is Platform.MACOS


@pytest.mark.parametrize(
    ("own", "automated", "enrollment"),
    [
        (True, None, Enrollment.USER),
        (True, True, Enrollment.USER),
        (False, True, Enrollment.AUTOMATED),
        (None, True, Enrollment.AUTOMATED),
        (False, False, Enrollment.DEVICE),
        (False, None, ABSENT),
        (None, False, ABSENT),
        ("x", False, UNREADABLE),
    ],
)
def test_enrollment(own: object, automated: object, enrollment: object) -> None:
    """By hand only where both other ways are denied."""
    assert reading(is_user_enrollment=own, enrolled_via_dep=automated).enrollment == enrollment


def test_user_enrolment_hides_what_apple_hides() -> None:
    """What an MDM may not see of a personal device is not permitted, whatever the facts say."""
    record = reading(
        is_user_enrollment=True,
        serial_number=None,
        udid="",
        is_cloud_backup_enabled=False,
        last_cloud_backup_date=None,
    )
    hidden = (record.serial, record.udid, record.backup_enabled, record.last_cloud_backup_at)
    assert hidden == (NOT_PERMITTED,) * 4
    assert not isinstance(record.available_bytes, Gap)


@pytest.mark.parametrize(
    ("listed", "only", "groups"),
    [
        (["p1", "p2"], "p1", ("Base", "Kiosk")),
        (["p1", "gone", "p1", 5], None, ("Base",)),
        (None, "p2", ("Kiosk",)),
        ([], None, ()),
        (None, None, ABSENT),
        ("p1", None, UNREADABLE),
    ],
)
def test_groups_are_policies_by_name(listed: object, only: object, groups: object) -> None:
    """A policy without a known name is left out."""
    row = item(0, policy_ids=listed, policy_id=only)
    assert groups_of(row, {"p1": "Base", "p2": "Kiosk", "p3": ABSENT}) == groups


@hypothesis_settings(max_examples=examples(100), deadline=None, derandomize=True, database=None)
@given(st.data())
def test_no_value_anywhere_breaks_a_page(data: st.DataObject) -> None:
    """Any JSON value in any place of an item leaves a record, or a rejected row, and its neighbour whole."""
    row: Item = item(3)
    place: Item = data.draw(st.sampled_from([row, row["facts"], *row["facts"].values()]))
    place[data.draw(st.sampled_from(sorted(place)))] = data.draw(json_values)
    body = json.dumps({"items": [row, item(2)], "metadata": {}}).encode()
    first, second = (read_record(one, "row", Beside()) for one in _rows.decode(PAGE, body)["items"] or [])
    assert second == read_record(item(2), "row", Beside())
    assert_storable(first)


def test_a_source_error_is_what_every_failure_is() -> None:
    """A server that answers with an error of its own ends this source alone."""
    with pytest.raises(SourceError):
        night(Addigy(3, whole=reply({"code": 500, "message": "", "error_chain": {}}, 500)))
