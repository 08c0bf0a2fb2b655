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
from operator import attrgetter
from typing import TYPE_CHECKING, Any, cast

import sqlalchemy as sa

from fleet.lifecycle import fingerprint
from fleet.model.fact import NEVER, Gap, Reason
from fleet.model.run import Outcome, Trouble
from fleet.store import tables as t
from fleet.store.among import rows_among
from fleet.store.tables import FAST, SLOW, Row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from sqlalchemy.engine import Connection

    from fleet.model.device import DeviceRecord
    from fleet.store.database import Database

_slow = attrgetter(*SLOW)
_fast = attrgetter(*FAST)
_NEVER_REASON = "never"
_CHUNK = 500


@dataclass(frozen=True, slots=True)
class _Row:
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
    values: list[Any] = []
    for name, fact in zip(names, facts, strict=True):
        kind = cast("type[object]", type(fact))
        if kind in _PLAIN:
            values.append(fact)
        elif kind is Gap:
            gaps.append(f"{name}={fact.reason}")
            values.append(None)
        elif fact is NEVER:
            gaps.append(f"{name}={_NEVER_REASON}")
            values.append(None)
        elif kind is datetime:
            values.append(moment(fact))
        else:
            values.append(json.dumps(fact) if kind is tuple else fact.value)
    return values


_PLAIN = frozenset({str, int, bool})


def _digest(slow: list[Any], reasons: str) -> int:
    """63 bits over content; marshal's version 2 writes equal values equally and costs a tenth of repr."""
    plain = [int(value.timestamp()) if type(value) is datetime else value for value in slow]
    data = marshal.dumps((plain, reasons), 2)
    return (zlib.crc32(data) << 31) ^ zlib.adler32(data)


def insert_rows(
    connection: Connection, table: sa.Table, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]
) -> None:
    """Insert rows whose values are as the driver takes them already.

    Handing SQLAlchemy a dictionary a row and letting it convert every value costs as much again as writing it.
    """
    prepare = connection.dialect.identifier_preparer
    mark = "?" if connection.dialect.paramstyle == "qmark" else "%s"
    names, marks = ", ".join(map(prepare.quote, columns)), ", ".join([mark] * len(columns))
    connection.exec_driver_sql(
        f"INSERT INTO {prepare.format_table(table)} ({names}) VALUES ({marks})",  # noqa: S608 - names of our own
        list(rows),
    )


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
        known = self._known(connection, rows)
        strangers = [row for row in rows if row.record.native_id not in known]
        if strangers:
            _introduce(connection, self.source_id, strangers)
            known |= self._known(connection, strangers)
        fresh = [row for row in rows if not self._already(known[row.record.native_id].id)]
        changed = [row for row in fresh if known[row.record.native_id].digest != row.digest]
        self._write_records(connection, changed, known)
        _reidentify(connection, [(row, known[row.record.native_id]) for row in changed])
        if fresh:
            number = self.collection_id
            readings = [(number, known[row.record.native_id].id, *row.fast) for row in fresh]
            insert_rows(connection, t.reading, ("collection_id", "source_device_id", *FAST), readings)
        self.devices += len(fresh)
        self._gap_counts.update(row.gaps for row in fresh)

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
        if source_device_id >= len(self._seen):
            self._seen.extend(bytes(source_device_id + 1024 - len(self._seen)))
        already = bool(self._seen[source_device_id])
        self._seen[source_device_id] = 1
        return already

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
        missing = wanted - self._gap_sets.keys()
        if not missing:
            return
        for attempt in ("read", "read after writing"):
            found = connection.execute(
                sa.select(t.gap_set.c.reasons, t.gap_set.c.id).where(t.gap_set.c.reasons.in_(missing))
            )
            self._gap_sets |= {row[0]: row[1] for row in found}
            missing -= self._gap_sets.keys()
            if missing and attempt == "read":
                connection.execute(t.gap_set.insert(), [{"reasons": reasons} for reasons in sorted(missing)])

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
    ) -> None:
        """Believe the collection, in one transaction with its ledger entry.

        Args:
            unread_ids: native ids of rows that exist but could not be read.
            anonymous: how many such rows have no known id: while there are any, no device can be called absent.
        """
        with self.database.engine.begin() as connection:
            self._end_absences(connection, t.source_device.c.id.in_(self._read_now()))
            if outcome is Outcome.COMPLETE:
                # A complete answer has few unreadable rows, so that they fit into one statement.
                listed = set(unread_ids)
                self._end_absences(connection, t.source_device.c.native_id.in_(listed))
                if not anonymous:
                    self._begin_absences(connection, listed)
            connection.execute(
                t.collection.update()
                .where(t.collection.c.id == self.collection_id)
                .values(
                    outcome=outcome,
                    finished_at=finished_at,
                    devices=self.devices,
                    expected=expected,
                    unreadable=unreadable,
                    problems=[[trouble.code, trouble.message, trouble.count] for trouble in problems],
                )
            )

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
) -> CollectionWriter:
    """Open the ledger for one source's collection."""
    with database.engine.begin() as connection:
        source_id = _source_id(connection, name, kind)
        inserted = connection.execute(
            t.collection.insert().values(
                source_id=source_id, as_of=as_of, started_at=started_at, reported=list(reported), problems=[]
            )
        )
        (collection_id,) = inserted.inserted_primary_key or (0,)
    return CollectionWriter(database, source_id, collection_id)


