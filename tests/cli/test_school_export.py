"""A web export of a school's MDM through the `file` kind: each device's verdict, worked out by hand."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import pytest

from tests.command import Ended, Json, Office, by_serial

if TYPE_CHECKING:
    from pathlib import Path

AS_OF = "2026-04-15T12:00:00Z"
SETTINGS = """
[[source]]
name = "school"
kind = "file"
path = "exports/devices-*.csv"
date_format = "%d.%m.%Y %H:%M"
timezone = "Europe/Berlin"
[source.columns]
serial = "SerialNumber"
udid = "DeviceUDID"
name = "Name"
asset_tag = "AssetTag"
model_name = "Model"
os_version = "OsVersion"
managed = "IsManaged"
supervised = "IsSupervised"
shared_ipad = "IsShared"
lost_mode = "IsLostModeEnabled"
enrollment = "EnrollType"
enrolled_at = "EnrollmentDate"
checkin_at = "LastConnected"
available_bytes = "AvailableCapacity"
user_name = "OwnerUsername"
user_email = "OwnerEmail"
site = "LocationName"
groups = "MemberOf"
account_active = "iTunesLoggedIn"
[source.units]
available_bytes = "GB"
"""
USUAL = {
    "DeviceUDID": "",
    "AssetTag": "",
    "Model": "iPad (9th generation)",
    "OsVersion": "iPadOS 26.4.1",
    "IsManaged": "True",
    "IsSupervised": "True",
    "IsShared": "False",
    "IsLostModeEnabled": "False",
    "EnrollType": "Automated Device Enrollment",
    "EnrollmentDate": "01.09.2025 08:00",
    "LastConnected": "15.04.2026 07:30",
    "AvailableCapacity": "31,4",
    "OwnerUsername": "",
    "OwnerEmail": "",
    "LocationName": "Lindenschule",
    "MemberOf": "[Klasse 5a, Leihgeräte]",
    "iTunesLoggedIn": "Yes",
}
ROWS: dict[str, dict[str, str]] = {
    "SCH00000001": {},
    "SCH00000002": {"OsVersion": "iOS 26.4.0", "Model": "iPhone 13"},
    "SCH00000003": {"OsVersion": "iPadOS 26.3.0"},
    "SCH00000004": {"AvailableCapacity": "0,3"},
    "SCH00000005": {"AvailableCapacity": "1,9"},
    "SCH00000006": {"iTunesLoggedIn": "No"},
    "SCH00000007": {"LastConnected": "01.04.2026 12:00"},
    "SCH00000008": {"LastConnected": "01.03.2026 12:00"},
    "SCH00000009": {"IsShared": "True", "AvailableCapacity": "0,3"},
    "SCH00000010": {"EnrollType": "User Enrollment"},
    "SCH00000011": {"Model": "MacBook Air (13-inch, M2)", "OsVersion": "macOS 15.3.0"},
    "SCH00000012": {"Model": "Apple TV 4K", "OsVersion": "tvOS 26.4.0"},
    "SCH00000013": {"iTunesLoggedIn": "vielleicht"},
    "SCH00000014": {"Model": "iPad Air 2", "OsVersion": "iPadOS 15.8.7"},
    "SCH00000015": {"AvailableCapacity": "0"},
}
UNMANAGED = {"SerialNumber": "", "DeviceUDID": "00008101-00AB", "IsManaged": "False"}
NOBODY = {"SerialNumber": "", "DeviceUDID": ""}
NEVER = ("unknown", "not_reported")
"""The export holds no backup dates: no device of it can be called protected."""
VERDICTS: dict[str, tuple[tuple[str, str | None], dict[str, str]]] = {
    "SCH00000001": (NEVER, {}),
    "SCH00000002": (NEVER, {}),
    "SCH00000003": (("at_risk", None), {"os-outdated": "medium"}),
    "SCH00000004": (("at_risk", None), {"storage-full": "critical"}),
    "SCH00000005": (("at_risk", None), {"storage-full": "high"}),
    "SCH00000006": (NEVER, {"account-inactive": "low"}),
    "SCH00000007": (NEVER, {"silent-device": "low"}),
    "SCH00000008": (("at_risk", None), {"silent-device": "medium"}),
    "SCH00000009": (("not_applicable", "shared_ipad"), {}),
    "SCH00000010": (("not_applicable", "user_enrollment"), {}),
    "SCH00000011": (("not_applicable", "platform"), {}),
    "SCH00000012": (("not_applicable", "platform"), {}),
    "SCH00000013": (NEVER, {}),
    "SCH00000014": (NEVER, {"os-unsupported": "low"}),
    "SCH00000015": (NEVER, {}),
}


def export(path: Path) -> None:
    """Write the export the way the console does: a byte order mark, semicolons, one line per device."""
    rows = [{"SerialNumber": serial, **USUAL, **own} for serial, own in ROWS.items()]
    rows += [{**USUAL, **UNMANAGED}, {**USUAL, **NOBODY}]
    path.parent.mkdir()
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        table = csv.DictWriter(file, ["SerialNumber", "Name", *USUAL], delimiter=";")
        table.writeheader()
        table.writerows({"Name": f"iPad {number}", **row} for number, row in enumerate(rows))


@pytest.fixture
def run(office: Office) -> Ended:
    """The night on which the export was read."""
    export(office.folder / "exports" / "devices-2026-04-15.csv")
    office.configure(SETTINGS)
    ended = office("run", "--as-of", AS_OF)
    assert ended.code == 0, ended.err
    return ended


@pytest.fixture
def judged(office: Office, run: Ended) -> Json:
    """The report on the export."""
    assert "school: complete, 16 of 17 devices, 1 unreadable" in run.out
    return office.report()


def test_what_could_not_be_read_is_said_at_once(run: Ended) -> None:
    """Whoever maps the columns of an export sees on the terminal which of them holds something else."""
    assert "`iTunesLoggedIn` unreadable in 1 of 16 devices (account_active)" in run.out


def test_every_device_is_judged_as_by_hand(judged: Json) -> None:
    """Status, reason and findings of every device are those that a person reads off its line."""
    devices = by_serial(judged)
    unmanaged = devices.pop(None)  # pyright: ignore[reportArgumentType] - a device without a serial
    said = {
        serial: (
            (device["status"], device["reason"]),
            {finding["check"]: finding["severity"] for finding in device["findings"]},
        )
        for serial, device in devices.items()
    }
    assert said == VERDICTS
    assert (unmanaged["status"], unmanaged["reason"], unmanaged["findings"]) == (
        "not_applicable",
        "not_managed",
        [],
    )
    assert judged["totals"]["protected"] == 0


def test_the_export_is_read_as_it_is_meant(judged: Json) -> None:
    """Brackets, a decimal comma, local times and a system's name before its version are all understood."""
    device = by_serial(judged)["SCH00000002"]
    values = device["signals"]["school"]["values"]
    assert (device["groups"], device["site"]) == (["Klasse 5a", "Leihgeräte"], "Lindenschule")
    assert (device["os_version"], values["platform"]) == ("26.4.0", "iOS")
    assert values["available_bytes"] == 31_400_000_000
    assert values["enrolled_at"] == "2025-09-01T06:00:00Z"
    assert device["signals"]["school"]["observed_at"] == "2026-04-15T05:30:00Z"


def test_what_cannot_be_read_is_said(judged: Json) -> None:
    """A word outside the vocabulary is unreadable, room of zero without a capacity unknown, a nameless line counted."""
    devices = by_serial(judged)
    assert devices["SCH00000013"]["unknown"]["account_active"] == "unreadable"
    assert devices["SCH00000015"]["unknown"]["available_bytes"] == "absent"
    (source,) = judged["sources"]
    assert (source["outcome"], source["unreadable"]) == ("complete", 1)
    problems = {problem["code"]: problem["count"] for problem in source["problems"]}
    assert (problems["unreadable_records"], problems["unreadable_field"]) == (1, 1)
    assert "last_cloud_backup_at" in source["signals"]["never"]
