"""Writing one collection, page by page, and closing it.

Each page is one transaction. Nothing of it is believed before the collection is closed: every row carries the
collection's number, and a collection without an outcome is discarded by the next run. The digest of a record's slow
signals is compared before anything is written, so a quiet night writes one narrow reading per device.
"""

from __future__ import annotations

import json
import marshal
import zlib
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from functools import lru_cache
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa

from fleet.errors import StoreError
from fleet.model.fact import NEVER, Gap, Reason
from fleet.model.run import Outcome, Trouble
from fleet.store import tables as t
from fleet.store import walks
from fleet.store.advisory import take_turn
from fleet.store.among import rows_among
from fleet.store.identity import Identifier
from fleet.store.insert import insert_rows
from fleet.store.tables import FAST, SLOW, Row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from sqlalchemy.engine import Connection

    from fleet.model.device import DeviceRecord
    from fleet.store.database import Database
    from fleet.store.walks import Start

_slow = attrgetter(*SLOW)
_fast = attrgetter(*FAST)
_NEVER_REASON = "never"
_CHUNK = 500


class _Row(NamedTuple):
    """A record ready to be written: its values without gaps, its gaps, and their digest."""

    record: DeviceRecord
    slow: list[Any]
    fast: list[Any]
    gaps: str
    digest: int


def _prepare(record: DeviceRecord, moment: Callable[[datetime], object]) -> _Row:
    gaps: list[str] = []
    slow = _bare(SLOW, _slow(record), gaps, moment)
    fast = _bare(FAST, _fast(record), gaps, moment)
    reasons = " ".join(gaps)
    return _Row(record, slow, fast, reasons, _digest(slow, reasons))


def _bare(
    names: tuple[str, ...], facts: tuple[Any, ...], gaps: list[str], moment: Callable[[datetime], object]
) -> list[Any]:
    """The values as the driver takes them, None for a gap; each gap goes to `gaps` as `signal=reason`."""
    values = list(facts)
    for place in _not_plain(tuple(map(type, facts))):
        fact = facts[place]
        if type(fact) is datetime:
            values[place] = moment(fact)
        elif type(fact) is Gap:
            gaps.append(f"{names[place]}={fact.reason}")
            values[place] = None
        elif fact is NEVER:
            gaps.append(f"{names[place]}={_NEVER_REASON}")
            values[place] = None
        else:
            values[place] = fact.value if isinstance(fact, Enum) else _listed(fact)
    return values


_PLAIN = frozenset({str, int, bool})


@lru_cache(maxsize=4096)  # a fleet's records differ in what they say, hardly in what they leave out
def _not_plain(kinds: tuple[type[object], ...]) -> tuple[int, ...]:
    """The places of the values that the driver does not take as they are."""
    return tuple(place for place, kind in enumerate(kinds) if kind not in _PLAIN)


_listed = lru_cache(maxsize=4096)(json.dumps)  # devices of one kind are in the same groups


def _digest(slow: list[Any], reasons: str) -> int:
    """63 bits over content; marshal's version 2 writes equal values equally and costs a tenth of repr."""
    plain = [int(value.timestamp()) if type(value) is datetime else value for value in slow]
    data = marshal.dumps((plain, reasons), 2)
    return (zlib.crc32(data) << 31) ^ zlib.adler32(data)


