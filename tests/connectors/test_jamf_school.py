"""Jamf School: one answer for a whole fleet, a 405 for a missing right, and fields of two types."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pydantic import ValidationError

from connectors import _rows
from connectors._jamf_school_dates import moment, zone_named
from connectors._jamf_school_record import LIST, read_record
from connectors.jamf_school import CONNECTOR, JamfSchoolSettings
from fleet.errors import AuthRefused, BadAnswer, NotFound, PermissionMissing, SourceError, Throttled
from fleet.model.device import DeviceRecord, Enrollment, Platform, Rejected
from fleet.model.fact import ABSENT, NEVER, UNREADABLE
from tests.connectors.fields import assert_storable, json_values, rules
from tests.connectors.walking import Night, probed, walked
from tests.examples import examples
from tests.servers.jamf_school import API_KEY, NETWORK_ID, JamfSchool, Row, mac, refusal, tablet
from tests.servers.loopback import Reply, reply

Table = list[tuple[object, object]]
SITES = {"0": "Main site", "1": "Harbour & Mill"}


def settings(**keys: object) -> JamfSchoolSettings:
    values = {"url": "https://school.example", "network_id": NETWORK_ID, "api_key": API_KEY}
    return JamfSchoolSettings.model_validate({"name": "school", "kind": "jamf_school"} | values | keys)


def night(vendor: JamfSchool, **keys: object) -> Night:
    return walked(CONNECTOR, settings(**keys), vendor.transport)


# The walk


def test_a_night_over_a_socket() -> None:
    """A school of thirty devices is read whole, with the number that it states."""
    with JamfSchool(30) as vendor:
        found = walked(CONNECTOR, settings(url=vendor.url))
    assert (len(found.devices), found.expected, found.rejected, found.troubles) == (30, 30, [], [])


def test_requests_do_not_grow_with_the_fleet() -> None:
    """Twelve hundred devices cost three requests, and are handed on in pages."""
    vendor = JamfSchool(1200)
    found = night(vendor)
    assert [asked.path for asked in vendor.asked] == [
        "/api/locations",
        "/api/devices",
        f"/api/devices/{vendor.rows[3]['UDID']}",
    ]
    assert (len(found.devices), found.pages) == (1200, 4)


def test_no_filter_is_sent() -> None:
    """Filters are ignored or misread by the server, and any `includeApps` makes the answer many times as large."""
    vendor = JamfSchool(3)
    night(vendor)
    assert all(asked.query == {} and asked.method == "GET" for asked in vendor.asked)


def test_an_empty_school() -> None:
    """No devices is an answer, and says so."""
    found = night(JamfSchool(0))
    assert (found.devices, found.expected) == ({}, 0)


def test_a_count_that_does_not_fit_is_handed_on() -> None:
    """The number that the answer states is told, for the caller to call it partial."""
    assert night(JamfSchool(5, count=8)).expected == 8


@pytest.mark.parametrize(
    "url", ["https://school.example", "https://school.example/api/", "https://school.example/api"]
)
def test_the_address_may_end_in_api(url: str) -> None:
    """The address of the tenant and that of its API mean the same."""
    assert len(night(JamfSchool(2), url=url).devices) == 2


def test_a_whole_fleet_in_one_answer_gets_more_time_and_room() -> None:
    """The defaults are larger than those of kinds that page, and can be changed."""
    assert (settings().timeout_seconds, settings().max_body_mb) == (120, 256)
    assert settings(timeout_seconds=30).timeout_seconds == 30


@pytest.mark.parametrize("keys", [{"network_id": ""}, {"url": "http://school.example"}, {"token": "x"}])
def test_settings_that_cannot_work(keys: dict[str, str]) -> None:
    """A network id, a safe address and known keys are needed."""
    with pytest.raises(ValidationError):
        settings(**keys)


def test_a_network_id_may_be_a_number() -> None:
    """Without quotes in the settings it means the same."""
    assert settings(network_id=10020030).network_id == NETWORK_ID


# Refusals


def test_a_wrong_key_is_told() -> None:
    """A refused key ends the source at once, in plain text as it comes, and is not in the message."""
    vendor = JamfSchool(3)
    with pytest.raises(AuthRefused, match=r"school\.example/api/.* refused the credential \(401\)") as caught:
        night(vendor, api_key="wrong-key")
    assert len(vendor.asked) == 1
    assert "wrong-key" not in str(caught.value)


@pytest.mark.parametrize(
    "vendor",
    [
        JamfSchool(3, may_read=False),
        JamfSchool(3, whole=refusal(405)),
        JamfSchool(3, whole=refusal(405, 200)),
    ],
    ids=["every GET", "status 405", "405 in the body of a 200"],
)
def test_a_405_is_a_missing_right(vendor: JamfSchool) -> None:
    """Jamf School answers 405 to a key without the right to read: its name and the console are told."""
    with pytest.raises(PermissionMissing, match='tick "Read" for it in Organization > Settings > API'):
        night(vendor)


@pytest.mark.parametrize(
    ("whole", "error"),
    [
        (reply({"code": 401, "message": "Unauthorized"}), AuthRefused),
        (reply({"code": 500, "message": "Oops"}), BadAnswer),
        (reply({"code": 200, "devices": None}), BadAnswer),
        (reply([]), BadAnswer),
        (reply({"code": 404, "message": "RouteNotFound"}, 404), NotFound),
        (Reply(200, b"<html>Sign in</html>", {"Content-Type": "text/html"}), BadAnswer),
        (Reply(200, b'{"devices":[{', {"Content-Type": "application/json"}), BadAnswer),
    ],
)
def test_an_answer_without_devices_is_no_empty_fleet(whole: Reply, error: type[SourceError]) -> None:
    """Errors come in several shapes, some with status 200; none of them passes for a school without devices."""
    with pytest.raises(error):
        night(JamfSchool(3, whole=whole))


def test_a_busy_tenant_is_waited_for() -> None:
    """A few 429 are sat out, and then the night is whole."""
    assert len(night(JamfSchool(3, throttled=3)).devices) == 3


def test_a_rate_limit_that_stays_is_told() -> None:
    """A tenant that goes on asking for fewer requests ends the source with that sentence."""
    with pytest.raises(Throttled, match=r"asking for fewer requests \(429\)"):
        night(JamfSchool(3, throttled=99))


def test_locations_are_optional() -> None:
    """Without their names every device is read, its site is absent, and the report says what to grant."""
    found = night(JamfSchool(4, locations=None))
    assert {device.site for device in found.devices.values()} == {ABSENT}
    assert found.codes == ["sites_unresolved"]
    assert 'tick "Read"' in found.troubles[0].message


@pytest.mark.parametrize(
    ("vendor", "keys", "steps"),
    [
        (JamfSchool(1), {}, {"login": None, "Read": None}),
        (JamfSchool(1, may_read=False), {}, {"login": None, "Read": 'tick "Read"'}),
        (JamfSchool(1), {"api_key": "wrong"}, {"login": "refused the credential"}),
    ],
)
def test_probe(vendor: JamfSchool, keys: dict[str, str], steps: dict[str, str | None]) -> None:
    """The shortest list proves the login and the right to read."""
    found = dict(probed(CONNECTOR, settings(**keys), vendor.transport))
    assert found.keys() == steps.keys()
    assert all((part is None) == (found[name] is None) for name, part in steps.items())
    assert all(part in (found[name] or "") for name, part in steps.items() if part)
    assert {one.path for one in vendor.asked} == {"/api/locations"}


# Time zones


def test_the_zone_is_learnt_from_one_device() -> None:
    """A list on the clock of Auckland is read as such, once one device's answer showed the same clock and the zone."""
    usual = night(JamfSchool(6)).devices
    local = night(JamfSchool(6, zone="Pacific/Auckland", detail_zone="Pacific/Auckland"))
    assert local.troubles == []
    assert {key: device.checkin_at for key, device in local.devices.items()} == {
        key: device.checkin_at for key, device in usual.items()
    }
    assert local.devices == usual


