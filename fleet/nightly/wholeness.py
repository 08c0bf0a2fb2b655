"""How whole a source's answer was: the outcome that it amounts to, and what the report is to say of it."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fleet.errors import SourceError
from fleet.model.device import Rejected
from fleet.model.run import Outcome, Trouble
from fleet.store import ledger

if TYPE_CHECKING:
    from fleet.nightly.collect import Night, Source
    from fleet.store.inventory import CollectionWriter
    from fleet.store.walks import Start

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Tally:
    """What has come of one source so far.

    Attributes:
        start: what it goes on from, if it is to give only what has reported since.
    """

    source: Source
    writer: CollectionWriter
    start: Start | None = None
    pages: int = 0
    expected: int | None = None
    unread_ids: set[str] = field(default_factory=set[str])
    anonymous: int = 0
    examples: list[Rejected] = field(default_factory=list[Rejected])
    troubles: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    broken: Exception | None = None

    @property
    def unreadable(self) -> int:
        """How many devices were counted, and not read."""
        return len(self.unread_ids) + self.anonymous

    def in_full(self) -> Tally:
        """The same collection, about to read everything."""
        return Tally(self.source, self.writer)

    def reject(self, row: Rejected) -> None:
        """Count a row that could not be read; the first few stand for all in the report."""
        if row.native_id is None:
            self.anonymous += 1
        else:
            self.unread_ids.add(row.native_id)
        if len(self.examples) < _EXAMPLES:
            self.examples.append(row)


_EXAMPLES = 3


def verdict(tally: Tally, error: BaseException | None, night: Night) -> tuple[Outcome, list[Trouble]]:
    """How whole the answer is, and what the report is to say of it."""
    troubles = [Trouble(code, message, count) for (code, message), count in tally.troubles.items()]
    troubles += _unreadable(tally) + _unreadable_fields(tally) + _silent_on_backups(tally)
    read = tally.writer.devices
    if error is not None:
        return (Outcome.PARTIAL if read else Outcome.FAILED), [_explained(tally, error), *troubles]
    if tally.start is not None:
        return Outcome.COMPLETE, troubles
    broken = [*_too_many_unreadable(tally), *_miscounted(tally)]
    broken = broken or _shrank(tally, night)
    if broken:
        return Outcome.PARTIAL, broken + troubles
    if not read and not tally.unreadable:
        troubles.append(Trouble("no_devices", "the source answered, and has no devices"))
    return Outcome.COMPLETE, troubles


def _explained(tally: Tally, error: BaseException) -> Trouble:
    if isinstance(error, SourceError):
        return Trouble(error.code, str(error))
    if isinstance(error, MemoryError):
        said = "this machine gave no more memory, or no more threads; lower page_size and max_concurrency"
        return Trouble("out_of_memory", f"{tally.source.name}: {said}")
    log.error("source_broke_on_a_bug source=%(source)s", {"source": tally.source.name}, exc_info=error)
    return Trouble(
        "bug", f"{tally.source.name}: fleetkeep broke on it ({type(error).__name__}); please report it"
    )


def _unreadable(tally: Tally) -> list[Trouble]:
    if not tally.unreadable:
        return []
    examples = "; ".join(f"{row.where}: {row.why}" for row in tally.examples)
    records = "record" if tally.unreadable == 1 else "records"
    message = f"{tally.unreadable} {records} could not be read ({examples}); what was last known of such devices stays"
    return [Trouble("unreadable_records", message, tally.unreadable)]


def _unreadable_fields(tally: Tally) -> list[Trouble]:
    """A line for each field whose values stopped being what they were, by the name that the vendor's notes have."""
    found: list[Trouble] = []
    for signal, count in sorted(tally.writer.unreadable_fields().items()):
        name = tally.source.fields.get(signal, signal)
        message = f"`{name}` unreadable in {count} of {tally.writer.devices} devices"
        found.append(
            Trouble("unreadable_field", message if name == signal else f"{message} ({signal})", count)
        )
    return found


_JUDGED_WITHOUT_BACKUPS = {
    "the system": ("os_version",),
    "storage": ("available_bytes",),
    "silence": ("inventory_at", "checkin_at"),
    "restrictions": ("backup_restricted",),
}


def _silent_on_backups(tally: Tally) -> list[Trouble]:
    """A source that cannot report backups says so itself, and what it is still good for."""
    provides = tally.source.provides
    if not tally.writer.devices or {"last_cloud_backup_at", "backup_enabled"} & provides:
        return []
    judged = [what for what, signals in _JUDGED_WITHOUT_BACKUPS.items() if provides.intersection(signals)]
    message = (
        f"{tally.source.kind}, as it is set up, cannot report iCloud backups: devices that no other source reports "
        f"count as unknown; what is judged is {', '.join(judged) or 'nothing'}"
    )
    return [Trouble("backups_not_reported", message, tally.writer.devices)]


_FEW = 5
_SMALL_SHARE = 0.01


def _too_many_unreadable(tally: Tally) -> list[Trouble]:
    total = tally.writer.devices + tally.unreadable
    if tally.unreadable <= max(_FEW, total * _SMALL_SHARE):
        return []
    message = f"{tally.unreadable} of {total} records could not be read: too many to call the answer complete"
    return [Trouble("too_many_unreadable", message, tally.unreadable)]


def _miscounted(tally: Tally) -> list[Trouble]:
    got = tally.writer.devices + tally.unreadable
    if (
        tally.expected is None or got >= tally.expected
    ):  # more came where a device left in the middle of the walk
        return []
    message = f"the source says that it has {tally.expected} devices, and gave {got}"
    return [Trouble("count_mismatch", message, tally.expected - got)]


def _shrank(tally: Tally, night: Night) -> list[Trouble]:
    """The brake against a mass disappearance: fewer than half of last time is believed when said twice."""
    past = ledger.past_collections(night.database, tally.source.name)
    got = tally.writer.devices + tally.unreadable
    if not past.last_complete or got * 2 >= past.last_complete or past.shrank or night.accept_mass_change:
        return []
    message = (
        f"only {got} devices after {past.last_complete} last time; nothing is concluded from that until a second "
        "run says the same, or `--accept-mass-change` is given"
    )
    return [Trouble(ledger.SHRANK, message, past.last_complete - got)]