@dataclass(slots=True)
class CollectionWriter:
    """One source's collection under way.

    Attributes:
        devices: distinct records written so far.
    """

    database: Database
    source_id: int
    collection_id: int
    devices: int = 0
    _seen: bytearray = field(default_factory=bytearray)
    _gap_sets: dict[str, int] = field(default_factory=dict[str, int])
    _gap_counts: Counter[str] = field(default_factory=Counter[str])

    def add(self, records: Iterable[DeviceRecord]) -> int:
        """Write one page; a record whose native id already came in this collection is passed over.

        Returns:
            How many were new to this collection.
        """
        moment = t.moment_for(self.database.engine.dialect)
        distinct = {record.native_id: record for record in records}.values()
        rows = [_prepare(record, moment) for record in distinct]
        before = self.devices
        with self.database.engine.begin() as connection:
            for start in range(0, len(rows), _CHUNK):
                self._add_chunk(connection, rows[start : start + _CHUNK])
        return self.devices - before

    def _add_chunk(self, connection: Connection, rows: list[_Row]) -> None:
        known = self._identified(connection, rows)
        fresh = [row for row in rows if not self._already(known[row.record.native_id].id)]
        changed = [row for row in fresh if known[row.record.native_id].digest != row.digest]
        self._write_records(connection, changed, known)
        if fresh:
            number = self.collection_id
            readings = [(number, known[row.record.native_id].id, *row.fast) for row in fresh]
            insert_rows(connection, t.reading, ("collection_id", "source_device_id", *FAST), readings)
        self.devices += len(fresh)
        self._gap_counts.update(row.gaps for row in fresh)

    def _identified(self, connection: Connection, rows: list[_Row]) -> dict[str, Row]:
        """What is known of each record by its native id, once it is settled whose it is."""
        identifier = Identifier(connection, self.source_id, self.collection_id)
        known = self._known(connection, rows)
        moved = identifier.reidentify(
            [
                (row.record, before)
                for row in rows
                if (before := known.get(row.record.native_id))
                and before.digest != row.digest
                and not self._came(before.id)
            ]
        )
        strangers = [row for row in rows if row.record.native_id not in known]
        identifier.introduce([row.record for row in strangers])
        if strangers or moved:
            strangers += [row for row in rows if row.record.native_id in moved]
            known |= self._known(connection, strangers)
        return known

    def listed(self) -> int:
        """How many devices the source has by what is known, this collection included."""
        with self.database.engine.connect() as connection:
            return walks.listed(connection, self.source_id, self.collection_id)

    def unreadable_fields(self) -> Counter[str]:
        """In how many of the records each signal was there, but not in a form that we understand."""
        counts: Counter[str] = Counter()
        for reasons, count in self._gap_counts.items():
            for pair in reasons.split():
                signal, _, reason = pair.partition("=")
                if reason == Reason.UNREADABLE:
                    counts[signal] += count
        return counts

    def _already(self, source_device_id: int) -> bool:
        """True if that record came before in this walk; else remembers it. One byte per record ever known."""
        if self._came(source_device_id):
            return True
        if source_device_id >= len(self._seen):
            self._seen.extend(bytes(source_device_id + 1024 - len(self._seen)))
        self._seen[source_device_id] = 1
        return False

    def _came(self, source_device_id: int) -> bool:
        return source_device_id < len(self._seen) and bool(self._seen[source_device_id])

    def _known(self, connection: Connection, rows: Sequence[_Row]) -> dict[str, Row]:
        ids = [row.record.native_id for row in rows]
        found = rows_among(connection, _KNOWN, t.source_device.c.native_id, ids, {"source": self.source_id})
        return {row.native_id: row for row in found}

    def _write_records(self, connection: Connection, changed: list[_Row], known: dict[str, Row]) -> None:
        if not changed:
            return
        replaced = [
            known[row.record.native_id].id
            for row in changed
            if known[row.record.native_id].digest is not None
        ]
        if replaced:
            connection.execute(
                t.record.update()
                .where(
                    t.record.c.source_device_id == sa.bindparam("id"), t.record.c.to_collection_id.is_(None)
                )
                .values(to_collection_id=self.collection_id),
                [{"id": source_device_id} for source_device_id in replaced],
            )
        self._learn_gap_sets(connection, {row.gaps for row in changed})
        number, gap_sets = self.collection_id, self._gap_sets
        insert_rows(
            connection,
            t.record,
            ("source_device_id", "from_collection_id", "digest", "gap_set_id", *SLOW),
            [
                (known[row.record.native_id].id, number, row.digest, gap_sets[row.gaps], *row.slow)
                for row in changed
            ],
        )

    def _learn_gap_sets(self, connection: Connection, wanted: set[str]) -> None:
        if not self._unlearned(connection, wanted):
            return
        take_turn(connection)  # another source may be entering the same
        if missing := self._unlearned(connection, wanted):
            connection.execute(t.gap_set.insert(), [{"reasons": reasons} for reasons in sorted(missing)])
            self._unlearned(connection, missing)

    def _unlearned(self, connection: Connection, wanted: set[str]) -> set[str]:
        """Learn the numbers of those that the store has; returns those that it has not."""
        if missing := wanted - self._gap_sets.keys():
            found = connection.execute(
                sa.select(t.gap_set.c.reasons, t.gap_set.c.id).where(t.gap_set.c.reasons.in_(missing))
            )
            self._gap_sets |= {row[0]: row[1] for row in found}
        return wanted - self._gap_sets.keys()

    def close(
        self,
        *,
        outcome: Outcome,
        finished_at: datetime,
        expected: int | None,
        unreadable: int,
        unread_ids: Iterable[str],
        anonymous: int,
        problems: Sequence[Trouble],
        start: Start | None = None,
    ) -> None:
        """Believe the collection, in one transaction with its ledger entry.

        Args:
            start: what it goes on from, where it is no full walk: then no device that it did not read is absent.
            unread_ids: native ids of rows that exist but could not be read.
            anonymous: how many such rows have no known id: while there are any, no device can be called absent.
        """
        with self.database.engine.begin() as connection:
            closed = connection.execute(
                t.collection.update()
                .where(t.collection.c.id == self.collection_id)
                .values(
                    outcome=outcome,
                    finished_at=finished_at,
                    devices=walks.listed(connection, self.source_id, self.collection_id)
                    if start
                    else self.devices,
                    full_id=start.full_id if start else None,
                    since=start.since if start else None,
                    read=self.devices if start else None,
                    expected=expected,
                    unreadable=unreadable,
                    problems=[[trouble.code, trouble.message, trouble.count] for trouble in problems],
                )
            )
            if not closed.rowcount:
                raise StoreError(
                    f"the database {self.database.place} took this process for dead, and another one went on with its "
                    "work; nothing is lost, run it again"
                )
            self._end_absences(connection, t.source_device.c.id.in_(self._read_now()))
            if outcome is Outcome.COMPLETE and start is None:
                # A complete answer has few unreadable rows, so that they fit into one statement.
                listed = set(unread_ids)
                self._end_absences(
                    connection, sa.and_(t.source_device.c.native_id.in_(listed), t.source_device.c.current)
                )
                if not anonymous:
                    self._begin_absences(connection, listed)

    def _read_now(self) -> sa.Select[tuple[int]]:
        return sa.select(t.reading.c.source_device_id).where(t.reading.c.collection_id == self.collection_id)

    def _end_absences(self, connection: Connection, where: sa.ColumnElement[bool]) -> None:
        back = sa.select(t.source_device.c.id).where(t.source_device.c.source_id == self.source_id, where)
        connection.execute(
            t.absence.update()
            .where(t.absence.c.to_collection_id.is_(None), t.absence.c.source_device_id.in_(back))
            .values(to_collection_id=self.collection_id)
        )

    def _begin_absences(self, connection: Connection, unread_ids: set[str]) -> None:
        missing = connection.execute(_MISSING, {"source": self.source_id, "collection": self.collection_id})
        rows = [
            {
                "source_device_id": row.id,
                "from_collection_id": self.collection_id,
                "last_collection_id": row.last,
            }
            for row in missing
            if row.native_id not in unread_ids and row.last is not None
        ]
        if rows:
            connection.execute(t.absence.insert(), rows)


