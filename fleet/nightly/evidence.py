"""Whether tonight's facts may open a finding, and whether they may close one: who said so, and how whole that was."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fleet.model.device import Standing
from fleet.model.fact import Gap
from fleet.model.run import Outcome

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from fleet.model.device import Device, Sighting
    from fleet.model.finding import Problem
    from fleet.model.memory import Memory

APPLICABLE = frozenset({"platform", "shared_ipad", "enrollment", "managed"})
"""What says that a device is not ours to judge."""


def may_open(device: Device, problem: Problem) -> bool:
    """A source whose facts carry the problem read the device tonight."""
    return any(
        sighting.source in problem.sources and sighting.standing is Standing.READ
        for sighting in device.sightings
    )


def may_close(
    device: Device, memory: Memory, outcomes: Mapping[str, Outcome], signals: Collection[str]
) -> bool:
    """True if a finding that is clear tonight may end: the facts that clear it are of tonight, whole and fresh enough.

    Everyone who speaks for it read the device in a complete collection, and heard from it no earlier than it was found
    ill. Everyone who spoke against it has a complete collection, with the device in it or not: withdrawn, not missing.

    Args:
        outcomes: how whole each source's collection is.
        signals: those that the checks read which held.
    """
    witnesses = _witnesses(device, signals)
    if not all(
        sighting.standing is Standing.READ and sighting.observed_at >= memory.observed_at
        for sighting in witnesses
    ):
        return False
    standings = {sighting.source: sighting.standing for sighting in (*device.superseded, *device.sightings)}
    involved = (set(memory.sources) & outcomes.keys()) | {sighting.source for sighting in witnesses}
    return all(
        outcomes[name] is Outcome.COMPLETE and standings.get(name) is not Standing.UNREAD for name in involved
    )


def _witnesses(device: Device, signals: Collection[str]) -> list[Sighting]:
    """The sightings whose facts clear it, and the freshest one in any case."""
    freshest = device.sightings[0]
    if len(device.sightings) == 1:
        return [freshest]
    known = [signal for signal in sorted(signals) if not isinstance(getattr(device, signal), Gap)]
    by_source = {one.source: one for one in (freshest, *map(device.sighting_of, known))}
    return list(by_source.values())
