"""The findings as columns, and the values of their evidence in a table with a column for each name."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING

from fleet.model.device import SIGNALS
from fleet.model.fingerprint import fingerprint
from reports.html.columns import Joint, Phrases, Prints, Text, plain
from reports.html.moments import distance, minutes
from reports.html.numbers import Numbers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fleet.model.device import Device
    from fleet.model.device_report import DeviceReport
    from fleet.model.finding import Finding
    from reports.html.blob import Column

_KIND = ("problem", "check", "basis")
_TEXTS = ("severity", "state", "reason")
_TIMES = ("first_seen", "last_seen", "opened_at")
_SHOWN = frozenset(SIGNALS) - {"udid"}
_WHOLE, _OF_PROBLEM = range(2)


class Findings:
    """Evidence that only repeats a signal of the device is stored as `=`."""

    def __init__(self) -> None:
        self._id = Prints()
        self._kind = Joint(len(_KIND))
        self._texts = {name: Text() for name in (*_TEXTS, "sources", "evidence")}
        self._summary = Phrases()
        self._times = {name: Numbers() for name in (*_TIMES, "observed_at", "waiver_until")}
        self.values: dict[str, Phrases] = {}

    @property
    def columns(self) -> Mapping[str, Column]:
        """The columns by name."""
        kind = dict(zip(_KIND, self._kind.columns, strict=True))
        return {"id": self._id, **kind, **self._texts, "summary": self._summary, **self._times}

    def take(self, reports: Sequence[DeviceReport], observed: Sequence[int]) -> list[int]:
        """Take some devices' findings; the answer is how many each has."""
        owned = [
            (report.device, at, finding)
            for report, at in zip(reports, observed, strict=True)
            for finding in report.findings
        ]
        findings = [finding for _, _, finding in owned]
        self._id.extend(
            [finding.external_id for finding in findings],
            [_making(device, finding) for device, _, finding in owned],
        )
        self._times["observed_at"].extend([distance(finding.observed_at, at) for _, at, finding in owned])
        values: dict[str, list[str]] = {}
        for device, _, finding in owned:
            for name, value in finding.evidence.items():
                said = "=" if _repeats(device, name, value) else _compact(value)
                values.setdefault(plain(name), []).append(said)
        for name, several in values.items():
            self.values.setdefault(name, Phrases()).extend(several)
        self._kind.extend([(one.problem, one.check, one.basis) for one in findings])
        for name in _TEXTS:
            self._texts[name].extend([getattr(finding, name) for finding in findings])
        for name in _TIMES:
            self._times[name].extend([minutes(getattr(finding, name)) for finding in findings])
        self._texts["sources"].extend([finding.sources for finding in findings])
        self._texts["evidence"].extend([tuple(finding.evidence) for finding in findings])
        self._summary.extend([finding.summary for finding in findings])
        ends = [finding.waiver_until for finding in findings]
        self._times["waiver_until"].extend([minutes(end) if end else 0 for end in ends])
        return [len(report.findings) for report in reports]


def _making(device: Device, finding: Finding) -> int:
    """What the page can make the finding's id from."""
    made = fingerprint("finding", device.key, finding.problem) == finding.external_id
    return _OF_PROBLEM if made and finding.problem.isprintable() else _WHOLE


def _repeats(device: Device, name: str, value: object) -> bool:
    fact = getattr(device, name, None) if name in _SHOWN else None
    if isinstance(fact, datetime):
        return value in (f"{fact:%Y-%m-%dT%H:%M:%SZ}", fact.isoformat())
    return value is not None and type(fact) is type(value) and fact == value


def _compact(value: object) -> str:
    if type(value) is int:
        return str(value)  # the most frequent kind, and a tenth of the cost
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
