"""What a notification says, before any channel words it: counts of what moved, the worst of it, and where to look.

Names of devices are other people's text. They are cut, freed of everything invisible, and no address in one stays
whole; each channel then puts them only where nothing is read as markup.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reports._plain import zulu

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime
    from pathlib import Path

    from fleet.model.finding import Severity

LONGEST_NAME = 80
LONGEST_SENTENCE = 240


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One finding that began, came back or got worse.

    Attributes:
        change: `new`, `reopened` or `worse`.
        key: its external id.
        title: the check's title.
        where: what tells the device from others: name, serial, site, as far as known; empty for a fleet-wide one.
        url: its place in the report, where that has an address.
    """

    change: str
    key: str
    check: str
    severity: Severity
    title: str
    summary: str
    where: tuple[str, ...]
    url: str | None = None

    @property
    def line(self) -> str:
        """Severity, title and device on one line."""
        return " · ".join((str(self.severity), self.title, *self.where))


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceNews:
    """A source that was not read as a whole.

    Attributes:
        why: its first problem, in a sentence; empty if it has none.
    """

    name: str
    outcome: str
    why: str

    @property
    def line(self) -> str:
        """Name, outcome and why on one line."""
        return f"{self.name}: {self.outcome}. {self.why}".removesuffix(". ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One notification.

    Attributes:
        id: the same for every try of the same message.
        title: the report's.
        headline: `3 new, 9 fixed, 1 source incomplete`.
        about: the clock of the run; None for a message that is about no run.
        ok: False where no source could be read, or the run broke.
        counts: what moved, by `new`, `reopened`, `worse`, `fixed`, `closed`.
        entries: the worst of what began, came back or got worse; `omitted` counts the others.
        incomplete: sources that were not read as a whole.
        remarks: sentences that matter tonight.
        fleet: how many devices are in which state, in a sentence.
        report_url: the report's address, where it has one.
        report: its file, for channels that can attach one.
    """

    id: str
    title: str
    headline: str
    about: datetime | None = None
    run_id: int | None = None
    ok: bool = True
    hold: bool = False
    counts: Mapping[str, int]
    entries: tuple[Entry, ...] = ()
    omitted: int = 0
    incomplete: tuple[SourceNews, ...] = ()
    remarks: tuple[str, ...] = ()
    fleet: str = ""
    report_url: str | None = None
    report: Path | None = None

    @property
    def subject(self) -> str:
        """Title and headline on one line; holds no device's name."""
        return plain(f"{self.title}: {self.headline}", 180)

    @property
    def night(self) -> str:
        """The run's clock for people."""
        return zulu(self.about).replace("T", " ").removesuffix("Z") + " UTC" if self.about else ""

    @property
    def more(self) -> str:
        """How many findings are not listed; empty if all are."""
        return f"and {self.omitted:,} more" if self.omitted else ""


def told(message: Message) -> Iterator[str]:
    """The message as plain text, line by line."""
    yield message.headline
    yield from message.remarks
    if message.entries:
        yield ""
        for entry in message.entries:
            yield f"- {entry.change}: {entry.line}"
            yield f"  {entry.summary}"
            if entry.url:
                yield f"  {entry.url}"
        if message.more:
            yield f"… {message.more}"
    if message.incomplete:
        yield ""
        yield from (f"- {source.line}" for source in message.incomplete)
    yield ""
    if message.fleet:
        yield message.fleet
    if message.report_url:
        yield f"Report: {message.report_url}"


def plain(text: str, longest: int = LONGEST_NAME) -> str:
    """`text` on one short line, without control, format and private characters, and without a whole address."""
    visible = "".join(char if _is_seen(char) else " " for char in text)
    line = " ".join(visible.split()).replace("://", ": //")
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


def _is_seen(char: str) -> bool:
    return unicodedata.category(char) not in {"Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp"}