def begin_collection(
    database: Database,
    *,
    name: str,
    kind: str,
    as_of: datetime,
    started_at: datetime,
    reported: Sequence[str],
    terms: str = "",
    shared_run_id: int | None = None,
) -> CollectionWriter:
    """Open the ledger for one source's collection.

    Args:
        terms: the fingerprint of the settings and the program that read it.
        shared_run_id: the shared run that it belongs to.
    """
    with database.engine.begin() as connection:
        source_id = _source_id(connection, name, kind)
        inserted = connection.execute(
            t.collection.insert().values(
                source_id=source_id,
                shared_run_id=shared_run_id,
                as_of=as_of,
                started_at=started_at,
                reported=list(reported),
                problems=[],
                terms=terms,
            )
        )
        (collection_id,) = inserted.inserted_primary_key or (0,)
    return CollectionWriter(database, source_id, collection_id)


def _source_id(connection: Connection, name: str, kind: str) -> int:
    found = connection.execute(
        sa.select(t.source.c.id, t.source.c.kind).where(t.source.c.name == name)
    ).first()
    if found is None:  # nobody else enters it: whoever reads a source is the only one
        (source_id,) = connection.execute(
            t.source.insert().values(name=name, kind=kind)
        ).inserted_primary_key or (0,)
        return source_id
    if found.kind != kind:
        connection.execute(t.source.update().where(t.source.c.id == found.id).values(kind=kind))
    return found.id


_KNOWN = (
    sa.select(
        t.source_device.c.id,
        t.source_device.c.native_id,
        t.source_device.c.device_id,
        t.record.c.digest,
        t.record.c.serial,
        t.record.c.udid,
    )
    .select_from(
        t.source_device.outerjoin(
            t.record,
            sa.and_(
                t.record.c.source_device_id == t.source_device.c.id, t.record.c.to_collection_id.is_(None)
            ),
        )
    )
    .where(t.source_device.c.source_id == sa.bindparam("source"), t.source_device.c.current)
)

_seen_at = t.reading.alias("seen_at")
_LAST_SEEN = (
    sa.select(t.collection.c.id)
    .where(
        t.collection.c.source_id == t.source_device.c.source_id,
        # Said in so many words: left to itself the innermost query would range over all devices.
        sa.exists()
        .where(
            _seen_at.c.collection_id == t.collection.c.id, _seen_at.c.source_device_id == t.source_device.c.id
        )
        .correlate(t.collection, t.source_device),
    )
    .order_by(t.collection.c.id.desc())
    .limit(1)
    .correlate(t.source_device)
    .scalar_subquery()
)
_MISSING = sa.select(t.source_device.c.id, t.source_device.c.native_id, _LAST_SEEN.label("last")).where(
    t.source_device.c.source_id == sa.bindparam("source"),
    ~sa.exists().where(
        t.reading.c.collection_id == sa.bindparam("collection"),
        t.reading.c.source_device_id == t.source_device.c.id,
    ),
    ~sa.exists().where(
        t.absence.c.source_device_id == t.source_device.c.id, t.absence.c.to_collection_id.is_(None)
    ),
)
