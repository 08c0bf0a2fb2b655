"""Asking about one device after the other: what costs one device, what ends the asking, and what the report says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from connectors._connector import SourceSettings
from connectors._one_by_one import OneByOne, worth_asking
from fleet.errors import (
    AuthRefused,
    BadAnswer,
    NotFound,
    PermissionMissing,
    ServerTrouble,
    SourceError,
    Throttled,
    Unreachable,
)
from fleet.model.device import DeviceRecord, Platform, Rejected
from fleet.model.fact import ABSENT, NOT_PERMITTED, NOT_REPORTED, UNREADABLE, Fact, Gap
from tests.connectors.walking import Clock

if TYPE_CHECKING:
    from collections.abc import Mapping

BROKEN = ServerTrouble("mdm.example answers with an error of its own (500)", status=500)
DOWN = ServerTrouble("mdm.example answers with an error of its own (503)", status=503)
FORBIDDEN = PermissionMissing('mdm.example does not admit this credential (403): grant "Details" to it')
GONE = NotFound("mdm.example does not exist there (404)")
ODD = BadAnswer("mdm.example answered 200 with text that cannot be read")


class Vendor:
    """Answers "told N" about device N, unless something befalls the asking; a request takes `seconds`."""

    def __init__(self, befalls: Mapping[int, SourceError], seconds: float = 0) -> None:
        self.befalls = befalls
        self.clock = Clock()
        self.seconds = seconds
        self.asked: list[int] = []

    def ask(self, native_id: str) -> str:
        self.asked.append(int(native_id))
        self.clock.sleep(self.seconds)
        if (error := self.befalls.get(int(native_id))) is not None:
            raise error
        return f"told {native_id}"

    def details(self, *, wanted: bool = True, minutes: float = 60) -> OneByOne[str]:
        settings = SourceSettings(name="hq", kind="x", deadline_minutes=minutes)
        names = {"vendor": "Acme", "lacking": "backups"}
        return OneByOne(self.ask, settings, self.clock.around(), **names, ahead=1, wanted=wanted)


def device(number: int, **facts: Fact[object]) -> DeviceRecord:
    facts = {"platform": Platform.IOS, "managed": True} | facts
    return DeviceRecord(native_id=str(number), **facts)  # pyright: ignore[reportArgumentType] - whatever the test wants


def named(record: DeviceRecord, told: str | Gap) -> DeviceRecord:
    return DeviceRecord(native_id=record.native_id, name=told)


def names(details: OneByOne[str], count: int) -> list[object]:
    rows = details.completed([device(number) for number in range(1, count + 1)], named)
    return [row.name for row in rows if isinstance(row, DeviceRecord)]


def test_each_answer_comes_to_its_own_record() -> None:
    """Rows keep their order, and what could not be read stays as it is."""
    lost = Rejected("row 2", "no usable id")
    rows = Vendor({}).details().completed([device(1), lost, device(3)], named)
    assert rows == [named(device(1), "told 1"), lost, named(device(3), "told 3")]


@pytest.mark.parametrize(
    ("facts", "asked"),
    [
        ({}, True),
        ({"platform": Platform.VISIONOS}, True),
        ({"platform": UNREADABLE, "managed": ABSENT}, True),
        ({"platform": Platform.MACOS}, False),
        ({"platform": Platform.OTHER}, False),
        ({"managed": False}, False),
    ],
)
def test_nobody_is_asked_about_a_device_without_backups(facts: dict[str, object], *, asked: bool) -> None:
    """A device is asked about that has iCloud Backup or may have; of others the answer is absent."""
    vendor = Vendor({})
    record = device(1, **facts)
    assert worth_asking(record) is asked
    assert vendor.details().completed([record], named) == [named(record, "told 1" if asked else ABSENT)]
    assert vendor.asked == [1] * asked


def test_switched_off_nothing_is_asked_or_told() -> None:
    """The signals read as never reported."""
    vendor = Vendor({})
    details = vendor.details(wanted=False)
    assert names(details, 3) == [NOT_REPORTED] * 3
    assert (vendor.asked, list(details.troubles())) == ([], [])


TOLD = [f"told {number}" for number in range(1, 10)]


@pytest.mark.parametrize(
    ("befalls", "asked", "gaps", "counts"),
    [
        ({}, 9, {}, {}),
        # One device's own trouble.
        ({2: GONE}, 9, {2: ABSENT}, {}),
        ({2: BROKEN, 4: ODD}, 9, {2: ABSENT, 4: ABSENT}, {"details_unread": 2}),
        (dict.fromkeys((1, 2, 3, 4, 6, 7, 8, 9), BROKEN), 9, dict.fromkeys((1, 2, 3, 4, 6, 7, 8, 9), ABSENT),
         {"details_unread": 8}),
        # Everybody's.
        (dict.fromkeys(range(1, 10), BROKEN), 5, dict.fromkeys(range(1, 10), ABSENT),
         {"details_unread": 5, "details_left_out": 4}),
        (dict.fromkeys(range(1, 10), GONE), 5, dict.fromkeys(range(1, 10), ABSENT), {"details_left_out": 4}),
        ({3: FORBIDDEN}, 3, dict.fromkeys(range(3, 10), NOT_PERMITTED), {"details_forbidden": 7}),
        ({3: DOWN}, 3, dict.fromkeys(range(3, 10), ABSENT), {"details_left_out": 7}),
        ({3: Throttled("no more today")}, 3, dict.fromkeys(range(3, 10), ABSENT), {"details_left_out": 7}),
    ],
)  # fmt: skip
def test_what_befalls_the_asking(
    befalls: Mapping[int, SourceError], asked: int, gaps: dict[int, Gap], counts: dict[str, int]
) -> None:
    """One device's trouble costs its own answer; what would befall every other ends the asking, and all are counted."""
    vendor = Vendor(befalls)
    details = vendor.details()
    assert names(details, 9) == [gaps.get(number, told) for number, told in enumerate(TOLD, 1)]
    assert len(vendor.asked) == asked
    assert {trouble.code: trouble.count for trouble in details.troubles()} == counts


