"""Nights of a Jamf Pro on loopback, through the real command into a real database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.command import FILES, Ended, Json, Office, by_serial, jamf_source
from tests.servers.jamf import JamfServer, Record, jamf_record, stamp

if TYPE_CHECKING:
    from collections.abc import Sequence

PAGE = 100


def phone(number: int, night: int = 0, *, backup_days: float = 1, enabled: bool = True) -> Record:
    """A healthy iPhone as it reports on `night`, unless its backup is older or off."""
    record = jamf_record(number)
    record["general"] |= {
        "osVersion": "26.3.1",
        "lastInventoryUpdateDate": stamp(-night),
        "lastContactDate": stamp(-night),
        "cloudBackupEnabled": enabled,
        "lastCloudBackupDate": stamp(backup_days - night),
        "itunesStoreAccountActive": True,
    }
    record["hardware"] |= {
        "model": "iPhone 13",
        "modelIdentifier": "iPhone14,5",
        "capacityMb": 128_000,
        "availableSpaceMb": 64_000,
        "batteryLevel": 80,
    }
    return record


def at(night: int) -> str:
    """The clock of that night."""
    return f"2026-03-{2 + night:02d}T04:30:00Z"


def directory(night: int) -> str:
    """The name of that night's report."""
    return at(night).replace(":", "")


def run(
    office: Office,
    night: int,
    records: Sequence[Record],
    *options: str,
    fail_from_page: int | None = None,
    hard: frozenset[str] = frozenset(),
) -> Ended:
    """One night on which the server holds `records`."""
    with JamfServer(devices=records, page_cap=PAGE, fail_from_page=fail_from_page, hard=hard) as server:
        office.configure(jamf_source(server))
        return office("run", "--as-of", at(night), *options)


def story(office: Office, serial: str) -> tuple[str, str]:
    """State and action of the device's backup finding; empty where it has none."""
    found = backup_of(office.report(), serial)
    return (found["state"], found["action"]) if found else ("", "")


def backup_of(report: Json, serial: str) -> Json | None:
    """The device's finding about its backup, where it has one."""
    findings = by_serial(report)[serial]["findings"]
    return next((finding for finding in findings if finding["problem"] == "backup"), None)


def test_an_awkward_fleet_is_read_to_its_end(office: Office) -> None:
    """Silent page caps, a token that ends in mid-walk and one unreadable record cost exactly that one record."""
    with JamfServer(devices=1234, page_cap=PAGE, hard=frozenset({"700"}), token_requests=25) as server:
        office.configure(jamf_source(server))
        ended = office("run", "--as-of", at(0))
        assert server.count("/api/v1/oauth/token") > 1
    assert ended.code == 0, ended.err
    assert "hq: complete, 1,233 of 1,234 devices, 1 unreadable" in ended.out
    report = office.report()
    source = report["sources"][0]
    counts = {key: source[key] for key in ("outcome", "devices", "expected", "unreadable")}
    assert counts == {"outcome": "complete", "devices": 1233, "expected": 1234, "unreadable": 1}
    assert [(problem["code"], problem["count"]) for problem in source["problems"]] == [
        ("unreadable_records", 1)
    ]
    assert "device 700" in source["problems"][0]["message"]
    assert report["totals"]["devices"] == len(report["devices"]) == 1233
    assert report["run"]["outcome"] == "complete"


def test_too_many_unreadable_records_make_a_partial_night(office: Office) -> None:
    """A hundred unreadable records of 1,234 are too many to call the answer complete, and the exit code says so."""
    broken = frozenset(str(number) for number in range(10, 1210, 12))
    with JamfServer(devices=1234, page_cap=PAGE, hard=broken) as server:
        office.configure(jamf_source(server))
        ended = office("run", "--as-of", at(0))
    assert ended.code == 3
    assert "hq: partial, 1,134 of 1,234 devices, 100 unreadable" in ended.out
    assert "100 of 1234 records could not be read" in ended.err
    source = office.report()["sources"][0]
    assert (source["outcome"], source["devices"], source["unreadable"]) == ("partial", 1134, 100)
    assert "too_many_unreadable" in {problem["code"] for problem in source["problems"]}
    assert office.report()["run"]["outcome"] == "partial"