@pytest.mark.parametrize("named", [None, "Nowhere/At all", "", "../../etc/passwd"])
def test_an_unproven_zone_is_said(named: str | None) -> None:
    """Where no device shows the zone, dates are read as UTC, and the report says so."""
    found = night(JamfSchool(6, zone="Europe/Berlin", detail_zone=named))
    assert found.codes == ["zone_assumed"]
    assert found.devices["00008103-0000000000000000"].checkin_at == datetime(2026, 11, 21, 16, tzinfo=UTC)


def test_a_device_that_checked_in_between_proves_nothing() -> None:
    """A clock that moved on since the list is no proof of the zone."""
    assert night(JamfSchool(1, seen_at="2026-11-21 23:00:00")).codes == ["zone_assumed"]


def test_detail_can_be_switched_off() -> None:
    """Without `detail` no device is asked for by itself."""
    vendor = JamfSchool(6)
    assert night(vendor, detail=False).troubles == []
    assert len(vendor.asked) == 2


def test_dates_with_a_zone_need_no_calibration() -> None:
    """A list whose dates say their zone costs no further request."""
    vendor = JamfSchool([tablet(0) | {"lastCheckin": "2026-11-20T10:00:00Z"}])
    assert night(vendor).troubles == []
    assert len(vendor.asked) == 2


