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
from fleet.model.fact import ABSENT, GAPS, NEVER, NOT_PERMITTED, NOT_REPORTED, UNREADABLE
from fleet.model.run import Outcome
from fleet.store import ledger
from fleet.store import tables as t
from fleet.store.inventory import discard_unfinished
from fleet.store.open_run import open_run
from fleet.store.tables import FAST, SLOW
from tests.databases import opened
from tests.fleet_of import GB, Value
from tests.store.keeping import (
    a_phone,
    collect,
    devices_of,
    fleet,
    joined,
    look,
    night,
    records,
    sightings,
    standings,
    write,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from fleet.store.database import Database
    from fleet.store.history import Sighted
    from tests.databases import SqliteFolder

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


def rows_in(database: Database, table: sa.Table) -> int:
    with database.engine.connect() as connection:
        return connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0


@given(
    nights=st.lists(st.lists(RECORDS, min_size=1, max_size=4), min_size=1, max_size=3),
    numbers=st.randoms(use_true_random=False),
)
@settings(
    max_examples=20,
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


def phone(
    native_id: str, serial: Value = NOT_REPORTED, udid: Value = NOT_REPORTED, **more: Value
) -> DeviceRecord:
    return a_phone(native_id=native_id, serial=serial, udid=udid, **more)


@pytest.mark.parametrize(
    ("ours", "theirs", "same"),
    [
        (phone("a", "S1", "U1"), phone("b", "S1", "U1"), True),
        (phone("a", "S1"), phone("b", "s1"), True),
        (phone("a", "S1", "U1"), phone("b", "S1", "U2"), True),
        (phone("a", udid="U1"), phone("b", udid="u1"), True),
        (phone("a", "S1", "U1"), phone("b", udid="U1"), True),
        (phone("a", udid="U1"), phone("b", "S1", "U1"), True),
        (phone("a", "S1", "U1"), phone("b", "S2", "U1"), False),
        (phone("a", "S1", name="Desk"), phone("b", "S2", name="Desk"), False),
        (phone("a", name="Desk"), phone("b", name="Desk"), False),
        (phone("a", ABSENT, UNREADABLE), phone("a", ABSENT, UNREADABLE), False),
        (phone("a", NOT_PERMITTED, "U1"), phone("b", "S1", NOT_PERMITTED), False),
        (phone("a", " s 1 ", ABSENT), phone("b", "S1", ABSENT), True),
        (
            phone("a", ABSENT, "00008110-000A1B2C3D4E5F60"),
            phone("b", ABSENT, "00008110000a1b2c3d4e5f60"),
            True,
        ),
        (phone("a", "N/A", "Unknown"), phone("b", "N/A", "Unknown"), False),
        (phone("a", "0", "00000000-0000-0000-0000-000000000000"), phone("b", "000000000000"), False),
        (phone("a", "S1", "Not Available"), phone("b", "S2", "Not Available"), False),
    ],
)
@pytest.mark.parametrize("order", [("hq", "lab"), ("lab", "hq")])
def test_identity(
    database: Database, ours: DeviceRecord, theirs: DeviceRecord, order: tuple[str, str], *, same: bool
) -> None:
    """Records of two sources are one device by serial, else by UDID, and never by name or by the vendor's id."""
    said = {"hq": ours, "lab": theirs}
    for source in order:
        collect(database, [said[source]], source=source)
    assert len(fleet(database, sources=["hq", "lab"])) == (1 if same else 2)


@pytest.mark.parametrize(
    "in_turn",
    [
        [phone("a", udid="U1"), phone("b", "S1", "U1"), phone("c", "S1")],
        [phone("a", "S1"), phone("b", "S1", "U1"), phone("c", udid="U1")],
    ],
    ids=["by serial", "by udid"],
)
def test_identity_is_learned_from_each_source(database: Database, in_turn: list[DeviceRecord]) -> None:
    """A source that knows both serial and UDID joins two that know one each."""
    for number, record in enumerate(in_turn):
        collect(database, [record], source=f"source-{number}")
    assert len(fleet(database, sources=["source-0", "source-1", "source-2"])) == 1


def test_key_outlives_sources(database: Database) -> None:
    """A device's key stays when a source that knows it joins, leaves, or comes first."""
    collect(database, [a_phone(1)], source="hq")
    alone = fleet(database)[0].key
    collect(database, [a_phone(1, native_id="X")], source="lab")
    for sources in (["hq", "lab"], ["lab", "hq"], ["lab"]):
        assert [device.key for device in fleet(database, sources=sources)] == [alone]


def test_key_does_not_depend_on_the_database(database: Database, sqlite_database: Database) -> None:
    """A device of a known serial has the same key in every database, whoever spoke of it first."""
    collect(database, [a_phone(1)])
    collect(
        sqlite_database, [a_phone(9, native_id="9"), a_phone(1, native_id="X", name="Other")], source="lab"
    )
    keys = {device.key for device in fleet(sqlite_database, sources=["lab"])}
    assert {device.key for device in fleet(database)} < keys


def test_serial_learned_later(database: Database) -> None:
    """A device whose serial becomes known keeps its key, and is then known by that serial elsewhere."""
    collect(database, [phone("a", ABSENT, ABSENT)], at=1)
    key = fleet(database, at=1)[0].key
    collect(database, [phone("a", "S1", ABSENT, at=2)], at=2)
    collect(database, [phone("z", "S1", at=2)], at=2, source="lab")
    (device,) = fleet(database, at=2, sources=["hq", "lab"])
    assert device.key == key


def test_serial_learned_later_of_a_known_device(database: Database) -> None:
    """A record whose serial turns out to be another device's joins that device."""
    collect(database, [phone("a", ABSENT, ABSENT)], at=1)
    collect(database, [phone("z", "S1")], at=1, source="lab")
    collect(database, [phone("a", "S1", at=2)], at=2)
    found = fleet(database, at=2, sources=["hq", "lab"])
    assert joined(found) == {frozenset({("hq", "a"), ("lab", "z")})}


def by_serial(devices: Iterable[Sighted]) -> dict[Value, tuple[str, list[Standing]]]:
    """Key and standings of each device by its serial."""
    return {
        device.sightings[0].record.serial: (device.key, [sighting.standing for sighting in device.sightings])
        for device in devices
    }


def test_reused_record_is_another_device(database: Database) -> None:
    """A vendor's id that is given to another phone tells of that phone; the one before is not listed any more."""
    collect(database, [phone("a", "S1", "U1")], at=1)
    first = look(database, at=1)
    before = devices_of(database, first)
    collect(database, [phone("a", "S2", "U2", at=2)], at=2)
    now = by_serial(fleet(database, at=2))
    assert {serial: standing for serial, (_, standing) in now.items()} == {
        "S1": [Standing.ABSENT],
        "S2": [Standing.READ],
    }
    assert now["S1"][0] == before[0].key
    assert devices_of(database, first) == before


def test_reused_record_comes_back(database: Database) -> None:
    """A vendor's id that goes back and forth between two phones makes two records, not one a night."""
    for at in range(1, 6):
        collect(database, [phone("a", f"S{at % 2}", at=at)], at=at)
    assert {serial: standing for serial, (_, standing) in by_serial(fleet(database, at=5)).items()} == {
        "S0": [Standing.ABSENT],
        "S1": [Standing.READ],
    }
    assert rows_in(database, t.source_device) == 2


def test_reused_record_in_a_repeated_row(database: Database) -> None:
    """Of two rows of one walk with one id the first counts, whichever phone the second tells of."""
    collect(database, [phone("a", "S1")], at=1)
    writer = write(database, [phone("a", "S2", at=2)], at=2)
    assert writer.add([phone("a", "S1", at=2)]) == 0
    assert writer.add([phone("a", "S3", at=2)]) == 0
    assert writer.devices == 1


def three_sources(database: Database) -> tuple[int, int]:
    """One knows the phone by its serial, one by its UDID, and on the second night a third by both; two runs."""
    collect(database, [phone("a", "S1", ABSENT)], at=1, source="serials")
    collect(database, [phone("b", ABSENT, "U1")], at=1, source="udids")
    apart = look(database, at=1, sources=SOURCES)
    collect(database, [phone("c", "S1", "U1", at=2)], at=2, source="both")
    return apart, look(database, at=2, sources=SOURCES)


SOURCES = ["serials", "udids", "both"]


def test_two_devices_turn_out_to_be_one(database: Database) -> None:
    """Once a source shows that two devices are one, the older key stands for both, from that night on."""
    apart, together = three_sources(database)
    older, younger = sorted(devices_of(database, apart), key=lambda device: device.device_id)
    (device,) = devices_of(database, together)
    assert (device.key, device.device_id) == (older.key, older.device_id)
    assert {s.source for s in device.sightings} == set(SOURCES)
    assert len(device.record_ids) == len(device.sightings)
    assert younger.key != older.key
    assert len(devices_of(database, apart)) == 2, "the night before stays as it was"


def test_one_device_by_any_of_its_names(database: Database) -> None:
    """A phone that was two devices once goes by its serial, its UDID and both keys, in any spelling."""
    apart, together = three_sources(database)
    keys = {device.key for device in devices_of(database, apart)}
    names = ["s1", " u-1 ", *keys, *(key.upper() for key in keys)]
    assert {len(found) for found in found_by(database, together, names)} == {1}
    assert len(set(map(tuple, found_by(database, together, names)))) == 1
    assert [len(found) for found in found_by(database, apart, names)] == [1, 2, 1, 1, 1, 1]
    assert found_by(database, together, ["S2", "N/A", "", "f" * 32]) == [[]] * 4


def found_by(database: Database, run_id: int, names: Sequence[str]) -> list[list[str]]:
    """The keys of the devices that the run finds by each name."""
    basis = ledger.basis_of_run(database, run_id)
    with open_run(database, run_id, None, basis, write=False) as run:
        return [[device.key for device in run.devices(among=run.named(name))] for name in names]


def test_merging_goes_on(database: Database) -> None:
    """A record of its own that learns its serial, and another that learns the UDID, end up in the oldest device."""
    collect(database, [phone("a", ABSENT, ABSENT)], at=1, source="hq")
    key = fleet(database, at=1)[0].key
    collect(database, [phone("b", "S1", ABSENT)], at=1, source="lab")
    collect(database, [phone("c", ABSENT, "U1")], at=1, source="school")
    collect(database, [phone("b", "S1", "U1", at=2)], at=2, source="lab")
    sources = ["hq", "lab", "school"]
    assert len(fleet(database, at=2, sources=sources)) == 2
    collect(database, [phone("a", "s1", ABSENT, at=3)], at=3, source="hq")
    (device,) = fleet(database, at=3, sources=sources)
    assert device.key == key
    collect(database, [phone("d", ABSENT, "u1", at=4)], at=4, source="later")
    assert len(fleet(database, at=4, sources=[*sources, "later"])) == 1


def test_udid_of_two_serials_joins_nobody(database: Database) -> None:
    """A UDID that phones of two serials claim identifies neither: a record that knows no more stays apart."""
    collect(database, [phone("a", "S1", "U1"), phone("b", "S2", "U1")], source="hq")
    collect(database, [phone("c", ABSENT, "U1")], source="lab")
    assert len(fleet(database, sources=["hq", "lab"])) == 3
    collect(database, [phone("x", "S1", "U1"), phone("y", "S2", "U1")], at=2, source="later")
    assert len(fleet(database, at=2, sources=["hq", "lab", "later"])) == 3


def test_unfinished_collection_merges_nothing(database: Database) -> None:
    """What a killed program had joined is apart again; the next whole night joins it."""
    collect(database, [phone("a", "S1", ABSENT)], source="serials")
    collect(database, [phone("b", ABSENT, "U1")], source="udids")
    write(database, [phone("c", "S1", "U1", at=2)], at=2, source="both")
    discard_unfinished(database)
    assert len(fleet(database, at=2, sources=SOURCES)) == 2
    collect(database, [phone("c", "S1", "U1", at=3)], at=3, source="both")
    assert len(fleet(database, at=3, sources=SOURCES)) == 1


REAL = st.tuples(
    st.integers(0, 3), st.sampled_from(["serial", "udid", "both"]), st.sampled_from(["hq", "lab", "school"])
)


@given(told=st.lists(REAL, min_size=1, max_size=8, unique=True), order=st.permutations(range(8)))
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_order_of_sources_and_nights_does_not_matter(
    sqlite: SqliteFolder, told: list[tuple[int, str, str]], order: list[int]
) -> None:
    """Whatever comes first, records that share a serial or a UDID end up as one device, and no key ever changes."""
    groups: list[set[frozenset[tuple[str, str]]]] = []
    for arranged in (told, [told[place] for place in order if place < len(told)]):
        with opened(sqlite.ready()) as database:
            groups.append(arrive(database, arranged))
    assert groups[0] == groups[1] == {frozenset(group) for group in connected(told)}


def arrive(database: Database, told: Sequence[tuple[int, str, str]]) -> set[frozenset[tuple[str, str]]]:
    """Each record in a collection of its own; which of them are one device at the end."""
    keys: dict[tuple[str, str], str] = {}
    now: list[Sighted] = []
    for at, (number, known, source) in enumerate(told, 1):
        serial = f"S{number}A" if known != "udid" else ABSENT
        udid = f"U{number}A" if known != "serial" else ABSENT
        name = f"{known} {number}"
        collect(database, [phone(name, serial, udid, at=at)], at=at, source=source, outcome=Outcome.PARTIAL)
        now = fleet(database, at=at, sources=["hq", "lab", "school"])
        firsts = {(s.source, s.record.native_id): device.key for device in now for s in device.sightings}
        assert {firsts[one] for one in keys} <= set(keys.values()), "a known record has a key that was known"
        keys = firsts
    return joined(now)


def connected(told: Sequence[tuple[int, str, str]]) -> Iterator[set[tuple[str, str]]]:
    """The records of each phone that one of them ties together; else those of its serial and those of its UDID."""
    for number in {number for number, _, _ in told}:
        own = [(known, (source, f"{known} {number}")) for other, known, source in told if other == number]
        if any(known == "both" for known, _ in own):
            yield {record for _, record in own}
        else:
            for half in ("serial", "udid"):
                if records_of := {record for known, record in own if known == half}:
                    yield records_of


def test_enrolled_again(database: Database) -> None:
    """A wiped phone that its source lists under a new id is one device with two records."""
    collect(database, [a_phone(1, native_id="old"), a_phone(1, native_id="new", udid="UDID-NEW")])
    assert joined(fleet(database)) == {frozenset({("hq", "old"), ("hq", "new")})}


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


def test_unreadable_fields(sqlite_database: Database) -> None:
    """The collection knows in how many of its devices each signal could not be read."""
    writer = write(
        sqlite_database,
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
