from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.merge import conflicts, merge
from fleet.model.device import SIGNALS, DeviceRecord, Sighting, Standing
from fleet.model.fact import ABSENT, GAPS, NEVER, NOT_PERMITTED, NOT_REPORTED, UNREADABLE, Gap
from tests.fleet_of import Value, ago

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence
    from datetime import datetime

KEY = "a" * 32


def a_sighting(
    source: str = "hq",
    *,
    age: float = 1,
    standing: Standing = Standing.READ,
    native_id: str = "1",
    **signals: Value,
) -> Sighting:
    """What a source says of the device, which reported it so many days ago."""
    return Sighting(
        source=source,
        record=DeviceRecord(native_id=native_id, **signals),
        observed_at=ago(age),
        last_seen_at=ago(0),
        standing=standing,
    )


@pytest.mark.parametrize(
    ("fresh", "older", "merged", "winner"),
    [
        ("27.1", "26.4", "27.1", "hq"),
        (ABSENT, "26.4", "26.4", "lab"),
        (UNREADABLE, "26.4", "26.4", "lab"),
        (NOT_PERMITTED, "26.4", "26.4", "lab"),
        (NOT_REPORTED, "26.4", "26.4", "lab"),
        ("27.1", UNREADABLE, "27.1", "hq"),
        (NOT_REPORTED, ABSENT, ABSENT, "hq"),
        (NOT_REPORTED, NOT_PERMITTED, NOT_PERMITTED, "hq"),
        (NOT_PERMITTED, ABSENT, ABSENT, "hq"),
        (ABSENT, UNREADABLE, UNREADABLE, "hq"),
        (UNREADABLE, NOT_REPORTED, UNREADABLE, "hq"),
        (NOT_REPORTED, NOT_REPORTED, NOT_REPORTED, "hq"),
    ],
)
def test_freshest_known_value(fresh: Value, older: Value, merged: Value, winner: str) -> None:
    """Per signal the freshest known value counts; of gaps the one that says most about what could be known."""
    said = [a_sighting("hq", age=1, os_version=fresh), a_sighting("lab", age=2, os_version=older)]
    for order in (said, said[::-1]):
        device = merge(KEY, order)
        assert device.os_version == merged
        assert device.sighting_of("os_version").source == winner


def test_each_signal_for_itself() -> None:
    """A device may have its backup date from one source and its storage from another, each with its own age."""
    backup = ago(2)
    device = merge(
        KEY,
        [
            a_sighting("hq", age=1, available_bytes=5, last_cloud_backup_at=ABSENT),
            a_sighting("lab", age=3, available_bytes=9, last_cloud_backup_at=backup),
        ],
    )
    assert (device.available_bytes, device.last_cloud_backup_at) == (5, backup)
    assert device.sighting_of("last_cloud_backup_at").observed_at == ago(3)
    assert device.observed_at == ago(1)


def test_values_that_look_like_nothing_are_known() -> None:
    """False, zero, no groups and never are values: an older source does not replace them."""
    known: dict[str, Value] = {
        "backup_enabled": False,
        "battery_percent": 0,
        "groups": (),
        "last_cloud_backup_at": NEVER,
    }
    older: dict[str, Value] = {
        "backup_enabled": True,
        "battery_percent": 90,
        "groups": ("kiosk",),
        "last_cloud_backup_at": ago(1),
    }
    device = merge(KEY, [a_sighting("hq", **known), a_sighting("lab", age=2, **older)])
    assert {name: getattr(device, name) for name in known} == known


@pytest.mark.parametrize("signal", SIGNALS)
def test_single_source(signal: str) -> None:
    """What the only source of a device says is what is known of it, gaps included."""
    said: dict[str, Value] = {signal: UNREADABLE}
    device = merge(KEY, [a_sighting(**said)])
    assert getattr(device, signal) is UNREADABLE
    assert all(getattr(device, other) is NOT_REPORTED for other in SIGNALS if other != signal)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"enrolled_at": ago(300), "age": 1}, {"enrolled_at": ago(5), "age": 2}),
        ({"age": 1}, {"enrolled_at": ago(5), "age": 2}),
        ({"enrolled_at": ago(5), "age": 3}, {"enrolled_at": ago(5), "age": 2}),
        ({"age": 3}, {"age": 2}),
        ({"age": 2, "native_id": "1"}, {"age": 2, "native_id": "2"}),
    ],
)
def test_enrolled_again(old: dict[str, Value], new: dict[str, Value]) -> None:
    """Of two records of one source the newest enrolment counts alone, else the one heard from last."""
    then: dict[str, Value] = {"native_id": "old", "name": "Before the wipe", "department": "Sales", **old}
    now: dict[str, Value] = {"native_id": "new", "name": "After the wipe", **new}
    before, after = a_sighting(**then), a_sighting(**now)
    for order in ([before, after], [after, before]):
        device = merge(KEY, order)
        assert (device.name, device.department) == ("After the wipe", NOT_REPORTED)
        assert (device.sightings, device.superseded) == ((after,), (before,))


def test_absent_record_counts_only_alone() -> None:
    """What a source no longer lists counts only while nobody lists the device."""
    gone = a_sighting("hq", age=1, standing=Standing.ABSENT, name="Gone", department="Sales")
    there = a_sighting("lab", age=5, name="There")
    assert merge(KEY, [gone, there]).name == "There"
    assert merge(KEY, [gone, there]).department is NOT_REPORTED
    assert merge(KEY, [gone]).name == "Gone"
    both = merge(KEY, [gone, a_sighting("lab", age=2, standing=Standing.ABSENT, name="Also gone")])
    assert both.name == "Gone"


