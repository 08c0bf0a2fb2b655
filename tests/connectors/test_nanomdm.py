"""NanoMDM: deliveries in any order, the database, and every rule by which an answer becomes a fact."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError

from connectors._nanomdm_database import NanoMdmDatabase
from connectors.nanomdm import CONNECTOR, NanoMdmSettings
from fleet.errors import NotFound, PermissionMissing, Unreachable
from fleet.model.device import SIGNALS, DeviceRecord, Enrollment, Ownership, Platform, Rejected
from fleet.model.fact import ABSENT, NOT_PERMITTED, UNREADABLE
from tests.connectors.walking import Clock, Night, probed, walked
from tests.servers.nanomdm import (
    PRESENT,
    NanoMdm,
    Record,
    answer,
    answers,
    created,
    delivery,
    enrolling,
    information,
    life,
    native_id,
    profiles,
    restrictions,
    stored,
    updates,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tests.databases import Cluster, Place, SqliteFolder

PHONE, SHARED, MAC, TV, PERSONAL = 0, 5, 6, 7, 9


def settings(**keys: object) -> NanoMdmSettings:
    return NanoMdmSettings.model_validate({"name": "nano", "kind": "nanomdm", **keys})


def night(**keys: object) -> Night:
    return walked(CONNECTOR, settings(**keys))


def told(folder: Path, *events: object) -> Night:
    return night(events=str(stored(folder, events)))


def record(folder: Path, *events: object) -> DeviceRecord:
    """The one device that the deliveries are of."""
    (found,) = told(folder, *events).devices.values()
    return found


def reading(folder: Path, i: int = PHONE, **changes: Any) -> DeviceRecord:  # noqa: ANN401 - any plist value
    """Device `i` as one `DeviceInformation` with changes tells it; a value of `...` leaves its key out."""
    responses = {key: value for key, value in (information(i) | changes).items() if value is not ...}
    return record(folder, answer(i, 1, {"QueryResponses": responses}))


def ago(days: float) -> datetime:
    return PRESENT - timedelta(days=days)


# The two ways


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def test_a_folder_of_deliveries_is_a_fleet(folder: Path) -> None:
    """Thirty devices' messages in no order are thirty devices, each with its freshest facts."""
    found = night(events=str(NanoMdm(30).deliver(folder)))
    assert set(found.devices) == {native_id(i) for i in range(30)}
    device = found.devices[native_id(2)]
    assert (device.serial, device.name, device.os_version) == ("FK00000002N", "Device 002", "26.3.1")
    assert (device.inventory_at, device.checkin_at, device.enrolled_at) == (ago(1), ago(0.5), ago(102))
    assert not found.rejected
    assert not found.troubles


def test_both_ways_tell_the_same(folder: Path, sqlite: SqliteFolder) -> None:
    """The database holds what the deliveries said, page after page, and says how many devices there are."""
    delivered = night(events=str(NanoMdm(30).deliver(folder)))
    kept = night(database=NanoMdm(30).fill(sqlite.empty()), page_size=7)
    differing = {
        (key, signal)
        for key, device in delivered.devices.items()
        for signal in SIGNALS
        if getattr(device, signal) != getattr(kept.devices[key], signal)
    }
    assert differing == {(native_id(8), "managed")}
    assert kept.devices[native_id(8)].managed is False
    assert (kept.expected, kept.pages) == (30, 5)
    assert not kept.troubles


def test_no_database_is_written(place: Place) -> None:
    """Whatever went wrong with a statement of ours, the server's own data stay as they are."""
    database = NanoMdmDatabase(NanoMdm(1).fill(place.empty()), None)
    with database.connected() as connection, pytest.raises(DBAPIError, match=r"read-?only"):
        connection.execute(sa.text("DELETE FROM command_results"))


def test_postgresql_is_read_in_its_own_time_zone(postgresql: Cluster) -> None:
    """Its columns hold the wall clock of the server, and the facts are UTC."""
    url = postgresql.empty()
    NanoMdm(12).fill(url)
    name = url.split("/")[3].split("?")[0]
    postgresql.say(f"ALTER DATABASE {name} SET timezone TO 'Asia/Tokyo'")
    found = night(database=url, page_size=5)
    assert len(found.devices) == 12
    assert found.devices[native_id(2)].inventory_at == ago(1) - timedelta(hours=9)
    steps = probed(CONNECTOR, settings(database=url))
    assert [error for _, error in steps] == [None, None]


