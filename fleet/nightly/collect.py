"""Collecting: every source in a thread of its own, and one writer."""

from __future__ import annotations

import contextvars
import logging
import queue
import threading
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol

from fleet.errors import CutOff, FleetkeepError
from fleet.log_fields import log_fields
from fleet.model.device import TIME_SIGNALS, DeviceRecord, Rejected
from fleet.model.fact import NEVER, NOT_REPORTED, UNREADABLE, Fact, Gap
from fleet.model.run import Outcome
from fleet.nightly import increment
from fleet.nightly.wholeness import Tally, verdict
from fleet.store import inventory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime

    from connectors._connector import Page, Surroundings
    from fleet.store.database import Database

log = logging.getLogger(__name__)

_CLOCKS_DIFFER = timedelta(hours=24)

PAGES_AHEAD = 4
"""Pages of one source that may wait for the writer: what bounds memory when the database is slower than the net."""
SOURCES_AT_ONCE = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A configured source, ready to be walked.

    Attributes:
        provides: the signals it can report as it is configured.
        fields: per signal, its own name of the field behind it.
        walk: its pages; secrets are resolved when it is called, so that one that cannot be had is this source's
            failure and nobody else's.
        site: a label for every device of it, in place of what the vendor says.
        icloud_plan_gb: the plan assumed for its devices, if it differs from the policy's.
        omit: signals that are not to be stored, so that it counts as one that does not report them.
        full_walk_days: how often everything is to be read of one that can say what has reported since a given time;
            1 for all others.
        terms: the fingerprint of its settings and of the program: what was read under others is not gone on from.
    """

    name: str
    kind: str
    provides: frozenset[str]
    walk: Callable[[Surroundings], Iterator[Page]]
    fields: Mapping[str, str] = field(default_factory=dict[str, str])
    site: str | None = None
    icloud_plan_gb: float | None = None
    omit: frozenset[str] = frozenset()
    full_walk_days: int = 1
    terms: str = ""


class Progress(Protocol):
    """Told about each page as it is stored."""

    def __call__(self, source: str, *, pages: int, devices: int, expected: int | None) -> None:
        """Take note."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Night:
    """What one collection of all sources is done with.

    Attributes:
        now: the wall clock, UTC, for the ledger alone.
        accept_mass_change: the admin has seen that a fleet shrank and says that it is true.
        shared_run_id: the shared run that this is a part of.
        full: read everything, whatever an increment would save.
    """

    database: Database
    surroundings: Surroundings
    now: Callable[[], datetime]
    progress: Progress | None = None
    accept_mass_change: bool = False
    shared_run_id: int | None = None
    full: bool = False


@dataclass(frozen=True, slots=True)
class _Message:
    """From a source's thread to the writer: a page, or the end with or without an error."""

    source: str
    page: Page | None
    error: BaseException | None = None


def collect(sources: Sequence[Source], night: Night) -> dict[str, Outcome]:
    """Read every source into the database; returns each one's outcome.

    One source's failure is its own: it ends partial or failed in the ledger, the others go on.
    """
    outcomes: dict[str, Outcome] = {}
    doubtful: list[Tally] = []
    for tally, error in _ended([_open(source, night) for source in sources], night):
        why = _doubt(tally, error)
        if why is None:
            outcomes[tally.source.name] = _close(_as_it_came(tally, error), error, night)
        else:
            fields = {"source": tally.source.name, "why": why}
            log.info("read_in_full source=%(source)s why=%(why)s", fields)
            doubtful.append(tally.in_full())
    for tally, error in _ended(doubtful, night):
        outcomes[tally.source.name] = _close(tally, error, night)
    return outcomes


def _doubt(tally: Tally, error: BaseException | None) -> str | None:
    """Why an increment will not do, so that everything has to be read; None for one that will, and for a full walk."""
    if tally.start is None:
        return None
    return increment.doubt(tally.writer, tally.expected, tally.unreadable, error)


def _as_it_came(tally: Tally, error: BaseException | None) -> Tally:
    """The tally; an increment that brought every device is the full walk that it came to."""
    whole = error is None and tally.writer.devices == tally.expected
    return replace(tally, start=None) if whole else tally


def _ended(tallies: Sequence[Tally], night: Night) -> Iterator[tuple[Tally, BaseException | None]]:
    """Walk them all at once and store what comes; each as it ends, with the error that ended it."""
    by_name = {tally.source.name: tally for tally in tallies}
    for message in _messages(tallies, night):
        tally = by_name[message.source]
        if message.page is not None:
            _take(tally, message.page, night)
        else:
            yield tally, tally.broken or message.error


def _open(source: Source, night: Night) -> Tally:
    reported = {*(source.provides - source.omit), *(["site"] if source.site else [])}
    writer = inventory.begin_collection(
        night.database,
        name=source.name,
        kind=source.kind,
        as_of=night.surroundings.collected_at,
        started_at=night.now(),
        reported=sorted(reported),
        terms=source.terms,
        shared_run_id=night.shared_run_id,
    )
    return Tally(source, writer, increment.start_of(source, night))


