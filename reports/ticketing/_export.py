"""The export at work: it hears a judging pass and writes each device's rows at once: no fleet is held in memory."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reports._csv import kept_as_text
from reports.ticketing._grouping import Grouping
from reports.ticketing._night import Night, of_incident
from reports.ticketing._profile import Asset, AssetProfile, TicketProfile
from reports.ticketing._rows import ROWS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from pathlib import Path

    from fleet.model.device_report import DeviceReport
    from fleet.model.finding import Action
    from fleet.model.run import RunReport
    from reports.ticketing._file import Sink
    from reports.ticketing._profile import Column, R
    from reports.ticketing._ticket import Ticket


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """What was written.

    Attributes:
        files: where it is; none for standard output.
        left_out: devices that could not be rows, by the reason.
    """

    files: list[Path]
    rows: int
    left_out: Mapping[str, int]


class _Lines:
    """Spells rows into a sink."""

    def __init__(self, sink: Sink, *, spreadsheet: bool) -> None:
        self._sink = sink
        self._spreadsheet = spreadsheet
        self.rows = 0

    def add(self, columns: Iterable[Column[R]], row: R) -> None:
        """Write one row."""
        self._sink.add([self._cell(column, row) for column in columns])
        self.rows += 1

    def _cell(self, column: Column[R], row: R) -> str:
        value = column.value(row)
        if value is None or value == "":
            return ""
        cell = column.kind.spell(value)
        return kept_as_text(cell) if self._spreadsheet and column.kind.text else cell


class TicketExport:
    """Rows are tickets; those whose action nobody asked for are left out."""

    def __init__(
        self,
        profile: TicketProfile,
        sink: Sink,
        night: Night,
        *,
        grouping: Grouping = Grouping.FINDING,
        only: Collection[Action] | None = None,
        spreadsheet: bool = False,
    ) -> None:
        self._profile = profile
        self._sink = sink
        self._night = night
        self._lines = _Lines(sink, spreadsheet=spreadsheet)
        self._wanted = frozenset(profile.takes if only is None else only)
        self._tickets = ROWS[grouping](night, self._wanted)

    def device(self, report: DeviceReport) -> None:
        """Take one device."""
        if report.findings:
            self._write(self._tickets.of_device(report))

    def again(self) -> None:
        """Never asked: a past run is judged once."""
        raise NotImplementedError

    def finish(self, run: RunReport) -> Exported:
        """Write what had to wait for the last device, and the tickets of the whole fleet."""
        self._write(self._tickets.at_end())
        self._write(
            of_incident(self._night, incident)
            for incident in run.incidents
            if incident.finding.action in self._wanted
        )
        return Exported(files=self._sink.close(), rows=self._lines.rows, left_out={})

    def _write(self, tickets: Iterable[Ticket]) -> None:
        for ticket in tickets:
            self._lines.add(self._profile.columns, ticket)


class AssetExport:
    """Rows are devices."""

    def __init__(self, profile: AssetProfile, sink: Sink, night: Night, *, spreadsheet: bool = False) -> None:
        self._profile = profile
        self._sink = sink
        self._night = night
        self._lines = _Lines(sink, spreadsheet=spreadsheet)
        self._left_out: Counter[str] = Counter()

    def device(self, report: DeviceReport) -> None:
        """Take one device."""
        lacks = self._profile.lacks(report)
        if lacks:
            self._left_out[lacks] += 1
            return
        asset = Asset(report=report, run=self._night.run, base_url=self._night.base_url)
        self._lines.add(self._profile.columns, asset)

    def again(self) -> None:
        """Never asked: a past run is judged once."""
        raise NotImplementedError

    def finish(self, _run: RunReport) -> Exported:
        """Complete the file."""
        return Exported(files=self._sink.close(), rows=self._lines.rows, left_out=self._left_out)
