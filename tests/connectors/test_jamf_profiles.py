"""Jamf Pro's configuration profiles: what an installed one proves of a device, and what reading them costs."""

from __future__ import annotations

import plistlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from connectors._jamf_login import JamfProSettings
from connectors.jamf_pro import CONNECTOR
from fleet.model.fact import ABSENT, NOT_PERMITTED, NOT_REPORTED, UNREADABLE
from tests.connectors.walking import Night, probed, walked
from tests.servers.jamf import TEXT, JamfServer, Record, classic_profile, installed, jamf_record
from tests.servers.loopback import Asked, Reply

if TYPE_CHECKING:
    from fleet.model.device import DeviceRecord

DETAIL = "/api/v2/mobile-devices/detail"
LIST = "/JSSResource/mobiledeviceconfigurationprofiles"
UUID = "7B1E0C2A-5D11-4B7B-8E60-52E1C9F0AA01"
OTHER = "7B1E0C2A-5D11-4B7B-8E60-52E1C9F0AA02"
NO_BACKUP: Record = {"PayloadType": "com.apple.applicationaccess", "allowCloudBackup": False}
ON_DEMAND: Record = {
    "PayloadType": "com.apple.vpn.managed",
    "VPNType": "IKEv2",
    "IKEv2": {"OnDemandEnabled": 1},
}
ALWAYS_ON: Record = {"PayloadType": "com.apple.vpn.managed", "VPNType": "AlwaysOn"}
NOTHING_PROVEN = (ABSENT, ABSENT)


def settings(**keys: object) -> JamfProSettings:
    return JamfProSettings.model_validate(
        {
            "name": "hq",
            "kind": "jamf_pro",
            "url": "https://j.example",
            "client_id": "c",
            "client_secret": JamfServer.client_secret,
            **keys,
        }
    )


def night(server: JamfServer, **keys: object) -> Night:
    return walked(CONNECTOR, settings(**keys), server.transport)


def facts(record: DeviceRecord) -> tuple[object, object]:
    return record.backup_restricted, record.vpn_configured


def device(*profiles: object, **general: object) -> Record:
    """A usual iPad with these profiles installed, the one with `UUID` where none is named."""
    row = jamf_record(2)
    return row | {"general": row["general"] | general, "profiles": list(profiles) or [installed(UUID)]}


def judged(row: Record, *payloads: Record) -> tuple[object, object]:
    """What is said of one device where the profile with `UUID` holds these payloads."""
    found = night(JamfServer(devices=[row], profiles={5: classic_profile(UUID, *payloads)}))
    assert not found.troubles
    return facts(found["3"])


# What a profile proves


@pytest.mark.parametrize(
    ("payloads", "expected"),
    [
        ([NO_BACKUP], (True, ABSENT)),
        ([{**NO_BACKUP, "allowCloudBackup": True}], NOTHING_PROVEN),
        ([{**NO_BACKUP, "allowCloudBackup": 0}], NOTHING_PROVEN),
        ([{"PayloadType": "com.apple.applicationaccess", "allowCamera": False}], NOTHING_PROVEN),
        ([{**NO_BACKUP, "PayloadType": "com.apple.applicationaccess.new"}], NOTHING_PROVEN),
        ([ON_DEMAND], (ABSENT, True)),
        ([ALWAYS_ON], (ABSENT, True)),
        ([{**ON_DEMAND, "IKEv2": {"OnDemandEnabled": 0}}], NOTHING_PROVEN),
        ([{**ON_DEMAND, "PayloadType": "com.apple.vpn.managed.applayer"}], NOTHING_PROVEN),
        ([{"PayloadType": "com.example.made-up", "allowCloudBackup": False}], NOTHING_PROVEN),
        ([{"PayloadType": 7, "allowCloudBackup": False}], NOTHING_PROVEN),
        ([{"PayloadType": "com.apple.wifi.managed"}, NO_BACKUP, ON_DEMAND], (True, True)),
        ([], NOTHING_PROVEN),
    ],
)
def test_what_the_payloads_prove(payloads: list[Record], expected: tuple[object, object]) -> None:
    """A restriction of backups and a VPN that starts itself are found; nothing else proves anything."""
    assert judged(device(), *payloads) == expected


