"""From the columns of a record and a reading back to what a source said of a device."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from fleet.model.device import SIGNALS, DeviceRecord, Enrollment, Ownership, Platform
from fleet.model.fact import GAPS, NEVER, Gap, Never, Reason
from fleet.store import tables as t
from fleet.store.tables import FAST

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.engine import Connection

COLUMNS = tuple((t.reading if name in FAST else t.record).c[name] for name in SIGNALS)
"""What has to be selected for a record, beside its native id and the number of its gap set."""
_WORDS = tuple(
    (SIGNALS.index(name), {member.value: member for member in kind})
    for name, kind in (("platform", Platform), ("enrollment", Enrollment), ("ownership", Ownership))
)
_GROUPS = SIGNALS.index("groups")


class Records:
    """Makes records; the gaps that a gap set's number stands for are read once."""

    def __init__(self, connection: Connection) -> None:
        self._gaps: dict[int, list[tuple[int, Gap | Never]]] = {
            row.id: [_gap(pair) for pair in row.reasons.split()]
            for row in connection.execute(sa.select(t.gap_set))
        }

    def of(self, native_id: str, gap_set_id: int, columns: Sequence[Any]) -> DeviceRecord:
        """The record whose `COLUMNS` hold these values."""
        values = list(columns)
        for index, members in _WORDS:
            if values[index] is not None:
                values[index] = members[values[index]]
        if values[_GROUPS] is not None:
            values[_GROUPS] = _groups(values[_GROUPS])
        for index, gap in self._gaps[gap_set_id]:
            values[index] = gap
        return DeviceRecord(*values, native_id=native_id)


@lru_cache(maxsize=4096)
def _groups(listed: str) -> tuple[str, ...]:
    """Devices of one kind are in the same groups: they are read once, and kept once."""
    return tuple(json.loads(listed))


def _gap(pair: str) -> tuple[int, Gap | Never]:
    signal, reason = pair.split("=")
    return SIGNALS.index(signal), NEVER if reason == "never" else GAPS[Reason(reason)]
