"""Apple's public feeds, made up: documents in the shapes of the real ones, and a server that knows what it sent."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from tests.servers.loopback import Loopback, Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.servers.loopback import Asked

Json = dict[str, Any]
WATCHES = ["Watch7,1", "AppleTV14,1", "AudioAccessory6,1"]


def sofa_release(
    version: str,
    date: str = "2026-11-02",
    *models: str,
    exploited: Sequence[str] = (),
    **more: object,
) -> Json:
    """A release of the SOFA feed; its builds are a watch's, its scope says too much, as in the real one."""
    return {
        "UpdateName": f"iOS {version} and iPadOS {version}",
        "ProductName": "iOS and iPadOS",
        "ProductVersion": version,
        "Build": "24T9999",
        "AllBuilds": ["24T9999", "24B91", "24B6091"],
        "ReleaseDate": f"{date}T00:00:00Z",
        "SupportedDevices": list(models),
        "CVEs": {name: {} for name in exploited},
        "ActivelyExploitedCVEs": list(exploited),
        "UniqueCVEsCount": len(exploited),
        "DeviceScope": "universal",
        **more,
    }


def sofa_feed(*majors: Sequence[Json], names: dict[str, str] | None = None, **more: object) -> Json:
    """The SOFA v2 feed: of each major its releases, the first of them as `Latest`."""
    return {
        "SchemaVersion": "2026.04.11.2",
        "Version": "2.0",
        "UpdateHash": "0" * 64,
        "LastCheck": "2026-11-22T18:45:03.083466422+00:00",
        "OSVersions": [
            {
                "OSVersion": releases[0]["ProductVersion"].partition(".")[0],
                "Latest": releases[0],
                "SecurityReleases": list(releases),
            }
            for releases in majors
        ],
        "Devices": {key: {"MarketingName": name} for key, name in (names or {}).items()},
        "BackgroundSecurityImprovements": {
            "27": [{"Version": "27.0.1", "VersionExtra": "(a)", "Build": "24A771a", "SupportedDevices": []}]
        },
        **more,
    }


def gdmf_entry(
    version: str, posted: str = "2026-11-02", *models: str, expires: str = "2027-02-01", **more: object
) -> Json:
    """An entry of Apple's software lookup; watches and televisions stand in it too."""
    return {
        "ProductVersion": version,
        "Build": "24B91",
        "PostingDate": posted,
        "ExpirationDate": expires,
        "SupportedDevices": [*models, *WATCHES],
        **more,
    }


def gdmf_list(*public: Json, earlier: Sequence[Json] = (), improvements: Sequence[Json] = ()) -> Json:
    """Apple's software lookup."""
    return {
        "PublicAssetSets": {"iOS": list(public), "macOS": [], "visionOS": []},
        "AssetSets": {"iOS": list(earlier)},
        "PublicBackgroundSecurityImprovements": {"iOS": list(improvements)},
    }


def status_event(
    began: str | None,
    ended: str | None = None,
    *,
    kind: str = "Issue",
    state: str = "ongoing",
    **more: object,
) -> Json:
    """An event of System Status; moments as ISO 8601 text."""
    return {
        "messageId": "1",
        "statusType": kind,
        "eventStatus": state,
        "message": "Users may be experiencing a problem with this service.",
        "datePosted": "11/22/2026 05:10 PST",
        "epochStartDate": _milliseconds(began),
        "epochEndDate": _milliseconds(ended),
        "usersAffected": "Some users are affected",
        "affectedServices": None,
        **more,
    }


def _milliseconds(moment: str | None) -> int | None:
    from datetime import datetime  # noqa: PLC0415 - for one line

    return None if moment is None else int(datetime.fromisoformat(moment).timestamp()) * 1000


def status_page(*events: Json, service: str = "iCloud Backup") -> Json:
    """System Status with events of one service, among services that have none."""
    names = [
        "App Store",
        "iCloud Account & Sign In",
        "iCloud Backup",
        "iCloud Web Apps (iCloud.com)",
        "TestFlight",
    ]
    return {
        "drpost": False,
        "drMessage": None,
        "services": [
            {
                "serviceName": name,
                "redirectUrl": None,
                "events": list(events) if name == service else [],
            }
            for name in dict.fromkeys([*names, service])
        ],
    }


def body(document: object) -> bytes:
    """A document as it is sent."""
    return json.dumps(document).encode()


NEWEST = sofa_release("27.0.1", "2026-09-28", "iPhone12,1", "iPhone14,5")


class AppleServer(Loopback):
    """All three feeds on one loopback port; what they bring can be changed at any time.

    Attributes:
        bodies: by path, what is sent.
        instead: answers in the place of the usual ones.
    """

    def __init__(self, **bodies: bytes) -> None:
        super().__init__()
        self.bodies = {
            "sofa": body(sofa_feed([NEWEST])),
            "gdmf": body(gdmf_list(gdmf_entry("27.0.1", "2026-09-28", "iPhone12,1", expires="2099-01-01"))),
            "status": body(status_page()),
            **bodies,
        }
        self.instead: Callable[[Asked], Reply | None] = lambda _: None

    def route(self, asked: Asked) -> Reply:
        """The feed of that name, or 304 where the client has it already."""
        found = self.bodies[asked.path.strip("/")]
        tag = f'"{hashlib.sha256(found).hexdigest()[:16]}"'
        headers = {
            "Content-Type": "application/json",
            "ETag": tag,
            "Last-Modified": "Sun, 22 Nov 2026 18:45:00 GMT",
        }
        if (instead := self.instead(asked)) is not None:
            return instead
        if asked.headers.get("if-none-match") == tag:
            return Reply(304, b"", headers)
        return Reply(200, found, headers)

    def settings(self, **more: object) -> str:
        """The `[catalog]` table that points here."""
        keys = {f"{name}_url": f"{self.url}/{name}" for name in ("sofa", "gdmf", "status")} | more
        return "\n".join(["[catalog]", *(f"{key} = {json.dumps(value)}" for key, value in keys.items())])
