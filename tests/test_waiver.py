"""Waivers: whom they cover, and when one needs a hand."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.model.waiver import EVERY_CHECK, Waiver, Waivers, WaiverState, use_of
from tests.fleet_of import a_device

if TYPE_CHECKING:
    from fleet.model.device import Device

NOW = datetime(2026, 11, 22, 2, tzinfo=UTC)
CHECKS = ("backup-stale", "storage-full")
ENTRIES = {
    "serials": ("C39X1", "c39x2"),
    "sites": ("HQ", "Lab"),
    "groups": ("Kiosk", "Staff"),
    "models": ("iPhone 13", "iPhone14,5"),
    "sources": ("hq", "lab"),
}


def a_waiver(day: int = 30, **more: object) -> Waiver:
    """A waiver until that day of November."""
    parts = {"checks": CHECKS, "reason": "kiosk", "owner": "it", "expires": date(2026, 11, day), **more}
    return Waiver(**parts)  # pyright: ignore[reportArgumentType] - a table of parts


WAIVERS = st.lists(
    st.builds(
        a_waiver,
        day=st.integers(20, 25),
        checks=st.sampled_from([CHECKS, CHECKS[:1], (EVERY_CHECK,)]),
        **{
            name: st.lists(st.sampled_from(entries), unique=True, max_size=2).map(tuple)
            for name, entries in ENTRIES.items()
        },
    ),
    max_size=6,
)
DEVICES = st.builds(
    a_device,
    source=st.sampled_from(ENTRIES["sources"]),
    serial=st.sampled_from(["C39X1", "C39X2", "C39X3"]),
    site=st.sampled_from(ENTRIES["sites"]),
    groups=st.sampled_from([(), ("Kiosk",), ("Kiosk", "Staff")]),
)


@given(WAIVERS, st.lists(st.tuples(DEVICES, st.sampled_from([*CHECKS, "power-low"])), max_size=5))
def test_all_waivers_together_say_what_each_would(
    waivers: list[Waiver], asked: list[tuple[Device, str]]
) -> None:
    """The latest end of those that match holds, and each counts what it covered, looked up by serial or not."""
    together = Waivers(waivers, NOW)
    for device, check in asked:
        ends = [waiver.until for waiver in waivers if waiver.matches(device, check, NOW)]
        assert together.until(device, check) == max(ends, default=None)
    assert together.covered == [
        sum(waiver.matches(device, check, NOW) for device, check in asked) for waiver in waivers
    ]


@pytest.mark.parametrize(
    ("day", "findings", "state"),
    [
        (21, 3, WaiverState.EXPIRED),
        (21, 0, WaiverState.EXPIRED),
        (22, 3, WaiverState.EXPIRING),
        (22, 0, WaiverState.DEAD),
        (22, None, WaiverState.EXPIRING),
    ],
)
def test_how_a_waiver_stands(day: int, findings: int | None, state: WaiverState) -> None:
    """An ended one is expired whatever it covered; one that covers nothing is dead, unless no run has tried yet."""
    assert use_of(a_waiver(day), findings, NOW).state is state


@pytest.mark.parametrize(("expires", "state"), [("2026-12-06", "expiring"), ("2026-12-07", "active")])
def test_which_waivers_end_soon(expires: str, state: str) -> None:
    """A fortnight ahead is soon; a day more is not."""
    assert use_of(a_waiver(expires=date.fromisoformat(expires)), 1, NOW).state == state


def test_label() -> None:
    """A waiver is named by what it waives where, for people."""
    assert a_waiver(serials=("C39X1",), models=("iPad", "iPad Air")).label == (
        "backup-stale, storage-full on serial C39X1; model iPad, iPad Air"
    )
    assert a_waiver(checks=("*",), groups=("Kiosk",)).label == "every check on group Kiosk"
