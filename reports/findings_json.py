"""`findings.json`: the whole run for other programs, schema `fleetkeep.report/1`; no white space between tokens."""

from __future__ import annotations

import shutil
import tempfile
from typing import TYPE_CHECKING

from reports._format import Format, ReportContext, Written
from reports._plain import zulu
from reports.directory import writing
from reports.json_objects import Object, device_object, encode, encode_once, totals_object

if TYPE_CHECKING:
    from pathlib import Path

    from fleet.model.device_report import DeviceReport
    from fleet.model.run import Incident, Increment, RunReport, SourceReport


class FindingsJson:
    """The file at work: devices wait in a spool, because the totals stand before them."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / "findings.json"
        self._devices = 0
        with writing(self._path):
            self._spool = tempfile.TemporaryFile(dir=directory)  # noqa: SIM115 - closed at the end

    def device(self, report: DeviceReport) -> None:
        """Take one device."""
        with writing(self._path):
            if self._devices:
                self._spool.write(b",")
            self._spool.write(encode(device_object(report)))
        self._devices += 1

    def finish(self, run: RunReport) -> list[Written]:
        """Write the head, now that it is known, and the devices behind it."""
        with writing(self._path), self._spool as spool, self._path.open("wb") as file:
            file.write(encode_once(_head(run)).removesuffix(b"}") + b',"devices":[')
            spool.seek(0)
            shutil.copyfileobj(spool, file)
            file.write(b"]}")
        return [Written(self._path.name, self._devices)]


def _head(run: RunReport) -> Object:
    return {
        "schema": "fleetkeep.report/1",
        "generated_at": run.generated_at,
        "as_of": run.as_of,
        "run": _run(run),
        "sources": [_source(source) for source in run.sources],
        "totals": totals_object(
            devices=run.totals.devices,
            statuses=run.totals.statuses,
            waived=run.totals.waived,
            findings=run.totals.findings,
        ),
        "incidents": [_incident(one) for one in run.incidents if one.finding.state.standing],
    }


def _run(run: RunReport) -> Object:
    return {
        "id": run.id,
        "started_at": run.started_at,
        "finished_at": run.finished_at,
        "outcome": run.outcome,
        "version": run.version,
        "policy_hash": run.policy_hash,
        "catalog_date": run.catalog_date,
        "hold": run.hold,
    }


def _source(source: SourceReport) -> Object:
    return {
        "name": source.name,
        "kind": source.kind,
        "outcome": source.outcome,
        "devices": source.devices,
        "expected": source.expected,
        "unreadable": source.unreadable,
        "signals": {"reported": source.reported, "never": source.never},
        "problems": [
            {"code": problem.code, "message": problem.message, "count": problem.count}
            for problem in source.problems
        ],
        **_increment(source.increment),
    }


def _increment(increment: Increment | None) -> Object:
    if increment is None:
        return {}
    told = {"since": zulu(increment.since), "read": increment.read, "full_at": zulu(increment.full_at)}
    return {"incremental": told}


def _incident(incident: Incident) -> Object:
    return {
        "check": incident.check,
        "severity": incident.severity,
        "summary": incident.summary,
        "devices": incident.devices,
        "since": incident.since,
    }


def _open(directory: Path, _context: ReportContext) -> FindingsJson:
    return FindingsJson(directory)


FORMAT = Format(name="json", files=("findings.json",), open=_open)
