"""Meraki Systems Manager: networks, pages by link, the fields that must be asked for, and restrictions."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from connectors._meraki_record import Network, read_record
from connectors._meraki_restrictions import backup_restricted
from connectors.meraki import CONNECTOR, MerakiSettings
from fleet.errors import BadAnswer, NotFound, PermissionMissing, Throttled
from fleet.model.device import SIGNALS, DeviceRecord, Platform, Rejected
from fleet.model.fact import ABSENT, NOT_PERMITTED, UNREADABLE, Gap
from tests.connectors.fields import rules
from tests.connectors.walking import Night, assert_refused, failed, probed, walked
from tests.servers.meraki import (
    CABLES,
    CHECKED_IN,
    KEY,
    OFFICE,
    ORGANIZATION,
    SCHOOL,
    MerakiServer,
    meraki_device,
    restrictions,
)

NETWORK = Network("N_1", "Library", {"owner1@example.com": "Owner Number 1", "ada": "Ada Lark"})
DEVICES = 32
IPHONES_AND_IPADS = 24


def settings(**keys: object) -> MerakiSettings:
    return MerakiSettings.model_validate(
        {"name": "sm", "kind": "meraki", "api_key": KEY, "organization_id": ORGANIZATION, **keys}
    )


def night(server: MerakiServer, **keys: object) -> Night:
    return walked(CONNECTOR, settings(**keys), server.transport)


def devices_asked(server: MerakiServer, network: str = SCHOOL) -> int:
    return server.count(f"/api/v1/networks/{network}/sm/devices")


def restrictions_asked(server: MerakiServer) -> int:
    return sum(asked.path.endswith("/restrictions") for asked in server.asked)


# The walk


def test_a_night_over_a_socket() -> None:
    """Two networks in pages of ten, one without Systems Manager left alone, each device once."""
    with MerakiServer() as server:
        found = walked(CONNECTOR, settings(url=f"{server.url}/api/v1", page_size=10))
    assert {one.native_id for one in found.devices.values()} == {
        meraki_device(n)["id"] for n in range(DEVICES)
    }
    assert len(found.devices) == DEVICES
    assert {one.site for one in found.devices.values()} == {"Network 1", "Network 2"}
    assert not found.troubles
    assert devices_asked(server) == 3
    assert devices_asked(server, CABLES) == 0


@pytest.mark.no_cover
def test_what_a_thousand_devices_cost() -> None:
    """One page and the owners, the list of networks, and a request per iPhone and iPad."""
    server = MerakiServer(networks={SCHOOL: [meraki_device(n) for n in range(1000)]})
    found = night(server, max_concurrency=1)
    assert restrictions_asked(server) == 750
    assert len(server.asked) - 750 == 3
    # Ten a second: what a full bucket does not cover has been waited for.
    assert sum(found.waits) == pytest.approx(74.3, abs=0.5)


def test_without_profiles_nothing_is_asked_of_single_devices() -> None:
    """Switched off, the restriction is neither asked for nor promised."""
    server = MerakiServer()
    found = night(server, profiles=False)
    assert restrictions_asked(server) == 0
    assert "backup_restricted" not in CONNECTOR.reported(settings(profiles=False))
    assert {one.backup_restricted for one in found.devices.values()} == {meraki_gap()}


def meraki_gap() -> Gap:
    record = read_record({"id": "1"}, "row 1", NETWORK)
    assert isinstance(record, DeviceRecord)
    assert isinstance(record.backup_restricted, Gap)
    return record.backup_restricted


@pytest.mark.parametrize(("asked_for", "size"), [(None, "1000"), (5000, "1000"), (1, "3"), (50, "50")])
def test_a_page_is_of_a_size_that_meraki_takes(asked_for: int | None, size: str) -> None:
    """Between 3 and 1000 devices to a page."""
    server = MerakiServer()
    night(server, page_size=asked_for)
    sizes = {asked.first("perPage") for asked in server.asked if asked.path.endswith("/sm/devices")}
    assert sizes == {size}


def test_only_known_field_names_are_asked_for() -> None:
    """Each as its own `fields[]`, none that Meraki does not document, and no filter."""
    server = MerakiServer()
    night(server)
    asked = next(one for one in server.asked if one.path.endswith("/sm/devices"))
    assert set(asked.query) == {"perPage", "fields[]"}
    assert set(asked.query["fields[]"]) <= set(meraki_device(0))


def test_refused_fields_cost_facts_and_no_devices() -> None:
    """One name that Meraki no longer knows: the default fields are read, and the report says what is missing."""
    server = MerakiServer(known_fields=frozenset(meraki_device(0)) - {"osBuild"})
    found = night(server, page_size=10)
    assert len(found.devices) == DEVICES
    assert {one.capacity_bytes for one in found.devices.values()} == {ABSENT}
    assert found[meraki_device(1)["id"]].os_version == "26.4.1"
    assert {trouble.code for trouble in found.troubles} == {"fields_refused"}


def test_a_list_in_a_circle_ends() -> None:
    """A page that names itself as the next is an error after a few requests."""
    server = MerakiServer(circle=True)
    with pytest.raises(BadAnswer, match="circle"):
        night(server, page_size=5)
    assert devices_asked(server) < 5


def test_a_next_page_elsewhere_is_not_followed() -> None:
    """The key is never sent to another host."""
    server = MerakiServer(elsewhere="https://n1.meraki.example")
    with pytest.raises(BadAnswer, match=r"points to n1\.meraki\.example"):
        night(server, page_size=10)
    assert {asked.headers["host"] for asked in server.asked} == {"api.meraki.com"}


def test_chosen_networks_alone_are_read() -> None:
    """network_ids limits the walk."""
    server = MerakiServer()
    found = night(server, network_ids=[OFFICE])
    assert len(found.devices) == 7
    assert {one.site for one in found.devices.values()} == {"Network 2"}
    assert devices_asked(server) == 0


@pytest.mark.parametrize("network", ["N_9999", CABLES])
def test_a_network_that_is_none_is_told_after_the_others(network: str) -> None:
    """The others are read, and the source is not taken for whole."""
    found = Night()
    with pytest.raises(NotFound, match=f"network {network} .*check network_ids"):
        walked(CONNECTOR, settings(network_ids=[network, OFFICE]), MerakiServer().transport, into=found)
    assert len(found.devices) == 7


def test_a_network_that_may_not_be_read_is_told_after_the_others() -> None:
    """A key with access to one of two networks reads that one, and the error names the access."""
    found = Night()
    server = MerakiServer(answers={f"{SCHOOL}/sm/devices": 403})
    with pytest.raises(PermissionMissing, match='grant "Read-only"'):
        walked(CONNECTOR, settings(), server.transport, into=found)
    assert len(found.devices) == 7


def test_an_organization_without_systems_manager_is_a_mistake() -> None:
    """No network is no empty fleet."""
    with pytest.raises(NotFound, match="no Systems Manager network: check organization_id"):
        night(MerakiServer(networks={}))


# Errors


def test_a_wrong_key() -> None:
    """One request, one clear line, and no key in it."""
    told = r"^api\.meraki\.com/.* refused the credential \(401\): check it"
    assert_refused(CONNECTOR, settings(api_key="wrong"), MerakiServer(), match=told, secret="wrong")


def test_a_wrong_organization() -> None:
    """Meraki says 404; we say which setting."""
    with pytest.raises(NotFound, match="organization 5 is unknown to this key: check organization_id"):
        night(MerakiServer(), organization_id="5")


def test_missing_access_is_named() -> None:
    """A key that may not list the networks is told the access to grant."""
    with pytest.raises(PermissionMissing, match='grant "Read-only"'):
        night(MerakiServer(answers={"/organizations/": 403}))


def test_a_busy_organization_is_waited_for() -> None:
    """Retry-After is kept to, and nothing is lost."""
    found = night(MerakiServer(throttled=2), profiles=False)
    assert len(found.devices) == DEVICES
    assert found.waits[:2] == [2.0, 2.0]


def test_a_rate_limit_without_end() -> None:
    """The line says what to do."""
    with pytest.raises(Throttled, match=r"fewer requests \(429\): lower max_concurrency"):
        night(MerakiServer(throttled=1000))


@pytest.mark.parametrize(
    "keys",
    [{"organization_id": ""}, {"organization_id": None}, {"network_ids": []}, {"api_key": None},
     {"url": "http://api.meraki.com/api/v1"}],
)  # fmt: skip
def test_settings_that_cannot_work(keys: dict[str, object]) -> None:
    """A key, an organization and a safe address are needed; no networks at all is a mistake."""
    with pytest.raises(ValidationError):
        settings(**keys)


# Owners and restrictions


def test_owners_have_full_names() -> None:
    """Joined by e-mail in any case; who is not listed is called by the login."""
    found = night(MerakiServer())
    assert found[meraki_device(1)["id"]].user_name == "Owner Number 1"
    assert found[meraki_device(4)["id"]].user_name == "owner4"
    assert found[meraki_device(4)["id"]].user_email == "owner4@example.com"


def test_without_owners_the_login_must_do() -> None:
    """The devices are read, and the report names the access."""
    found = night(MerakiServer(answers={"/sm/users": 403}))
    assert found[meraki_device(1)["id"]].user_name == "owner1"
    assert {trouble.code for trouble in found.troubles} == {"owners_unread"}
    assert 'grant "Read-only"' in found.troubles[0].message


def test_restrictions_are_told_per_device() -> None:
    """Forbidden, allowed by name, and not said; a Mac is not asked about."""
    server = MerakiServer()
    found = night(server)
    assert [found[meraki_device(n)["id"]].backup_restricted for n in (1, 2, 4, 3)] == [
        True,
        False,
        ABSENT,
        ABSENT,
    ]
    assert restrictions_asked(server) == IPHONES_AND_IPADS


def test_a_device_out_of_management_is_not_asked_about() -> None:
    """Its restrictions went with its management."""
    server = MerakiServer(networks={SCHOOL: [meraki_device(1) | {"isManaged": False}]})
    assert night(server)[meraki_device(1)["id"]].backup_restricted is ABSENT
    assert restrictions_asked(server) == 0


def test_forbidden_restrictions_are_asked_for_once() -> None:
    """A key that may not see them is not tried on every device."""
    server = MerakiServer(answers={"/restrictions": 403})
    found = night(server, max_concurrency=1)
    assert len(found.devices) == DEVICES
    assert found[meraki_device(1)["id"]].backup_restricted is NOT_PERMITTED
    assert restrictions_asked(server) == 2
    assert {trouble.code for trouble in found.troubles} == {"details_forbidden"}


def test_broken_restrictions_are_given_up() -> None:
    """A server error on every device ends the asking per network, not the night."""
    server = MerakiServer(answers={"/restrictions": 500})
    found = night(server, max_concurrency=1)
    assert len(found.devices) == DEVICES
    assert found[meraki_device(1)["id"]].backup_restricted is ABSENT
    assert restrictions_asked(server) == 10
    assert {(trouble.code, trouble.count > 0) for trouble in found.troubles} == {
        ("details_unread", True),
        ("details_left_out", True),
    }


def test_a_device_that_left_meanwhile_has_no_restrictions() -> None:
    """A 404 for one device is nobody's trouble."""
    found = night(MerakiServer(answers={"640000000001/restrictions": 404}))
    assert found[meraki_device(1)["id"]].backup_restricted is ABSENT
    assert not found.troubles


