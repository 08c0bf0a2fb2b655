"""Rows 1 to 8, 13 and 14: servers that throttle, fall over, break off, drip, or let nobody in."""

from __future__ import annotations

import json
import re
import time
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING

from tests.command import jamf_source
from tests.faults.meddled import JSON, Meddled, from_page, once, reset, sent, throttled
from tests.faults.table import FULL, NEXT, NIGHT, Fault, Scene, Seen, outcomes, problem, serials
from tests.servers.jamf import JamfServer
from tests.servers.loopback import Reply, raw, reply
from tests.servers.raw import drip

if TYPE_CHECKING:
    from collections.abc import Callable

SHORT = {"deadline_minutes": 0.04}
"""For what would be tried for minutes."""


def retries(err: str, source: str = "") -> int:
    """Retries in the log."""
    return len(re.findall(rf"request_retried source={source}", err))


def every_seventh(scene: Scene) -> Seen:
    """Three of twenty pages are refused for a second each."""
    told: list[float] = []

    def meddle(number: int, answer: Callable[[], Reply]) -> Reply:
        if number % 7:
            return answer()
        told.append(time.monotonic())
        return throttled("1")

    with Meddled(devices=20, meddle=meddle) as server:
        scene.office.configure(jamf_source(server, page_size=1, max_concurrency=1))
        ended = scene.office("run", "--as-of", NIGHT, "-v")
    early = [asked for asked in server.times for at in told if at < asked < at + 1]
    assert early == []
    assert retries(ended.err) == len(told) == 3
    assert len(serials(scene.office)) == 20
    return Seen(ended, ("20 of 20 devices", "no request in the second asked for", "3 retries in the log"))


def all_kinds_of_retry_after(scene: Scene) -> Seen:
    """Five servers, each with a Retry-After of its own."""
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=1), usegmt=True)
    said = {"none": None, "date": soon, "zero": "0", "negative": "-5", "absurd": "1000000000"}
    with ExitStack() as stack:
        servers = {
            name: stack.enter_context(Meddled(meddle=once(lambda text=text: throttled(text))))
            for name, text in said.items()
        }
        scene.office.configure(*(jamf_source(server, name) for name, server in servers.items()))
        ended = scene.office("run", "--as-of", NIGHT)
    assert outcomes(scene.office) == {**dict.fromkeys(said, "complete"), "absurd": "failed"}
    pauses = {name: servers[name].times[1] - servers[name].times[0] for name in list(said)[:4]}
    assert all(0.7 < pause < 3 for pause in pauses.values()), pauses
    assert len(servers["absurd"].times) == 1
    return Seen(ended, ("the others waited about a second", "10^9 s were not waited for: failed at once"))


def storm(scene: Scene) -> Seen:
    """Nothing but 503 for a while, then well."""
    seconds = 60 if FULL else 2
    began: list[float] = []

    def meddle(_: int, answer: Callable[[], Reply]) -> Reply:
        began.append(time.monotonic())
        return reply({}, 503) if began[-1] - began[0] < seconds else answer()

    with Meddled(devices=20, meddle=meddle) as server:
        scene.office.configure(jamf_source(server, page_size=5))
        ended = scene.office("run", "--as-of", NIGHT)
    assert len(server.times) < 20
    assert len(serials(scene.office)) == 20
    return Seen(ended, (f"{seconds} s of 503 cost {len(server.times) - 4} requests", "20 of 20 devices"))


def one_of_three_for_ever(scene: Scene) -> Seen:
    """A, B and C well on the first night; B broken on the second."""
    office = scene.office
    with JamfServer(devices=3) as a, JamfServer(devices=9) as b, JamfServer(devices=3) as c:
        sources = [jamf_source(a, "a"), jamf_source(b, "b", **SHORT), jamf_source(c, "c")]
        office.configure(*sources)
        assert office("run", "--as-of", NIGHT).code == 0
        b.fail_from_page, b.fail_status = 0, 503
        ended = office("run", "--as-of", NEXT)
    assert outcomes(office) == {"a": "complete", "b": "failed", "c": "complete"}
    assert len(serials(office)) == 9
    metrics = (office.reports / "latest" / "metrics.prom").read_text("utf-8")
    age = datetime.fromisoformat(NIGHT).timestamp()
    assert f'fleetkeep_source_facts_timestamp_seconds{{source="b"}} {age:.0f}' in metrics
    return Seen(ended, ("a and c complete, b failed", "b's 9 devices stand on the facts of the night before"))


