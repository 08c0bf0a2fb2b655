"""Fleet: pages without a total, details only where they tell something, and every field's rule."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from connectors._fleet_host import DETAIL_ONLY
from connectors.fleet import CONNECTOR
from fleet.errors import BadAnswer, PermissionMissing, ServerTrouble, Throttled
from fleet.model.device import SIGNALS, DeviceRecord, Enrollment, Ownership, Platform, Rejected
from fleet.model.fact import ABSENT, NOT_PERMITTED, NOT_REPORTED, UNREADABLE, Gap
from tests.connectors.fields import rules
from tests.connectors.walking import Night, assert_refused, probed, walked
from tests.servers.fleet import API, TOKEN, VITALS, FleetServer, host, mac, personal

if TYPE_CHECKING:
    from connectors._fleet_details import FleetSettings


def settings(**keys: object) -> FleetSettings:
    usual = {"name": "clinic", "kind": "fleet", "url": "https://fleet.example", "api_token": TOKEN}
    return CONNECTOR.settings.model_validate(usual | keys)


def night(server: FleetServer | None, **keys: object) -> Night:
    found = walked(CONNECTOR, settings(**keys), server.transport if server else None)
    assert len(found.came) == len(found.devices)
    return found


def reading(**changes: Any) -> DeviceRecord:  # noqa: ANN401 - any JSON value
    """One iPhone as it is collected, with changes to its details."""
    return night(FleetServer([host(1, **changes)])).devices["1"]


def ids(count: int) -> set[str]:
    return {str(number) for number in range(1, count + 1)}


# The walk


def test_a_fleet_over_a_socket() -> None:
    """Every host of four pages is read with its backup, and the count that Fleet keeps elsewhere is told."""
    with FleetServer(35) as server:
        found = night(None, url=server.url, page_size=10)
    assert set(found.devices) == ids(35)
    assert found.expected == 35
    assert not found.troubles
    assert not any(isinstance(device.backup_enabled, Gap) for device in found.devices.values())


@pytest.mark.parametrize(("count", "page_size", "cap"), [(0, 100, 100), (1, 1, 1), (30, 10, 7), (30, 10, 30)])
def test_every_host_comes_once(count: int, page_size: int, cap: int) -> None:
    """Whatever page size is granted, a short page is not the last one and no host is missing."""
    found = night(FleetServer(count, cap=cap), page_size=page_size)
    assert set(found.devices) == ids(count)
    assert found.expected == count


@pytest.mark.no_cover
def test_what_a_thousand_devices_cost() -> None:
    """One request per phone or tablet, one per page of a hundred, and three besides."""
    server = FleetServer(1000)
    night(server)
    assert server.detailed == 1000
    assert server.count(f"{API}/hosts") == 10 + 1
    assert len(server.asked) == 1000 + 11 + 2


def test_without_details_only_pages_are_asked_for() -> None:
    """`detail = false` spares a request per device, and what only details hold is not reported."""
    server = FleetServer(30)
    found = night(server, detail=False)
    assert server.detailed == 0
    assert CONNECTOR.reported(settings(detail=False)) == CONNECTOR.provides - DETAIL_ONLY
    device = found.devices["1"]
    assert {signal for signal in SIGNALS if getattr(device, signal) == NOT_REPORTED} >= DETAIL_ONLY
    assert device.user_email == "ward1@clinic.example"


def test_pages_are_asked_for_as_fleet_needs_it() -> None:
    """In the order of ids and by page alone: with `after` Fleet repeats rows; software is never asked for."""
    server = FleetServer(3)
    night(server, page_size=2)
    listed = [asked.query for asked in server.asked if asked.path == f"{API}/hosts"]
    assert [query["page"] for query in listed] == [["0"], ["1"], ["2"]]
    assert all(query["order_key"] == ["id"] and "after" not in query for query in listed)
    details = [asked for asked in server.asked if asked.path.endswith("/hosts/2")]
    assert details[0].first("exclude_software") == "true"


def test_hosts_that_have_nothing_to_tell_are_not_asked() -> None:
    """Macs, personal phones and those not under management cost no request, and are listed all the same."""
    off = host(3, mdm={"enrollment_status": "Off"})
    pending = host(4, mdm={"enrollment_status": "Pending"})
    server = FleetServer([mac(1), personal(2), off, pending, host(5)])
    found = night(server)
    assert set(found.devices) == ids(5)
    assert server.detailed == 1


def test_a_host_deleted_meanwhile_hides_no_other() -> None:
    """Where rows moved to a page already read, the list is walked once more and gives the one that was missed."""
    server = FleetServer(30, deleted=(0, 2))
    found = night(server, page_size=10)
    assert set(found.devices) == ids(30)
    assert server.count(f"{API}/hosts/count") == 2
    assert server.detailed == 30


def test_a_server_that_ignores_the_page_is_caught() -> None:
    """The first page for ever is an error, not an endless night."""
    with pytest.raises(BadAnswer, match="repeats itself"):
        night(FleetServer(30, stuck=True), page_size=10)


# What goes wrong


@pytest.mark.parametrize("row", [None, 7, [], {}, {"id": None}, {"id": "8"}, {"id": True}, {"id": 0}])
def test_a_row_without_identity_is_rejected(row: object) -> None:
    """It is counted with its place and nothing of its content."""
    found = night(FleetServer([host(1), row, host(3)]))
    assert set(found.devices) == {"1", "3"}
    assert found.rejected == [Rejected("row 2", "no usable id")]


@pytest.mark.parametrize("version", ["4.90.1", "4.9.0"])
def test_a_release_that_knows_no_backups_is_asked_for_none(version: str) -> None:
    """Before 4.91 details are useless: nobody asks for them, and the report says what to update."""
    server = FleetServer([host(n) for n in range(1, 4)], version=version)
    found = night(server)
    assert server.detailed == 0
    assert found.devices["1"].backup_enabled is ABSENT
    assert found.codes == ["version_too_old"]
    assert "update the server to 4.91" in found.troubles[0].message


@pytest.mark.parametrize("version", ["4.91.0-rc.1", "5.0.0", "0.0.0-SNAPSHOT", ""])
def test_newer_and_unknown_releases_are_asked(version: str) -> None:
    """A release candidate or a build from source may know backups."""
    assert night(FleetServer(1, version=version)).devices["1"].backup_enabled is True


def test_details_that_are_refused_are_not_asked_for_again() -> None:
    """A token that may only list keeps the list, and the missing role is told once."""
    server = FleetServer(200, details=False)
    found = night(server, page_size=50, max_concurrency=2)
    assert set(found.devices) == ids(200)
    assert server.detailed <= 50
    assert found.codes == ["details_forbidden"]
    assert found.devices["1"].backup_enabled is NOT_PERMITTED
    assert 'grant "Observer"' in found.troubles[0].message


def test_details_of_single_hosts_may_fail() -> None:
    """A broken or vanished host costs its own details only, and a broken one is counted."""
    found = night(FleetServer(12, broken=frozenset({4}), gone=frozenset({5})))
    assert set(found.devices) == ids(12)
    assert {key for key, one in found.devices.items() if one.backup_enabled is ABSENT} == {"4", "5"}
    assert [(trouble.code, trouble.count) for trouble in found.troubles] == [("details_unread", 1)]


def test_details_of_another_host_are_not_believed() -> None:
    """An answer about another id than was asked for is not laid over a host."""

    class Mistaken(FleetServer):
        def _detail(self, asked: Any) -> Any:  # noqa: ANN401 - as above
            return FleetServer([host(9)])._detail(asked) if asked.path.endswith("/9") else self._nine(asked)

        def _nine(self, asked: Any) -> Any:  # noqa: ANN401 - as above
            return super()._detail(type(asked)("GET", f"{API}/hosts/2", {}, {}, b""))

    found = night(Mistaken([host(1), host(2)]))
    assert found.devices["1"].backup_enabled is ABSENT
    assert found.devices["2"].backup_enabled is True


def test_a_count_that_is_refused_is_told() -> None:
    """Without the count nothing is expected, and the report names the endpoint to allow."""
    found = night(FleetServer(3, counts=False))
    assert found.expected is None
    assert found.codes == ["total_unknown"]
    assert f"GET {API}/hosts/count" in found.troubles[0].message


def test_a_wrong_token() -> None:
    """It ends the source with the first request, and is not quoted."""
    told = r"fleet\.example/api/v1/fleet/version refused the credential \(401\)"
    assert_refused(CONNECTOR, settings(api_token="wrong"), FleetServer(3), match=told, secret="wrong")


def test_a_missing_role() -> None:
    """It is named as Fleet names it."""
    with pytest.raises(
        PermissionMissing, match=r'does not admit this credential \(403\): grant "Observer" to it'
    ):
        night(FleetServer(3, role=False))


def test_a_throttled_request_waits_as_long_as_it_is_told() -> None:
    """Retry-After is honoured once, and then the night goes on."""
    found = night(FleetServer(3, throttled=1))
    assert found.waits[:1] == [3.0]
    assert len(found.devices) == 3


def test_a_server_that_only_throttles() -> None:
    """It ends in an error that says what to change."""
    with pytest.raises(Throttled, match=r"keeps asking for fewer requests \(429\): lower max_concurrency"):
        night(FleetServer(3, throttled=1000))


def test_a_server_in_trouble_ends_the_walk() -> None:
    """A proxy that answers 502 for ever is asked about one host; all are listed, and the night is no whole one."""

    class Down(FleetServer):
        def _detail(self, asked: Any) -> Any:  # noqa: ANN401 - as above
            found = super()._detail(asked)
            return type(found)(502, b"")

    found, server = Night(), Down(30)
    with pytest.raises(ServerTrouble, match="502"):
        walked(CONNECTOR, settings(max_concurrency=1), server.transport, into=found)
    assert set(found.devices) == ids(30)
    assert server.count(f"{API}/hosts/2") == 0


@pytest.mark.parametrize(
    ("switches", "token", "failing"),
    [
        ({}, TOKEN, []),
        ({}, "wrong", ["login"]),
        ({"role": False}, TOKEN, ["Observer", "Observer: details of a host"]),
        ({"details": False}, TOKEN, ["Observer: details of a host"]),
    ],
)
def test_probe_proves_each_step(switches: dict[str, Any], token: str, failing: list[str]) -> None:
    """The doctor learns of the token, the list and the details, each by itself."""
    server = FleetServer(2, **switches)
    steps = probed(CONNECTOR, settings(api_token=token), server.transport)
    assert [step for step, error in steps if error] == failing
    assert steps[0][0] == "login"


# Fields

WHEN = "2026-11-20T03:12:44.48Z"
THEN = datetime(2026, 11, 20, 3, 12, 44, tzinfo=UTC)
TEXTS = [("Cart 3", "Cart 3"), (" x ", "x"), (None, ABSENT), (5, UNREADABLE)]
FLAGS = [(True, True), (False, False), (None, ABSENT), ("true", UNREADABLE), (0, UNREADABLE)]
TIMES = [
    (WHEN, THEN),
    (None, ABSENT),
    ("2000-01-01T00:00:00Z", ABSENT),
    ("0001-01-01T00:00:00Z", ABSENT),
    ("2026-11-20T03:12:44", UNREADABLE),
    (1771557164, UNREADABLE),
]


FIELD_RULES = [
    *rules("hardware_serial", "serial", TEXTS),
    *rules("udid", "udid", [("00008-X", "00008-X"), (None, host(1)["uuid"])]),
    *rules("computer_name", "name", [("Cart 3", "Cart 3"), ("", "Ward 1"), (None, "Ward 1")]),
    *rules("hardware_model", "model_identifier", TEXTS),
    *rules("team_name", "site", TEXTS),
    *rules("is_cloud_backup_enabled", "backup_enabled", FLAGS),
    *rules("itunes_store_account_is_active", "account_active", FLAGS),
    *rules("is_mdm_lost_mode_enabled", "lost_mode", FLAGS),
    *rules("last_cloud_backup_date", "last_cloud_backup_at", TIMES),
    *rules("detail_updated_at", "inventory_at", TIMES),
    *rules("supplemental_build_version", "os_build", TEXTS),
    *rules("platform", "platform", [("ios", Platform.IOS), ("iPadOS", Platform.IPADOS), (3, UNREADABLE)]),
    *rules(
        "os_version",
        "os_version",
        [("iOS 18.6.2", "18.6.2"), ("iPadOS 17.7", "17.7"), ("", ABSENT), (26, UNREADABLE)],
    ),
    *rules(
        "battery_level",
        "battery_percent",
        [(0.56000000238418579, 56), (1, 100), (0, 0), (-1, ABSENT), (None, ABSENT), (64, UNREADABLE)],
    ),
    *rules(
        "service_subscriptions",
        "roaming",
        [
            ([{"is_roaming": False}, {"slot": "Two"}], False),
            ([{"is_roaming": False}, {"is_roaming": True}], True),
            ([{"slot": "One"}], ABSENT),
            ([], ABSENT),
            (None, ABSENT),
            ("no", UNREADABLE),
            ([{"is_roaming": "no"}], UNREADABLE),
        ],
    ),
    *rules(
        "labels",
        "groups",
        [
            (
                [{"name": "iOS", "label_type": "builtin"}, {"name": "Vans", "label_type": "regular"}],
                ("Vans",),
            ),
            ([], ()),
            (None, ABSENT),
            ("Vans", UNREADABLE),
        ],
    ),
    *rules(
        "end_users",
        "user_name",
        [
            ([{"idp_full_name": "A. B.", "idp_username": "ab"}], "A. B."),
            ([{"idp_full_name": "", "idp_username": "ab"}], "ab"),
            ([], ABSENT),
            (None, ABSENT),
            ({"idp_username": "ab"}, "ab"),
            ("ab", UNREADABLE),
        ],
    ),
    *rules(
        "end_users",
        "user_email",
        [
            ([{"idp_username": "ab@x.example"}], "ab@x.example"),
            ([{"idp_username": "ab", "other_emails": [{"email": "c@x.example"}]}], "c@x.example"),
            ([{"idp_username": "ab", "other_emails": None}], "ward1@clinic.example"),
            (None, "ward1@clinic.example"),
        ],
    ),
]


@pytest.mark.parametrize(("key", "signal", "value", "fact"), FIELD_RULES)
def test_one_field_one_fact(key: str, signal: str, value: object, fact: object) -> None:
    """Each field becomes its signal, and what it cannot say has the right reason."""
    assert getattr(reading(**{key: value}), signal) == fact


@pytest.mark.parametrize("key", VITALS)
def test_a_vital_that_is_left_out_is_absent(key: str) -> None:
    """Fleet leaves out what Apple did not answer: nothing of that is false or never."""
    bare = host(1)
    del bare[key]
    record = night(FleetServer([bare])).devices["1"]
    full = reading()
    changed = {signal for signal in SIGNALS if getattr(record, signal) != getattr(full, signal)}
    assert {getattr(record, signal) for signal in changed} == {ABSENT}


@pytest.mark.parametrize(
    ("total", "free", "facts"),
    [
        (128, 3.2, (128_000_000_000, 3_200_000_000)),
        (64, 51.53312768, (64_000_000_000, 51_533_127_680)),
        (64, 0, (64_000_000_000, 0)),
        (0, 0, (ABSENT, ABSENT)),
        (None, None, (ABSENT, ABSENT)),
        ("64", 5, (UNREADABLE, 5_000_000_000)),
        (64, -1, (64_000_000_000, UNREADABLE)),
    ],
)
def test_storage(total: object, free: object, facts: tuple[object, object]) -> None:
    """Gigabytes are decimal; 0 of 0 is what stands before the first answer, and is not full."""
    record = reading(gigs_total_disk_space=total, gigs_disk_space_available=free)
    assert (record.capacity_bytes, record.available_bytes) == facts


@pytest.mark.parametrize(
    ("status", "facts"),
    [
        ("On (automatic)", (True, Enrollment.AUTOMATED, Ownership.ORGANISATION)),
        ("On (company-owned)", (True, Enrollment.AUTOMATED, Ownership.ORGANISATION)),
        ("On (manual)", (True, Enrollment.DEVICE, ABSENT)),
        ("On (manual - personal)", (True, Enrollment.DEVICE, Ownership.PERSONAL)),
        ("On (personal)", (True, Enrollment.USER, Ownership.PERSONAL)),
        ("Pending", (False, ABSENT, ABSENT)),
        ("Off", (False, ABSENT, ABSENT)),
        (None, (ABSENT, ABSENT, ABSENT)),
        ("On (somehow)", (UNREADABLE, UNREADABLE, UNREADABLE)),
        (7, (UNREADABLE, UNREADABLE, UNREADABLE)),
    ],
)
def test_how_it_came_under_management(status: object, facts: tuple[object, ...]) -> None:
    """Fleet's words for enrolment, and no guess at new ones."""
    record = reading(mdm={"enrollment_status": status})
    assert (record.managed, record.enrollment, record.ownership) == facts


