"""`devices.ndjson` and `findings.ndjson`: one JSON object a line, for log shippers, warehouses and `jq`.

Each line stands for itself: it names its schema (`fleetkeep.device/1`, `fleetkeep.finding/1`) and the run's clock, and
then holds what `findings.json` holds of that device, or of that finding together with whose it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fleet.model.fact import known
from reports._format import Format, ReportContext, Written
from reports.directory import writing
from reports.json_objects import Object, device_object, encode, finding_object

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from fleet.model.device import Device
    from fleet.model.device_report import DeviceReport
    from fleet.model.finding import Finding
    from fleet.model.run import RunReport

DEVICE_SCHEMA = "fleetkeep.device/1"
FINDING_SCHEMA = "fleetkeep.finding/1"


class Lines:
    """Both files at work."""

    def __init__(self, directory: Path, as_of: datetime) -> None:
        self._devices = _File(directory / "devices.ndjson", DEVICE_SCHEMA, as_of)
        self._findings = _File(directory / "findings.ndjson", FINDING_SCHEMA, as_of)

    def device(self, report: DeviceReport) -> None:
        """Take one device and its findings."""
        self._devices.add(device_object(report))
        for finding in report.findings:
            self._findings.add(_finding(finding, report.device))

    def finish(self, run: RunReport) -> list[Written]:
        """Complete both; fleet-wide findings follow those of the devices."""
        for incident in run.incidents:
            self._findings.add(_finding(incident.finding, None))
        return [self._devices.close(), self._findings.close()]


class _File:
    """One file of lines that all begin alike."""

    def __init__(self, path: Path, schema: str, as_of: datetime) -> None:
        self._path = path
        self._begin = encode({"schema": schema, "as_of": as_of}).removesuffix(b"}") + b","
        self._lines = 0
        with writing(path):
            self._file = path.open("wb")

    def add(self, value: Object) -> None:
        with writing(self._path):
            self._file.write(self._begin + encode(value).removeprefix(b"{") + b"\n")
        self._lines += 1

    def close(self) -> Written:
        with writing(self._path):
            self._file.close()
        return Written(self._path.name, self._lines)


def _finding(finding: Finding, device: Device | None) -> Object:
    return {
        "device": device.key if device else None,
        "serial": known(device.serial) if device else None,
        "name": known(device.name) if device else None,
        "user_email": known(device.user_email) if device else None,
        "site": known(device.site) if device else None,
        "sources": finding.sources,
        "observed_at": finding.observed_at,
        "opened_at": finding.opened_at,
        "waiver_until": finding.waiver_until,
        **finding_object(finding),
    }


def _open(directory: Path, context: ReportContext) -> Lines:
    return Lines(directory, context.as_of)


FORMAT = Format(name="ndjson", files=("devices.ndjson", "findings.ndjson"), open=_open)