def cut_connections(scene: Scene) -> Seen:
    """A reset, and a close in the middle of the headers."""
    resets = Meddled(devices=4, meddle=once(lambda: raw(reset)))
    closes = Meddled(devices=4, meddle=once(lambda: sent(b"HTTP/1.1 200 OK\r\nContent-")))
    with resets, closes:
        scene.office.configure(jamf_source(resets, "resets"), jamf_source(closes, "closes"))
        ended = scene.office("run", "--as-of", NIGHT)
    devices = [device["serial"] for device in scene.office.report()["devices"]]
    assert len(devices) == len(set(devices)) == 4
    assert set(outcomes(scene.office).values()) == {"complete"}
    return Seen(ended, (f"retried {retries(ended.err)} times", "every device once"))


def broken_off_with_length(scene: Scene) -> Seen:
    """The third page of four is cut for ever: once before its Content-Length, once its JSON."""

    def short(body: bytes) -> Reply:
        return sent(JSON + b"Content-Length: %d\r\n\r\n" % len(body) + body[:-2000])

    def cut(body: bytes) -> Reply:
        return Reply(200, body[:-2000])

    with (
        Meddled(devices=8, meddle=from_page(3, short)) as a,
        Meddled(devices=8, meddle=from_page(3, cut)) as b,
    ):
        keys = {"page_size": 2, "max_concurrency": 1, **SHORT}
        scene.office.configure(jamf_source(a, "short", **keys), jamf_source(b, "cut", **keys))
        ended = scene.office("run", "--as-of", NIGHT)
    return Seen(ended, partial_after_two_pages(scene, ended.err, {"short": a, "cut": b}))


def partial_after_two_pages(scene: Scene, err: str, servers: dict[str, Meddled]) -> tuple[str, ...]:
    """Each server was asked again, and of the broken page nothing is stored."""
    assert outcomes(scene.office) == dict.fromkeys(servers, "partial")
    assert len(serials(scene.office)) == 4
    for name, server in servers.items():
        assert 3 < len(server.times) < 12
        assert f"{name}: " in err
    return ("asked again, then partial", "the 4 devices before are stored, of the broken page none")


def broken_off_without_length(scene: Scene) -> Seen:
    """The same where only the end of the connection ends the body."""

    def closed(body: bytes) -> Reply:
        return sent(JSON + b"Connection: close\r\n\r\n" + body[:-2000])

    with Meddled(devices=8, meddle=from_page(3, closed)) as server:
        scene.office.configure(jamf_source(server, "cut", page_size=2, max_concurrency=1))
        ended = scene.office("run", "--as-of", NIGHT)
    return Seen(ended, partial_after_two_pages(scene, ended.err, {"cut": server}))


def dripping(scene: Scene) -> Seen:
    """One byte now and then, for ever; beside it a server that is well."""
    head = JSON + b"Content-Length: 9000\r\n\r\n"
    drips = Meddled(meddle=lambda _, __: raw(lambda connection: drip(connection, head, b" ")))
    with drips, JamfServer() as quick:
        slow = jamf_source(drips, "slow", timeout_seconds=0.5, **SHORT)
        scene.office.configure(slow, jamf_source(quick, "quick"))
        began = time.monotonic()
        ended = scene.office("run", "--as-of", NIGHT, "-v")
        took = time.monotonic() - began
    assert took < 15
    assert ended.err.index("source_closed source=quick") < ended.err.index("source_closed source=slow")
    assert outcomes(scene.office) == {"slow": "failed", "quick": "complete"}
    return Seen(ended, ("given up by its deadlines", "the other source was done before"))