def test_a_udid_cannot_lead_to_another_path() -> None:
    """A hostile UDID is asked for as one segment of the path."""
    vendor = JamfSchool([tablet(0) | {"UDID": "../users?x=1#"}])
    night(vendor)
    assert vendor.asked[-1].path == "/api/devices/../users?x=1#"
    assert vendor.asked[-1].query == {}


@pytest.mark.parametrize(
    ("name", "hours"),
    [
        ("UTC", 0),
        ("Z", 0),
        ("Asia/Tokyo", 9),
        ("+02:00", 2),
        ("-0330", -3.5),
        ("CEST?", None),
        (5, None),
        (None, None),
    ],
)
def test_zone_names(name: object, hours: float | None) -> None:
    """Names and offsets are zones, anything else is none."""
    zone = zone_named(name)
    offset = zone and zone.utcoffset(datetime(2026, 11, 22))  # noqa: DTZ001 - a clock to be placed
    assert (offset.total_seconds() / 3600 if offset is not None else None) == hours


# Fields


def reading(**changes: object) -> DeviceRecord:
    """A usual iPad's record with changes to its row."""
    return reading_of(tablet(1) | changes)


def reading_of(row: object) -> DeviceRecord:
    record = read_record(row, "row 1", dict(SITES), UTC)
    assert isinstance(record, DeviceRecord)
    return record


THEN = datetime(2026, 3, 2, 12, 34, 56, tzinfo=UTC)
TEXTS: Table = [("Cart 3", "Cart 3"), (" x ", "x"), ("", ABSENT), (None, ABSENT), (5, UNREADABLE)]
FLAGS: Table = [
    (True, True),
    (False, False),
    (1, True),
    (0, False),
    ("1", True),
    ("0", False),
    ("", ABSENT),
    (None, ABSENT),
    ("yes", UNREADABLE),
    (2, UNREADABLE),
    ([], UNREADABLE),
]
TIMES: Table = [
    ("2026-03-02 12:34:56", THEN),
    ("2026-03-02 12:34:56.000000", THEN),
    ("2026-03-02T12:34:56Z", THEN),
    ("2026-03-02T13:34:56+01:00", THEN),
    ("1772454896", THEN),
    (1772454896, THEN),
    ({"date": "2026-03-02 12:34:56.000000", "timezone_type": 3, "timezone": "UTC"}, THEN),
    ({"date": "2026-03-02 21:34:56", "timezone_type": 3, "timezone": "Asia/Tokyo"}, THEN),
    ({"date": "2026-03-02 12:34:56", "timezone": "Nowhere"}, UNREADABLE),
    ({"date": "2026-03-02 12:34:56", "epoch": 1772454896}, THEN),
    ("2015-25-08 12:34:56", datetime(2015, 8, 25, 12, 34, 56, tzinfo=UTC)),
    ("", ABSENT),
    (None, ABSENT),
    (0, ABSENT),
    ("0", ABSENT),
    ("0000-00-00 00:00:00", ABSENT),
    ("1970-01-01 00:00:00", ABSENT),
    ("2026-31-31 00:00:00", UNREADABLE),
    ("yesterday", UNREADABLE),
    (True, UNREADABLE),
    ([], UNREADABLE),
    ("9" * 400, UNREADABLE),
]