@pytest.mark.parametrize(
    ("profiles", "expected"),
    [
        ([installed(UUID, "com.example.own")], (True, True)),
        ([installed("another", UUID)], (True, True)),
        ([installed(UUID.lower(), "")], (True, True)),
        ([installed(OTHER), installed(UUID)], (True, True)),
        ([installed(OTHER)], NOTHING_PROVEN),
        ([installed(UUID + "0", UUID[:-1])], NOTHING_PROVEN),
        ([], NOTHING_PROVEN),
        ([7, None, {"name": "x"}, {"uuid": [UUID], "identifier": 5}], NOTHING_PROVEN),
        ("x", (UNREADABLE, UNREADABLE)),
        ({"uuid": UUID}, (UNREADABLE, UNREADABLE)),
    ],
)
def test_which_devices_have_it(profiles: object, expected: tuple[object, object]) -> None:
    """A device has a profile by its UUID or identifier in any case; without it nothing is proven."""
    assert judged(device() | {"profiles": profiles}, NO_BACKUP, ON_DEMAND) == expected


@pytest.mark.parametrize("kind", ["UserEnrollment", "AccountDrivenUserEnrollment", "PersonalDeviceProfile"])
@pytest.mark.parametrize("payloads", [[], [NO_BACKUP, ALWAYS_ON]])
def test_user_enrolment_permits_neither(kind: str, payloads: list[Record]) -> None:
    """On a personal device an MDM can neither forbid backups nor set up such a VPN."""
    assert judged(device(deviceOwnershipType=kind), *payloads) == (NOT_PERMITTED, NOT_PERMITTED)


def test_a_device_had_by_its_id_is_judged_too() -> None:
    """A record that the list could not give says under another name what is installed."""
    server = JamfServer(
        devices=[jamf_record(0), device()],
        profiles={5: classic_profile(UUID, NO_BACKUP)},
        hard=frozenset({"3"}),
        by_id=True,
    )
    found = night(server)
    assert (found["1"].backup_restricted, found["3"].backup_restricted) == (ABSENT, True)


# What it costs


def sections(server: JamfServer) -> list[str]:
    return next(asked.query["section"] for asked in server.asked if asked.path == DETAIL)


def test_one_request_for_each_profile() -> None:
    """However many devices there are, the profiles are read once: their list, and each of them."""
    profiles = {number: classic_profile(f"{UUID}-{number}", NO_BACKUP) for number in range(1, 8)}
    server = JamfServer(devices=300, profiles=profiles)
    night(server, page_size=50)
    asked = [one.path for one in server.asked if one.path.startswith("/JSSResource")]
    assert sorted(asked) == sorted([LIST, *(f"{LIST}/id/{number}" for number in profiles)])
    assert sections(server)[-1] == "PROFILES"


@pytest.mark.parametrize(
    "profiles", [{}, {5: classic_profile(UUID, {"PayloadType": "com.apple.wifi.managed"})}]
)
def test_nothing_to_look_for_is_not_looked_for(profiles: dict[int, Record | bytes | int]) -> None:
    """Where no profile matters, no device is asked for what is installed, and nothing is proven."""
    server = JamfServer(devices=2, profiles=profiles)
    found = night(server)
    assert "PROFILES" not in sections(server)
    assert {facts(record) for record in found.devices.values()} == {NOTHING_PROVEN}
    assert not found.troubles