def test_postgresql_without_the_permission(postgresql: Cluster) -> None:
    """A user that may log in and no more is told what to be granted."""
    url = postgresql.empty()
    NanoMdm(1).fill(url)
    postgresql.say("CREATE ROLE stranger LOGIN")
    chosen = settings(database=url.replace("fleet@", "stranger@", 1))
    with pytest.raises(PermissionMissing, match="grant SELECT on enrollments, devices, commands"):
        walked(CONNECTOR, chosen)
    assert [error is None for _, error in probed(CONNECTOR, chosen)] == [True, False]
    postgresql.say("DROP ROLE stranger")


def test_a_database_of_something_else(tmp_path: Path) -> None:
    """A database without NanoMDM's tables is told as such."""
    with pytest.raises(NotFound, match="holds no tables of NanoMDM"):
        night(database=f"sqlite:///{tmp_path / 'other.db'}")


@pytest.mark.parametrize(
    ("url", "message"),
    [
        (
            "postgresql+psycopg://u@/nanomdm?host=/nowhere",
            r"the database nanomdm on this machine cannot be read",
        ),
        ("oracle+nothing://u@db.example/nanomdm", r"no driver oracle\+nothing is installed"),
    ],
)
def test_a_database_out_of_reach(url: str, message: str) -> None:
    """The place and the remedy are named, and no secret."""
    with pytest.raises(Unreachable, match=message) as caught:
        night(database=url, password="hush")
    assert "hush" not in str(caught.value)


def test_a_partial_answer_does_not_hide_the_inventory_in_the_database(sqlite: SqliteFolder) -> None:
    """The newest DeviceInformation asked for a name alone: the one before it still counts."""
    url = NanoMdm(1).fill(sqlite.empty())
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        values = {"id": native_id(0), "plist": answer_plist({"QueryResponses": {"DeviceName": "New"}})}
        connection.execute(sa.text("INSERT INTO commands VALUES ('late', 'DeviceInformation')"))
        late = "INSERT INTO command_results VALUES (:id, 'late', 'Acknowledged', :plist, '2026-03-02 04:00:00.000000')"
        connection.execute(sa.text(late), values)
    engine.dispose()
    device = night(database=url).devices[native_id(0)]
    assert device.name == "Device 000"
    assert device.inventory_at == ago(1)


def answer_plist(payload: Record) -> str:
    return base64.b64decode(answer(0, 0, payload)["acknowledge_event"]["raw_payload"]).decode()


def test_an_unreadable_answer_in_the_database_costs_itself(sqlite: SqliteFolder) -> None:
    """The device is read from its other answers, and the report counts what was not."""
    url = NanoMdm(3).fill(sqlite.empty())
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        broken = "UPDATE command_results SET result = '<?xml cut' WHERE command_uuid = 'SecurityInfo-1' AND id = :id"
        connection.execute(sa.text(broken), {"id": native_id(1)})
    engine.dispose()
    found = night(database=url)
    assert [(trouble.code, trouble.count) for trouble in found.troubles] == [("messages_unreadable", 1)]
    assert found.devices[native_id(1)].enrollment is ABSENT
    assert found.devices[native_id(1)].os_version == "26.3.1"


# Settings and probe


@pytest.mark.parametrize(
    "keys",
    [
        {},
        {"events": "/a", "database": "sqlite:///a.db"},
        {"events": "/a", "password": "p"},
        {"database": "no url"},
        {"database": "postgresql+psycopg://u:hush@db.example/nanomdm"},
    ],
)
def test_settings_that_cannot_work(keys: dict[str, str]) -> None:
    """One way is needed, and a password stands apart from the URL; the message does not repeat it."""
    with pytest.raises(ValidationError) as caught:
        settings(**keys)
    assert "hush" not in str(caught.value)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    """A wrong path is an error, never an empty fleet."""
    with pytest.raises(Unreachable, match="let events name the one in which the deliveries arrive"):
        night(events=str(tmp_path / "nowhere"))


def test_probe_of_a_folder(tmp_path: Path) -> None:
    """The doctor says whether deliveries arrive."""
    empty = probed(CONNECTOR, settings(events=str(tmp_path)))
    assert [step for step, _ in empty] == ["find the deliveries"]
    assert "-webhook-url" in str(empty[0][1])
    stored(tmp_path, life(0))
    assert probed(CONNECTOR, settings(events=str(tmp_path))) == [("find the deliveries", None)]


