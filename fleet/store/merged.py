"""Devices that turned out to be others, as one run sees it: from the collection on that showed it, never before."""

from __future__ import annotations

from dataclasses import dataclass, field
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from fleet.store import tables as t
from fleet.store.among import rows_among

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from sqlalchemy.engine import Connection

_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Merged:
    """Which devices count as others.

    Attributes:
        into: by the store's number of a device the number and the key of the older one that it is.
    """

    into: Mapping[int, tuple[int, str]] = field(default_factory=dict[int, tuple[int, str]])

    def older(self, device_ids: Collection[int]) -> frozenset[int]:
        """The devices that those count as."""
        return frozenset(self.into[one][0] if one in self.into else one for one in device_ids)

    def whole(self, device_ids: Collection[int]) -> frozenset[int]:
        """Those devices and all that count as one of them."""
        younger = (one for one, (older, _) in self.into.items() if older in device_ids)
        return frozenset(device_ids).union(younger)

    def rows(
        self,
        connection: Connection,
        query: sa.Select[*tuple[Any, ...]],
        parameters: Mapping[str, Any],
        among: Collection[int] | None = None,
    ) -> Iterator[tuple[Any, ...]]:
        """What `query` has of the younger devices, under number and key of the older, in the order of those keys.

        Args:
            query: its first two columns are number and key of the device.
            among: only what counts as one of these devices.
        """
        younger = [one for one, (older, _) in self.into.items() if among is None or older in among]
        younger.sort(key=lambda one: self.into[one][1])
        for start in range(0, len(younger), _CHUNK):
            chunk = rows_among(connection, query, t.device.c.id, younger[start : start + _CHUNK], parameters)
            yield from sorted(((*self.into[row[0]], *row[2:]) for row in chunk), key=itemgetter(1))


def merged_at(connection: Connection, run_id: int) -> Merged:
    """What the collections that a run judges have shown."""
    older = {row.device_id: row.into_device_id for row in connection.execute(_SHOWN, {"run": run_id})}
    last: dict[int, int] = {}
    for one in older:
        number = one
        while number in older:
            number = older[number]
        last[one] = number
    if not last:
        return NONE_MERGED
    keys = {row.id: row.key for row in rows_among(connection, _KEYS, t.device.c.id, set(last.values()))}
    return Merged({one: (number, keys[number]) for one, number in last.items()})


NONE_MERGED = Merged()
_KEYS = sa.select(t.device.c.id, t.device.c.key)
_SHOWN = (
    sa.select(t.device_merge.c.device_id, t.device_merge.c.into_device_id)
    .join(t.collection, t.collection.c.id == t.device_merge.c.collection_id)
    .join(
        t.run_source,
        sa.and_(
            t.run_source.c.source_id == t.collection.c.source_id,
            t.run_source.c.run_id == sa.bindparam("run"),
            t.run_source.c.collection_id >= t.device_merge.c.collection_id,
        ),
    )
)