NEVER_TIMES: Table = [(value, NEVER if fact is ABSENT else fact) for value, fact in TIMES]


@pytest.mark.parametrize(("value", "fact"), TIMES)
def test_a_moment_in_any_of_its_forms(value: object, fact: object) -> None:
    """Numbers, digits, text and objects are dates; blanks, zeros and 1970 are none; a 25th month is a day."""
    assert moment(value, UTC) == fact


PLAIN_RULES = [
    *rules("serialNumber", "serial", TEXTS),
    *rules("name", "name", [*TEXTS, ("Arts &amp; &lt;Crafts&gt;", "Arts & <Crafts>")]),
    *rules("assetTag", "asset_tag", TEXTS),
    *rules(
        "model", "model_name", [({"name": v}, fact) for v, fact in TEXTS] + [([], ABSENT), ("x", UNREADABLE)]
    ),
    *rules("model", "model_identifier", [({"identifier": v}, fact) for v, fact in TEXTS]),
    *rules("os", "os_version", [({"version": v}, fact) for v, fact in TEXTS]),
    *rules("isSupervised", "supervised", FLAGS),
    *rules("iTunesStoreLoggedIn", "account_active", FLAGS),
    *rules("lastCheckin", "checkin_at", TIMES),
    *rules("iCloudBackupLatest", "last_cloud_backup_at", NEVER_TIMES),
    *rules(
        "batteryLevel",
        "battery_percent",
        [
            (0.988, 99),
            (1, 100),
            ("0.5", 50),
            (0, 0),
            (-1, ABSENT),
            ("", ABSENT),
            (None, ABSENT),
            (99, UNREADABLE),
        ],
    ),
    *rules("owner", "user_email", [({"email": v}, fact) for v, fact in TEXTS] + [([], ABSENT), ({}, ABSENT)]),
    *rules(
        "owner",
        "user_name",
        [
            ({"name": "Ada L."}, "Ada L."),
            ({"name": "", "firstName": "Ada", "lastName": "L."}, "Ada L."),
            ({"lastName": "L."}, "L."),
            ({"name": "", "username": "ada"}, "ada"),
            ({"id": 0, "name": "", "vpp": []}, ABSENT),
            ([], ABSENT),
            ("Ada", UNREADABLE),
        ],
    ),
    *rules(
        "locationId",
        "site",
        [(0, "Main site"), ("1", "Harbour & Mill"), (7, ABSENT), (None, ABSENT), (True, UNREADABLE)],
    ),
    *rules(
        "groups",
        "groups",
        [
            (["A &amp; B", "A &amp; B", ""], ("A & B",)),
            (["A", 5], UNREADABLE),
            ([], ()),
            (None, ABSENT),
            ("A", UNREADABLE),
        ],
    ),
    *rules(
        "networkInformation",
        "roaming",
        [
            ({"ServiceSubscription": [{"IsRoaming": False}, {"IsRoaming": True}]}, True),
            ({"ServiceSubscription": [{"CurrentMCC": "65535", "IsRoaming": "0"}]}, False),
            ({"ServiceSubscription": [{"IsRoaming": False}, {"IsRoaming": "far"}]}, UNREADABLE),
            ({"ServiceSubscription": []}, ABSENT),
            ({"ServiceSubscription": "x"}, UNREADABLE),
            ({"VoiceRoamingEnabled": "1", "DataRoamingEnabled": "1"}, ABSENT),
            ([], ABSENT),
        ],
    ),
]


@pytest.mark.parametrize(("key", "signal", "value", "fact"), PLAIN_RULES)
def test_one_field_one_fact(key: str, signal: str, value: object, fact: object) -> None:
    """Each field becomes its signal, and what it cannot say has the right reason."""
    assert getattr(reading(**{key: value}), signal) == fact


TELLS = {"enrollType": "dep", "isSupervised": True}
PERHAPS_PERSONAL = {"enrollType": "manual", "isSupervised": False}


