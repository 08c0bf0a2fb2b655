"""Apple's System Status: which trouble counts, in both forms of the page, and every trap that is known."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors._feed_document import NotTheFeedError
from connectors._feed_status import read
from fleet.model.outage import Outage
from tests.servers.apple import Json, body, status_event, status_page

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
BEGAN = "2026-11-22T07:00:00+00:00"
ENDED = "2026-11-22T19:30:00+00:00"
LATER = "2026-11-24T09:00:00+00:00"


def outage(
    kind: str = "Issue", ended: str | None = None, service: str = "iCloud Backup", began: str = BEGAN
) -> Outage:
    """Trouble as it is expected to be told."""
    end = None if ended is None else datetime.fromisoformat(ended)
    return Outage(service=service, kind=kind, began_at=datetime.fromisoformat(began), ended_at=end)


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (status_event(BEGAN), outage()),
        (status_event(BEGAN, kind="Outage"), outage("Outage")),
        (status_event(BEGAN, kind="Performance"), outage("Performance")),
        (status_event(BEGAN, LATER, kind="Maintenance"), outage("Maintenance")),
        (status_event(BEGAN, ENDED), outage()),
        (status_event(BEGAN, ENDED, state="resolved"), outage(ended=ENDED)),
        (status_event(BEGAN, ENDED, state="completed"), outage(ended=ENDED)),
        (status_event(BEGAN, state="resolved"), outage(ended=BEGAN)),
        (status_event(LATER, state="upcoming", kind="Maintenance"), None),
        (status_event(BEGAN, kind="Available"), None),
        (status_event(BEGAN, kind="Meltdown"), outage("unknown")),
        (status_event(BEGAN, statusType=["Issue"]), outage("unknown")),
        (status_event(BEGAN, state="investigating"), outage()),
        (status_event(BEGAN, ENDED, state="monitoring"), outage(ended=ENDED)),
        (status_event(LATER, state="foreseen"), None),
        (status_event(None), outage(began="2026-11-23T02:00:00+00:00")),
        (status_event(None, ENDED, state="resolved"), None),
        (status_event(BEGAN, epochStartDate="yesterday"), outage(began="2026-11-23T02:00:00+00:00")),
    ],
)
def test_an_event(event: Json, expected: Outage | None) -> None:
    """Ongoing, past, planned, harmless; a word that we do not know stays unknown, and its times decide."""
    assert read(body(status_page(event)), NOW).outages == (() if expected is None else (expected,))


def test_nothing_to_report() -> None:
    """A page without events is known to be quiet, as of the moment of asking."""
    said = read(body(status_page()), NOW)
    assert (said.checked_at, said.outages) == (NOW, ())


@pytest.mark.parametrize(
    ("service", "affected", "told"),
    [
        ("iCloud Backup", None, "iCloud Backup"),
        ("iCloud Account & Sign In", None, "iCloud Account & Sign In"),
        ("App Store", None, None),
        ("iCloud backup", None, None),
        ("iCloud Web Apps (iCloud.com)", None, None),
        ("iCloud Storage Upgrades", ["iCloud Backup"], "iCloud Backup"),
        ("App Store", ["TestFlight"], None),
        ("App Store", "iCloud Backup", None),
    ],
)
def test_only_what_a_backup_needs(service: str, affected: object, told: str | None) -> None:
    """Trouble elsewhere at Apple is none of ours, unless it says that iCloud Backup suffers."""
    said = read(body(status_page(status_event(BEGAN, affectedServices=affected), service=service)), NOW)
    assert [one.service for one in said.outages] == ([told] if told else [])


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"jsonCallback(", b");"),
        (b"jsonCallback(", b")"),
        (b" jsonCallback (\n", b"\n) ;\n"),
        (b"", b""),
        (b"\xef\xbb\xbf", b""),
    ],
)
def test_a_wrapper_is_taken_off_only_where_there_is_one(before: bytes, after: bytes) -> None:
    """The developers' page is wrapped in a call, the general one is not; names have parentheses in both."""
    page = status_page(status_event(BEGAN), service="iCloud Backup")
    assert read(before + body(page) + after, NOW).outages == (outage(),)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b'{"services": []}', "names no service iCloud Backup"),
        (b'{"services": [{"serviceName": "CloudKit Database"}]}', "names no service iCloud Backup"),
        (body({}), "no services"),
        (b'jsonCallback({"services":[', "cut, or no JSON"),
        (b"", "cut, or no JSON"),
        (b"<html></html>", "cut, or no JSON"),
    ],
)
def test_silence_about_backups_is_not_health(content: bytes, why: str) -> None:
    """A page that does not name iCloud Backup says nothing about it; nor does one that cannot be read."""
    with pytest.raises(NotTheFeedError, match=why):
        read(content, NOW)


@given(
    st.sampled_from(sorted(status_event(BEGAN))), st.none() | st.integers() | st.text() | st.lists(st.text())
)
def test_no_value_breaks_the_reader(key: str, value: object) -> None:
    """Whatever a field holds, an ongoing issue beside it is told."""
    page = status_page({**status_event(ENDED), key: value}, status_event(BEGAN))
    assert outage() in read(body(page), NOW).outages