def test_the_deadline_ends_a_walk(tmp_path: Path) -> None:
    """A folder of too many files does not take the whole night."""
    chosen = settings(events=str(stored(tmp_path, life(0))), deadline_minutes=1)
    ticks = iter((0.0, 1.0, 61.0))
    world = replace(Clock().around(), now=lambda: next(ticks))
    with pytest.raises(Unreachable, match="not done after 1 minutes; raise deadline_minutes"):
        list(CONNECTOR.walk(chosen, world))


# Deliveries


def test_deliveries_come_in_any_order(folder: Path) -> None:
    """What counts is when the server got a message, to the microsecond, in whatever zone it writes that."""
    early, late = ({"QueryResponses": information(0) | {"DeviceName": name}} for name in ("early", "late"))
    events = [answer(0, 0, early), answer(0, 0, late)]
    for event, moment in zip(
        events, ("2026-03-02T05:30:00.10000042+01:00", "2026-03-02T04:30:00.2Z"), strict=True
    ):
        event["created_at"] = moment
    assert record(folder, *reversed(events)).name == "late"


def test_not_now_is_no_answer(folder: Path) -> None:
    """A busy device answers the same command later; until then its last answer stands."""
    busy = answer(0, 0.1, {"CommandUUID": "c0"}, status="NotNow")
    device = record(folder, busy, answer(0, 1, answers(0)["DeviceInformation"]))
    assert device.inventory_at == ago(1)
    assert device.checkin_at == ago(0.1)


@pytest.mark.parametrize("status", ["Error", "CommandFormatError", "NotNow", "Idle"])
def test_only_an_acknowledged_answer_tells_facts(folder: Path, status: str) -> None:
    """Whatever else stands in a message of another status."""
    assert record(folder, answer(0, 1, answers(0)["DeviceInformation"], status=status)).os_version is ABSENT


def test_a_smaller_answer_does_not_hide_the_inventory(folder: Path) -> None:
    """Another tool's question for the name alone leaves the inventory and its age as they are."""
    small = answer(0, 0.2, {"QueryResponses": {"DeviceName": "Renamed", "UDID": native_id(0)}})
    device = record(folder, answer(0, 1, answers(0)["DeviceInformation"]), small)
    assert (device.name, device.inventory_at) == ("Device 000", ago(1))


def test_a_smaller_answer_alone_counts(folder: Path) -> None:
    """Where nobody asks for backups or storage, the version is still worth knowing, and the report says what to ask."""
    small = answer(0, 1, {"QueryResponses": {"OSVersion": "26.3", "ProductName": "iPhone14,5"}})
    found = told(folder, small)
    device = found.devices[native_id(0)]
    assert (device.os_version, device.inventory_at, device.backup_enabled) == ("26.3", ago(1), ABSENT)
    assert "IsCloudBackupEnabled" in found.troubles[0].message
    assert found.codes == ["backup_not_asked"]


def test_a_new_enrolment_ends_the_old_facts(folder: Path) -> None:
    """A wiped phone that enrolled again has not yet said anything; its serial number stays."""
    again = delivery("mdm.Authenticate", 0, 0.1, enrolling(0))
    device = record(folder, *life(0), again)
    assert device.serial == "FK00000000N"
    assert device.model_identifier == "iPhone14,5"
    assert device.enrolled_at == ago(0.1)
    gone = (
        "os_version",
        "backup_enabled",
        "last_cloud_backup_at",
        "inventory_at",
        "backup_restricted",
        "enrollment",
    )
    assert {getattr(device, signal) for signal in gone} == {ABSENT}


def test_the_version_at_enrolment_is_not_todays(folder: Path) -> None:
    """Authenticate told a version long ago; only the model and the serial number of it are used."""
    device = record(folder, delivery("mdm.Authenticate", 0, 300, enrolling(0)))
    assert (device.os_version, device.os_build) == (ABSENT, ABSENT)
    assert device.platform is Platform.IOS


@pytest.mark.parametrize(("days", "managed"), [(0.1, False), (50, True)])
def test_a_goodbye_ends_the_management(folder: Path, days: float, managed: bool) -> None:
    """A CheckOut counts while nothing came after it."""
    goodbye = delivery("mdm.CheckOut", 0, days, {"MessageType": "CheckOut"})
    assert record(folder, *life(0), goodbye).managed is managed


