"""Forgetting one device, or one person: out of every table and every text, and then searched for.

A device goes whole: its records, readings, absences, findings and their versions, and itself. Of a person go the
signals that tell of people, from every record that names that person; the device stays, because it is the
organisation's. Texts of runs, waivers and problems that name either keep their sentence, with a word in its place.
Runs that had judged what was forgotten can still be made again without it, and say so.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from fleet.model.identity import identity
from fleet.model.memory import Ticket
from fleet.redaction import tells
from fleet.store import tables as t
from fleet.store.database import compact, erasing
from fleet.store.erasure import take_out
from fleet.store.naming import named
from fleet.store.traces import Traces

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from sqlalchemy.engine import Connection

    from fleet.store.database import Database

_OF_PEOPLE = ("name", "asset_tag", "user_name", "user_email")
_OF_A_PERSON = ("name", "user_name", "user_email", "department")


@dataclass(slots=True, kw_only=True)
class Forgotten:
    """What was forgotten, and what was found when it was searched for afterwards.

    Attributes:
        removed: how many rows or texts of each kind are gone.
        runs: the runs that had judged it, by number.
        open_tickets: external ids of its findings whose ticket nobody will close any more.
        sources: the sources that listed it, by name.
        left: where it is still named, as `table.column`, or `the file`; empty if nowhere.
    """

    removed: dict[str, int] = field(default_factory=dict[str, int])
    runs: frozenset[int] = frozenset()
    open_tickets: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    left: tuple[str, ...] = ()


def forget_device(database: Database, name: str) -> Forgotten | None:
    """Forget the device of that serial number, UDID or key; None if there is none."""
    forgotten = Forgotten()
    with erasing(database) as connection:
        devices = _with_merged(connection, named(connection, name))
        if not devices:
            return None
        records = sa.select(t.source_device.c.id).where(t.source_device.c.device_id.in_(devices))
        traces = Traces(_words_of_device(connection, devices, t.record.c.source_device_id.in_(records)))
        _note(connection, forgotten, t.record.c.source_device_id.in_(records))
        forgotten.open_tickets = _open_tickets(connection, devices)
        forgotten.removed = _delete(connection, devices)
        forgotten.removed["texts"] = traces.erase(connection)
    return _proven(database, forgotten, traces)


def forget_person(database: Database, email: str) -> Forgotten | None:
    """Forget the person with that mail address; None if no record names it."""
    forgotten = Forgotten()
    with erasing(database) as connection:
        mails = _spellings(connection, email)
        if not mails:
            return None
        names = _names_of(connection, mails)
        theirs = sa.or_(t.record.c.user_email.in_(mails), t.record.c.user_name.in_(names))
        words = {*mails, *names, *_only_here(connection, ("name",), theirs)}
        traces = Traces(word for word in words if tells(word))
        _note(connection, forgotten, theirs)
        forgotten.removed = {
            "records": take_out(connection, _OF_A_PERSON, theirs),
            "texts": traces.erase(connection),
        }
    return _proven(database, forgotten, traces)


def _proven(database: Database, forgotten: Forgotten, traces: Traces) -> Forgotten:
    compact(database)
    forgotten.left = tuple(traces.left(database))
    return forgotten


def _with_merged(connection: Connection, devices: Collection[int]) -> frozenset[int]:
    """Those devices, and all that turned out to be one with them."""
    known = frozenset(devices)
    merges = [(row.device_id, row.into_device_id) for row in connection.execute(sa.select(t.device_merge))]
    while True:
        more = known.union(*(pair for pair in merges if not known.isdisjoint(pair)))
        if more == known:
            return known
        known = more


def _words_of_device(
    connection: Connection, devices: Collection[int], theirs: sa.ColumnElement[bool]
) -> set[str]:
    """What names these devices and nobody else: their numbers in every spelling, and names that only they had."""
    own = connection.execute(
        sa.select(t.device.c.serial, t.device.c.udid, t.device.c.key).where(t.device.c.id.in_(devices))
    )
    typed = connection.execute(sa.select(t.record.c.serial, t.record.c.udid).where(theirs))
    tickets = connection.execute(sa.select(t.finding.c.external_id).where(t.finding.c.device_id.in_(devices)))
    words = {word for rows in (own, typed, tickets) for row in rows for word in row if word}
    words |= _as_waived(connection, {identity(word) for word in words})
    return {word for word in (*words, *_only_here(connection, _OF_PEOPLE, theirs)) if tells(word)}


def _as_waived(connection: Connection, numbers: Collection[str | None]) -> set[str]:
    """The serial numbers of waivers that are these numbers, as somebody spelled them."""
    scopes: list[dict[str, Any]] = list(connection.scalars(sa.select(t.waiver.c.scope)))
    for settings in connection.scalars(sa.select(t.run.c.settings)):
        scopes += settings.get("waivers", ())
    spelled = {serial for scope in scopes for serial in scope.get("serials", ())}
    return {serial for serial in spelled if identity(serial) and identity(serial) in numbers}


def _only_here(connection: Connection, signals: Iterable[str], theirs: sa.ColumnElement[bool]) -> set[str]:
    """The values of those signals in these records that are in no other record, be it within a longer one."""
    found: set[str] = set()
    for signal in signals:
        column = t.record.c[signal]
        here = set(connection.scalars(sa.select(column).where(theirs, column.is_not(None)).distinct()))
        alike = sa.or_(sa.false(), *(column.contains(word, autoescape=True) for word in here))
        elsewhere = sa.select(column).where(sa.not_(sa.func.coalesce(theirs, sa.false())), alike)
        others = list(connection.scalars(elsewhere.distinct()))
        found |= {word for word in here if not any(word in other for other in others)}
    return found


def _note(connection: Connection, forgotten: Forgotten, theirs: sa.ColumnElement[bool]) -> None:
    """Write down which runs judged these records; their reports change."""
    since = connection.execute(
        sa.select(t.source_device.c.source_id, sa.func.min(t.record.c.from_collection_id).label("first"))
        .join(t.record, t.record.c.source_device_id == t.source_device.c.id)
        .where(theirs)
        .group_by(t.source_device.c.source_id)
    ).all()
    judged = sa.or_(
        sa.false(),
        *(
            sa.and_(t.run_source.c.source_id == row.source_id, t.run_source.c.collection_id >= row.first)
            for row in since
        ),
    )
    forgotten.runs = frozenset(connection.scalars(sa.select(t.run_source.c.run_id).where(judged)))
    sources = sa.select(t.source.c.name).where(t.source.c.id.in_([row.source_id for row in since]))
    forgotten.sources = tuple(connection.scalars(sources.order_by(t.source.c.name)))
    changed = t.run.update().where(t.run.c.id.in_(forgotten.runs))
    connection.execute(changed.values(erasures=t.run.c.erasures + 1))


def _open_tickets(connection: Connection, devices: Collection[int]) -> tuple[str, ...]:
    standing = (
        sa.select(t.finding.c.external_id)
        .join(t.finding_version)
        .where(
            t.finding.c.device_id.in_(devices),
            t.finding_version.c.to_run_id.is_(None),
            t.finding_version.c.ticket == Ticket.OPEN,
        )
    )
    return tuple(connection.scalars(standing.order_by(t.finding.c.external_id)))


def _delete(connection: Connection, devices: Collection[int]) -> dict[str, int]:
    """Take the devices out of every table, those first that refer to others."""
    findings = sa.select(t.finding.c.id).where(t.finding.c.device_id.in_(devices))
    records = sa.select(t.source_device.c.id).where(t.source_device.c.device_id.in_(devices))
    steps: list[tuple[str, sa.Table, sa.ColumnElement[bool]]] = [
        ("finding versions", t.finding_version, t.finding_version.c.finding_id.in_(findings)),
        ("findings", t.finding, t.finding.c.device_id.in_(devices)),
        ("readings", t.reading, t.reading.c.source_device_id.in_(records)),
        ("absences", t.absence, t.absence.c.source_device_id.in_(records)),
        ("records", t.record, t.record.c.source_device_id.in_(records)),
        ("ids at sources", t.source_device, t.source_device.c.device_id.in_(devices)),
        ("merges", t.device_merge, _merged(devices)),
        ("devices", t.device, t.device.c.id.in_(devices)),
    ]
    return {what: connection.execute(table.delete().where(where)).rowcount for what, table, where in steps}


def _merged(devices: Collection[int]) -> sa.ColumnElement[bool]:
    return sa.or_(t.device_merge.c.device_id.in_(devices), t.device_merge.c.into_device_id.in_(devices))


def _spellings(connection: Connection, email: str) -> set[str]:
    """The address as records spell it, in any case of letters."""
    known: Iterable[Any] = connection.scalars(sa.select(t.record.c.user_email).distinct())
    return {one for one in known if one and one.casefold() == email.strip().casefold()}


def _names_of(connection: Connection, mails: Collection[str]) -> set[str]:
    """The user names that stand beside that address, and beside no other."""
    column, mail = t.record.c.user_name, t.record.c.user_email
    theirs = set(connection.scalars(sa.select(column).where(mail.in_(mails), column.is_not(None)).distinct()))
    others = sa.select(column).where(column.in_(theirs), mail.is_not(None), mail.not_in(mails)).distinct()
    return theirs - set(connection.scalars(others))
