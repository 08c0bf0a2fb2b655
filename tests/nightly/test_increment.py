"""Nights on which only what had reported is read: what they may conclude, and when everything is read after all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeAlias

import pytest

from connectors._connector import Page
from fleet.errors import BadAnswer, Unreachable
from fleet.model.device import SIGNALS, DeviceRecord, Rejected
from fleet.model.finding import Action, State, Status
from fleet.model.run import Outcome
from fleet.nightly.collect import Source
from tests.fleet_of import GB, days
from tests.nightly.a_night import Office, a_phone, a_source, ill, night, serial

if TYPE_CHECKING:
    from collections.abc import Iterator

    from connectors._connector import Surroundings
    from fleet.store.database import Database

Change: TypeAlias = Callable[["Vendor"], None]


@dataclass
class Vendor:
    """A server whose devices report when they like, and that can be asked for those that have.

    Attributes:
        devices: by number, as they last reported.
        reported: by number, the night of that.
        stated: the number of devices that it states; None for the truth, -1 for nothing.
        breaks: the error that it ends an increment with.
        garbled: its answer to an increment holds a row that cannot be read.
        deaf: takes no notice of the question and gives everything.
        asked: of each walk whether it was for everything.
    """

    devices: dict[int, DeviceRecord] = field(default_factory=dict[int, DeviceRecord])
    reported: dict[int, int] = field(default_factory=dict[int, int])
    stated: int | None = None
    breaks: BaseException | None = None
    garbled: bool = False
    deaf: bool = False
    full_walk_days: int = 7
    terms: str = "as set up"
    asked: list[str] = field(default_factory=list[str])

    def report(self, at: int, *records: DeviceRecord) -> None:
        """Those devices report in the evening before the night `at`."""
        for record in records:
            self.devices[int(record.native_id)] = record
            self.reported[int(record.native_id)] = at

    def source(self) -> Source:
        """It, as it is configured."""
        return Source(
            name="hq",
            kind="made_up",
            provides=frozenset(SIGNALS),
            walk=self._walk,
            full_walk_days=self.full_walk_days,
            terms=self.terms,
        )

    def _walk(self, around: Surroundings) -> Iterator[Page]:
        since = around.since
        self.asked.append("full" if since is None else "increment")
        rows: list[DeviceRecord | Rejected] = [
            record
            for number, record in self.devices.items()
            if since is None or self.deaf or night(self.reported[number]) - days(0.5) >= since
        ]
        if since is not None and self.garbled:
            rows.append(Rejected("row 9", "has no serial", native_id="9"))
        yield Page(rows=rows)
        if since is not None and self.breaks:
            raise self.breaks
        stated = len(self.devices) if self.stated is None else self.stated
        yield Page(expected=None if stated < 0 else stated)


@pytest.fixture
def office(database: Database) -> Office:
    """An office without a past, on each kind of database."""
    return Office(database)


@pytest.fixture
def small_office(usual_database: Database) -> Office:
    """An office without a past, for what does not depend on the kind of database."""
    return Office(usual_database)


def a_vendor(at: int = 1, **changes: object) -> Vendor:
    """Five phones that all reported for the night `at`; the first is ill."""
    vendor = Vendor(**changes)  # pyright: ignore[reportArgumentType]
    vendor.report(at, ill(1, at), *(a_phone(number, at) for number in range(2, 6)))
    return vendor


def test_a_week_of_increments(office: Office) -> None:
    """What has reported is read and judged, the rest stands as it was, and the seventh night reads everything again."""
    vendor = a_vendor()
    assert office.night(1, vendor.source()).told(1) == (State.NEW, Action.CREATE)
    vendor.report(2, ill(2, 2))
    second = office.night(2, vendor.source())
    assert second.told(1) == (State.OPEN, Action.NONE)
    assert second.told(2) == (State.NEW, Action.CREATE)
    assert {second.devices[serial(number)].status for number in (3, 4, 5)} == {Status.PROTECTED}
    vendor.report(3, a_phone(1, 3))
    third = office.night(3, vendor.source())
    assert third.told(1) == (State.RESOLVED, Action.RESOLVE)
    assert third.told(2) == (State.OPEN, Action.NONE)
    line = office.ledger(3)
    assert (line.outcome, line.devices, line.expected) == (Outcome.COMPLETE, 5, 5)
    assert line.increment is not None
    assert (line.increment.read, line.increment.full_at) == (1, night(1))
    assert night(1) < line.increment.since < night(2)
    for at in range(4, 9):
        vendor.report(at, a_phone(5, at))
        office.night(at, vendor.source())
    assert vendor.asked == ["full", *["increment"] * 6, "full"]
    assert office.ledger(8).increment is None
    assert office.again(3) == third


def test_a_device_that_stays_away_is_seen_to_be_silent(office: Office) -> None:
    """The source still lists it and says that it has not reported: that opens the ticket as on any night."""
    vendor = a_vendor(full_walk_days=31)
    for at in range(1, 10):
        vendor.report(at, *(a_phone(number, at) for number in (3, 4, 5)))
        office.night(at, vendor.source())
    vendor.report(10, a_phone(3, 10))
    heard = office.night(10, vendor.source())
    silent = heard.finding(2, "silent-device")
    assert (silent.state, silent.action) == (State.OPEN, Action.NONE)
    assert silent.first_seen == night(8)
    assert heard.devices[serial(2)].status is Status.UNKNOWN
    assert heard.told(1) == (State.OPEN, Action.NONE)
    assert vendor.asked == ["full", *["increment"] * 9]


def test_storage_that_fills_up_goes_on_doing_so_while_the_device_is_away(office: Office) -> None:
    """What was found by many nights' readings is not ended by a night without one."""
    vendor = a_vendor()
    for at in range(1, 21):
        vendor.report(at, a_phone(2, at, available_bytes=(60 - 2 * at) * GB), a_phone(3, at))
        heard = office.night(at, vendor.source())
        if at in {18, 19, 20}:
            assert heard.finding(2, "storage-filling").state in {State.NEW, State.OPEN}
    vendor.report(21, a_phone(3, 21))
    away = office.night(21, vendor.source())
    assert office.ledger(21).increment is not None
    assert away.finding(2, "storage-filling").state is State.OPEN