@pytest.mark.parametrize("channel", ["User", "User Enrollment", "Shared iPad"])
def test_a_users_channel_is_no_device(folder: Path, channel: str) -> None:
    """Users on a Mac or a Shared iPad have enrolments of their own; a Shared iPad shows by them."""
    event = answer(1, 0.1, answers(2)["DeviceInformation"], channel=channel)
    event["acknowledge_event"]["ids"] |= {"id": f"{native_id(1)}:anna", "parent_id": native_id(1)}
    device = record(folder, *life(1), event)
    assert device.name == "Device 001"
    assert device.shared_ipad is (channel == "Shared iPad")


@pytest.mark.parametrize("i", [PHONE, PERSONAL])
def test_micromdm_leaves_out_ids(folder: Path, i: int) -> None:
    """Without `ids` the UDID or the enrolment id tells the device, and a user's channel shows in the message."""
    message = answers(i)["DeviceInformation"]
    user = answer(i, 0.1, message | {"UserID": "0000"}, channel=None)
    device = record(folder, answer(i, 1, message, channel=None), user)
    assert device.native_id == native_id(i)
    assert device.checkin_at == ago(1)
    assert (device.enrollment is Enrollment.USER) is (i == PERSONAL)


def test_a_file_may_hold_several_deliveries(folder: Path) -> None:
    """A receiver may collect deliveries in a list, in folders of its own making."""
    (folder / "2026-03").mkdir()
    (folder / "2026-03" / "all.json").write_text(json.dumps([*life(0), *life(1)], indent=2), encoding="utf-8")
    (folder / "notes.txt").write_text("not ours", encoding="utf-8")
    assert set(night(events=str(folder)).devices) == {native_id(0), native_id(1)}


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"null", b"7", b"[7]", b"{}", b'{"topic":"mdm.Connect","acknowledge_event":[]}', b"[" * 100_000,
     b'{"acknowledge_event":{"ids":{"id":5},"udid":"\\u0000 "}}', b"\xff\xfe"],
)  # fmt: skip
def test_a_file_that_is_no_delivery_is_counted(folder: Path, content: bytes) -> None:
    """It is named by its file and nothing of its content; the devices of all others are read."""
    stored(folder, life(0))
    (folder / "odd.json").write_bytes(content)
    found = night(events=str(folder))
    assert set(found.devices) == {native_id(0)}
    assert found.rejected == [Rejected("odd.json", "is no webhook delivery")]


def test_a_file_may_be_too_large(folder: Path) -> None:
    """What is over max_body_mb is not read into memory."""
    stored(folder, life(0))
    (folder / "vast.json").write_text(json.dumps(life(1)) + " " * 200_000, encoding="utf-8")
    found = night(events=str(folder), max_body_mb=0.1)
    assert set(found.devices) == {native_id(0)}
    assert [row.where for row in found.rejected] == ["vast.json"]


ENTITIES = (
    b'<!DOCTYPE x [<!ENTITY a "aaaaaaaa">]><plist><dict><key>A</key><string>&a;</string></dict></plist>'
)
BAD_DATE = b"<plist><dict><key>QueryResponses</key><dict><key>X</key><date>soon</date></dict></dict></plist>"


@pytest.mark.parametrize(
    "payload",
    ["", "%%%", None, 5, *(base64.b64encode(raw).decode() for raw in (b"x", b"<plist>", BAD_DATE, ENTITIES))],
)
def test_a_message_that_cannot_be_read_costs_itself(folder: Path, payload: object) -> None:
    """The device's other answers stand, it was there, and the report counts the message."""
    event = answer(0, 0.1, {})
    event["acknowledge_event"]["raw_payload"] = payload
    found = told(folder, *life(0), event)
    device = found.devices[native_id(0)]
    assert (device.os_version, device.checkin_at) == ("26.3.1", ago(0.1))
    assert [(trouble.code, trouble.count) for trouble in found.troubles] == [("messages_unreadable", 1)]


