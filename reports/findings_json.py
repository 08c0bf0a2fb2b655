"""`findings.json`: the whole run for other programs, schema `fleetkeep.report/1`.

There is no white space between tokens. What is unknown is null at the head of a device and stands with its
reason under `unknown`; a backup that was never made is `"never"`; times are ISO 8601 in UTC. Whose a device
is stands at its head alone, and is not said again among its signals.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from datetime import datetime
from operator import attrgetter
from typing import TYPE_CHECKING, TypeAlias

import orjson

from fleet.model.device import SIGNALS, Device, facts_of
from fleet.model.fact import Gap, Never, Reason
from fleet.model.finding import Finding, Severity, Status
from reports._format import Format, ReportContext, Written
from reports._plain import known, model_of, sources_of, zulu
from reports.directory import writing

if TYPE_CHECKING:
    from pathlib import Path

    from fleet.model.device_report import DeviceReport
    from fleet.model.run import Incident, Increment, RunReport, SourceReport, Totals

Object: TypeAlias = dict[str, object]
_AT_THE_HEAD = frozenset({"serial", "name", "model_name", "user_email", "site", "groups"})
# With one source there is no doubt about who said these: not to repeat them saves a tenth of the file. The system's
# version is judged, so its age has to stand by it.
_NOT_AT_THE_HEAD = tuple(signal for signal in SIGNALS if signal not in _AT_THE_HEAD)
_others_of = attrgetter(*_NOT_AT_THE_HEAD)


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
            file.write(_encode(_head(run)).removesuffix(b"}") + b',"devices":[')
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
        "totals": _totals(run.totals),
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


def _totals(totals: Totals) -> Object:
    statuses = {status.value: totals.statuses.get(status, 0) for status in Status}
    findings = {severity.value: totals.findings.get(severity, 0) for severity in Severity}
    return {"devices": totals.devices, **statuses, "waived": totals.waived, "findings": findings}


def _incident(incident: Incident) -> Object:
    return {
        "check": incident.check,
        "severity": incident.severity,
        "summary": incident.summary,
        "devices": incident.devices,
        "since": incident.since,
    }


def device_object(report: DeviceReport) -> Object:
    """One device as the file holds it."""
    device = report.device
    return {
        "key": device.key,
        "serial": known(device.serial),
        "name": known(device.name),
        "model": model_of(device),
        "os_version": known(device.os_version),
        "user_email": known(device.user_email),
        "site": known(device.site),
        "groups": known(device.groups) or [],
        "sources": sources_of(device),
        "status": report.status,
        "reason": report.reason,
        "cause": report.cause,
        "severity": report.severity,
        "signals": _signals(device),
        "unknown": _unknown(device),
        "findings": [finding_object(finding) for finding in report.findings],
        "plan": [{"fix": step.fix, "audience": step.audience, "why": step.why} for step in report.plan],
    }


def _signals(device: Device) -> Object:
    """The known signals under the source that won them, so that an observation time stands once."""
    if len(device.sightings) == 1:
        (sighting,) = device.sightings
        known = {
            signal: value
            for signal, value in zip(_NOT_AT_THE_HEAD, _others_of(device), strict=True)
            if type(value) is not Gap
        }
        return {sighting.source: {"observed_at": sighting.observed_at, "values": known}} if known else {}
    won: dict[str, tuple[datetime, Object]] = {}
    for signal, value in zip(SIGNALS, facts_of(device), strict=True):
        if not isinstance(value, Gap):
            sighting = device.sighting_of(signal)
            _, values = won.setdefault(sighting.source, (sighting.observed_at, {}))
            values[signal] = value
    return {source: {"observed_at": moment, "values": values} for source, (moment, values) in won.items()}


def _unknown(device: Device) -> Object:
    """The signals without a value, with the reason, save those that no source of the device ever reports."""
    return {
        signal: fact.reason
        for signal, fact in zip(SIGNALS, facts_of(device), strict=True)
        if type(fact) is Gap and fact.reason is not Reason.NOT_REPORTED
    }


def finding_object(finding: Finding) -> Object:
    """One finding as the file holds it."""
    return {
        "key": finding.external_id,
        "problem": finding.problem,
        "check": finding.check,
        "basis": finding.basis,
        "severity": finding.severity,
        "state": finding.state,
        "action": finding.action,
        "first_seen": finding.first_seen,
        "last_seen": finding.last_seen,
        "summary": finding.summary,
        # Sorted, because a database need not give keys back in their order.
        "evidence": dict(sorted(finding.evidence.items())),
        "fixes": finding.fixes,
        **({"reason": finding.reason} if finding.reason else {}),
    }


def encode(value: Object) -> bytes:
    """One of very many. A lone surrogate that came through all cleaning costs its character, not the report."""
    try:
        # What the store hands out is in UTC.
        return orjson.dumps(value, option=orjson.OPT_UTC_Z | orjson.OPT_OMIT_MICROSECONDS)
    except orjson.JSONEncodeError:
        return _encode(value)


def _encode(value: Object) -> bytes:
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_spell)
    return text.encode(errors="replace")


def _spell(value: object) -> str:
    match value:
        case datetime():
            return zulu(value)
        case Never():
            return value.value
        case _:
            raise TypeError(f"a report has no word for a {type(value).__name__}")


def _open(directory: Path, _context: ReportContext) -> FindingsJson:
    return FindingsJson(directory)


FORMAT = Format(name="json", files=("findings.json",), open=_open)
