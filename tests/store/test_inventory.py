from __future__ import annotations

import itertools
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fleet.model.device import SIGNALS, TIME_SIGNALS, DeviceRecord, Enrollment, Ownership, Platform, Standing
from fleet.model.fact import ABSENT, GAPS, NEVER, UNREADABLE
from fleet.model.run import Outcome
from fleet.store import tables as t
from fleet.store.tables import FAST, SLOW
from tests.examples import examples
from tests.fleet_of import GB, Value
from tests.store.keeping import (
    a_phone,
    collect,
    devices_of,
    fleet,
    look,
    night,
    records,
    rows_in,
    sightings,
    standings,
    write,
)

if TYPE_CHECKING:
    from fleet.store.database import Database

FLAGS = [
    "managed",
    "supervised",
    "shared_ipad",
    "backup_enabled",
    "backup_restricted",
    "roaming",
    "account_active",
    "lost_mode",
    "vpn_configured",
]
TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=255)
MOMENTS = st.datetimes(datetime(1970, 1, 3), datetime(2100, 1, 1)).map(  # noqa: DTZ001 - hypothesis wants them bare
    lambda moment: moment.replace(microsecond=0, tzinfo=UTC)
)
SIZES = st.integers(0, 2**63 - 1)
VALUES: dict[str, st.SearchStrategy[Value]] = {
    **dict.fromkeys(SIGNALS, TEXTS),
    **dict.fromkeys(TIME_SIGNALS, MOMENTS),
    **dict.fromkeys(FLAGS, st.booleans()),
    "last_cloud_backup_at": MOMENTS | st.just(NEVER),
    "capacity_bytes": SIZES,
    "available_bytes": SIZES,
    "battery_percent": st.integers(0, 100),
    "platform": st.sampled_from(Platform),
    "enrollment": st.sampled_from(Enrollment),
    "ownership": st.sampled_from(Ownership),
    "groups": st.lists(TEXTS, max_size=3).map(tuple),
}
ANY_GAP = st.sampled_from(list(GAPS.values()))
RECORDS = st.fixed_dictionaries({name: values | ANY_GAP for name, values in VALUES.items()})