def test_switched_off() -> None:
    """With `profiles = false` no profile is read, and neither signal is promised nor reported."""
    server = JamfServer(devices=[device()], profiles={5: classic_profile(UUID, NO_BACKUP)})
    found = night(server, profiles=False)
    assert server.count(LIST) == 0
    assert "PROFILES" not in sections(server)
    assert facts(found["3"]) == (NOT_REPORTED, NOT_REPORTED)
    assert not found.troubles
    promised = CONNECTOR.reported(settings(profiles=False))
    assert CONNECTOR.provides - promised == {"backup_restricted", "vpn_configured"}
    steps = probed(CONNECTOR, settings(profiles=False), server.transport)
    assert [step for step, _ in steps] == ["login", "Read Mobile Devices", "Read Sites"]


# What goes wrong


@dataclass(kw_only=True)
class Refusing(JamfServer):
    """Gives the Classic API one answer, whatever is asked."""

    status: int = 200
    body: bytes = b""

    def classic(self, asked: Asked) -> Reply:  # noqa: ARG002 - the same for all
        return Reply(self.status, self.body, {"Content-Type": TEXT})


@pytest.mark.parametrize("status", [401, 403, 404, 500])
def test_without_the_privilege_every_device_is_read(status: int) -> None:
    """The report names the privilege once, both signals are absent, and the rest of the night is whole."""
    found = night(Refusing(devices=[device(), jamf_record(7)], status=status))
    assert facts(found["3"]) == NOTHING_PROVEN
    assert found.devices == night(JamfServer(devices=[device(), jamf_record(7)])).devices
    assert found.codes == ["profiles_unread"]
    assert 'grant "Read iOS Configuration Profiles"' in found.troubles[0].message


@pytest.mark.parametrize("status", [401, 403])
def test_probe_names_the_privilege(status: int) -> None:
    """The doctor says which privilege to grant, whether the server calls it 401 or 403."""
    steps = dict(probed(CONNECTOR, settings(), Refusing(devices=1, status=status).transport))
    assert 'grant "Read iOS Configuration Profiles"' in str(steps["Read iOS Configuration Profiles"])
    assert steps["Read Mobile Devices"] is None


def body(payloads: object) -> Record:
    return classic_profile(OTHER, payloads=payloads)


BOMB = """<?xml version="1.0"?><!DOCTYPE plist [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]><plist version="1.0"><dict><key>PayloadContent</key>
<array><string>&c;</string></array></dict></plist>"""
OUTSIDE = """<?xml version="1.0"?><!DOCTYPE plist [<!ENTITY x SYSTEM "file:///etc/hostname">]>
<plist version="1.0"><dict><key>PayloadContent</key><array><string>&x;</string></array></dict></plist>"""
HUGE = plistlib.dumps({"PayloadContent": [{**NO_BACKUP, "Icon": "x" * 10_000_001}]}).decode()
DEEP = "<plist>" + "<array>" * 50_000 + "</array>" * 50_000 + "</plist>"
WHOLE: str = classic_profile(OTHER, NO_BACKUP)["payloads"]