@pytest.mark.parametrize(
    ("answer", "fact"),
    [
        ([], ABSENT),
        (restrictions(allowCamera=False), ABSENT),
        (restrictions(allowCloudBackup=False), True),
        (restrictions(allowCloudBackup=True), False),
        (restrictions(allowCloudBackup=True) + restrictions(allowCloudBackup=False), True),
        (restrictions(allowCloudBackup=None), ABSENT),
        (restrictions(allowCloudBackup="false"), UNREADABLE),
        ([*restrictions(allowCloudBackup=True), {"restrictions": 5}], UNREADABLE),
        ([*restrictions(allowCloudBackup=False), 7], True),
        ([{"profile": "p"}], ABSENT),
    ],
)
def test_what_restrictions_prove(answer: list[object], fact: object) -> None:
    """One profile that forbids is enough; that none says anything proves nothing."""
    assert backup_restricted(answer) == fact


# Probe


def test_probe_proves_key_switch_and_access() -> None:
    """The doctor learns of each, by the vendor's names."""
    steps = probed(CONNECTOR, settings(), MerakiServer().transport)
    assert steps == [("login", None), ("Dashboard API access", None), ("Read-only", None)]


@pytest.mark.parametrize(
    ("server", "keys", "step", "remedy"),
    [
        (MerakiServer(), {"api_key": "wrong"}, "login", "refused the credential"),
        (MerakiServer(api_enabled=False), {}, "Dashboard API access", "Organization > Settings"),
        (MerakiServer(answers={"/sm/devices": 403}), {}, "Read-only", 'grant "Read-only"'),
        (MerakiServer(), {"network_ids": ["N_1"]}, "Read-only", "check network_ids"),
    ],
)
def test_probe_names_the_remedy(
    server: MerakiServer, keys: dict[str, object], step: str, remedy: str
) -> None:
    """What is wrong fails at its own step."""
    found = failed(CONNECTOR, settings(**keys), server.transport)
    assert list(found) == [step]
    assert remedy in found[step]


