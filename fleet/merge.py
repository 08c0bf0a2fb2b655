"""Several sources' records of one device become one device: per signal the freshest known value.

Records of one source that share an identity are one device that was wiped and enrolled again: the newest enrolment
counts, older ones are superseded. A record that its source no longer lists counts only while nobody lists the device.
"""

from __future__ import annotations

from datetime import UTC, datetime
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from fleet.model.device import SIGNALS, Device, Sighting, Standing, facts_of
from fleet.model.fact import ABSENT, NOT_PERMITTED, NOT_REPORTED, UNREADABLE, Gap
from fleet.model.identity import identity

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_GAPS = {gap: rank for rank, gap in enumerate((UNREADABLE, ABSENT, NOT_PERMITTED, NOT_REPORTED))}
"""Of several sources' gaps the one that says most about what could be known."""
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


def merge(key: str, sightings: Sequence[Sighting]) -> Device:
    """One device from its sightings (at least one)."""
    counted, superseded = _newest_enrolments(_listed(sightings))
    if len(counted) == 1:
        facts: Iterable[Any] = facts_of(counted[0].record)
    else:
        counted.sort(key=_freshness, reverse=True)
        facts = [_freshest(counted, signal) for signal in SIGNALS]
    return Device(*facts, key=key, sightings=tuple(counted), superseded=tuple(superseded))


def conflicts(device: Device) -> dict[str, list[tuple[Sighting, Any]]]:
    """Signals on which known values disagree, each with every sighting that knows one, freshest first.

    When a source heard from the device, and since when it manages it, is its own business and no contradiction; nor
    is another spelling of the same.
    """
    if len(device.sightings) == 1:
        return {}
    found: dict[str, list[tuple[Sighting, Any]]] = {}
    told = [_shared_facts(sighting.record) for sighting in device.sightings]
    for signal, *values in zip(_SHARED, *told, strict=True):
        if values.count(values[0]) == len(values):  # mostly; a fleet may be known to two sources as a whole
            continue
        pairs = zip(device.sightings, values, strict=True)
        known = [(sighting, value) for sighting, value in pairs if not isinstance(value, Gap)]
        if len({_spelt(signal, value) for _, value in known}) > 1:
            found[signal] = known
    return found


_SHARED = tuple(signal for signal in SIGNALS if signal not in {"inventory_at", "checkin_at", "enrolled_at"})
_shared_facts = attrgetter(*_SHARED)


def _spelt(signal: str, value: object) -> object:
    if not isinstance(value, str):
        return value
    number = identity(value) if signal in {"serial", "udid"} else None
    return number or value.casefold()


def _listed(sightings: Iterable[Sighting]) -> list[Sighting]:
    every = list(sightings)
    listed = [sighting for sighting in every if sighting.standing is not Standing.ABSENT]
    return listed or every


def _newest_enrolments(sightings: list[Sighting]) -> tuple[list[Sighting], list[Sighting]]:
    if len(sightings) == 1:
        return sightings, []
    newest: dict[str, Sighting] = {}
    superseded: list[Sighting] = []
    for sighting in sorted(sightings, key=_enrolment, reverse=True):
        if sighting.source in newest:
            superseded.append(sighting)
        else:
            newest[sighting.source] = sighting
    return list(newest.values()), superseded


def _enrolment(sighting: Sighting) -> tuple[datetime, datetime, str]:
    enrolled = sighting.record.enrolled_at
    return (
        _LONG_AGO if isinstance(enrolled, Gap) else enrolled,
        sighting.observed_at,
        sighting.record.native_id,
    )


def _freshness(sighting: Sighting) -> tuple[datetime, str]:
    return sighting.observed_at, sighting.source


def _freshest(sightings: Sequence[Sighting], signal: str) -> Any:  # noqa: ANN401 - each signal has its own type
    values = [getattr(sighting.record, signal) for sighting in sightings]
    for value in values:
        if not isinstance(value, Gap):
            return value
    return min(values, key=_GAPS.__getitem__)
