"""What is remembered of findings: one row per change of a finding's life, valid from one run to another."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from enum import Enum
from operator import attrgetter, itemgetter
from typing import TYPE_CHECKING, Any

import orjson
import sqlalchemy as sa

from fleet.model.finding import Basis, Severity
from fleet.model.memory import Condition, Memory, Ticket
from fleet.store import tables as t
from fleet.store.among import rows_among
from fleet.store.insert import insert_rows
from fleet.store.merged import NONE_MERGED

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from sqlalchemy.engine import Connection

    from fleet.store.merged import Merged

_COLUMNS = tuple(one.name for one in fields(Memory) if one.name not in {"external_id", "problem"})
_columns_of = attrgetter(*_COLUMNS)
_TUPLES = frozenset({"held", "fixes", "sources"})
_CHUNK = 500


def remembered(
    connection: Connection,
    run_id: int | None,
    merged: Merged = NONE_MERGED,
    *,
    among: Collection[int] | None = None,
) -> Iterator[tuple[str, Memory, bool]]:
    """Every finding as `run_id` left it, each with the key of its device, in the order of keys.

    The third value is True for a finding of a device that turned out to be that one.

    Args:
        run_id: None for before the first run, when there is nothing to remember.
        merged: the devices that count as others.
        among: only the findings of these devices, by the store's numbers, and of those that count as one of them.
    """
    if run_id is None:
        return
    query = _OF_DEVICES if among is None else _OF_DEVICES.where(t.device.c.id.in_(among))
    rows = connection.execution_options(yield_per=1000).execute(query, {"run": run_id})
    if not merged.into:
        yield from ((row[1], _memory(row), False) for row in rows)
        return
    older = ((row[1], _memory(row), False) for row in rows if row[0] not in merged.into)
    younger = merged.rows(connection, _OF_DEVICES, {"run": run_id}, among)
    yield from heapq.merge(older, ((row[1], _memory(row), True) for row in younger), key=itemgetter(0))


def standing(connection: Connection, run_id: int) -> Iterator[tuple[int, str, Memory]]:
    """Every finding that stood when `run_id` was over, with number and key of its device, in the order of keys."""
    rows = connection.execution_options(yield_per=1000).execute(_STANDING, {"run": run_id})
    yield from ((row[0], row[1], _memory(row)) for row in rows)


def counted(connection: Connection, run_id: int) -> list[tuple[str, Severity, int]]:
    """How many findings of devices stood when `run_id` was over, by check and severity."""
    rows = connection.execute(_COUNTED, {"run": run_id})
    return [(row[0], Severity(row[1]), row[2]) for row in rows]


def versions(
    connection: Connection, run_id: int | None, device_ids: Collection[int]
) -> Iterator[tuple[datetime, int, Memory]]:
    """The life of every finding of these devices up to a run: `as_of` and number of each run that changed it."""
    if run_id is None:
        return
    asked = {"run": run_id, "devices": list(device_ids)}
    for row in connection.execute(_LIVES, asked):
        yield row[0], row[1], _memory(row)


def remembered_incidents(connection: Connection, run_id: int | None) -> dict[str, Memory]:
    """Every fleet-wide finding as `run_id` left it, by its problem, the eldest first."""
    if run_id is None:
        return {}
    rows = connection.execute(_OF_NOBODY, {"run": run_id})
    return {memory.problem: memory for row in rows if (memory := _memory(row))}


def _versions(*two: sa.ColumnElement[Any]) -> sa.Select[*tuple[Any, ...]]:
    """All that happened to findings up to `:run`, behind two columns of the caller's."""
    version = t.finding_version
    columns = (version.c[name] for name in _COLUMNS)
    return (
        sa.select(*two, t.finding.c.external_id, t.finding.c.problem, *columns)
        .select_from(t.finding)
        .join(version, version.c.finding_id == t.finding.c.id)
        .where(version.c.from_run_id <= sa.bindparam("run"))
    )


_as_left = sa.or_(
    t.finding_version.c.to_run_id.is_(None), t.finding_version.c.to_run_id > sa.bindparam("run")
)