# One device


def reading(**changes: object) -> DeviceRecord:
    record = read_record(meraki_device(1) | changes, "row 1", NETWORK)
    assert isinstance(record, DeviceRecord)
    return record


@pytest.mark.parametrize(
    ("key", "signal", "value", "fact"),
    [
        *rules("uuid", "udid", [("00008130-1", "00008130-1"), (None, ABSENT), ("", ABSENT), (5, UNREADABLE)]),
        *rules("systemModel", "model_name", [("iPad Air", "iPad Air"), (None, ABSENT)]),
        *rules("osBuild", "os_build", [("23E246", "23E246"), ("", ABSENT), (23, UNREADABLE)]),
        *rules("isSupervised", "supervised", [(False, False), (None, ABSENT), (1, UNREADABLE)]),
        *rules("isManaged", "managed", [(False, False), (True, True), (None, ABSENT), ("yes", UNREADABLE)]),
        *rules("lastConnected", "checkin_at",
               [(CHECKED_IN, datetime.fromtimestamp(CHECKED_IN, UTC)), (0, ABSENT), (None, ABSENT),
                (CHECKED_IN * 1000, UNREADABLE), ("2026-11-21", UNREADABLE)]),
        *rules("createdAt", "enrolled_at", [(1_750_000_000, datetime.fromtimestamp(1_750_000_000, UTC))]),
        *rules("batteryEstCharge", "battery_percent",
               [("82", 82), ("3", 3), (82, 82), ("0", 0), ("-1", ABSENT), ("", ABSENT), (None, ABSENT),
                ("101", UNREADABLE), ("82%", UNREADABLE), ("٣", UNREADABLE), ([], UNREADABLE)]),
        *rules("osName", "os_version",
               [("iOS 9.3.5", "9.3.5"), ("iPadOS 26.4", "26.4"), ("iOS", ABSENT), (None, ABSENT),
                ("Toaster 7", UNREADABLE), (26.4, UNREADABLE)]),
        *rules("ownerEmail", "user_email", [("", ABSENT), ({}, UNREADABLE)]),
        *rules("tags", "groups", [(None, ("iOS devices",)), ("library", UNREADABLE)]),
    ],
)  # fmt: skip
def test_one_field_one_fact(key: str, signal: str, value: object, fact: object) -> None:
    """Each field becomes its signal, and what it cannot say has the right reason."""
    assert getattr(reading(**{key: value}), signal) == fact


