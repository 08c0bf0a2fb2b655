"""`devices.parquet`, `findings.parquet` and `readings.parquet`: the night for a warehouse, with its types right.

Times are timestamps in UTC, lists are lists, what is not known is null; the reasons of gaps stand in a map. A backup
that was never made has no date and `last_cloud_backup_never` true. Every row begins with the run's clock, so the files
of many nights are one table. `readings` has a row for each source's record of a device: what a source said, and when
the device had told it.

Needs pyarrow, the extra `fleetkeep[parquet]`; it is loaded when a file is written and not before.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, TypeAlias, TypeGuard

from fleet.model.device import (
    FLAG_SIGNALS,
    LIST_SIGNALS,
    NUMBER_SIGNALS,
    SIGNALS,
    TIME_SIGNALS,
    Device,
    Sighting,
    Signals,
    facts_of,
)
from fleet.model.fact import Gap, Never, Reason
from reports._format import Format, ReportContext, Written
from reports._plain import sources_of
from reports.directory import writing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from fleet.model.device_report import DeviceReport
    from fleet.model.finding import Finding
    from fleet.model.run import RunReport

ROWS_IN_A_GROUP = 5_000
Row: TypeAlias = "Sequence[object]"

_SIGNAL_KINDS = (
    dict.fromkeys(SIGNALS, "text")
    | dict.fromkeys(FLAG_SIGNALS, "flag")
    | dict.fromkeys(NUMBER_SIGNALS, "number")
    | dict.fromkeys(TIME_SIGNALS, "time")
    | dict.fromkeys(LIST_SIGNALS, "texts")
)
DEVICES = {
    "as_of": "time",
    "key": "text",
    "status": "text",
    "reason": "text",
    "severity": "text",
    "cause": "text",
    **_SIGNAL_KINDS,
    "last_cloud_backup_never": "flag",
    "observed_at": "time",
    "sources": "texts",
    "unknown": "reasons",
    "findings": "texts",
    "plan": "texts",
}
FINDINGS = {
    "as_of": "time",
    "external_id": "text",
    "device": "text",
    "serial": "text",
    "problem": "text",
    "check": "text",
    "basis": "text",
    "severity": "text",
    "state": "text",
    "action": "text",
    "reason": "text",
    "first_seen": "time",
    "last_seen": "time",
    "opened_at": "time",
    "days_open": "number",
    "observed_at": "time",
    "waiver_until": "time",
    "summary": "text",
    "evidence": "text",
    "fixes": "texts",
    "sources": "texts",
}
READINGS = {
    "as_of": "time",
    "device": "text",
    "source": "text",
    "native_id": "text",
    "observed_at": "time",
    "last_seen_at": "time",
    "standing": "text",
    "os_version": "text",
    "capacity_bytes": "number",
    "available_bytes": "number",
    "battery_percent": "number",
    "backup_enabled": "flag",
    "last_cloud_backup_at": "time",
    "last_local_backup_at": "time",
    "last_cloud_backup_never": "flag",
}
_OF_A_READING = (
    *("os_version", "capacity_bytes", "available_bytes", "battery_percent", "backup_enabled"),
    *("last_cloud_backup_at", "last_local_backup_at"),
)


class Parquet:
    """The three files at work; each holds one row group of rows at most."""

    def __init__(self, directory: Path, as_of: datetime) -> None:
        self._as_of = as_of
        self._devices = _File(directory / "devices.parquet", DEVICES)
        self._findings = _File(directory / "findings.parquet", FINDINGS)
        self._readings = _File(directory / "readings.parquet", READINGS)

    def device(self, report: DeviceReport) -> None:
        """Take one device, its findings, and what each source said of it."""
        self._devices.add(_device_row(report, self._as_of))
        for finding in report.findings:
            self._findings.add(_finding_row(finding, report.device, self._as_of))
        for sighting in report.device.sightings:
            self._readings.add(_reading_row(sighting, report.device.key, self._as_of))

    def finish(self, run: RunReport) -> list[Written]:
        """Complete the files; fleet-wide findings follow those of the devices."""
        for incident in run.incidents:
            self._findings.add(_finding_row(incident.finding, None, self._as_of))
        return [file.close() for file in (self._devices, self._findings, self._readings)]


@dataclass(slots=True)
class _File:
    """One file: rows wait by column until they are a group."""

    path: Path
    kinds: Mapping[str, str]
    _rows: int = 0
    _columns: list[list[object]] = field(default_factory=list[list[object]])
    _arrow: Any = None
    _schema: Any = None
    _writer: Any = None

    def __post_init__(self) -> None:
        self._arrow, parquet = import_module("pyarrow"), import_module("pyarrow.parquet")
        types = _types(self._arrow)
        self._schema = self._arrow.schema([(name, types[kind]) for name, kind in self.kinds.items()])
        self._columns = [[] for _ in self.kinds]
        with writing(self.path):
            self._writer = parquet.ParquetWriter(self.path, self._schema, compression="zstd")

    def add(self, row: Row) -> None:
        for column, value in zip(self._columns, row, strict=True):
            column.append(value)
        self._rows += 1
        if self._rows % ROWS_IN_A_GROUP == 0:
            self._flush()

    def close(self) -> Written:
        self._flush()
        with writing(self.path):
            self._writer.close()
        return Written(self.path.name, self._rows)

    def _flush(self) -> None:
        if self._columns[0]:
            named = dict(zip(self.kinds, self._columns, strict=True))
            table = self._arrow.Table.from_pydict(named, schema=self._schema)
            with writing(self.path):
                self._writer.write_table(table)
            self._columns = [[] for _ in self.kinds]


def _types(arrow: Any) -> dict[str, Any]:  # noqa: ANN401 - pyarrow tells no types
    text = arrow.string()
    return {
        "text": text,
        "texts": arrow.list_(text),
        "flag": arrow.bool_(),
        "number": arrow.int64(),
        "time": arrow.timestamp("us", tz="UTC"),
        "reasons": arrow.map_(text, text),
    }


def _device_row(report: DeviceReport, as_of: datetime) -> Row:
    device = report.device
    facts = facts_of(device)
    return (
        as_of,
        device.key,
        report.status,
        report.reason,
        report.severity,
        report.cause,
        *map(_value, facts),
        _never(device),
        device.observed_at,
        sources_of(device),
        [(signal, gap.reason) for signal, gap in zip(SIGNALS, facts, strict=True) if _is_said(gap)],
        [finding.check for finding in report.findings if finding.state.standing],
        [step.fix for step in report.plan],
    )


def _finding_row(finding: Finding, device: Device | None, as_of: datetime) -> Row:
    return (
        as_of,
        finding.external_id,
        device.key if device else None,
        _value(device.serial) if device else None,
        finding.problem,
        finding.check,
        finding.basis,
        finding.severity,
        finding.state,
        finding.action,
        finding.reason,
        finding.first_seen,
        finding.last_seen,
        finding.opened_at,
        max((as_of - finding.opened_at).days, 0),
        finding.observed_at,
        finding.waiver_until,
        finding.summary,
        json.dumps(dict(sorted(finding.evidence.items())), ensure_ascii=False),
        finding.fixes,
        finding.sources,
    )


def _reading_row(sighting: Sighting, key: str, as_of: datetime) -> Row:
    record = sighting.record
    return (
        as_of,
        key,
        sighting.source,
        record.native_id,
        sighting.observed_at,
        sighting.last_seen_at,
        sighting.standing,
        *(_value(getattr(record, signal)) for signal in _OF_A_READING),
        _never(record),
    )


def _value(fact: object) -> object:
    """What a cell holds of a fact: a gap is null, and so is the date of a backup that was never made."""
    if isinstance(fact, (Gap, Never)):
        return None
    return _whole(fact) if isinstance(fact, str) else fact


def _whole(text: str) -> str:
    """A lone surrogate that came through all cleaning costs its character, not the file."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def _never(signals: Signals) -> bool | None:
    fact = signals.last_cloud_backup_at
    return None if isinstance(fact, Gap) else isinstance(fact, Never)


def _is_said(fact: object) -> TypeGuard[Gap]:
    """Whether it is a gap that a source of the device could have filled."""
    return isinstance(fact, Gap) and fact.reason is not Reason.NOT_REPORTED


def _lacks() -> str | None:
    return None if find_spec("pyarrow") else 'pip install "fleetkeep[parquet]"'


def _open(directory: Path, context: ReportContext) -> Parquet:
    return Parquet(directory, context.as_of)


FORMAT = Format(
    name="parquet",
    files=("devices.parquet", "findings.parquet", "readings.parquet"),
    open=_open,
    lacks=_lacks,
)