_OF_DEVICES = (
    _versions(t.device.c.id, t.device.c.key)
    .join(t.device, t.device.c.id == t.finding.c.device_id)
    .where(_as_left)
    .order_by(t.device.c.key, t.finding.c.id)
)
_OF_NOBODY = (
    _versions(sa.null(), sa.null()).where(_as_left, t.finding.c.device_id.is_(None)).order_by(t.finding.c.id)
)
_STANDING = _OF_DEVICES.where(t.finding_version.c.condition == Condition.OPEN.value)
_COUNTED = (
    sa.select(t.finding_version.c.check, t.finding_version.c.severity, sa.func.count())
    .join(t.finding, t.finding.c.id == t.finding_version.c.finding_id)
    .where(
        t.finding_version.c.from_run_id <= sa.bindparam("run"),
        _as_left,
        t.finding_version.c.condition == Condition.OPEN.value,
        t.finding.c.device_id.is_not(None),
    )
    .group_by(t.finding_version.c.check, t.finding_version.c.severity)
)
_LIVES = (
    _versions(t.run.c.as_of, t.run.c.id)
    .join(t.run, t.run.c.id == t.finding_version.c.from_run_id)
    .where(t.finding.c.device_id.in_(sa.bindparam("devices", expanding=True)))
    .order_by(t.run.c.id, t.finding.c.id)
)


def _memory(row: Sequence[Any]) -> Memory:
    values = dict(zip(_COLUMNS, row[4:], strict=True))
    values |= {name: tuple(values[name]) for name in _TUPLES}
    values["condition"] = Condition(values["condition"])
    values["ticket"] = Ticket(values["ticket"])
    values["basis"] = Basis(values["basis"])
    values["severity"] = Severity(values["severity"])
    return Memory(external_id=row[2], problem=row[3], **values)


def same(before: Memory, after: Memory) -> bool:
    """True if nothing happened that has to be remembered: fresher evidence of the same is not an event."""
    return before == replace(
        after,
        summary=before.summary,
        evidence=before.evidence,
        observed_at=before.observed_at,
        fixes=before.fixes,
    )


@dataclass(slots=True)
class FindingWriter:
    """Writes what changed in one run, in chunks, on the connection whose transaction finishes the run."""

    connection: Connection
    run_id: int
    _waiting: list[tuple[int | None, Memory, bool]] = field(
        default_factory=list[tuple[int | None, Memory, bool]]
    )

    def keep(self, device_id: int | None, before: Memory | None, after: Memory) -> None:
        """Remember `after` if it differs from `before`; of the few fleet-wide findings (no device) all that is new."""
        if before is None or not (same(before, after) if device_id else before == after):
            self._waiting.append((device_id, after, before is not None))
            if len(self._waiting) >= _CHUNK:
                self.flush()

    def flush(self) -> None:
        """Write what is waiting."""
        waiting, self._waiting = self._waiting, []
        if not waiting:
            return
        ids = self._ids(waiting)
        ended = [{"id": ids[memory.external_id]} for _, memory, existed in waiting if existed]
        if ended:
            self.connection.execute(_END, [{**one, "run": self.run_id} for one in ended])
        moment = t.moment_for(self.connection.dialect)
        insert_rows(
            self.connection,
            t.finding_version,
            ("finding_id", "from_run_id", *_COLUMNS),
            [(ids[memory.external_id], self.run_id, *_values(memory, moment)) for _, memory, _ in waiting],
        )

    def _ids(self, waiting: list[tuple[int | None, Memory, bool]]) -> dict[str, int]:
        fresh = [
            (memory.external_id, device_id, memory.problem)
            for device_id, memory, existed in waiting
            if not existed
        ]
        if fresh:
            names = ("external_id", "device_id", "problem")
            insert_rows(self.connection, t.finding, names, fresh, unless_known="external_id")
        wanted = [memory.external_id for _, memory, _ in waiting]
        rows = rows_among(self.connection, _IDS, t.finding.c.external_id, wanted)
        return {row.external_id: row.id for row in rows}


_IDS = sa.select(t.finding.c.external_id, t.finding.c.id)
_END = (
    t.finding_version.update()
    .where(t.finding_version.c.finding_id == sa.bindparam("id"), t.finding_version.c.to_run_id.is_(None))
    .values(to_run_id=sa.bindparam("run"))
)


def _values(memory: Memory, moment: Callable[[datetime], object]) -> list[Any]:
    """The columns as the driver takes them."""
    return [_bare(value, moment) for value in _columns_of(memory)]


def _bare(value: Any, moment: Callable[[datetime], object]) -> Any:  # noqa: ANN401 - each column has its own type
    if type(value) in _PLAIN:
        return value
    match value:
        case Enum():
            return value.value
        case datetime():
            return moment(value)
        case _:  # lists and evidence
            return orjson.dumps(value).decode()


_PLAIN = frozenset({str, int, type(None)})
