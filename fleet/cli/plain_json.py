"""Devices and past nights as JSON for other programs: one object, the same words as in `findings.json`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fleet.merge import conflicts
from fleet.model.device import SIGNALS
from fleet.model.fact import Gap
from fleet.nightly import timeline
from reports.json_objects import Object, device_head, device_object, encode, totals_object

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from fleet.model.device import DeviceRecord, Sighting
    from fleet.model.device_report import Cause
    from fleet.model.memory import Memory
    from fleet.nightly.bench import Judgement
    from fleet.nightly.past import AtRisk, Fleet, Seen


def device(seen: Seen, judgement: Judgement) -> str:
    """The device as in `findings.json`, with all that each source says, and where they disagree."""
    said = conflicts(seen.device)
    return _text(
        {
            "schema": "fleetkeep.device/1",
            **_run(judgement),
            "device": device_object(seen.report) if seen.report else device_head(seen.device),
            "causes": [_cause(one) for one in seen.report.causes] if seen.report else [],
            "ruled_out": {one.cause: one.because for one in seen.report.ruled_out} if seen.report else {},
            "sightings": [
                *(_sighting(one, superseded=False) for one in seen.device.sightings),
                *(_sighting(one, superseded=True) for one in seen.device.superseded),
            ],
            "conflicts": {
                signal: [
                    {"source": one.source, "observed_at": one.observed_at, "value": value}
                    for one, value in each
                ]
                for signal, each in said.items()
            },
        }
    )


def life(seen: Seen, judgement: Judgement, kept_since: datetime | None) -> str:
    """What each night knew of the device: all readings, changes, listings, and the life of its findings.

    Args:
        kept_since: the first night that was not pruned; None where none was.
    """
    return _text(
        {
            "schema": "fleetkeep.device-history/1",
            **_run(judgement),
            "kept_since": kept_since,
            "device": device_head(seen.device),
            "listings": [
                {
                    "at": one.at,
                    "source": one.source,
                    "what": one.what,
                    **({"key": one.key} if one.key else {}),
                }
                for one in timeline.listings(seen.life)
            ],
            "changes": [
                {
                    "at": one.at,
                    "source": one.source,
                    "signal": one.signal,
                    "from": _fact(one.before),
                    "to": _fact(one.after),
                }
                for one in timeline.changes(seen.life)
            ],
            "findings": [
                {"at": one.at, "run": one.run_id, **_finding(one.finding)}
                for one in timeline.turns(seen.life)
            ],
            "nights": [
                {
                    "at": night.at,
                    "source": night.source,
                    "record": night.record_id,
                    "observed_at": night.record.observed_at(night.at),
                    "values": _values(night.record, timeline.READ_NIGHTLY),
                }
                for night in seen.life.nights
            ],
        }
    )


def fleet(told: Fleet, on: str) -> Iterator[str]:
    """How the fleet stood, piece by piece: with 100,000 devices this is long."""
    head: Object = {
        "schema": "fleetkeep.history/1",
        "on": on,
        "run": told.run.id,
        "as_of": told.run.as_of,
        "outcome": told.run.outcome,
        "hold": told.run.hold,
        "pruned": told.at_risk is None,
        "totals": totals(told),
        "findings": told.counted
        and [
            {"check": check, "severity": severity, "count": count} for check, severity, count in told.counted
        ],
        "incidents": told.incidents
        and [
            {"check": one.check, "severity": one.severity, "summary": one.summary} for one in told.incidents
        ],
    }
    if told.at_risk is None:
        yield _text(head | {"at_risk": None})
        return
    yield _text(head).removesuffix("}") + ',"at_risk":['
    for place, one in enumerate(told.at_risk):
        yield ("," if place else "") + _text(_at_risk(one))
    yield "]}"


def totals(told: Fleet) -> Object:
    """The run's totals in the shape of `findings.json`."""
    kept = told.run.totals
    return totals_object(
        devices=kept["devices"],
        statuses=kept["statuses"],
        waived=kept["waived"],
        findings=kept["findings"],
    )


def _text(value: Object) -> str:
    return encode(value).decode()


def _run(judgement: Judgement) -> Object:
    return {"run": judgement.run_id, "as_of": judgement.as_of}


def _cause(cause: Cause) -> Object:
    return {
        "cause": cause.cause,
        "strength": cause.strength,
        "for": cause.evidence_for,
        "against": cause.evidence_against,
    }


def _sighting(sighting: Sighting, *, superseded: bool) -> Object:
    record = sighting.record
    return {
        "source": sighting.source,
        "observed_at": sighting.observed_at,
        "last_seen_at": sighting.last_seen_at,
        "standing": "superseded" if superseded else sighting.standing,
        "values": _values(record, SIGNALS),
        "unknown": {
            signal: fact.reason for signal in SIGNALS if isinstance(fact := getattr(record, signal), Gap)
        },
    }


def _values(record: DeviceRecord, signals: tuple[str, ...]) -> Object:
    return {signal: fact for signal in signals if not isinstance(fact := getattr(record, signal), Gap)}


def _fact(fact: object) -> Object:
    return {"unknown": fact.reason} if isinstance(fact, Gap) else {"value": fact}


def _finding(memory: Memory) -> Object:
    return {
        **_finding_head(memory),
        "condition": memory.condition,
        "ticket": memory.ticket,
        "reason": memory.reason,
        "waiver_until": memory.waiver_until,
        "summary": memory.summary,
    }


def _at_risk(one: AtRisk) -> Object:
    return {
        **device_head(one.device),
        "severity": one.findings[0].severity,
        "findings": [
            {
                **_finding_head(memory),
                "first_seen": memory.first_seen,
                "opened_at": memory.opened_at,
            }
            for memory in one.findings
        ],
    }


def _finding_head(memory: Memory) -> Object:
    return {
        "key": memory.external_id,
        "problem": memory.problem,
        "check": memory.check,
        "severity": memory.severity,
    }
