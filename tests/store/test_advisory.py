"""Several processes in one PostgreSQL database: who may do what at once, and what they enter side by side."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from fleet.errors import LockedError, StoreError
from fleet.model.run import Outcome
from fleet.store import leftovers, shared_runs
from fleet.store import tables as t
from fleet.store.advisory import alone, stable_hash, taking_part
from tests.databases import opened
from tests.store.keeping import a_phone, collect, fleet, night, write

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fleet.store.database import Database
    from tests.databases import Cluster


@pytest.fixture
def shared(postgresql: Cluster) -> Iterator[Database]:
    """A PostgreSQL database with our schema."""
    with opened(postgresql.ready()) as made:
        yield made


def joined(database: Database, name: str = "monday") -> int:
    return shared_runs.join(database, name, as_of=night(1), at=night(1), sources=["hq", "lab"]).id


def test_a_source_is_read_by_one_process(shared: Database) -> None:
    """What one reads, no other one can take; what it gives back or leaves behind, the next one can."""
    run = joined(shared)
    with taking_part(shared.engine, run) as one, taking_part(shared.engine, run) as other:
        assert one.take(["hq", "lab"]) == ["hq", "lab"]
        assert other.take(["hq", "lab", "depot"]) == ["depot"]
        one.give_back(["lab"])
        other.wait_for("lab")
        assert other.take(["hq", "lab"]) == ["lab"]
    with taking_part(shared.engine, run) as next_one:
        assert next_one.take(["depot", "hq", "lab"]) == ["depot", "hq", "lab"]


def test_a_session_that_ends_frees_what_it_held(shared: Database) -> None:
    """Whoever waits for a source of a killed process goes on as soon as the server notices."""
    run = joined(shared)
    with ExitStack() as stack:
        pool = stack.enter_context(ThreadPoolExecutor(1))
        other = stack.enter_context(taking_part(shared.engine, run))
        killed = stack.enter_context(taking_part(shared.engine, run))
        killed.take(["hq"])
        waiting = pool.submit(other.wait_for, "hq")
        with shared.engine.connect() as connection:
            connection.execute(sa.text(_KILL_WHO_READS)).all()
        waiting.result(60)
        assert other.take(["hq"]) == ["hq"]
        with pytest.raises(StoreError, match="terminating connection"):
            killed.take(["lab"])


_KILL_WHO_READS = """
    SELECT pg_terminate_backend(pid) FROM pg_locks
    WHERE locktype = 'advisory' AND granted AND objsubid = 1 AND mode = 'ExclusiveLock'
"""


def test_who_may_be_at_work_at_once(shared: Database) -> None:
    """Those of one shared run may; with a run of its own, or another shared one, they may not."""
    monday, tuesday = joined(shared), joined(shared, "tuesday")
    with taking_part(shared.engine, monday), taking_part(shared.engine, monday):
        with pytest.raises(LockedError, match="another run holds"), alone(shared.engine):
            pass
        with (
            pytest.raises(LockedError, match='the shared run "monday" is still at work'),
            taking_part(shared.engine, tuesday),
        ):
            pass
    with (
        alone(shared.engine),
        pytest.raises(LockedError, match="another run holds"),
        taking_part(shared.engine, monday),
    ):
        pass
    with taking_part(shared.engine, tuesday):
        pass


def test_sources_that_are_written_side_by_side(shared: Database) -> None:
    """Four processes that enter the same new phones at once, in any order, make each phone one device."""
    phones = [a_phone(number, udid=f"UDID-{number}") for number in range(300)]
    shuffled = [phones, phones[::-1], phones[150:] + phones[:150], phones[::2] + phones[1::2]]

    def read(number: int) -> None:
        rows = shuffled[number]
        with opened(shared.engine.url.render_as_string(hide_password=False)) as own:
            writer = write(own, (), source=f"source-{number}")
            for start in range(0, len(rows), 30):
                writer.add(rows[start : start + 30])
            writer.close(
                outcome=Outcome.COMPLETE,
                finished_at=night(1),
                expected=None,
                unreadable=0,
                unread_ids=(),
                anonymous=0,
                problems=[],
            )

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(read, range(4)))
    found = fleet(shared, sources=[f"source-{number}" for number in range(4)])
    assert len(found) == 300
    assert {len(device.sightings) for device in found} == {4}
    with shared.engine.connect() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(t.device)) == 300


def test_one_who_was_taken_for_dead_writes_nothing_more(shared: Database) -> None:
    """Its source is another one's by then: what it had is gone, and closing it says so."""
    writer = write(shared, [a_phone(1)])
    assert leftovers.discard_unfinished_of(shared, ["lab"]) == 0
    assert leftovers.discard_unfinished_of(shared, ["hq"]) == 1
    collect(shared, [a_phone(1), a_phone(2)])
    with pytest.raises(StoreError, match="took this process for dead"):
        writer.close(
            outcome=Outcome.COMPLETE,
            finished_at=night(1),
            expected=None,
            unreadable=0,
            unread_ids=(),
            anonymous=0,
            problems=[],
        )
    assert len(fleet(shared)) == 2


def test_the_hash_stays_what_it_is() -> None:
    """The same source belongs to the same shard on every machine and after every upgrade."""
    assert [stable_hash(name) for name in ("hq", "lab")] == [
        -2323913004657871148,
        -6552378108639969383,
    ]
