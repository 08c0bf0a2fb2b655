"""The fleet as columns: what the page's list and its device details are made from.

Times keep minutes, the day of enrolment its day, sizes 100 MB: as the page shows them. A UDID is kept only where there
is no serial number.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from fleet.model.device import SIGNALS, TIME_SIGNALS, Device, Sighting, facts_of
from fleet.model.fact import NEVER, Gap, Never, Reason
from reports.html.columns import Column, Ids, Joint, Numbers, Part, Text, joined, plain

if TYPE_CHECKING:
    from fleet.model.finding import Finding
    from fleet.model.run import DeviceReport, PlanStep

SIZE_STEP = 100_000_000
SIZE_SIGNALS = ("capacity_bytes", "available_bytes")
DAY_SIGNALS = ("enrolled_at",)
LEFT_OUT = "o"

_TOGETHER = (
    ("model_identifier", "model_name", "platform", "os_version", "os_build"),
    ("department", "site", "groups"),
)

_MARKS = {Reason.NOT_REPORTED: "n", Reason.NOT_PERMITTED: "p", Reason.ABSENT: "a", Reason.UNREADABLE: "u"}
_FIRST_SIGHTING = ord("0")
_LARGEST = 2**31

Store: TypeAlias = Callable[[object, int], None]


class Devices:
    """Three tables: devices, and their sightings and findings; a device's rows stand in the devices' order.

    `shape` says for every signal, in the order of the catalogue, which sighting its value is from (`0` is the first)
    or why there is none (`n`ot reported, not `p`ermitted, `a`bsent, `u`nreadable, left `o`ut of this page).
    """

    def __init__(self, handling: Callable[[DeviceReport], str]) -> None:
        self._handling = handling
        self._key = Ids()
        self._observed = Numbers()
        self._texts = {
            name: Text() for name in ("status", "reason", "severity", "cause", "shape", "handling")
        }
        self._counts = {name: Numbers() for name in ("sightings", "findings")}
        self._facts: dict[str, Column] = {}
        for names in _TOGETHER:
            self._facts |= zip(names, Joint(len(names)).columns, strict=True)
        self._store = [(name, self._stores(name)) for name in SIGNALS]
        self._sightings = Sightings()
        self._findings = Findings()
        self._plan = Text()
        self._steps: dict[str, int] = {}

    def add(self, report: DeviceReport) -> None:
        """Take one device, with everything that belongs to it."""
        device = report.device
        observed = _minutes(device.observed_at)
        self._key.append(device.key)
        self._observed.append(observed)
        self._texts["shape"].append(self._take_facts(device, observed))
        self._texts["handling"].append(self._handling(report) if report.plan else None)
        for name in ("status", "reason", "severity", "cause"):
            self._texts[name].append(getattr(report, name))
        self._counts["sightings"].append(self._sightings.add(device, observed))
        self._counts["findings"].append(self._findings.add(device, report.findings, observed))
        self._plan.append(",".join([self._step(step, report.findings) for step in report.plan]))

    def tables(self) -> Mapping[str, Mapping[str, Column]]:
        """The columns of each table, by name."""
        facts = {f"fact_{name}": column for name, column in self._facts.items()}
        return {
            "devices": {
                "key": self._key,
                "observed": self._observed,
                "plan": self._plan,
                **self._texts,
                **self._counts,
                **facts,
            },
            "sightings": self._sightings.columns,
            "findings": self._findings.columns,
            "evidence": {"value": self._findings.values},
        }

    @property
    def steps(self) -> list[str]:
        """The distinct steps of all plans: fix, audience and why; a device's plan names them by their places."""
        return list(self._steps)

    def _take_facts(self, device: Device, observed: int) -> str:
        shape: list[str] = []
        left_out = None if isinstance(device.serial, Gap) else "udid"
        single = len(device.sightings) == 1
        for (name, store), fact in zip(self._store, facts_of(device), strict=True):
            if type(fact) is Gap:
                shape.append(_MARKS[fact.reason])
                store(None, observed)
            elif name == left_out:
                shape.append(LEFT_OUT)
                store(None, observed)
            else:
                shape.append("0" if single else _winner(device, name))
                store(fact, observed)
        return "".join(shape)

    def _step(self, step: PlanStep, findings: Sequence[Finding]) -> str:
        entry = joined((step.fix, step.audience, _shortened(step.why, findings)))
        return str(self._steps.setdefault(entry, len(self._steps)))

    def _stores(self, signal: str) -> Store:
        if signal in _CODES:
            return self._store_number(signal, _CODES[signal])
        column = cast("Text | Part", self._facts.setdefault(signal, Text()))
        return lambda fact, _: column.append(None if fact is None else _words(fact))

    def _store_number(self, signal: str, code: Callable[[Any, int], int]) -> Store:
        column = self._facts[signal] = Numbers()
        return lambda fact, observed: column.append(0 if fact is None else code(fact, observed))