def _source_id(connection: Connection, name: str, kind: str) -> int:
    found = connection.execute(
        sa.select(t.source.c.id, t.source.c.kind).where(t.source.c.name == name)
    ).first()
    if found is None:
        (source_id,) = connection.execute(
            t.source.insert().values(name=name, kind=kind)
        ).inserted_primary_key or (0,)
        return source_id
    if found.kind != kind:
        connection.execute(t.source.update().where(t.source.c.id == found.id).values(kind=kind))
    return found.id


def discard_unfinished(database: Database) -> int:
    """Undo whatever collections and runs a killed program left behind; returns how many there were."""
    with database.engine.begin() as connection:
        collections = sa.select(t.collection.c.id).where(t.collection.c.outcome.is_(None))
        runs = sa.select(t.run.c.id).where(t.run.c.finished_at.is_(None))
        count = len(connection.execute(collections).all()) + len(connection.execute(runs).all())
        if count:
            connection.execute(t.record.delete().where(t.record.c.from_collection_id.in_(collections)))
            connection.execute(
                t.record.update()
                .where(t.record.c.to_collection_id.in_(collections))
                .values(to_collection_id=None)
            )
            connection.execute(t.reading.delete().where(t.reading.c.collection_id.in_(collections)))
            connection.execute(t.run_source.delete().where(t.run_source.c.run_id.in_(runs)))
            connection.execute(t.run.delete().where(t.run.c.finished_at.is_(None)))
            connection.execute(t.collection.delete().where(t.collection.c.outcome.is_(None)))
    return count


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
    .where(
        t.source_device.c.source_id == sa.bindparam("source"),
    )
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


def _introduce(connection: Connection, source_id: int, strangers: Sequence[_Row]) -> None:
    devices = _identify(connection, source_id, [row.record for row in strangers])
    connection.execute(
        t.source_device.insert(),
        [
            {
                "source_id": source_id,
                "native_id": row.record.native_id,
                "device_id": devices[row.record.native_id],
            }
            for row in strangers
        ],
    )


def _identify(connection: Connection, source_id: int, records: Sequence[DeviceRecord]) -> dict[str, int]:
    """The device of each record by native id: by serial, else by UDID, else one of its own. Never by name."""
    serials = {record.native_id: _identity(record.serial) for record in records}
    udids = {record.native_id: _identity(record.udid) for record in records}
    index = _Index(connection, set(serials.values()), set(udids.values()))
    made: dict[str, dict[str, str | None]] = {}
    for record in records:
        serial, udid = serials[record.native_id], udids[record.native_id]
        if index.find(serial, udid) is None:
            key = _key(serial, udid, source_id, record.native_id)
            made.setdefault(key, {"key": key, "serial": serial, "udid": udid})
    if made:
        existing = index.keys_of(connection, made)
        fresh = [row for row in made.values() if row["key"] not in existing]
        if fresh:
            connection.execute(t.device.insert(), fresh)
        index.learn(connection, set(made))
    found = {
        record.native_id: index.find(serials[record.native_id], udids[record.native_id])
        or index.by_key[_key(serials[record.native_id], udids[record.native_id], source_id, record.native_id)]
        for record in records
    }
    _teach(
        connection, index, {(found[native_id], serials[native_id], udids[native_id]) for native_id in found}
    )
    return found