@pytest.mark.parametrize("status", ["On (personal)", "On (manual - personal)"])
def test_user_enrolment_hides_what_apple_hides(status: str) -> None:
    """An enrolment id in the place of a serial number is neither that nor a UDID, and nothing is said of backups."""
    record = night(FleetServer([personal(8, status)])).devices["8"]
    assert record.enrollment is Enrollment.USER
    hidden = (
        record.serial,
        record.udid,
        record.backup_enabled,
        record.last_cloud_backup_at,
        record.lost_mode,
    )
    assert hidden == (NOT_PERMITTED,) * 5
    assert (record.capacity_bytes, record.available_bytes) == (ABSENT, ABSENT)


def test_an_enrolment_id_stays_none_after_the_end_of_management() -> None:
    """A personal phone that left is not taken for a device with that serial number."""
    record = night(FleetServer([personal(8, "Off")])).devices["8"]
    assert (record.serial, record.udid, record.managed) == (NOT_PERMITTED, NOT_PERMITTED, False)


@pytest.mark.parametrize(
    ("keys", "facts"),
    [
        ({"platform": "darwin", "os_version": "macOS 26.1"}, (Platform.MACOS, "26.1", "FK00000001")),
        ({"platform": "windows", "os_version": "Windows 11 Pro"}, (Platform.OTHER, "Windows 11 Pro", ABSENT)),
        ({"platform": "ubuntu", "os_version": "Ubuntu 24.04"}, (Platform.OTHER, "Ubuntu 24.04", ABSENT)),
        ({"platform": "android", "os_version": "16"}, (Platform.ANDROID, "16", ABSENT)),
    ],
)
def test_other_platforms_are_listed(keys: dict[str, Any], facts: tuple[object, ...]) -> None:
    """Computers come with their platform; a serial number that copies of a machine share is not taken for one."""
    record = reading(**keys)
    assert (record.platform, record.os_version, record.serial) == facts


