"""The contract of every report format.

A format is pushed one device at a time, so that one pass over the fleet writes every file and no fleet is held in
memory. Device rows arrive before the totals are known; what has to stand above them goes to a spool first.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from fleet.model.brand import Brand

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from pathlib import Path

    from fleet.model.device_report import DeviceReport
    from fleet.model.finding import Basis
    from fleet.model.run import RunReport


@dataclass(frozen=True, slots=True)
class Written:
    """A file that a writer has finished.

    Attributes:
        name: its name within the run's directory; a folder of its own is part of it, with a slash.
        rows: findings, devices or samples in it, as fits the format.
    """

    name: str
    rows: int


class Writer(Protocol):
    """One format at work on one run."""

    def device(self, report: DeviceReport) -> None:
        """Take one device; devices come in the order of their keys."""
        ...

    def finish(self, run: RunReport) -> list[Written]:
        """Complete the files, now that the run's totals are known."""
        ...


def _nothing() -> None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """One kind of report.

    Attributes:
        name: the word in `[report] formats`.
        files: the names it writes.
        open: starts a writer into an existing directory; the second argument is the guide and the rest of what
            does not change during the run.
        lacks: what to type to install what it cannot do without; None where nothing is missing.
    """

    name: str
    files: tuple[str, ...]
    open: Callable[[Path, ReportContext], Writer]
    lacks: Callable[[], str | None] = _nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckText:
    """What a reader is told about a check; reports are strangers to the checks themselves.

    Attributes:
        id: the check's id, as findings name it.
        rule: one sentence that says when it is found and how bad, with its thresholds filled in.
        clears: one sentence that says what would end it; empty where that is not known.
    """

    id: str
    title: str
    rule: str
    basis: Basis
    clears: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportContext:
    """What writers may want to know before the first device.

    Attributes:
        as_of: the clock of the run's judgement.
        base_url: `[report] base_url`, with a slash at its end, or empty: what `report_url` starts with.
        checks: the catalogue by id, in its own order; a check that is not in it goes by its id.
        brand: whose report it is.
    """

    as_of: datetime
    base_url: str = ""
    checks: Mapping[str, CheckText] = field(default_factory=dict[str, CheckText])
    brand: Brand = field(default_factory=Brand)
