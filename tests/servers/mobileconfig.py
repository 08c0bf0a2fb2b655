"""Made-up configuration profiles, as a console hands them out."""

from __future__ import annotations


def mobileconfig(kind: str, settings: str) -> bytes:
    """A configuration profile with one payload of that type."""
    payload = f"<dict><key>PayloadType</key><string>{kind}</string>{settings}</dict>"
    content = f"<dict><key>PayloadContent</key><array>{payload}</array></dict>"
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<plist version="1.0">{content}</plist>\n'.encode()


NO_BACKUP = mobileconfig("com.apple.applicationaccess", "<key>allowCloudBackup</key><false/>")
ON_DEMAND = mobileconfig(
    "com.apple.vpn.managed",
    "<key>VPNType</key><string>IKEv2</string>"
    "<key>IKEv2</key><dict><key>OnDemandEnabled</key><integer>1</integer></dict>",
)