@pytest.mark.parametrize("moment", [None, "", "yesterday", 5, "2026-03-02T04:30:00", "2026-13-02T04:30:00Z"])
def test_a_message_of_an_unknown_time_tells_nothing(folder: Path, moment: object) -> None:
    """It cannot be put in order, so it is counted and not used."""
    event = answer(0, 0, {"QueryResponses": information(1)}) | {"created_at": moment}
    found = told(folder, *life(0), event)
    assert found.devices[native_id(0)].name == "Device 000"
    assert found.codes == ["messages_unreadable"]


# Facts


def test_user_enrolment_hides_what_apple_hides(folder: Path) -> None:
    """Of a private device neither backup nor serial number may be seen; its storage may."""
    device = record(folder, *life(PERSONAL), answer(PERSONAL, 0.9, restrictions(cloud_backup=True)))
    hidden = {signal for signal in SIGNALS if getattr(device, signal) is NOT_PERMITTED}
    assert hidden == {
        "serial", "udid", "backup_enabled", "last_cloud_backup_at", "backup_restricted", "account_active", "lost_mode"
    }  # fmt: skip
    assert device.enrollment is Enrollment.USER
    assert device.ownership is Ownership.PERSONAL
    assert device.capacity_bytes == 256 * 10**9


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ({"EnrolledViaDEP": True, "IsUserEnrollment": False}, Enrollment.AUTOMATED),
        ({"EnrolledViaDEP": False, "IsUserEnrollment": False}, Enrollment.DEVICE),
        ({"IsUserEnrollment": True}, Enrollment.USER),
        ({"IsUserEnrollment": False}, ABSENT),
        ({"EnrolledViaDEP": "yes"}, UNREADABLE),
        ({}, ABSENT),
        ("odd", UNREADABLE),
    ],
)
def test_the_kind_of_enrolment(folder: Path, status: object, expected: object) -> None:
    """SecurityInfo tells it; old systems leave it out."""
    assert record(folder, answer(0, 1, {"SecurityInfo": {"ManagementStatus": status}})).enrollment == expected


GIB = 2**30


@pytest.mark.parametrize(
    ("capacity", "available", "expected"),
    [
        (64.0, 51.53312768, (64 * 10**9, 51_533_127_680)),
        (26.914535522460938, 1.5, (26.914535522460938 * GIB, 1.5 * GIB)),
        (256.0, 230.26551818847656, (256 * GIB, 230.26551818847656 * GIB)),
        (128, 0, (128 * 10**9, 0)),
        (0, 0, (ABSENT, ABSENT)),
        (0.0, 5.0, (ABSENT, ABSENT)),
        (..., 5.3, (ABSENT, 5_300_000_000)),
        (64.0, ..., (64 * 10**9, ABSENT)),
        ("64", 5.3, (UNREADABLE, 5_300_000_000)),
        (float("nan"), -1.0, (UNREADABLE, UNREADABLE)),
        (True, 2**63, (UNREADABLE, UNREADABLE)),
    ],
)
def test_storage(folder: Path, capacity: object, available: object, expected: tuple[object, object]) -> None:
    """Whole blocks tell GiB of old systems from GB; nothing of nothing is unknown, not full."""
    device = reading(folder, DeviceCapacity=capacity, AvailableDeviceCapacity=available)
    assert (device.capacity_bytes, device.available_bytes) == expected


