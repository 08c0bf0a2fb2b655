"""What programs read: devices, findings and totals as JSON objects, spelled alike in every file and every answer.

What is unknown is null at the head of a device and stands with its reason under `unknown`; a backup that was never made
is `"never"`; times are ISO 8601 in UTC. Whose a device is stands at its head alone, and is not said again among its
signals.
"""

from __future__ import annotations

import json
from datetime import datetime
from operator import attrgetter
from typing import TYPE_CHECKING, TypeAlias

import orjson

from fleet.model.device import SIGNALS, Device, facts_of
from fleet.model.fact import Gap, Never, Reason, known
from fleet.model.finding import Finding, Severity, Status
from reports._plain import model_of, sources_of, zulu

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fleet.model.device_report import DeviceReport

Object: TypeAlias = dict[str, object]
_AT_THE_HEAD = frozenset({"serial", "name", "model_name", "user_email", "site", "groups"})
# With one source there is no doubt about who said these: not to repeat them saves a tenth of the file. The system's
# version is judged, so its age has to stand by it.
_NOT_AT_THE_HEAD = tuple(signal for signal in SIGNALS if signal not in _AT_THE_HEAD)
_others_of = attrgetter(*_NOT_AT_THE_HEAD)


def device_object(report: DeviceReport) -> Object:
    """One device as the file holds it."""
    device = report.device
    return {
        **device_head(device),
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


def device_head(device: Device) -> Object:
    """Which device it is, as each file and answer begins to say."""
    return {
        "key": device.key,
        "serial": known(device.serial),
        "name": known(device.name),
        "model": model_of(device),
        "os_version": known(device.os_version),
    }


def _signals(device: Device) -> Object:
    """The known signals under the source that won them, so that an observation time stands once."""
    if len(device.sightings) == 1:
        (sighting,) = device.sightings
        values = {
            signal: value
            for signal, value in zip(_NOT_AT_THE_HEAD, _others_of(device), strict=True)
            if type(value) is not Gap
        }
        return {sighting.source: {"observed_at": sighting.observed_at, "values": values}} if values else {}
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


def totals_object(
    *,
    devices: int,
    statuses: Mapping[Status, int] | Mapping[str, int],
    waived: int,
    findings: Mapping[Severity, int] | Mapping[str, int],
) -> Object:
    """A run's totals."""
    by_status = {status.value: statuses.get(status, 0) for status in Status}
    by_severity = {severity.value: findings.get(severity, 0) for severity in Severity}
    return {"devices": devices, **by_status, "waived": waived, "findings": by_severity}


def encode(value: Object) -> bytes:
    """One of very many. A lone surrogate that came through all cleaning costs its character, not the report."""
    try:
        # What the store hands out is in UTC.
        return orjson.dumps(value, option=orjson.OPT_UTC_Z | orjson.OPT_OMIT_MICROSECONDS)
    except orjson.JSONEncodeError:
        return encode_once(value)


def encode_once(value: Object) -> bytes:
    """One of few: its times may be of any zone."""
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