@pytest.mark.parametrize("standing", [Standing.READ, Standing.UNREAD])
def test_unread_record_counts(standing: Standing) -> None:
    """Last known facts of a source that failed tonight count by their age like any others."""
    device = merge(
        KEY, [a_sighting("hq", age=1, standing=standing, name="Fresh"), a_sighting("lab", age=2, name="Old")]
    )
    assert device.name == "Fresh"


def test_absent_twin_does_not_hide_the_new_enrolment() -> None:
    """The old record of a device that was wiped and enrolled again goes without a trace once it is not listed."""
    old = a_sighting(native_id="old", age=0.5, standing=Standing.ABSENT, enrolled_at=ago(1), name="Old")
    new = a_sighting(native_id="new", age=2, enrolled_at=ago(3), name="New")
    device = merge(KEY, [old, new])
    assert (device.name, device.superseded) == ("New", ())


def test_conflicts() -> None:
    """Known values that differ are a conflict, with everyone who knows one, freshest first; gaps are none."""
    hq = a_sighting("hq", age=2, os_version="26.4", name="Desk", serial="S1", managed=True)
    lab = a_sighting("lab", age=1, os_version="27.1", name=ABSENT, serial="S1", managed=True)
    assert conflicts(merge(KEY, [hq, lab])) == {"os_version": [(lab, "27.1"), (hq, "26.4")]}
    assert conflicts(merge(KEY, [hq])) == {}


def test_no_conflict() -> None:
    """Each source's own dates, and another spelling of the same name or number, contradict nobody."""
    hq = a_sighting(
        "hq",
        serial="c39x 1",
        udid="AB-1",
        user_email="Ana@contoso.example",
        checkin_at=ago(2),
        enrolled_at=ago(9),
    )
    lab = a_sighting(
        "lab",
        serial="C39X1",
        udid="ab1",
        user_email="ana@contoso.example",
        checkin_at=ago(1),
        enrolled_at=ago(8),
    )
    assert conflicts(merge(KEY, [hq, lab])) == {}


FACTS = st.sampled_from(["27.1", "26.4", *GAPS.values()])
STANDINGS = st.sampled_from(Standing)


@st.composite
def sightings_of(draw: st.DrawFn, sources: Sequence[str] = ("hq", "lab", "school")) -> list[Sighting]:
    """Up to five records of one device in several sources; two records never tie in all that tells them apart."""
    rows = draw(
        st.lists(st.tuples(st.sampled_from(sources), FACTS, FACTS, STANDINGS), min_size=1, max_size=5)
    )
    ages = st.integers(0, 9).map(float)
    return [
        a_sighting(
            source,
            age=draw(ages),
            standing=standing,
            native_id=str(number),
            enrolled_at=draw(st.sampled_from([ABSENT, ago(20), ago(30)])),
            os_version=version,
            name=name,
        )
        for number, (source, version, name, standing) in enumerate(rows)
    ]


@given(st.data())
def test_more_sources_never_know_less(data: st.DataObject) -> None:
    """Another source that lists the device turns no known value into a gap, and no fresh value into a staler one."""
    said = data.draw(sightings_of(["hq", "lab"]))
    another = [one for one in data.draw(sightings_of(["school"])) if one.standing is not Standing.ABSENT]
    alone, together = merge(KEY, said), merge(KEY, [*said, *another])
    if all(one.standing is Standing.ABSENT for one in said):
        return  # whoever lists the device replaces all that nobody lists any more
    for signal in ("os_version", "name"):
        if not isinstance(getattr(alone, signal), Gap):
            assert not isinstance(getattr(together, signal), Gap)
            assert together.sighting_of(signal).observed_at >= alone.sighting_of(signal).observed_at


@given(sightings_of(), st.randoms(use_true_random=False))
def test_order_does_not_matter(said: list[Sighting], chance: random.Random) -> None:
    """The order of sources, of nights and of records changes nothing: neither values nor what they are taken from."""
    mixed = said[:]
    chance.shuffle(mixed)
    assert merge(KEY, said) == merge(KEY, mixed)


@given(sightings_of())
def test_every_record_is_accounted_for(said: list[Sighting]) -> None:
    """Each record counts, or is superseded by a newer enrolment, or is listed no more while others are."""
    device = merge(KEY, said)
    left_out = [one for one in said if one not in (*device.sightings, *device.superseded)]
    assert all(one.standing is Standing.ABSENT for one in left_out)
    assert len({one.source for one in device.sightings}) == len(device.sightings) >= 1
    for old in device.superseded:
        (new,) = (one for one in device.sightings if one.source == old.source)
        assert enrolment(new) >= enrolment(old)
    for signal in SIGNALS:
        value = getattr(device, signal)
        if not isinstance(value, Gap):
            assert value == getattr(device.sighting_of(signal).record, signal)


def enrolment(sighting: Sighting) -> tuple[datetime, datetime]:
    """What the newest of one source's records is told by."""
    enrolled = sighting.record.enrolled_at
    return ago(999) if isinstance(enrolled, Gap) else enrolled, sighting.observed_at