@given(
    nights=st.lists(st.lists(RECORDS, min_size=1, max_size=4), min_size=1, max_size=3),
    numbers=st.randoms(use_true_random=False),
)
@settings(
    max_examples=examples(20),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_round_trip(database: Database, nights: list[list[dict[str, Value]]], numbers: Value) -> None:
    """What a source said of a device is read back as it was: every value, every gap and its reason, and never."""
    source = f"hq-{rows_in(database, t.source)}"
    for signals in nights:
        said = {
            str(number): DeviceRecord(native_id=str(number), **one)
            for number, one in enumerate(signals, numbers.randrange(5))
        }
        collect(database, said.values(), source=source)
        kept = [sighting for device in fleet(database, sources=[source]) for sighting in device.sightings]
        assert {s.record.native_id: s.record for s in kept if s.standing is Standing.READ} == said


def test_each_gap_in_each_signal(database: Database) -> None:
    """Each signal keeps each reason for its absence, alone among known values."""
    said: dict[str, DeviceRecord] = {}
    for number, (signal, gap) in enumerate(itertools.product(SIGNALS, GAPS.values())):
        changed: dict[str, Value] = {"native_id": f"{signal} {gap.reason}", signal: gap}
        said[changed["native_id"]] = a_phone(number, **changed)
    collect(database, said.values())
    assert records(fleet(database)) == said


def test_no_empty_cell_without_reason(database: Database) -> None:
    """Wherever a column is empty, the row's gap set says why; wherever one says why, the column is empty."""
    collect(
        database, [DeviceRecord(native_id="bare"), a_phone(1), a_phone(2, groups=ABSENT, serial=UNREADABLE)]
    )
    columns = [t.record.c[name] for name in SLOW] + [t.reading.c[name] for name in FAST]
    rows = sa.select(t.gap_set.c.reasons, *columns).select_from(
        t.record.join(t.gap_set).join(t.reading, t.reading.c.source_device_id == t.record.c.source_device_id)
    )
    with database.engine.connect() as connection:
        for reasons, *values in connection.execute(rows):
            empty = {column.name for column, value in zip(columns, values, strict=True) if value is None}
            assert empty == {pair.partition("=")[0] for pair in reasons.split()}


def test_quiet_night_writes_readings_only(database: Database) -> None:
    """A night on which no slow signal changed adds a reading per device and no version of any record."""
    collect(database, [a_phone(1), a_phone(2)], at=1)
    collect(database, [a_phone(1, at=2, battery_percent=20), a_phone(2, at=2, available_bytes=GB)], at=2)
    assert (rows_in(database, t.record), rows_in(database, t.reading), rows_in(database, t.gap_set)) == (
        2,
        4,
        1,
    )


@pytest.mark.parametrize(
    "change",
    [
        {"name": "Back desk"},
        {"backup_enabled": False},
        {"backup_enabled": ABSENT},
        {"battery_percent": ABSENT},
        {"last_cloud_backup_at": NEVER},
        {"groups": ("kiosk",)},
        {"os_version": "27.1"},
        {"enrolled_at": night(1)},
        {"platform": Platform.IPADOS},
    ],
    ids=lambda change: next(iter(change)),
)
def test_change_keeps_the_past(database: Database, change: dict[str, Value]) -> None:
    """A changed signal makes one new version of one record, and the night before still reads as it was."""
    before, after = [a_phone(1), a_phone(2)], [a_phone(1, at=2, **change), a_phone(2, at=2)]
    collect(database, before, at=1)
    first = look(database, at=1)
    collect(database, after, at=2)
    assert records(fleet(database, at=2)) == {"1": after[0], "2": after[1]}
    assert records(devices_of(database, first)) == {"1": before[0], "2": before[1]}
    assert rows_in(database, t.record) == 3


def test_repeated_row_counts_once(database: Database) -> None:
    """A device that two pages of one walk show is one device, counted once."""
    writer = write(database, [a_phone(1), a_phone(2)])
    assert writer.add([a_phone(2, name="Moved while we read"), a_phone(3), a_phone(3)]) == 1
    assert writer.devices == 3


def test_large_page(database: Database) -> None:
    """A page larger than any statement's parameters is kept whole."""
    page = [a_phone(number) for number in range(1201)]
    collect(database, page)
    assert records(fleet(database)) == {record.native_id: record for record in page}


@pytest.mark.parametrize(
    ("closing", "standing"),
    [
        ({}, Standing.ABSENT),
        ({"outcome": Outcome.PARTIAL}, Standing.UNREAD),
        ({"outcome": Outcome.FAILED}, Standing.UNREAD),
        ({"unread_ids": ["2"]}, Standing.UNREAD),
        ({"unread_ids": ["77"]}, Standing.ABSENT),
        ({"anonymous": 1}, Standing.UNREAD),
    ],
)
def test_standing_of_a_missing_device(
    database: Database, closing: dict[str, Value], standing: Standing
) -> None:
    """Only a complete collection in which every row was known calls a device absent; its facts stay."""
    collect(database, [a_phone(1), a_phone(2)], at=1)
    collect(database, [a_phone(1, at=2)], at=2, **closing)
    found = fleet(database, at=2)
    assert standings(found) == {"1": Standing.READ, "2": standing}
    missing = sightings(found)["hq", "2"]
    assert (missing.record, missing.last_seen_at) == (a_phone(2), night(1))


@pytest.mark.parametrize(
    ("closing", "standing"),
    [
        ({}, Standing.READ),
        ({"unread_ids": ["2"]}, Standing.UNREAD),
        ({"outcome": Outcome.PARTIAL}, Standing.ABSENT),
    ],
    ids=["read", "unreadable", "not shown"],
)
def test_absence_ends(database: Database, closing: dict[str, Value], standing: Standing) -> None:
    """An absent device is absent until a source shows it again, even if only as a row that cannot be read."""
    collect(database, [a_phone(1), a_phone(2)], at=1)
    collect(database, [a_phone(1, at=2)], at=2)
    absent = look(database, at=2)
    back = [a_phone(1, at=3), *([] if closing else [a_phone(2, at=3)])]
    collect(database, back, at=3, **closing)
    assert standings(fleet(database, at=3))["2"] is standing
    assert standings(devices_of(database, absent))["2"] is Standing.ABSENT


def test_absent_facts_are_the_last(database: Database) -> None:
    """A device that came, changed and went is remembered as it was when last seen."""
    collect(database, [a_phone(1), a_phone(2)], at=1)
    last = a_phone(2, at=2, name="Renamed", battery_percent=5)
    collect(database, [a_phone(1, at=2), last], at=2)
    for at in (3, 4):
        collect(database, [a_phone(1, at=at)], at=at)
        assert sightings(fleet(database, at=at))["hq", "2"].record == last


def test_sources_do_not_answer_for_each_other(database: Database) -> None:
    """One source's complete collection says nothing of a device that only another one lists."""
    collect(database, [a_phone(1)], at=1)
    collect(database, [a_phone(2)], at=2, source="lab")
    assert standings(fleet(database, at=2, sources=["hq", "lab"])) == {"1": Standing.READ, "2": Standing.READ}


def test_unreadable_fields(usual_database: Database) -> None:
    """The collection knows in how many of its devices each signal could not be read."""
    writer = write(
        usual_database,
        [
            a_phone(1, name=UNREADABLE),
            a_phone(2, name=UNREADABLE, groups=UNREADABLE),
            a_phone(3, name=ABSENT),
        ],
    )
    assert writer.unreadable_fields() == {"name": 2, "groups": 1}


def test_time_without_zone_is_refused(database: Database) -> None:
    """A time without a zone is a bug that is said, not a guess that is stored."""
    with pytest.raises(ValueError, match="zone"):
        collect(database, [replace(a_phone(1), enrolled_at=datetime(2026, 1, 1))])  # noqa: DTZ001 - the bug


def test_builder_covers_every_signal() -> None:
    """The round trip above leaves no signal out."""
    assert set(VALUES) == set(asdict(a_phone())) - {"native_id"}