def _teach(connection: Connection, index: _Index, said: set[tuple[int, str | None, str | None]]) -> None:
    """A device that was found by half of its identity learns the other half, for the sources to come."""
    learned = [
        {"known": device_id, "new_serial": serial, "new_udid": udid}
        for device_id, serial, udid in said
        if index.lacks(device_id, serial, udid)
    ]
    if learned:
        connection.execute(_LEARN, learned)


_LEARN = (
    t.device.update()
    .where(t.device.c.id == sa.bindparam("known"))
    .values(
        serial=sa.func.coalesce(t.device.c.serial, sa.bindparam("new_serial", type_=sa.String)),
        udid=sa.func.coalesce(t.device.c.udid, sa.bindparam("new_udid", type_=sa.String)),
    )
)


def _identity(fact: str | Gap) -> str | None:
    """A serial or UDID as identities are compared: upper case; None where it is not known."""
    return None if isinstance(fact, Gap) else fact.upper()


def _key(serial: str | None, udid: str | None, source_id: int, native_id: str) -> str:
    if serial:
        return fingerprint("serial", serial)
    if udid:
        return fingerprint("udid", udid)
    return fingerprint("record", str(source_id), native_id)


class _Index:
    """The devices that a page's serials and UDIDs may belong to."""

    def __init__(self, connection: Connection, serials: set[str | None], udids: set[str | None]) -> None:
        self.by_key: dict[str, int] = {}
        self._by_serial: dict[str, int] = {}
        self._by_udid: dict[str, tuple[int, str | None]] = {}
        self._identities: dict[int, tuple[str | None, str | None]] = {}
        self._take(connection, t.device.c.serial, {serial for serial in serials if serial})
        self._take(connection, t.device.c.udid, {udid for udid in udids if udid})

    def find(self, serial: str | None, udid: str | None) -> int | None:
        """The device of that serial; else that of the UDID, unless both have serials and these differ."""
        if serial and (found := self._by_serial.get(serial)):
            return found
        if udid and (other := self._by_udid.get(udid)) and not (serial and other[1]):
            return other[0]
        return None

    def lacks(self, device_id: int, serial: str | None, udid: str | None) -> bool:
        """True if the device is not known by that serial or UDID yet, and no other one is."""
        own_serial, own_udid = self._identities[device_id]
        return bool((serial and not own_serial) or (udid and not own_udid and udid not in self._by_udid))

    def keys_of(self, connection: Connection, keys: Iterable[str]) -> set[str]:
        """Which of `keys` exist already."""
        return {row.key for row in rows_among(connection, _DEVICES, t.device.c.key, list(keys))}

    def learn(self, connection: Connection, keys: set[str]) -> None:
        """Take in devices that have just been made."""
        self._take(connection, t.device.c.key, keys)

    def _take(self, connection: Connection, column: sa.Column[Any], wanted: set[str]) -> None:
        for row in rows_among(connection, _DEVICES, column, wanted) if wanted else ():
            self.by_key[row.key] = row.id
            self._identities[row.id] = (row.serial, row.udid)
            if row.serial:
                self._by_serial[row.serial] = row.id
            if row.udid:
                self._by_udid[row.udid] = (row.id, row.serial)


_DEVICES = sa.select(t.device)


def _reidentify(connection: Connection, changed: Sequence[tuple[_Row, Row]]) -> None:
    """A record whose serial or UDID became known or changed is attached to the device that it now belongs to."""
    for row, known in changed:
        now = (_identity(row.record.serial), _identity(row.record.udid))
        before = tuple(value and value.upper() for value in (known.serial, known.udid))
        if known.digest is not None and any(now) and now != before:
            _reattach(connection, row.record, known)


def _reattach(connection: Connection, record: DeviceRecord, known: Row) -> None:
    serial, udid = _identity(record.serial), _identity(record.udid)
    target = _Index(connection, {serial}, {udid}).find(serial, udid)
    current = connection.execute(sa.select(t.device).where(t.device.c.id == known.device_id)).one()
    if target is None and (current.serial is None or serial in {None, current.serial}):
        named = {"serial": current.serial or serial, "udid": udid or current.udid}
        connection.execute(t.device.update().where(t.device.c.id == current.id).values(named))
    elif target != current.id:
        device_id = target or _identify(connection, 0, [record])[record.native_id]
        connection.execute(
            t.source_device.update().where(t.source_device.c.id == known.id).values(device_id=device_id)
        )