@pytest.mark.parametrize(
    ("extra", "version"), [("(a)", "26.1 (a)"), ("", "26.1"), (None, "26.1"), (5, "26.1")]
)
def test_a_background_patch_is_part_of_the_version(extra: object, version: str) -> None:
    """The letter of a rapid response stands behind the version."""
    assert reading(supplemental_os_version_extra=extra).os_version == version


def test_the_newer_word_for_a_team() -> None:
    """Releases that call teams fleets give the site by that name."""
    renamed = host(1) | {"fleet_name": "Vans"}
    del renamed["team_name"]
    assert reading(**renamed | {"team_name": None}).site == "Vans"


def test_dates_of_management_come_before_dates_of_the_host() -> None:
    """Check-in and enrolment are those of the MDM, else of the host record."""
    usual, bare = reading(), reading(last_mdm_checked_in_at=None, last_mdm_enrolled_at="2000-01-01T00:00:00Z")
    assert usual.checkin_at == datetime(2026, 11, 21, 22, 0, 1, tzinfo=UTC)
    assert usual.enrolled_at == datetime(2026, 1, 12, 8, 10, tzinfo=UTC)
    assert bare.checkin_at == datetime(2026, 11, 21, 21, 5, 10, tzinfo=UTC)
    assert bare.enrolled_at == datetime(2026, 1, 12, 8, 0, tzinfo=UTC)