@pytest.mark.parametrize(
    ("capacity", "free", "facts"),
    [
        (64_000_000_000, 10_000_000_000, (64_000_000_000, 10_000_000_000)),
        (64_000_000_000, 0, (64_000_000_000, 0)),
        (64_000_000_000, 500_000, (64_000_000_000, 500_000)),
        (64_000_000_000, None, (64_000_000_000, ABSENT)),
        (64_000_000_000, 65_000_000_000, (64_000_000_000, UNREADABLE)),
        (0, 0, (ABSENT, ABSENT)),
        (None, None, (ABSENT, ABSENT)),
        (None, 2_000_000, (ABSENT, ABSENT)),
        (64_000, 10_000, (UNREADABLE, UNREADABLE)),
        (62_500_000, 9_765_625, (UNREADABLE, UNREADABLE)),
        ("64 GB", 10_000_000_000, (UNREADABLE, UNREADABLE)),
    ],
)
def test_storage_counts_only_in_bytes(capacity: object, free: object, facts: tuple[object, object]) -> None:
    """A capacity below any iPad's was counted in another unit, and then the free space was too."""
    record = reading(deviceCapacity=capacity, availableDeviceCapacity=free)
    assert (record.capacity_bytes, record.available_bytes) == facts


@pytest.mark.parametrize(
    ("system", "kind", "model", "platform"),
    [
        ("iOS 26.1", "iOS", "iPhone 15", Platform.IOS),
        ("iOS 18.6", "iOS", "iPad", Platform.IPADOS),
        ("iPadOS 17.7", "iOS", None, Platform.IPADOS),
        ("iOS 26.1", None, None, Platform.IOS),
        (None, "iOS", "iPad Pro (10.5-inch)", Platform.IPADOS),
        ("tvOS 18", "tvOS", "Apple TV", Platform.TVOS),
        ("macOS 15.7", "macOS", "MacBook Air", Platform.MACOS),
        ("Mac OS X 10.14", "", "", Platform.MACOS),
        ("Windows 11 Pro", "Windows", "", Platform.OTHER),
        ("Android 16", "", "Pixel", Platform.ANDROID),
        ("Toaster 7", "", "Crumbs", UNREADABLE),
        (None, None, None, ABSENT),
        (None, None, "iPhone 15", Platform.IOS),
    ],
)
def test_platform(system: object, kind: object, model: object, platform: object) -> None:
    """By the system's name, and an iPad by its model where Meraki says iOS of it."""
    assert reading(osName=system, systemType=kind, systemModel=model).platform == platform


