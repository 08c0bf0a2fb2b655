"""Devices that a source no longer lists: from which collection on, up to which, and where they were last read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from fleet.store import tables as t

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy.engine import Connection


@dataclass(frozen=True, slots=True)
class Absences:
    """What one source's collection tells of who is there and who is not."""

    connection: Connection
    source_id: int
    collection_id: int

    def end_of_read(self) -> None:
        """Whoever was read is there again."""
        read = sa.select(t.reading.c.source_device_id).where(t.reading.c.collection_id == self.collection_id)
        self._end(t.source_device.c.id.in_(read))

    def end_of_listed(self, native_ids: Collection[str]) -> None:
        """Whoever was listed is there again, although the row could not be read."""
        self._end(sa.and_(t.source_device.c.native_id.in_(native_ids), t.source_device.c.current))

    def begin(self, *, besides: Collection[str]) -> None:
        """Whoever is known and was not read is absent from now on, but for those of these native ids."""
        missing = self.connection.execute(
            _MISSING, {"source": self.source_id, "collection": self.collection_id}
        )
        rows = [
            {
                "source_device_id": row.id,
                "from_collection_id": self.collection_id,
                "last_collection_id": row.last,
            }
            for row in missing
            if row.native_id not in besides and row.last is not None
        ]
        if rows:
            self.connection.execute(t.absence.insert(), rows)

    def _end(self, where: sa.ColumnElement[bool]) -> None:
        back = sa.select(t.source_device.c.id).where(t.source_device.c.source_id == self.source_id, where)
        self.connection.execute(
            t.absence.update()
            .where(t.absence.c.to_collection_id.is_(None), t.absence.c.source_device_id.in_(back))
            .values(to_collection_id=self.collection_id)
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