def _messages(tallies: Sequence[Tally], night: Night) -> Iterator[_Message]:
    """What the sources' threads send, as it comes; threads end with the program, whatever they wait for."""
    inbox: queue.Queue[_Message] = queue.Queue(PAGES_AHEAD)
    free = threading.Semaphore(SOURCES_AT_ONCE)
    under_way: dict[str, threading.Thread] = {}
    for tally in tallies:
        around = replace(night.surroundings, since=tally.start.since if tally.start else None)
        thread = threading.Thread(
            target=contextvars.copy_context().run,
            args=(_walk, tally.source, around, inbox, free),
            daemon=True,
        )
        under_way[tally.source.name] = thread
        with suppress(RuntimeError):  # one that the system does not let begin is missed soon enough
            thread.start()
    while under_way:
        message = _next(inbox, under_way, night.surroundings)
        if message is None:
            yield from (_Message(name, None, CutOff(_TIME_IS_UP)) for name in sorted(under_way))
            return
        if message.page is None:
            under_way.pop(message.source, None)
        yield message


_TIME_IS_UP = (
    "cut off, for the time of the whole run was up; raise [run] deadline_minutes, or run fewer sources"
)


_LOOK_EVERY = 5.0
"""Seconds of silence after which it is asked whether a thread died without its last word, as for want of memory."""


def _next(
    inbox: queue.Queue[_Message], under_way: Mapping[str, threading.Thread], around: Surroundings
) -> _Message | None:
    """The next message; None if the time of the whole run is up."""
    while (left := around.ends - around.now()) > 0:
        try:
            return inbox.get(timeout=min(left, _LOOK_EVERY))
        except queue.Empty:
            dead = next((name for name, thread in under_way.items() if not thread.is_alive()), None)
            if dead is not None and inbox.empty():
                return _Message(dead, None, MemoryError())
    return None


def _walk(
    source: Source, surroundings: Surroundings, inbox: queue.Queue[_Message], free: threading.Semaphore
) -> None:
    with free, log_fields(source=source.name):
        log.info(
            "source_opened source=%(source)s kind=%(kind)s", {"source": source.name, "kind": source.kind}
        )
        try:
            for page in source.walk(surroundings):
                inbox.put(_Message(source.name, _settled(page, surroundings.collected_at, source)))
        except BaseException as error:  # noqa: BLE001 - one vendor must not cost the others their night
            inbox.put(_Message(source.name, None, error))
        else:
            inbox.put(_Message(source.name, None))


def _take(tally: Tally, page: Page, night: Night) -> None:
    """Store one page; a page that cannot be stored ends its own source alone."""
    if tally.broken is None:
        try:
            _store(tally, page, night)
        except FleetkeepError:
            raise
        except Exception as error:  # noqa: BLE001 - what a connector hands over is as hostile as what it read
            tally.broken = error


def _store(tally: Tally, page: Page, night: Night) -> None:
    tally.writer.add(row for row in page.rows if isinstance(row, DeviceRecord))
    for row in page.rows:
        if isinstance(row, Rejected):
            tally.reject(row)
    for trouble in page.troubles:
        tally.troubles[trouble.code, trouble.message] += trouble.count
    tally.pages += 1
    tally.expected = page.expected if page.expected is not None else tally.expected
    fields = {"source": tally.source.name, "pages": tally.pages, "devices": tally.writer.devices}
    log.info("page_read source=%(source)s pages=%(pages)s devices=%(devices)s", fields)
    if night.progress:
        night.progress(
            tally.source.name, pages=tally.pages, devices=tally.writer.devices, expected=tally.expected
        )


def _settled(page: Page, at: datetime, source: Source) -> Page:
    """Done in the source's thread, where a record that breaks the contract costs its own source alone."""
    changes: dict[str, Any] = dict.fromkeys(source.omit, NOT_REPORTED)
    if source.site is not None:
        changes["site"] = source.site
    rows = [_settled_record(row, at, changes) if isinstance(row, DeviceRecord) else row for row in page.rows]
    return replace(page, rows=rows)


def _settled_record(record: DeviceRecord, at: datetime, always: Mapping[str, Any]) -> DeviceRecord:
    """The record with what its source has `always`, and without dates from the future.

    More than 24 hours after the collection a date is unreadable; within that, clocks differ.
    """
    changes = dict(always)
    for signal in TIME_SIGNALS:
        moment: Fact[Any] = getattr(record, signal)
        if not isinstance(moment, Gap) and moment is not NEVER and moment > at:
            changes[signal] = at if moment - at <= _CLOCKS_DIFFER else UNREADABLE
    return replace(record, **changes) if changes else record


def _close(tally: Tally, error: BaseException | None, night: Night) -> Outcome:
    outcome, troubles = verdict(tally, error, night)
    tally.writer.close(
        outcome=outcome,
        finished_at=night.now(),
        expected=tally.expected,
        unreadable=tally.unreadable,
        unread_ids=tally.unread_ids,
        anonymous=tally.anonymous,
        problems=troubles,
        start=tally.start if outcome is Outcome.COMPLETE else None,
    )
    fields = {
        "source": tally.source.name,
        "outcome": outcome,
        "devices": tally.writer.devices,
        "pages": tally.pages,
    }
    log.log(
        logging.INFO if outcome is Outcome.COMPLETE else logging.WARNING,
        "source_closed source=%(source)s outcome=%(outcome)s devices=%(devices)s pages=%(pages)s",
        fields,
    )
    return outcome
