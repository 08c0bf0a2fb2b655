from __future__ import annotations

import itertools
import logging
import threading
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from connectors._connector import Page
from fleet.errors import AuthRefused, BadAnswer, SecretUnavailable
from fleet.model.device import SIGNALS, Rejected
from fleet.model.fact import ABSENT, NEVER, UNREADABLE
from fleet.model.run import Outcome, Trouble
from fleet.nightly.collect import Night, Source, collect
from tests.nightly.a_night import Office, a_phone, a_source, clock, night, serial, surroundings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from connectors._connector import Surroundings
    from fleet.store.database import Database
    from tests.fleet_of import Value
    from tests.nightly.a_night import Row


@pytest.fixture
def office(database: Database) -> Office:
    """An office without a past."""
    return Office(database)


def phones(count: int, at: int = 1) -> list[Row]:
    return [a_phone(number, at) for number in range(count)]


def bad(count: int, *, named: bool = True) -> list[Row]:
    return [
        Rejected(f"row {number}", "has no serial", native_id=f"bad-{number}" if named else None)
        for number in range(count)
    ]


def codes(troubles: Sequence[Trouble]) -> dict[str, int]:
    counts = dict.fromkeys((trouble.code for trouble in troubles), 0)
    for trouble in troubles:
        counts[trouble.code] += trouble.count
    return counts


@pytest.mark.parametrize(
    ("source", "outcome", "devices", "troubles"),
    [
        (a_source(phones(25)), "complete", 25, {}),
        (a_source(phones(25), expected=25), "complete", 25, {}),
        (a_source(), "complete", 0, {"no_devices": 1}),
        (a_source(phones(25), error=BadAnswer("page 4 is HTML")), "partial", 25, {"bad_answer": 1}),
        (a_source(error=AuthRefused("the key was refused")), "failed", 0, {"auth_refused": 1}),
        (a_source(error=SecretUnavailable("$KEY is not set")), "failed", 0, {"secret_unavailable": 1}),
        (a_source(phones(25), error=ZeroDivisionError()), "partial", 25, {"bug": 1}),
        (a_source(error=KeyError("serial")), "failed", 0, {"bug": 1}),
        (a_source(phones(25), expected=30), "partial", 25, {"count_mismatch": 5}),
        (a_source(phones(20) + bad(5), expected=25), "complete", 20, {"unreadable_records": 5}),
        (a_source(phones(20) + bad(5, named=False)), "complete", 20, {"unreadable_records": 5}),
        (a_source(phones(20) + bad(3) + bad(3)), "complete", 20, {"unreadable_records": 3}),
        (
            a_source(phones(20) + bad(6)),
            "partial",
            20,
            {"too_many_unreadable": 6, "unreadable_records": 6},
        ),
        (a_source(phones(693) + bad(7), per_page=350), "complete", 693, {"unreadable_records": 7}),
        (
            a_source(phones(692) + bad(7), per_page=350),
            "partial",
            692,
            {"too_many_unreadable": 7, "unreadable_records": 7},
        ),
        (a_source(bad(2)), "complete", 0, {"unreadable_records": 2}),
        (
            a_source([a_phone(1, 1, name=UNREADABLE), a_phone(2, 1, name=UNREADABLE, groups=UNREADABLE)]),
            "complete",
            2,
            {"unreadable_field": 3},
        ),
    ],
)
def test_how_whole_an_answer_is(
    office: Office, source: Source, outcome: str, devices: int, troubles: dict[str, int]
) -> None:
    """A source is complete when every device it has is accounted for; else the report says what is missing, and why."""
    assert office.collect(1, source) == {"hq": outcome}
    report = office.ledger(1)
    assert (report.outcome, report.devices) == (outcome, devices)
    assert codes(report.problems) == troubles


def test_unreadable_rows_are_explained(office: Office) -> None:
    """The report names a few of the rows that could not be read, and each field that could not."""
    rows = [*phones(3), *bad(4), a_phone(7, 1, name=UNREADABLE), a_phone(8, 1, name=UNREADABLE)]
    office.collect(1, a_source(rows))
    records, field = office.ledger(1).problems
    assert "4 records could not be read (row 0: has no serial; row 1: has no serial; row 2" in records.message
    assert (field.count, field.message) == (2, "`name` unreadable in 2 of 5 devices")
    assert office.ledger(1).unreadable == 4