class Sightings:
    """What each source last knew of a device: superseded records come last."""

    def __init__(self) -> None:
        self._source, self._standing = Text(), Text()
        self._observed, self._seen = Numbers(), Numbers()

    @property
    def columns(self) -> Mapping[str, Column]:
        """The columns by name."""
        return {
            "source": self._source,
            "standing": self._standing,
            "observed": self._observed,
            "seen": self._seen,
        }

    def add(self, device: Device, observed: int) -> int:
        """Take a device's sightings; the answer is how many there are."""
        for sighting in device.sightings:
            self._row(sighting, observed, sighting.standing)
        for sighting in device.superseded:
            self._row(sighting, observed, "superseded")
        return len(device.sightings) + len(device.superseded)

    def _row(self, sighting: Sighting, observed: int, standing: str) -> None:
        self._source.append(sighting.source)
        self._standing.append(standing)
        self._observed.append(_moment(sighting.observed_at, observed))
        self._seen.append(_minutes(sighting.last_seen_at))


class Findings:
    """Findings, and the values of their evidence in a table of its own.

    Evidence that only repeats a signal of the device is stored as `=`.
    """

    _texts = ("problem", "check", "basis", "severity", "state", "summary", "reason")
    _times = ("first_seen", "last_seen", "opened_at")

    def __init__(self) -> None:
        self._id = Ids()
        self._text = {name: Text() for name in (*self._texts, "sources", "evidence")}
        self._time = {name: Numbers() for name in (*self._times, "observed_at", "waiver_until")}
        self.values = Text()

    @property
    def columns(self) -> Mapping[str, Column]:
        """The columns by name."""
        return {"id": self._id, **self._text, **self._time}

    def add(self, device: Device, findings: Sequence[Finding], observed: int) -> int:
        """Take a device's findings; the answer is how many there are."""
        for finding in findings:
            self._id.append(finding.external_id)
            for name in self._texts:
                self._text[name].append(getattr(finding, name))
            for name in self._times:
                self._time[name].append(_minutes(getattr(finding, name)))
            self._rest(device, finding, observed)
        return len(findings)

    def _rest(self, device: Device, finding: Finding, observed: int) -> None:
        self._text["sources"].append(joined(finding.sources))
        self._text["evidence"].append(joined(finding.evidence))
        self._time["observed_at"].append(_moment(finding.observed_at, observed))
        self._time["waiver_until"].append(_minutes(finding.waiver_until) if finding.waiver_until else 0)
        for name, value in finding.evidence.items():
            self.values.append("=" if _repeats(device, name, value) else _compact(value))


def _shortened(why: str, findings: Sequence[Finding]) -> str:
    """`why`, with the number of a finding in place of the summary that it begins with: `{0}; then …`."""
    for number, finding in enumerate(findings):
        stem = finding.summary.removesuffix(".")
        if stem and why.startswith(stem):
            return f"{{{number}}}{why[len(stem) :]}"
    # What comes from outside must not read as such a number.
    return why.replace("{", "(", 1) if why.startswith("{") else why


def _winner(device: Device, signal: str) -> str:
    return chr(_FIRST_SIGHTING + device.sightings.index(device.sighting_of(signal)))


def _words(fact: object) -> str:
    if type(fact) is str:
        return plain(fact)
    match fact:
        case bool():
            return "yes" if fact else "no"
        case tuple():
            return joined(str(part) for part in cast("tuple[object, ...]", fact))
        case _:
            return plain(str(fact))


def _minutes(moment: datetime) -> int:
    """Minutes since 1970; nothing older is ever a date here."""
    return max(int(moment.timestamp()) // 60, 0)


def _moment(moment: datetime | Never, observed: int) -> int:
    """0 stands for no value, 1 for never; else minutes from `observed`, the sign folded into the lowest bit."""
    if moment is NEVER:
        return 1
    distance = _minutes(moment) - observed
    return 2 + (2 * distance if distance >= 0 else -2 * distance - 1)


def _day(moment: datetime, _: int) -> int:
    """Days since 1970, at least 1; 0 stands for no value."""
    return max(_minutes(moment) // 1440, 1)


def _size(size: int, _: int) -> int:
    """0 stands for no value, else one more than the number of steps of 100 MB; what no disk can hold is capped."""
    return min(max(size // SIZE_STEP, 0), _LARGEST) + 1


def _percent(percent: int, _: int) -> int:
    return min(max(percent, 0), 100) + 1


def _repeats(device: Device, name: str, value: object) -> bool:
    fact = getattr(device, name, None) if name in _SHOWN else None
    if isinstance(fact, datetime):
        return value in (f"{fact:%Y-%m-%dT%H:%M:%SZ}", fact.isoformat())
    return value is not None and type(fact) is type(value) and fact == value


def _compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


_CODES: Mapping[str, Callable[[Any, int], int]] = {
    **dict.fromkeys(TIME_SIGNALS, _moment),
    **dict.fromkeys(SIZE_SIGNALS, _size),
    **dict.fromkeys(DAY_SIGNALS, _day),
    "battery_percent": _percent,
}
_SHOWN = frozenset(SIGNALS) - {"udid"}
