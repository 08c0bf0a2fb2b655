"""Rows 9, 11, 12, 15 to 19 and 29: answers that swell, lead astray, are not the API's, or hold what nobody expects."""

from __future__ import annotations

import csv
import json
import re
import zlib
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from tests.command import jamf_source
from tests.faults.fleets import a_fleet, rows_of_devices
from tests.faults.meddled import JSON, Meddled, from_page
from tests.faults.table import FULL, NEXT, NIGHT, Fault, Scene, Seen, outcomes, problem, serials
from tests.servers.intune import SECRET, TENANT, Intune
from tests.servers.jamf import JamfServer, jamf_record
from tests.servers.loopback import Loopback, Reply, raw, reply

if TYPE_CHECKING:
    import socket

    from tests.command import Office
    from tests.servers.jamf import Record
    from tests.servers.loopback import Asked

GB = 10**9
CANARY = "hunter2-of-the-login-page"


def bomb(connection: socket.socket) -> None:
    """A gigabyte of blanks in a megabyte; a full flush makes each piece of the stream stand by itself."""
    squeeze = zlib.compressobj(wbits=31)
    head = squeeze.compress(b"[") + squeeze.flush(zlib.Z_FULL_FLUSH)
    megabyte = squeeze.compress(b" " * 10**6) + squeeze.flush(zlib.Z_FULL_FLUSH)
    connection.sendall(JSON + b"Content-Encoding: gzip\r\nConnection: close\r\n\r\n" + head)
    with suppress(OSError):
        for _ in range(GB // 10**6):
            connection.sendall(megabyte)


def inflating(scene: Scene) -> Seen:
    """A source that answers with a gzip bomb; a peaceful night before it tells what memory a run takes anyway."""
    with Meddled() as server:
        scene.office.configure(jamf_source(server))
        usual = scene.office.begun("run", "--as-of", NIGHT).wait()
        assert usual.code == 0
        server.meddle = lambda _, __: raw(bomb)
        ended = scene.office.begun("run", "--as-of", NEXT).wait()
    grown = (ended.peak_kb - usual.peak_kb) / 1000
    assert grown < 100
    assert problem(scene.office, "hq") == "bad_answer"
    return Seen(ended, ("memory grew by less than 100 MB", "the 3 devices of the night before stand"))


def astray(scene: Scene) -> Seen:
    """A redirect of a page, and one of the request for a token, each to another server of this machine."""

    class Thief(Loopback):
        def route(self, asked: Asked) -> Reply:
            return reply({"totalCount": 0, "asked": asked.path})

    class Turned(JamfServer):
        def _client_token(self, asked: Asked) -> Reply:
            return Reply(307, b"", {"Location": thief.url + asked.path})

    with Thief() as thief:
        moved = from_page(1, lambda _: Reply(302, b"", {"Location": f"{thief.url}/list"}))
        with Meddled(meddle=moved) as pages, Turned() as tokens:
            scene.office.configure(jamf_source(pages, "pages"), jamf_source(tokens, "tokens"))
            ended = scene.office("run", "--as-of", NIGHT)
        assert thief.asked == []
    assert outcomes(scene.office) == {"pages": "failed", "tokens": "failed"}
    return Seen(ended, ("the other server was never asked",))


def login_page(scene: Scene) -> Seen:
    """What a firewall puts in place of the list: HTML, with 200."""
    page = Reply(200, f"<html><form>{CANARY}".encode(), {"Content-Type": "text/html; charset=utf-8"})
    with Meddled(meddle=from_page(1, lambda _: page)) as server:
        scene.office.configure(jamf_source(server))
        ended = scene.office("run", "--as-of", NIGHT, "-vv")
    assert CANARY not in ended.out + ended.err
    assert not any(CANARY.encode() in content for content in scene.office.files().values())
    return Seen(ended, ("nothing of the page in the most talkative log or any file",))


def shifting(scene: Scene) -> Seen:
    """Twelve devices; on the second night rows move between pages and the total is never the same."""

    def moved(body: bytes) -> Reply:
        page = json.loads(body)
        rows: list[Record] = page["results"]
        page["results"] = [*last[-1:], *rows[len(last[-1:]) :]] if rows else []
        page["totalCount"] = 12 + len(last) % 3
        last.extend(rows[-1:])
        return reply(page)

    last: list[Record] = []
    office = scene.office
    with Meddled(devices=12) as server:
        office.configure(jamf_source(server, page_size=4, max_concurrency=1, full_walk_days=1))
        assert office("run", "--as-of", NIGHT).code == 0
        server.times.clear()
        server.meddle = from_page(1, moved)
        ended = office("run", "--as-of", NEXT)
    assert {asked.first("sort") for asked in server.asked if asked.path.endswith("/detail")} == {
        "mobileDeviceId:asc"
    }
    assert problem(office, "hq").split()[0] == "count_mismatch"
    devices = office.report()["devices"]
    assert len({device["serial"] for device in devices}) == len(devices) == 12
    assert not any(finding["state"] == "gone" for device in devices for finding in device["findings"])
    return Seen(ended, ("a stable order is asked for", "called partial", "12 of 12 stay, none is gone"))


def emptied(scene: Scene) -> Seen:
    """A full answer yesterday, an empty one tonight."""
    count, office = 100_000 if FULL else 40, scene.office
    with a_fleet(office, count) as source:
        office.configure(source)
        assert office("run", "--as-of", NIGHT).code == 0
    office.env["JAMF_SECRET"] = JamfServer.client_secret
    with a_fleet(office, 0) as source:
        office.configure(source)
        ended = office("run", "--as-of", NEXT)
    assert last_problems(office) == ["fleet_shrank"]
    assert rows_of_devices(office) == count
    return Seen(ended, (f"{count:,} devices stay", "the report says fleet_shrank"))


def last_problems(office: Office) -> list[str]:
    """The codes of what the last run met at its only source."""
    (source,) = json.loads((office.reports / "last_run.json").read_text("utf-8"))["sources"]
    codes: list[str] = source["problems"]
    return codes


def malformed(scene: Scene) -> Seen:
    """One device without an identity, and others with everything in their fields that is none of it."""
    count = 2000 if FULL else 40
    fields: list[tuple[str, str, Any]] = [
        ("hardware", "serialNumber", None),
        ("hardware", "capacityMb", "a text"),
        ("hardware", "batteryLevel", 2**80),
        ("hardware", "availableSpaceMb", float("nan")),
        ("general", "osVersion", "9\0 \ud800"),
        ("general", "displayName", "\ud800\0name"),
        ("userAndLocation", "realName", 7),
    ]
    records = [jamf_record(number) for number in range(count)]
    for record, (block, name, value) in zip(records[1:], fields, strict=False):
        record[block][name] = value
    records[8]["deviceType"] = "somethingOS"
    records[0] |= {"mobileDeviceId": None, "hardware": None, "general": None}
    with JamfServer(devices=records) as server:
        scene.office.configure(jamf_source(server))
        ended = scene.office("run", "--as-of", NIGHT)
    (source,) = scene.office.report()["sources"]
    assert (source["devices"], source["unreadable"]) == (count - 1, 1)
    (line,) = (one for one in source["problems"] if one["code"] == "unreadable_records")
    assert "row 1: " in line["message"]
    assert scene.office("db", "check").code == 0
    return Seen(
        ended, (f"{count - 1:,} stored, 1 counted as unreadable with its row and why", "db check: ok")
    )


def other_versions(scene: Scene) -> Seen:
    """An older and a newer server: fields that nobody knows, words that nobody knows, another type."""
    older = [jamf_record(number) for number in range(6)]
    newer = [jamf_record(number) for number in range(6, 12)]
    for record in newer:
        record["general"] |= {"deviceOwnershipType": "Leased", "quantumMode": {"on": [1, 2]}}
        record |= {"aiSummary": "new in 11.31"}
        record["hardware"]["batteryLevel"] = "full"
    with JamfServer(devices=older, version="11.23.0-t1") as a, JamfServer(devices=newer) as b:
        scene.office.configure(jamf_source(a, "older"), jamf_source(b, "newer"))
        ended = scene.office("run", "--as-of", NIGHT)
    assert len(serials(scene.office)) == 12
    told = {source["name"]: source["problems"] for source in scene.office.report()["sources"]}
    assert told["older"] == []
    named = [re.findall("`(.+?)`", line["message"])[0] for line in told["newer"]]
    assert set(named) == {"general.deviceOwnershipType", "hardware.batteryLevel"}
    assert {line["count"] for line in told["newer"]} == {2, 6}
    assert len(told["newer"]) == 3  # a device's owner and its enrolment both follow from the first
    return Seen(ended, ("12 of 12 devices", "each changed field is named, with its count, once per signal"))


def circle(scene: Scene) -> Seen:
    """A link to the next page that leads to the same one for ever, and pages by number that are always the first."""

    def round_again(page: dict[str, Any]) -> bytes:
        page["@odata.nextLink"] = f"{graph.url}/beta/deviceManagement/managedDevices?$skiptoken=0"
        return json.dumps(page).encode()

    office = scene.office
    office.env["INTUNE_SECRET"] = SECRET
    with Intune(page_hook=round_again) as graph, JamfServer(devices=9, page_hook=first_rows) as jamf:
        intune = (
            f'[[source]]\nname = "links"\nkind = "intune"\nurl = "{graph.url}"\nlogin_url = "{graph.url}"\n'
            f'tenant_id = "{TENANT}"\nclient_id = "app"\nclient_secret = {{ env = "INTUNE_SECRET" }}\n'
        )
        office.configure(intune, jamf_source(jamf, "numbers", page_size=3))
        ended = office("run", "--as-of", NIGHT)
    assert outcomes(office) == {"links": "partial", "numbers": "partial"}
    assert len(graph.asked) < 30
    assert len(jamf.asked) < 30
    return Seen(ended, (f"ended after {len(graph.asked)} and {len(jamf.asked)} requests",))


def first_rows(_: list[bytes]) -> bytes:
    """The first three devices, whatever was asked for."""
    return json.dumps([jamf_record(number) for number in range(3)]).encode()


HOSTILE = (
    "</script><script>document.title='owned'</script>",
    "<img src=x onerror=\"document.title='owned'\">",
    "=cmd|' /C calc'!A0",
    "\u202egnitset\u202c",
    "@SUM(1+1)",
    "x" * 10_000,
)


def strings(scene: Scene) -> Seen:
    """Device names that want to be code."""
    records = [jamf_record(number) for number in range(len(HOSTILE))]
    for record, name in zip(records, HOSTILE, strict=True):
        record["general"] |= {"displayName": name, "assetTag": name}
        record["userAndLocation"] |= {"realName": name, "department": name}
        record["groups"][0]["groupName"] = name
    with JamfServer(devices=records) as server:
        scene.office.configure(jamf_source(server))
        ended = scene.office("run", "--as-of", NIGHT)
    latest = scene.office.reports / "latest"
    page = (latest / "index.html").read_text("utf-8")
    assert "document.title='owned'" not in page
    for name in ("devices.csv", "findings.csv"):
        with (latest / name).open(encoding="utf-8", newline="") as file:
            cells = [cell for row in csv.reader(file) for cell in row]
        assert not any(cell.startswith(("=", "@", "+", "-")) for cell in cells)
        assert max(map(len, cells)) < 2000
    assert len(serials(scene.office)) == len(HOSTILE)
    return Seen(
        ended, ("no name is markup or script in the page", "no cell begins a formula", "names are cut")
    )


ROWS = (
    Fault(
        number=9,
        fault="a gzip bomb of 1 GB",
        outcome="an error of the size cap, memory grows by less than 100 MB",
        code=4,
        says=("answered with more than 64 MB",),
        drive=inflating,
        also=("tests/connectors/test_http.py::test_a_bomb_is_never_held_in_memory",),
    ),
    Fault(
        number=11,
        fault="a redirect to another host, or to http",
        outcome="refused, no token is sent there",
        code=4,
        says=("redirects to http://127.0.0.1: set url",),
        drive=astray,
        also=("tests/connectors/test_http.py::test_redirects_are_refused",),
    ),
    Fault(
        number=12,
        fault="a login page with 200",
        outcome="an error with status and content type, without a word of the page",
        code=4,
        says=(
            "answered 200 with text/html that cannot be read: a login page or a firewall stands before it",
        ),
        drive=login_page,
    ),
    Fault(
        number=15,
        fault="totals and rows that move between pages",
        outcome="a stable order is asked for; unique by id; called incomplete, and no device is gone",
        code=3,
        says=("the source says that it has",),
        drive=shifting,
    ),
    Fault(
        number=16,
        fault="an empty answer where yesterday had 100,000",
        outcome="not believed, old data kept, the report says so",
        code=3,
        says=("nothing is concluded from that until a second run says the same",),
        drive=emptied,
    ),
    Fault(
        number=17,
        fault="one malformed device among 2,000",
        outcome="1,999 stored, 1 counted with its reason",
        code=0,
        drive=malformed,
        also=(
            "tests/connectors/test_hostile_pages.py::test_a_broken_record_costs_no_other",
            "tests/connectors/test_jamf_pro.py::test_one_bad_row_costs_no_other",
        ),
    ),
    Fault(
        number=18,
        fault="new fields, new words, an older and a newer version",
        outcome="accepted; what changed is told once",
        code=0,
        drive=other_versions,
        also=("tests/contracts/test_drift.py::test_a_field_that_changed_is_named",),
    ),
    Fault(
        number=19,
        fault="a next page that is the same again",
        outcome="noticed, that source ends, few requests",
        code=3,
        says=("links: the list repeats itself", "numbers: the list repeats itself"),
        drive=circle,
    ),
    Fault(
        number=29,
        fault="hostile names",
        outcome="inert in HTML, guarded in CSV, layout intact",
        code=0,
        drive=strings,
        also=("tests/browser/test_report.py::test_hostile_names_are_only_names",),
    ),
)