def test_one_sources_failure_is_its_own(office: Office, caplog: pytest.LogCaptureFixture) -> None:
    """A source that breaks, even on a bug of ours, costs the others nothing; the log alone tells the details."""
    secret = ValueError("hush-hush")
    sources = [
        a_source(phones(30), name="hq"),
        a_source(phones(5), name="bug", error=secret),
        a_source(name="down", error=BadAnswer("HTML")),
    ]
    assert office.collect(1, *sources) == {"hq": "complete", "bug": "partial", "down": "failed"}
    (trouble,) = office.ledger(1, "bug").problems
    assert trouble.message == "bug: fleetkeep broke on it (ValueError); please report it"
    assert [entry.exc_info[1] for entry in caplog.records if entry.exc_info] == [secret]


def test_bad_record_is_its_sources_bug(office: Office) -> None:
    """A connector that breaks its contract with a time without zone fails by itself."""
    naive = replace(a_phone(1, 1), checkin_at=datetime(2026, 1, 1))  # noqa: DTZ001 - the bug
    outcomes = office.collect(1, a_source([naive], name="bug"), a_source(phones(3)))
    assert outcomes == {"bug": "failed", "hq": "complete"}
    assert codes(office.ledger(1, "bug").problems) == {"bug": 1}


def test_more_sources_than_threads_at_once(office: Office) -> None:
    """Forty sources of several pages each are all read, though not all at the same time."""
    sources = [a_source(phones(3), name=f"site-{number}", per_page=1) for number in range(40)]
    assert office.collect(1, *sources) == {source.name: "complete" for source in sources}


def test_slow_source_does_not_hold_up_another(database: Database) -> None:
    """A source that waits for its server lets the others be stored meanwhile."""
    others_done = threading.Event()

    def patient(_: Surroundings) -> Iterator[Page]:
        assert others_done.wait(20)
        yield Page(rows=phones(1))

    def note(source: str, *, pages: int, devices: int, expected: int | None) -> None:
        if (source, pages, devices, expected) == ("hq", 3, 30, 30):
            others_done.set()

    slow = Source(name="slow", kind="made_up", provides=frozenset(), walk=patient)
    around = Night(database=database, surroundings=surroundings(night(1)), now=clock(1), progress=note)
    outcomes = collect([slow, a_source(phones(30), expected=30)], around)
    assert outcomes == {"slow": Outcome.COMPLETE, "hq": Outcome.COMPLETE}


@pytest.mark.parametrize(
    ("signal", "moment", "kept"),
    [
        ("inventory_at", timedelta(hours=-1), timedelta(hours=-1)),
        ("inventory_at", timedelta(0), timedelta(0)),
        ("inventory_at", timedelta(hours=3), timedelta(0)),
        ("checkin_at", timedelta(hours=24), timedelta(0)),
        ("checkin_at", timedelta(hours=24, seconds=1), UNREADABLE),
        ("last_cloud_backup_at", timedelta(days=400), UNREADABLE),
        ("last_local_backup_at", timedelta(hours=24), timedelta(0)),
        ("enrolled_at", timedelta(days=2), UNREADABLE),
        ("last_cloud_backup_at", NEVER, NEVER),
        ("last_cloud_backup_at", ABSENT, ABSENT),
    ],
)
def test_dates_from_the_future(office: Office, signal: str, moment: Value, kept: Value) -> None:
    """A date within a day after the collection counts as its moment; a later one cannot be read, and is counted."""
    said = night(1) + moment if isinstance(moment, timedelta) else moment
    office.collect(1, a_source([a_phone(1, 1, **{signal: said})]))
    device = office.judge(1).devices[serial(1)].device
    expected = night(1) + kept if isinstance(kept, timedelta) else kept
    assert getattr(device, signal) == expected
    assert codes(office.ledger(1).problems) == ({"unreadable_field": 1} if kept is UNREADABLE else {})


def test_site_label(office: Office) -> None:
    """A source's label is the site of all its devices, whatever the vendor says, and counts as reported."""
    labelled = a_source([a_phone(1, 1), a_phone(2, 1, site="Elsewhere")], site="HQ")
    office.collect(1, replace(labelled, provides=frozenset({"serial"})))
    assert {device.device.site for device in office.judge(1).devices.values()} == {"HQ"}
    assert office.ledger(1).reported == ("serial", "site")
    assert set(office.ledger(1).never) == set(SIGNALS) - {"serial", "site"}