@pytest.mark.parametrize(
    ("changes", "enabled", "latest", "facts"),
    [
        (TELLS, True, "2026-03-02 12:34:56", (True, THEN)),
        (TELLS, 1, 1772454896, (True, THEN)),
        (TELLS, True, "", (True, NEVER)),
        (TELLS, True, 0, (True, NEVER)),
        (TELLS, True, "soon", (True, UNREADABLE)),
        (TELLS, False, "2026-03-02 12:34:56", (False, THEN)),
        (TELLS, False, "", (False, NEVER)),
        (TELLS, "perhaps", "", (UNREADABLE, NEVER)),
        (TELLS | {"isSupervised": False}, False, "", (False, NEVER)),
        (TELLS | {"enrollType": "manual"}, False, "", (False, NEVER)),
        (TELLS | {"totalCapacity": 0}, False, "", (ABSENT, ABSENT)),
        (TELLS | {"totalCapacity": 0}, True, "", (True, NEVER)),
        (TELLS | {"totalCapacity": 0}, None, "", (ABSENT, ABSENT)),
        (PERHAPS_PERSONAL, False, "", (ABSENT, ABSENT)),
        (PERHAPS_PERSONAL, False, "soon", (ABSENT, UNREADABLE)),
        (PERHAPS_PERSONAL, False, "2026-03-02 12:34:56", (False, THEN)),
        (PERHAPS_PERSONAL, True, "", (True, NEVER)),
    ],
)
def test_false_is_off_only_of_a_device_that_tells(
    changes: Row, enabled: object, latest: object, facts: tuple[object, object]
) -> None:
    """False and empty are also the defaults: they count after an inventory, and never of a perhaps personal device."""
    record = reading(iCloudBackupEnabled=enabled, iCloudBackupLatest=latest, **changes)
    assert (record.backup_enabled, record.last_cloud_backup_at) == facts


def test_a_missing_date_is_not_never() -> None:
    """A row without the key says nothing about backups."""
    row = tablet(1)
    del row["iCloudBackupLatest"]
    assert reading_of(row).last_cloud_backup_at is ABSENT


@pytest.mark.parametrize(
    ("total", "free", "facts"),
    [
        (64.0, 28.4939, (64_000_000_000, 28_493_900_000)),
        ("64.0", "25.6946", (64_000_000_000, 25_694_600_000)),
        (64, 0, (64_000_000_000, 0)),
        (64, "0.0", (64_000_000_000, 0)),
        (0, 0, (ABSENT, ABSENT)),
        (0, 23.0, (ABSENT, ABSENT)),
        (None, 5, (ABSENT, ABSENT)),
        (64, "", (64_000_000_000, ABSENT)),
        (64, 65, (64_000_000_000, UNREADABLE)),
        (64, "plenty", (64_000_000_000, UNREADABLE)),
        ([], 5, (UNREADABLE, 5_000_000_000)),
        ("nan", 5, (UNREADABLE, 5_000_000_000)),
    ],
)
def test_storage(total: object, free: object, facts: tuple[object, object]) -> None:
    """Decimal GB as numbers or text; a capacity of 0 says nothing, and no device has more free than it holds."""
    record = reading(totalCapacity=total, availableCapacity=free)
    assert (record.capacity_bytes, record.available_bytes) == facts


@pytest.mark.parametrize(
    ("identifier", "prefix", "kind", "platform"),
    [
        ("iPad13,1", "iOS", "ipad", Platform.IPADOS),
        ("iPhone14,6", "iOS", "iphone", Platform.IOS),
        ("", "iOS", "ipad", Platform.IPADOS),
        ("", "iOS", "", Platform.IOS),
        ("", "macOS", "mac", Platform.MACOS),
        ("", "macOS", "", Platform.MACOS),
        ("AppleTV11,1", "tvOS", "appletv", Platform.TVOS),
        ("", "visionOS", "", Platform.VISIONOS),
        ("", "newOS", "", UNREADABLE),
        ("", "", "", ABSENT),
    ],
)
def test_platform(identifier: str, prefix: str, kind: str, platform: object) -> None:
    """What is called iOS on an iPad is iPadOS; Macs keep theirs, for the checks to leave them out."""
    row = tablet(1) | {"model": {"identifier": identifier}, "os": {"prefix": prefix}, "class": kind}
    assert reading_of(row).platform == platform