def token_that_ends(scene: Scene) -> Seen:
    """Five threads meet a 401 on their pages, a third through the list."""
    with JamfServer(devices=60, token_requests=20) as server:
        scene.office.configure(jamf_source(server, page_size=2))
        ended = scene.office("run", "--as-of", NIGHT)
    tokens = server.count("/api/v1/oauth/token")
    assert len(serials(scene.office)) == 60
    assert tokens == 2
    return Seen(ended, ("60 of 60 devices", "2 tokens in all"))


def wrong_credentials(scene: Scene) -> Seen:
    """A secret that is refused, beside a source that is well and then alone; and a token that opens nothing."""
    office = scene.office
    with JamfServer(client_secret="another") as shut, JamfServer() as well:
        office.configure(jamf_source(shut, "shut"), jamf_source(well, "well"))
        beside = office("run", "--as-of", NIGHT)
        assert beside.code == 3
        assert outcomes(office) == {"shut": "failed", "well": "complete"}
        asked = len(shut.asked)
        office.configure(jamf_source(shut, "shut"))
        ended = office("run", "--as-of", NEXT)
    assert asked <= 2
    assert json.loads((office.reports / "last_run.json").read_text("utf-8"))["exit_code"] == 4
    assert problem(office, "shut") == "auth_refused"
    return Seen(ended, (f"{asked} request", "beside a source that is well: exit 3", "alone: exit 4"))


ROWS = (
    Fault(
        number=1,
        fault="429 with Retry-After on every 7th page",
        outcome="complete, all devices, no request before the stated time, retries in the log",
        code=0,
        drive=every_seventh,
    ),
    Fault(
        number=2,
        fault="429 without Retry-After, with a date, 0, a negative one, 10^9 s",
        outcome="a jittered pause; an absurd one ends the source by its deadline",
        code=3,
        says=("asks to wait 1000000000 s, longer than deadline_minutes leaves",),
        drive=all_kinds_of_retry_after,
        also=("tests/connectors/test_http.py::test_retry_after_is_kept",),
    ),
    Fault(
        number=3,
        fault="503 for a minute, then well",
        outcome="few requests meanwhile, then complete",
        code=0,
        drive=storm,
        also=("tests/connectors/test_http.py::test_a_storm_of_a_minute_is_survived",),
    ),
    Fault(
        number=4,
        fault="5xx for ever at tenant B of A, B, C",
        outcome="A and C complete, B failed with its last facts and their age, partial",
        code=3,
        says=("answers with an error of its own (503)",),
        drive=one_of_three_for_ever,
    ),
    Fault(
        number=5,
        fault="connection reset, or closed in mid-headers",
        outcome="retried, no duplicates",
        code=0,
        drive=cut_connections,
    ),
    Fault(
        number=6,
        fault="JSON cut short, with Content-Length",
        outcome="asked again, then loud; nothing of that page is stored",
        code=3,
        says=("broke the connection off in mid-answer", "that cannot be read: the answer is cut"),
        drive=broken_off_with_length,
    ),
    Fault(
        number=7,
        fault="JSON cut short, 200, ended by the connection's close",
        outcome="as 6",
        code=3,
        says=("that cannot be read: the answer is cut",),
        drive=broken_off_without_length,
    ),
    Fault(
        number=8,
        fault="a byte now and then",
        outcome="given up by the deadline of a request, others are not delayed",
        code=3,
        says=("gave no whole answer in 0.5 s",),
        drive=dripping,
    ),
    Fault(
        number=13,
        fault="the token ends in mid-run",
        outcome="one refresh for all threads, each page repeated once",
        code=0,
        drive=token_that_ends,
    ),
    Fault(
        number=14,
        fault="wrong credentials from the start",
        outcome="at most 2 requests; exit 3 beside others, 4 alone",
        code=4,
        says=("refused the credential",),
        drive=wrong_credentials,
    ),
)