@pytest.mark.parametrize(
    ("left", "outcome"), [(49, "partial"), (50, "complete"), (99, "complete"), (0, "partial")]
)
def test_fleet_that_shrank(office: Office, left: int, outcome: str) -> None:
    """An answer with fewer than half of the devices of the last complete one is not believed at first."""
    office.night(1, a_source(phones(100)))
    heard = office.night(2, a_source(phones(left, 2)))
    assert heard.run.outcome == outcome
    assert codes(office.ledger(2).problems).get("fleet_shrank") == (
        100 - left if outcome == "partial" else None
    )
    gone = [device for device in heard.devices.values() if device.reason == "gone"]
    assert len(gone) == (0 if outcome == "partial" else 100 - left)


def test_shrunk_fleet_is_believed_when_said_twice(office: Office) -> None:
    """A second run that says the same is believed; a full one in between starts anew."""
    outcomes = [
        office.collect(at, a_source(phones(count, at)))["hq"] for at, count in enumerate((9, 2, 9, 2, 2, 2))
    ]
    assert outcomes == ["complete", "partial", "complete", "partial", "complete", "complete"]


def test_shrunk_fleet_may_be_accepted(office: Office) -> None:
    """The admin may say that the fleet is truly that small now."""
    office.collect(1, a_source(phones(9)))
    assert office.collect(2, a_source(phones(2, 2)), accept=True) == {"hq": "complete"}


def test_emptied_fleet(office: Office) -> None:
    """An answer without devices after one with some is not believed until it comes again."""
    office.collect(1, a_source(phones(1)))
    assert office.collect(2, a_source()) == {"hq": "partial"}
    assert office.collect(3, a_source()) == {"hq": "complete"}
    assert codes(office.ledger(3).problems) == {"no_devices": 1}


def test_age_of_the_facts(office: Office) -> None:
    """A failed source's line tells how old its last known facts are; one that never answered has none."""
    office.collect(1, a_source(phones(2)), a_source(name="new", error=BadAnswer("HTML")))
    office.collect(2, a_source(error=BadAnswer("HTML")), a_source(name="new", error=BadAnswer("HTML")))
    assert (office.ledger(2).collected_at, office.ledger(2).facts_at) == (night(2), night(1))
    assert office.ledger(2, "new").facts_at is None


def test_closing_is_logged(office: Office, caplog: pytest.LogCaptureFixture) -> None:
    """The log says of each source how it ended, a warning where it is not complete."""
    caplog.set_level(logging.INFO)
    office.collect(1, a_source(phones(12)), a_source(name="lab", error=BadAnswer("HTML")))
    closed = {entry.getMessage(): entry.levelname for entry in caplog.records if "closed" in entry.message}
    assert closed == {
        "source_closed source=hq outcome=complete devices=12 pages=2": "INFO",
        "source_closed source=lab outcome=failed devices=0 pages=0": "WARNING",
    }


def test_the_time_of_the_whole_run_is_up(office: Office) -> None:
    """Sources that are not done by then keep what they have as partial, or fail, and say which setting cut them off."""
    seconds, never = itertools.count(), threading.Event()

    def endless(_: Surroundings) -> Iterator[Page]:
        for number in range(10_000):
            yield Page(rows=[a_phone(number, 1)])

    def silent(_: Surroundings) -> Iterator[Page]:
        never.wait()
        yield Page()

    around = replace(surroundings(night(1)), now=lambda: float(next(seconds)), ends=40.0)
    sources = [
        Source(name=name, kind="made_up", provides=frozenset(SIGNALS), walk=walk)
        for name, walk in (("endless", endless), ("silent", silent))
    ]
    outcomes = collect(sources, Night(database=office.database, surroundings=around, now=clock(1)))
    never.set()
    assert outcomes == {"endless": "partial", "silent": "failed"}
    for name in outcomes:
        (trouble,) = office.ledger(1, name).problems
        assert trouble.code == "cut_off"
        assert "[run] deadline_minutes" in trouble.message
    assert office.ledger(1, "endless").devices == 40