def test_a_problem_lives_and_dies_by_what_is_seen(office: Office) -> None:
    """Found, still there, mended and back again: each night's state and ticket action follow the device."""
    told: list[tuple[str, str]] = []
    for night, enabled in enumerate([False, False, True, True, False]):
        ended = run(office, night, [phone(0, night, enabled=enabled), phone(1, night)])
        assert ended.code == 0, ended.err
        told.append(story(office, "FK00000000Q"))
        assert story(office, "FK00000001Q") == ("", "")
    expected = [
        ("new", "create"),
        ("open", "none"),
        ("resolved", "resolve"),
        ("", ""),
        ("reopened", "reopen"),
    ]
    assert told == expected
    found = [backup_of(office.report(name), "FK00000000Q") for name in map(directory, (0, 1, 2, 4))]
    assert len({one["key"] for one in found if one}) == 1, "one problem keeps one ticket"


def test_a_broken_night_resolves_nothing(office: Office) -> None:
    """When the source breaks on page 5, findings beyond stay open and every device stays in the report."""
    ill = [phone(number, enabled=number % 100 != 99) for number in range(500)]
    assert run(office, 0, ill).code == 0
    well = [phone(number, 1) for number in range(500)]
    ended = run(office, 1, well, fail_from_page=4)
    assert ended.code == 3
    assert "hq: partial, 400 of 500 devices" in ended.out
    report = office.report()
    assert report["run"]["outcome"] == "partial"
    assert report["sources"][0]["problems"][0]["code"] == "server_error"
    assert len(report["devices"]) == 500
    assert all(story(office, f"FK{number:08d}Q") == ("open", "none") for number in range(99, 500, 100))


def test_a_failed_night_reports_what_was_known(office: Office) -> None:
    """When the only source fails, the exit code is 4 and the report still shows the last known facts."""
    records = [phone(0, enabled=False), phone(1)]
    assert run(office, 0, records).code == 0
    before = office.report()
    ended = run(office, 1, records, fail_from_page=0)
    assert ended.code == 4
    report = office.report()
    assert (report["run"]["outcome"], report["sources"][0]["outcome"]) == ("failed", "failed")
    assert report["totals"]["devices"] == 2
    assert story(office, "FK00000000Q") == ("open", "none")
    assert report["devices"][0]["signals"] == before["devices"][0]["signals"]
    assert {path.name for path in (office.reports / "latest").iterdir()} == FILES


def test_health_fades_while_the_source_is_away(office: Office) -> None:
    """After more than a week of failed nights no device is called protected on facts that old."""
    assert run(office, 0, [phone(0)]).code == 0
    assert office.report()["totals"]["protected"] == 1
    assert run(office, 8, [phone(0)], fail_from_page=0).code == 4
    (device,) = office.report()["devices"]
    assert (device["status"], device["reason"]) == ("unknown", "stale_data")


def test_a_device_that_leaves_is_gone_and_then_resolved(office: Office) -> None:
    """A device missing from a complete answer keeps its ticket as gone, which closes after the month of grace."""
    leaver, stayers = phone(0, enabled=False), [phone(number) for number in range(1, 4)]
    assert run(office, 0, [leaver, *stayers]).code == 0
    assert run(office, 1, stayers).code == 0
    assert story(office, "FK00000000Q") == ("gone", "none")
    with JamfServer(devices=stayers) as server:
        office.configure(jamf_source(server))
        assert office("run", "--as-of", "2026-04-03T04:30:00Z").code == 0
    assert story(office, "FK00000000Q") == ("resolved", "resolve")


def test_an_unreadable_device_keeps_what_was_known(office: Office) -> None:
    """A record that cannot be read tonight leaves its device in the report, with its finding open."""
    assert run(office, 0, [phone(0, enabled=False), *map(phone, range(1, 20))]).code == 0
    tonight = [phone(number, 1) for number in range(20)]
    assert run(office, 1, tonight, hard=frozenset({"1"})).code == 0
    assert office.report()["totals"]["devices"] == 20
    assert story(office, "FK00000000Q") == ("open", "none")


def test_too_much_at_once_holds_the_tickets(office: Office) -> None:
    """When a third of the fleet turns ill in one night, tickets wait for the next night or the admin's word."""
    assert run(office, 0, [phone(number) for number in range(30)]).code == 0
    ill = [phone(number, 1, enabled=number >= 10) for number in range(30)]
    held = run(office, 1, ill)
    assert (held.code, office.report()["run"]["hold"]) == (3, True)
    assert "--accept-mass-change" in held.out
    assert story(office, "FK00000000Q") == ("new", "none")
    assert run(office, 1, ill, "--accept-mass-change").code == 0
    assert story(office, "FK00000000Q") == ("open", "create")