@pytest.mark.parametrize(
    "profile",
    [
        pytest.param(500, id="the server breaks on it"),
        pytest.param(400, id="refused"),
        pytest.param(b"<html>", id="a page"),
        pytest.param(b'{"configuration_profile":', id="cut"),
        pytest.param(b"{}", id="no profile"),
        pytest.param(b'{"configuration_profile":{"general":[]}}', id="general of another kind"),
        pytest.param(body(None), id="no payloads"),
        pytest.param(body(7), id="payloads of another kind"),
        pytest.param(body(""), id="empty"),
        pytest.param(body(WHOLE[: len(WHOLE) // 2]), id="half a plist"),
        pytest.param(body(WHOLE.replace("<false/>", "<maybe/>")), id="unknown element"),
        pytest.param(body("bplist00\x00\ud800"), id="binary"),
        pytest.param(body("<plist><string>x</string></plist>"), id="no dictionary"),
        pytest.param(
            body("<plist><dict><key>PayloadContent</key><string>x</string></dict></plist>"), id="text"
        ),
        pytest.param(body("<plist><integer>" + "9" * 5000 + "</integer></plist>"), id="large number"),
        pytest.param(body(BOMB), id="entities"),
        pytest.param(body(OUTSIDE), id="entity of a file"),
        pytest.param(body(HUGE), id="huge"),
        pytest.param(body(DEEP), id="deep"),
        pytest.param({**body(WHOLE), "uuid": None}, id="no uuid"),
        pytest.param({**body(WHOLE), "uuid": 7}, id="uuid of another kind"),
    ],
)
def test_one_unreadable_profile_costs_no_other(profile: Record | bytes | int) -> None:
    """It is counted in the report, the others are read, and what they prove stands."""
    server = JamfServer(
        devices=[device(installed(UUID), installed(OTHER))],
        profiles={4: profile, 5: classic_profile(UUID, ON_DEMAND)},
    )
    found = night(server)
    assert facts(found["3"]) == (ABSENT, True)
    assert [(trouble.code, trouble.count) for trouble in found.troubles] == [("profiles_unreadable", 1)]


def test_a_profile_deleted_meanwhile_is_no_trouble() -> None:
    """What is gone between the list and its reading is on no device for long."""
    server = JamfServer(devices=[device()], profiles={4: 404, 5: classic_profile(UUID, NO_BACKUP)})
    found = night(server)
    assert facts(found["3"]) == (True, ABSENT)
    assert not found.troubles


def test_an_outage_among_the_profiles_ends_their_reading() -> None:
    """A 503 for ever is not asked of every profile in turn; what was read before it counts."""
    profiles: dict[int, Record | bytes | int] = dict.fromkeys(range(4, 90), 503)
    profiles = {3: classic_profile(UUID, NO_BACKUP)} | profiles
    server = JamfServer(devices=[device()], profiles=profiles)
    found = night(server)
    assert facts(found["3"]) == (True, ABSENT)
    assert found.codes == ["profiles_unread"]
    assert server.count(f"{LIST}/id/5") == 0


@pytest.mark.parametrize(
    ("listed", "code"),
    [
        (b'{"configuration_profiles":[{"id":"x"},{"name":"y"},7]}', "profiles_unreadable"),
        (b'{"configuration_profiles":{}}', "profiles_unread"),
        (b'{"mobile_devices":[]}', "profiles_unread"),
        (b"<configuration_profiles/>", "profiles_unread"),
    ],
)
def test_a_list_of_another_shape(listed: bytes, code: str) -> None:
    """A list that cannot be read is told, and every device comes all the same."""
    found = night(Refusing(devices=3, body=listed))
    assert len(found.devices) == 3
    assert found.codes == [code]


def test_a_server_that_keeps_silent_on_what_is_installed() -> None:
    """Where the section never comes although it was asked for, the report says so and nothing is proven."""
    server = JamfServer(
        devices=[device()],
        profiles={5: classic_profile(UUID, NO_BACKUP)},
        refused_sections=frozenset({"PROFILES"}),
    )
    found = night(server)
    assert facts(found["3"]) == NOTHING_PROVEN
    assert found.codes == ["sections_missing"]
    assert "PROFILES" in found.troubles[0].message


def test_a_page_that_breaks_on_profiles_comes_without_them() -> None:
    """Before Jamf Pro 11.29 a device whose profiles break its page costs that section, and the report names it."""
    server = JamfServer(
        devices=[device(), {**device(), "mobileDeviceId": "4"}],
        profiles={5: classic_profile(UUID, NO_BACKUP)},
        broken={"4": "PROFILES"},
        version="11.20.0",
    )
    found = night(server, page_size=1, max_concurrency=1)
    assert (found["3"].backup_restricted, found["4"].backup_restricted) == (True, ABSENT)
    assert found["4"].last_cloud_backup_at == found["3"].last_cloud_backup_at
    assert found.codes == ["sections_dropped"]
    assert "PROFILES" in found.troubles[0].message
