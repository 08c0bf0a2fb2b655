"""One device's history as text for a terminal: what happened to it, and what its last nights knew."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING

from fleet.cli.spoken import counted, day, moment, plain, shown, title
from fleet.model.fact import Gap
from fleet.model.memory import Condition, Ticket
from fleet.nightly import timeline

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from fleet.model.memory import Memory
    from fleet.nightly.past import Seen
    from fleet.nightly.timeline import Change, Listing, Turn
    from fleet.store.life import Life, Night

LATEST = 14
"""How many readings the table shows; all are in the JSON."""


def told(seen: Seen, kept_since: datetime | None) -> str:
    """The timeline, and a table of the last nights.

    Args:
        kept_since: the first night that was not pruned; None where none was.
    """
    telling = [night for night in seen.life.nights if _tells(night)]
    parts = (_head(seen, kept_since), _timeline(seen.life), _table(telling))
    return "\n\n".join("\n".join(lines) for part in parts if (lines := list(part)))


def _head(seen: Seen, kept_since: datetime | None) -> Iterator[str]:
    yield title(seen.device)
    nights = seen.life.nights
    if nights:
        known = len({night.at for night in nights})
        yield f"known from {counted(known, 'night')}, {day(nights[0].at)} to {day(nights[-1].at)}"
    if kept_since:
        yield f"nights before {day(kept_since)} were pruned: what is told of them is not all that happened"


def _timeline(life: Life) -> Iterator[str]:
    lines = events(life)
    if lines:
        yield "What happened"
    yield from lines


def events(life: Life) -> list[str]:
    """What happened, in the order of time: listings, then changes, then what they did to findings."""
    listed = ((one.at, one.source, _listing(one)) for one in timeline.listings(life))
    changed = ((one.at, one.source, _change(one)) for one in timeline.changes(life))
    turned = ((one.at, "finding", said) for one in timeline.turns(life) if (said := _turn(one)))
    every = list(heapq.merge(sorted(listed, key=_moment), changed, turned, key=_moment))
    width = max((len(source) for _, source, _ in every), default=0)
    return [f"  {moment(at)}  {source:<{width}}  {what}" for at, source, what in every]


def _moment(event: tuple[datetime, str, str]) -> datetime:
    return event[0]


def _listing(listing: Listing) -> str:
    return {
        "first": "lists it from now on",
        "new_record": "lists it as a new record: it was enrolled again",
        "gone": "lists it no more",
        "again": "lists it again",
        "merged": f"shows that device {listing.key} is this one",
    }[listing.what]


def _change(change: Change) -> str:
    old, new = (shown(fact, change.signal) for fact in (change.before, change.after))
    return f"{change.signal}: {old} → {new}"


def _turn(turn: Turn) -> str | None:
    """What became of a finding; None where only our own book-keeping moved."""
    before, now = turn.before, turn.finding
    ticket = _ticket(before, now)
    if before is None or before.condition is not now.condition:
        return f"{_condition(before, now)}{ticket}"
    if (before.check, before.severity) != (now.check, now.severity):
        return f"{now.problem} is now {now.severity} · {now.check}: {_first_sentence(now)}{ticket}"
    return f"{now.problem} · {now.check}{ticket}" if ticket else None


def _condition(before: Memory | None, now: Memory) -> str:
    why = f" ({now.reason.replace('_', ' ')})" if now.reason else ""
    match now.condition:
        case Condition.OPEN:
            again = (
                "" if before is None else "again, " if before.condition is Condition.RESOLVED else "stands: "
            )
            return f"{again}{now.severity} · {now.check}: {_first_sentence(now)}{why}"
        case Condition.WAIVED:
            until = f" until {day(now.waiver_until)}" if now.waiver_until else ""
            return f"{now.severity} · {now.check} is waived{until}"
        case Condition.RESOLVED:
            return f"{now.problem} is resolved{why}"
        case Condition.GONE:
            return f"{now.problem} waits: no source lists the device"


def _first_sentence(memory: Memory) -> str:
    return plain(memory.summary).partition(". ")[0].removesuffix(".")


def _ticket(before: Memory | None, now: Memory) -> str:
    was = before.ticket if before else Ticket.NONE
    if was is now.ticket:
        return ""
    words = {Ticket.OPEN: "opened" if was is Ticket.NONE else "opened again", Ticket.CLOSED: "closed"}
    return f" [ticket {words.get(now.ticket, 'forgotten')}]"


def _tells(night: Night) -> bool:
    record = night.record
    facts = (record.last_cloud_backup_at, record.available_bytes, record.battery_percent)
    return not all(isinstance(fact, Gap) for fact in facts)


def _table(nights: Sequence[Night]) -> Iterator[str]:
    if not nights:
        return
    rows = [("night", "source", "last iCloud backup", "free", "battery", "heard from it")]
    rows += [_row(night) for night in nights[-LATEST:]]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    yield (
        "Its nights" if len(nights) <= LATEST else f"The last of its nights (--json has all {len(nights):,})"
    )
    for row in rows:
        yield "  " + "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()


def _row(night: Night) -> tuple[str, ...]:
    record = night.record
    cells = (
        (record.last_cloud_backup_at, ""),
        (record.available_bytes, "_bytes"),
        (record.battery_percent, "_percent"),
        (record.observed_at(night.at), ""),
    )
    shown_cells = ("-" if isinstance(fact, Gap) else shown(fact, kind) for fact, kind in cells)
    return (moment(night.at), night.source, *shown_cells)