def test_two_sources_that_know_one_device(office: Office) -> None:
    """One device of two sources is one row that names both, and keeps its key when one of them is dropped."""
    shared, own = phone(7, enabled=False), phone(8)
    with JamfServer(devices=[shared]) as first, JamfServer(devices=[shared, own]) as second:
        office.configure(jamf_source(first, "hq"), jamf_source(second, "schools"))
        assert office("run", "--as-of", at(0)).code == 0
        both = by_serial(office.report())
        office.configure(jamf_source(second, "schools"))
        assert office("run", "--as-of", at(1)).code == 0
    alone = by_serial(office.report())
    assert {serial: sorted(device["sources"]) for serial, device in both.items()} == {
        "FK00000007Q": ["hq", "schools"],
        "FK00000008Q": ["schools"],
    }
    assert {serial: device["sources"] for serial, device in alone.items()} == {
        serial: ["schools"] for serial in both
    }
    assert {d["key"] for d in both.values()} == {d["key"] for d in alone.values()}
    tickets = [found["FK00000007Q"]["findings"][0]["key"] for found in (both, alone)]
    assert tickets[0] == tickets[1]


def test_one_source_fails_and_the_other_goes_on(office: Office) -> None:
    """A source that is down makes the night partial; the other's devices are judged on tonight's facts."""
    with JamfServer(devices=[phone(0)]) as up, JamfServer(devices=[phone(1)], fail_from_page=0) as down:
        office.configure(jamf_source(up, "up"), jamf_source(down, "down"))
        assert office("run", "--as-of", at(0)).code == 3
    report = office.report()
    assert {source["name"]: source["outcome"] for source in report["sources"]} == {
        "up": "complete",
        "down": "failed",
    }
    assert by_serial(report)["FK00000000Q"]["status"] == "protected"


def test_a_past_report_is_made_again_byte_for_byte(office: Office) -> None:
    """The report of a past night, made again after a later one, is the same to the last byte, in whole or in part."""
    for night in range(2):
        run(office, night, [phone(number, night, enabled=(number + night) % 3 != 0) for number in range(30)])
    first = office.reports / directory(0)
    number = str(office.report(first.name)["run"]["id"])
    assert office("report", "--run", number, "--out", "again").code == 0
    again = office.folder / "again" / first.name
    assert {path.name: path.read_bytes() for path in again.iterdir()} == {
        path.name: path.read_bytes() for path in first.iterdir()
    }
    assert office("report", "--run", number, "--out", "part", "--format", "json").code == 0
    part = office.folder / "part" / first.name
    assert {path.name for path in part.iterdir()} == {"findings.json", "manifest.json"}
    assert (part / "findings.json").read_bytes() == (first / "findings.json").read_bytes()
    assert not (office.folder / "again" / "latest").exists()


def test_on_most_nights_only_what_has_reported_is_read(office: Office) -> None:
    """The second night asks for new inventories, says so wherever it tells of the source, and `--full` asks for all."""
    with JamfServer(devices=[phone(number, -1) for number in range(5)], filters="takes") as server:
        office.configure(jamf_source(server))
        assert office("run", "--as-of", at(0)).code == 0
        server.records[2] = phone(2, 1, enabled=False)
        ended = office("run", "--as-of", at(1))
        again = office("run", "--as-of", at(2), "--full")
    assert ended.code == 0
    assert (
        "hq: complete, 5 of 5 devices (1 read, the others as they were; the last full walk was on 2026-03-02)"
        in ended.out
    )
    night = office.report(directory(1))
    (source,) = night["sources"]
    assert (source["devices"], source["expected"], source["problems"]) == (5, 5, [])
    assert [path.name for path in office.folder.glob("fleetkeep.db-*")] == []
    assert source["incremental"] == {"since": "2026-03-02T03:30:00Z", "read": 1, "full_at": at(0)}
    assert [one["serial"] for one in night["devices"] if one["status"] != "protected"] == [
        phone(2)["hardware"]["serialNumber"]
    ]
    page = (office.reports / directory(1) / "index.html").read_text("utf-8")
    assert (
        "Asked only for what had reported since 2026-03-02 03:30 UTC (25 hours ago): 1 of 5 had, the others"
        in page
    )
    assert "hq: complete, 5 of 5 devices\n" in again.out
    assert "incremental" not in office.report(directory(2))["sources"][0]