def test_a_device_that_lost_its_management_is_not_managed() -> None:
    """Meraki goes on listing it, and says that it had the profile once."""
    assert reading(isManaged=True, hasMdm=False, hadMdm=True).managed is False
    assert reading(isManaged=True, hasMdm=None, hadMdm=True).managed is True


def test_the_serial_has_two_names() -> None:
    """Where one is empty the other counts."""
    assert reading(serialNumber=None, serial="FK7").serial == "FK7"
    assert reading(serialNumber=None, serial=None).serial is ABSENT


def test_a_device_enrolled_anew_is_two_records() -> None:
    """Both come with their own ids and dates; which of them counts is for the merge to say."""
    again = meraki_device(1) | {"id": "640000009999", "lastConnected": CHECKED_IN + 60}
    found = night(MerakiServer(networks={SCHOOL: [meraki_device(1), again]}))
    assert len(found.devices) == 2
    assert {one.serial for one in found.devices.values()} == {"FKMER00001"}


@pytest.mark.parametrize("row", [None, 7, "x", [], {}, {"id": None}, {"id": " "}, {"id": True}, {"id": {}}])
def test_a_row_without_identity_is_rejected(row: object) -> None:
    """It is counted with its place and nothing of its content, and the rest of its page is read."""
    found = night(MerakiServer(networks={SCHOOL: [meraki_device(1), row, meraki_device(2)]}))
    assert len(found.devices) == 2
    assert found.rejected == [Rejected(f"network {SCHOOL}, row 2", "no usable id")]


def test_a_row_of_nothing_but_an_id_says_nothing() -> None:
    """Every fact but the network's name is absent, none is guessed."""
    record = read_record({"id": 5}, "row 1", NETWORK)
    assert isinstance(record, DeviceRecord)
    assert record.native_id == "5"
    promised = CONNECTOR.reported(settings(profiles=False)) - {"site"}
    assert {getattr(record, signal) for signal in promised} == {ABSENT}
    assert promised < set(SIGNALS)
