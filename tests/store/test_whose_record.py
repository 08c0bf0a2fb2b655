"""Whose record it is: by serial, else by UDID, never by name; keys that last, and two devices that are one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fleet.model.device import Standing
from fleet.model.fact import ABSENT, NOT_PERMITTED, NOT_REPORTED, UNREADABLE
from fleet.model.run import Outcome
from fleet.store import ledger
from fleet.store import tables as t
from fleet.store.leftovers import discard_unfinished
from fleet.store.open_run import open_run
from tests.databases import opened
from tests.examples import examples
from tests.store.keeping import a_phone, collect, devices_of, fleet, joined, look, rows_in, write

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from fleet.model.device import DeviceRecord
    from fleet.store.database import Database
    from fleet.store.history import Sighted
    from tests.databases import SqliteFolder
    from tests.fleet_of import Value


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
@settings(
    max_examples=examples(20), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
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
