"""Writing one collection, page by page, and closing it.

Each page is one transaction. Nothing of it is believed before the collection is closed: every row carries the
collection's number, and a collection without an outcome is discarded by the next run. The digest of a record's slow
signals is compared before anything is written, so a quiet night writes one narrow reading per device.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import sqlalchemy as sa

from fleet.errors import StoreError
from fleet.model.fact import Reason
from fleet.model.run import Outcome, Trouble
from fleet.store import tables as t
from fleet.store import walks
from fleet.store.absences import Absences
from fleet.store.advisory import take_turn
from fleet.store.among import rows_among
from fleet.store.identity import Identifier
from fleet.store.insert import insert_rows
from fleet.store.prepared import Prepared, prepare
from fleet.store.tables import FAST, SLOW

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from sqlalchemy.engine import Connection

    from fleet.model.device import DeviceRecord
    from fleet.store.database import Database
    from fleet.store.tables import Row
    from fleet.store.walks import Start

_CHUNK = 500


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
        rows = [prepare(record, moment) for record in distinct]
        before = self.devices
        with self.database.engine.begin() as connection:
            for start in range(0, len(rows), _CHUNK):
                self._add_chunk(connection, rows[start : start + _CHUNK])
        return self.devices - before

    def _add_chunk(self, connection: Connection, rows: list[Prepared]) -> None:
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

    def _identified(self, connection: Connection, rows: list[Prepared]) -> dict[str, Row]:
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

    def _known(self, connection: Connection, rows: Sequence[Prepared]) -> dict[str, Row]:
        ids = [row.record.native_id for row in rows]
        found = rows_among(connection, _KNOWN, t.source_device.c.native_id, ids, {"source": self.source_id})
        return {row.native_id: row for row in found}

    def _write_records(self, connection: Connection, changed: list[Prepared], known: dict[str, Row]) -> None:
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
            absences = Absences(connection, self.source_id, self.collection_id)
            absences.end_of_read()
            if outcome is Outcome.COMPLETE and start is None:
                # A complete answer has few unreadable rows, so that they fit into one statement.
                listed = set(unread_ids)
                absences.end_of_listed(listed)
                if not anonymous:
                    absences.begin(besides=listed)


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