@pytest.mark.parametrize("error", [DOWN, Unreachable("away"), AuthRefused("revoked")])
def test_an_outage_is_told_at_the_end(error: SourceError) -> None:
    """The night then counts as cut short, which a day's spent allowance or a missing permission does not make it."""
    outage = Vendor({1: error}).details()
    names(outage, 2)
    with pytest.raises(type(error)):
        outage.raise_outage()
    for passing in (BROKEN, GONE, FORBIDDEN, ODD, Throttled("no more today")):
        details = Vendor(dict.fromkeys(range(1, 10), passing)).details()
        names(details, 9)
        details.raise_outage()


def test_a_tenth_of_the_time_is_left_for_the_rest() -> None:
    """At ten seconds a device, a minute is enough for six; the report counts the others and says what to raise."""
    details = Vendor({}, seconds=10).details(minutes=1)
    assert names(details, 9) == TOLD[:6] + [ABSENT] * 3
    [trouble] = details.troubles()
    assert trouble.count == 3
    assert trouble.message.endswith("the time was spent; raise deadline_minutes")


def test_what_the_report_says() -> None:
    """Each line names who was asked, what stays unknown, and the remedy."""
    lines: dict[str, str] = {}
    tables: list[Mapping[int, SourceError]] = [{1: FORBIDDEN}, {1: BROKEN, 2: DOWN}]
    for befalls in tables:
        details = Vendor(befalls).details()
        names(details, 3)
        lines |= {trouble.code: trouble.message for trouble in details.troubles()}
    assert lines == {
        "details_forbidden": f"Acme does not tell backups: {FORBIDDEN}, or set detail = false",
        "details_unread": "Acme could not give the details of some devices, so backups stay unknown there: "
        f"{BROKEN}",
        "details_left_out": f"Not every device could be asked about, so backups stay unknown there: {DOWN}",
    }
