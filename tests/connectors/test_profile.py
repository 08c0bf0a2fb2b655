"""Configuration profiles: what they do to a backup, signed, misshapen or hostile."""

from __future__ import annotations

import pytest

from connectors._profile import RESTRICTIONS, VPN, read_profile
from fleet.model.fact import ABSENT
from tests.servers.mobileconfig import NO_BACKUP, ON_DEMAND, mobileconfig

ON = "<key>OnDemandEnabled</key>"


@pytest.mark.parametrize(
    ("body", "effects"),
    [
        (NO_BACKUP, (True, False)),
        (b"\x30\x82signature" + NO_BACKUP + b"\x00certificate", (True, False)),
        (mobileconfig(RESTRICTIONS, "<key>allowCloudBackup</key><true/>"), (False, False)),
        (mobileconfig(RESTRICTIONS, "<key>allowCamera</key><false/>"), (False, False)),
        (mobileconfig("com.example.app", "<key>allowCloudBackup</key><false/>"), (False, False)),
        (ON_DEMAND, (False, True)),
        (mobileconfig(VPN, f"<key>VPN</key><dict>{ON}<integer>1</integer></dict>"), (False, True)),
        (mobileconfig(VPN, f"<key>VPN</key><dict>{ON}<integer>0</integer></dict>"), (False, False)),
        (mobileconfig(VPN, f"{ON}<true/>"), (False, True)),
        (mobileconfig(VPN, "<key>VPNType</key><string>AlwaysOn</string>"), (False, True)),
        (mobileconfig(VPN, "<key>VPNType</key><string>IKEv2</string>"), (False, False)),
        (mobileconfig("com.apple.vpn.managed.applayer", f"{ON}<integer>1</integer>"), (False, False)),
        (b"<plist><dict><key>PayloadContent</key><array><string>x</string></array></dict></plist>", (False, False)),
        (mobileconfig(VPN, f"<key>VPN</key><dict>{ON}<array><true/></array></dict>"), (False, False)),
        (mobileconfig("com.apple.wifi.managed", f"{ON}<true/>"), (False, False)),
        (b"", None),
        (b"PK", None),
        (b"<plist><dict/></plist>", None),
        (b"<plist><dict><key>EncryptedPayloadContent</key><data>AA==</data></dict></plist>", None),
        (b"<plist><key>a</key></plist>", None),
        (b"<plist><array/></plist>", None),
        (b"<plist><date>x</date></plist>", None),
        (b"<plist><dict><integer>1</integer></dict></plist>", None),
        (b"<plist>" + b"<array>" * 5000 + b"</array>" * 5000 + b"</plist>", None),
        (b'<!DOCTYPE p [<!ENTITY a "b">]><plist><dict><key>PayloadContent</key><array><string>&a;', None),
    ],
)  # fmt: skip
def test_what_a_profile_does(body: bytes, effects: tuple[bool, bool] | None) -> None:
    """Only a payload that forbids cloud backup restricts, only an always-on or on-demand VPN of the device counts."""
    profile = read_profile(body)
    assert (profile and (profile.forbids_backup, profile.makes_vpn)) == effects


def test_a_profile_goes_by_its_identifier() -> None:
    """It is what a device lists; one without any is still judged."""
    text = b"<plist><dict><key>PayloadIdentifier</key><string>org.example.a</string>"
    text += b"<key>PayloadContent</key><array/></dict></plist>"
    named = read_profile(text)
    assert named is not None
    assert named.identifier == "org.example.a"
    nameless = read_profile(NO_BACKUP)
    assert nameless is not None
    assert (nameless.identifier, nameless.forbids_backup) == (ABSENT, True)
