"""What reports show of a device's past: looked up for many devices at once, and only where it tells something."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from fleet.model.device_report import Observation
from fleet.model.finding import Status

if TYPE_CHECKING:
    from collections.abc import Callable

    from fleet.model.device_report import DeviceReport
    from fleet.store.history import Sighted
    from fleet.store.readings import Readings

NIGHTS = 10
_TOGETHER = 500


class Recall:
    """Hands reports on in the order in which they come; those at risk go with their history.

    Args:
        readings: None where nobody wants the past.
    """

    def __init__(self, readings: Readings | None, hand_on: Callable[[DeviceReport], None]) -> None:
        self._readings = readings
        self._hand_on = hand_on
        self._held: list[tuple[DeviceReport, int | None]] = []

    def take(self, report: DeviceReport, sighted: Sighted) -> None:
        """Take one device's report; it is handed on with the next few hundred, or by `flush`."""
        record = _freshest(report, sighted) if report.status is Status.AT_RISK else None
        self._held.append((report, record))
        if len(self._held) >= _TOGETHER:
            self.flush()

    def flush(self) -> None:
        """Hand on what is held."""
        held, self._held = self._held, []
        wanted = [record for _, record in held if record is not None]
        past = self._readings.glance(wanted, at_most=NIGHTS) if wanted and self._readings else {}
        for report, record in held:
            states = past.get(record, ()) if record is not None else ()
            seen = tuple(
                Observation(one.collected_at, one.available_bytes, one.last_backup) for one in states
            )
            self._hand_on(replace(report, history=seen) if seen else report)


def _freshest(report: DeviceReport, sighted: Sighted) -> int | None:
    """The record that the device's own facts are mostly from: several records' pasts would only zigzag."""
    pairs = zip(sighted.record_ids, sighted.sightings, strict=True)
    return next((number for number, one in pairs if one is report.device.sightings[0]), None)