@pytest.mark.parametrize(
    ("changes", "signal", "expected"),
    [
        ({"IsCloudBackupEnabled": False}, "backup_enabled", False),
        ({"IsCloudBackupEnabled": ...}, "backup_enabled", ABSENT),
        ({"IsCloudBackupEnabled": 1}, "backup_enabled", UNREADABLE),
        ({"LastCloudBackupDate": datetime(2026, 2, 20, 1, 2, 3)}, "last_cloud_backup_at", datetime(2026, 2, 20, 1, 2, 3, tzinfo=UTC)),  # noqa: DTZ001, E501 - as plists are
        ({"LastCloudBackupDate": datetime(1970, 1, 1)}, "last_cloud_backup_at", ABSENT),  # noqa: DTZ001 - as plists are
        ({"LastCloudBackupDate": ...}, "last_cloud_backup_at", ABSENT),
        ({"LastCloudBackupDate": "2026-02-20"}, "last_cloud_backup_at", UNREADABLE),
        ({"BatteryLevel": 0.56000000238418579}, "battery_percent", 56),
        ({"BatteryLevel": -1.0}, "battery_percent", ABSENT),
        ({"BatteryLevel": 56}, "battery_percent", UNREADABLE),
        ({"ServiceSubscriptions": [{"IsRoaming": False}, {"IsRoaming": True}]}, "roaming", True),
        ({"ServiceSubscriptions": [{"IsRoaming": False}, {"Slot": "2"}]}, "roaming", False),
        ({"ServiceSubscriptions": [{"Slot": "1"}], "IsRoaming": True}, "roaming", True),
        ({"ServiceSubscriptions": ..., "IsRoaming": ...}, "roaming", ABSENT),
        ({"ServiceSubscriptions": ["odd"]}, "roaming", UNREADABLE),
        ({"IsMultiUser": True}, "shared_ipad", True),
        ({"IsMultiUser": ...}, "shared_ipad", ABSENT),
        ({"IsSupervised": ...}, "supervised", ABSENT),
        ({"iTunesStoreAccountIsActive": False}, "account_active", False),
        ({"IsMDMLostModeEnabled": True}, "lost_mode", True),
        ({"DeviceName": "a\tb" + "x" * 300}, "name", "a b" + "x" * 251 + "…"),
        ({"OSVersion": 26}, "os_version", UNREADABLE),
        ({"UDID": ...}, "udid", native_id(PHONE)),
        ({"ProductName": "iPad11,6"}, "platform", Platform.IPADOS),
        ({"ProductName": "RealityDevice14,1"}, "platform", Platform.VISIONOS),
        ({"ProductName": ..., "ModelName": ...}, "platform", ABSENT),
    ],
)  # fmt: skip
def test_fields(folder: Path, changes: dict[str, Any], signal: str, expected: object) -> None:
    """Each key of DeviceInformation by its rule; what is not there is not false."""
    assert getattr(reading(folder, **changes), signal) == expected


@pytest.mark.parametrize(("i", "platform"), [(MAC, Platform.MACOS), (TV, Platform.TVOS)])
def test_other_platforms_are_told_as_such(folder: Path, i: int, platform: Platform) -> None:
    """A Mac and an Apple TV are devices too, without backup facts, and nobody is urged to ask for those."""
    found = told(folder, *life(i))
    device = found.devices[native_id(i)]
    assert (device.platform, device.backup_enabled) == (platform, ABSENT)
    assert not found.troubles


@pytest.mark.parametrize(
    ("payload", "signal", "expected"),
    [
        (restrictions(cloud_backup=False), "backup_restricted", True),
        (restrictions(cloud_backup=True), "backup_restricted", False),
        (restrictions(cloud_backup=None), "backup_restricted", ABSENT),
        ({"GlobalRestrictions": "odd"}, "backup_restricted", UNREADABLE),
        (profiles("com.apple.wifi.managed"), "vpn_configured", False),
        (profiles("com.apple.vpn.managed"), "vpn_configured", ABSENT),
        ({"ProfileList": []}, "vpn_configured", False),
        ({"ProfileList": [{"IsEncrypted": True}]}, "vpn_configured", ABSENT),
        (updates("26.4", "26.10", "26.9.1"), "pending_os_version", "26.10"),
        (updates(), "pending_os_version", ABSENT),
        ({"AvailableOSUpdates": 5}, "pending_os_version", UNREADABLE),
    ],
)
def test_other_commands(folder: Path, payload: Record, signal: str, expected: object) -> None:
    """A restriction counts where it is listed; a VPN's type is no proof that it is on demand."""
    assert getattr(record(folder, answer(0, 1, payload)), signal) == expected


@pytest.mark.parametrize(("days", "expected"), [(7.9, True), (8.1, ABSENT)])
def test_an_old_answer_does_not_pass_for_new(folder: Path, days: float, expected: object) -> None:
    """A record has one age: restrictions asked for more than a week before the inventory are unknown."""
    forbidden = answer(0, days, restrictions(cloud_backup=False))
    device = record(folder, forbidden, answer(0, 1, answers(0)["DeviceInformation"]))
    assert device.backup_restricted == expected


def test_a_time_zone_of_the_servers_own(folder: Path) -> None:
    """NanoMDM writes its local time with nine digits or fewer, trailing zeros dropped."""
    for digits in ("", ".1", ".1234567", ".123456789"):
        event = answer(0, 0, {}) | {"created_at": created(1, digits)}
        assert record(folder, event).checkin_at == ago(1)