@pytest.mark.parametrize(
    ("kind", "supervised", "enrollment"),
    [
        ("dep", True, Enrollment.AUTOMATED),
        ("dep", False, Enrollment.AUTOMATED),
        ("ac2", True, Enrollment.DEVICE),
        ("manual", True, Enrollment.DEVICE),
        ("manual", False, ABSENT),
        ("depPending", True, ABSENT),
        ("ac2Pending", False, ABSENT),
        ("byod", False, UNREADABLE),
        ("", True, ABSENT),
    ],
)
def test_enrollment(kind: str, supervised: bool, enrollment: object) -> None:
    """An unsupervised device enrolled by hand may be a personal one: there is no word for that, and no guess."""
    assert reading(enrollType=kind, isSupervised=supervised).enrollment == enrollment


@pytest.mark.parametrize(
    ("changes", "managed"),
    [
        ({"isManaged": True}, True),
        ({"isManaged": False}, ABSENT),
        ({"isManaged": False, "enrollType": "depPending"}, False),
        ({"isManaged": True, "inTrash": True}, False),
        ({"isManaged": None}, ABSENT),
        ({"isManaged": "x"}, UNREADABLE),
    ],
)
def test_a_silent_week_is_not_unmanaged(changes: Row, managed: object) -> None:
    """Jamf School calls a device unmanaged that was silent for a week; the trash and pending entries are."""
    assert reading(**changes).managed == managed


@pytest.mark.parametrize(
    ("changes", "active"),
    [
        ({"enrollType": "dep", "isSupervised": False}, False),
        ({"enrollType": "manual", "isSupervised": True}, False),
        ({"enrollType": "manual", "isSupervised": False}, ABSENT),
        ({"enrollType": "dep", "totalCapacity": 0}, ABSENT),
    ],
)
def test_signed_out_only_of_a_device_that_tells(changes: Row, active: object) -> None:
    """Not signed in is also the default of a device that was never asked or may not be."""
    assert reading(iTunesStoreLoggedIn=False, **changes).account_active == active


def test_a_mac_says_nothing_of_what_it_lacks() -> None:
    """Zeros of a Mac are neither a full disk nor an empty battery, and its backup is unknown."""
    record = reading_of(mac(1))
    assert record.platform is Platform.MACOS
    facts = (record.capacity_bytes, record.available_bytes, record.battery_percent, record.backup_enabled)
    assert facts == (ABSENT,) * 4
    assert record.last_cloud_backup_at is ABSENT


@pytest.mark.parametrize("row", [None, 7, "x", [], {}, {"UDID": ""}, {"UDID": 5}, {"UDID": ["secret"]}])
def test_a_row_without_identity_is_rejected(row: object) -> None:
    """It is counted with its place and nothing of its content, and no other row is lost."""
    found = night(JamfSchool([tablet(0), row, tablet(2)]), detail=False)
    assert found.rejected == [Rejected("row 2", "no usable UDID")]
    assert len(found.devices) == 2


@hypothesis_settings(max_examples=examples(100), deadline=None, derandomize=True, database=None)
@given(st.data())
def test_no_value_anywhere_breaks_the_answer(data: st.DataObject) -> None:
    """Any JSON value in any place of a row leaves a record, or a rejected row, and its neighbour whole."""
    row = tablet(3)
    place: Row = row
    if section := data.draw(st.sampled_from([None, "model", "os", "owner", "networkInformation"])):
        place = row[section]
    place[data.draw(st.sampled_from(sorted(place)))] = data.draw(json_values)
    body = json.dumps({"count": 2, "devices": [row, tablet(2)]}).encode()
    first, second = (read_record(one, "row", dict(SITES), UTC) for one in _rows.decode(LIST, body)["devices"])
    assert second == read_record(tablet(2), "row", dict(SITES), UTC)
    assert_storable(first)


# The connector's word