def test_a_new_device_is_taken_in_and_one_that_left_is_missed(office: Office) -> None:
    """A new device has reported and is counted; when one leaves, the number does not come out and all are read."""
    vendor = a_vendor()
    office.night(1, vendor.source())
    vendor.report(2, a_phone(6, 2))
    assert serial(6) in office.night(2, vendor.source()).devices
    assert office.ledger(2).devices == 6
    del vendor.devices[1], vendor.reported[1]
    vendor.report(3, a_phone(2, 3))
    assert office.night(3, vendor.source()).told(1) == (State.GONE, Action.NONE)
    assert office.ledger(3).increment is None
    vendor.report(4, a_phone(2, 4))
    assert office.night(4, vendor.source()).devices[serial(1)].reason == "gone"
    vendor.report(5, ill(1, 5))
    back = office.night(5, vendor.source())
    assert back.told(1)[0] is State.OPEN
    assert vendor.asked == ["full", "increment", "increment", "full", "increment", "increment"]
    assert office.ledger(5).devices == 6


def _refuse(vendor: Vendor) -> None:
    vendor.breaks = BadAnswer("no such filter")


def _garble(vendor: Vendor) -> None:
    vendor.garbled = True


def _state_nothing(vendor: Vendor) -> None:
    vendor.stated = -1


def _fall_silent(vendor: Vendor) -> None:
    vendor.reported = dict.fromkeys(vendor.reported, 0)


def _change_terms(vendor: Vendor) -> None:
    vendor.terms = "set up otherwise"


def _read_daily(vendor: Vendor) -> None:
    vendor.full_walk_days = 1


@pytest.mark.parametrize(
    ("change", "asked"),
    [
        (_refuse, ["increment", "full"]),
        (_garble, ["increment", "full"]),
        (_state_nothing, ["increment", "full"]),
        (_fall_silent, ["increment", "full"]),
        (_change_terms, ["full"]),
        (_read_daily, ["full"]),
    ],
)
def test_whatever_looks_off_reads_everything_the_same_night(
    small_office: Office, change: Change, asked: list[str]
) -> None:
    """A refused question, an unreadable row, no number, no sign of life, other settings: the night is a full one."""
    vendor = a_vendor()
    small_office.night(1, vendor.source())
    vendor.report(2, a_phone(2, 2))
    change(vendor)
    assert small_office.collect(2, vendor.source()) == {"hq": Outcome.COMPLETE}
    assert vendor.asked == ["full", *asked]
    line = small_office.ledger(2)
    assert (line.devices, line.increment, line.problems) == (5, None, ())


def test_full_is_full(small_office: Office) -> None:
    """`--full` reads everything, whatever could have been saved."""
    vendor = a_vendor()
    small_office.collect(1, vendor.source())
    small_office.collect(2, vendor.source(), full=True)
    assert vendor.asked == ["full", "full"]


def test_an_answer_with_everything_in_it_is_a_full_walk(small_office: Office) -> None:
    """A server that takes no notice of the question, or a fleet that reports every day, proves what is gone."""
    vendor = a_vendor(deaf=True)
    small_office.collect(1, vendor.source())
    small_office.collect(2, vendor.source())
    assert vendor.asked == ["full", "increment"]
    assert small_office.ledger(2).increment is None


def test_nothing_goes_on_from_a_broken_night(office: Office) -> None:
    """An increment that the network cut is partial and closes nothing; the next night reads everything."""
    vendor = a_vendor()
    office.night(1, vendor.source())
    vendor.report(2, a_phone(1, 2))
    vendor.breaks = Unreachable("hq does not answer")
    cut = office.night(2, vendor.source())
    assert (cut.run.outcome, cut.told(1)) == (Outcome.PARTIAL, (State.OPEN, Action.NONE))
    line = office.ledger(2)
    assert (line.outcome, line.devices, line.increment) == (Outcome.PARTIAL, 1, None)
    vendor.breaks = None
    assert office.night(3, vendor.source()).told(1) == (State.RESOLVED, Action.RESOLVE)
    assert vendor.asked == ["full", "increment", "full"]


def test_a_full_walk_with_unreadable_rows_is_not_gone_on_from(small_office: Office) -> None:
    """A row that could not be read stands for a device that nobody vouches for."""
    vendor = a_vendor()
    bad = Rejected("row 9", "has no serial", native_id="9")
    small_office.collect(1, a_source([*vendor.devices.values(), bad]))
    small_office.collect(2, replace(vendor.source(), terms=""))
    assert vendor.asked == ["full"]
