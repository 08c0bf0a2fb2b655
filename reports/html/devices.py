"""The fleet as columns: what the page's list and its device details are made from.

Times keep minutes, the day of enrolment its day, sizes 100 MB: as the page shows them. A UDID is kept only where there
is no serial number, a fingerprint only where the page cannot make it again from what it holds.
"""

from __future__ import annotations

import itertools
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from fleet.model.device import SIGNALS, SIZE_SIGNALS, TIME_SIGNALS, Device, facts_of
from fleet.model.fact import NEVER, Gap, Never, Reason
from fleet.model.fingerprint import fingerprint
from reports.html import bands
from reports.html.columns import Joint, Part, Prints, Text, joined
from reports.html.findings import Findings
from reports.html.moments import distance, minutes
from reports.html.numbers import Numbers
from reports.html.personal import Personal
from reports.html.sizes import step_of
from reports.html.story import Story

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from datetime import datetime

    from fleet.model.device_report import DeviceReport, PlanStep
    from fleet.model.finding import Finding
    from reports.html.blob import Column

DAY_SIGNALS = ("enrolled_at",)
LEFT_OUT = "o"

_BATCH = 500
_TOGETHER = (
    ("model_identifier", "model_name", "platform", "os_version", "os_build"),
    ("department", "site", "groups"),
)
_OF_THE_USER = ("name", "user_email")
_PARTS = ("sightings", "findings", "clauses", "disputes", "nights", "past")
_VERDICTS = ("status", "reason", "severity", "cause", "beyond_catalog")
_MARKS = {Reason.NOT_REPORTED: "n", Reason.NOT_PERMITTED: "p", Reason.ABSENT: "a", Reason.UNREADABLE: "u"}
_UDID = SIGNALS.index("udid")
_FIRST_SIGHTING = ord("0")
_LONGEST_MAJOR = 4  # digits; what is longer is no version

Facts: TypeAlias = "Mapping[str, Sequence[Any]]"
_WHOLE, _OF_SERIAL, _OF_UDID = range(3)


class Spread(NamedTuple):
    """Devices by source, by the major version of their system, and by band of age, backup and storage."""

    sources: Counter[str]
    majors: Counter[str]
    ages: Counter[int]
    backups: Counter[int]
    storage: Counter[int]


class Devices:
    """The table of devices, and those of their parts; a device's rows stand in the devices' order.

    `shape` says for every signal, in the order of the catalogue, which sighting its value is from (`0` is the first)
    or why there is none (`n`ot reported, not `p`ermitted, `a`bsent, `u`nreadable, left `o`ut of this page).
    """

    def __init__(self, handling: Callable[[DeviceReport], str], as_of: int) -> None:
        self._handling = handling
        self._held: list[DeviceReport] = []
        self._key = Prints()
        self._observed = Numbers()
        self._stopped = Numbers()
        self._texts = {name: Text() for name in (*_VERDICTS, "shape", "handling", "plan")}
        self._counts = {name: Numbers() for name in _PARTS}
        self._facts = _Facts()
        self._sightings = Sightings()
        self._findings = Findings()
        self._story = Story(as_of)
        self._steps: dict[str, int] = {}

    def add(self, report: DeviceReport) -> None:
        """Take one device, with everything that belongs to it."""
        self._held.append(report)
        if len(self._held) >= _BATCH:
            self._take()

    def tables(self) -> Mapping[str, Mapping[str, Column]]:
        """The columns of each table, by name."""
        self._take()
        return {
            "devices": {
                "key": self._key,
                "observed": self._observed,
                "stopped": self._stopped,
                "causes": self._story.causes,
                **self._texts,
                **self._counts,
                **{f"fact_{name}": column for name, column in self._facts.columns.items()},
            },
            "sightings": self._sightings.columns,
            "findings": self._findings.columns,
            "evidence": self._findings.values,
            **self._story.tables,
        }

    def spread(self, as_of: int) -> Spread:
        """How the fleet spreads, seen from `as_of` in minutes since 1970."""
        self._take()
        numbers = self._facts.numbers
        return Spread(
            sources=self._sightings.devices,
            majors=_majors(self._facts.columns["os_version"]),
            ages=bands.ages(self._observed, as_of),
            backups=bands.backups(self._observed, numbers["last_cloud_backup_at"], as_of),
            storage=bands.storage(numbers["capacity_bytes"], numbers["available_bytes"]),
        )

    @property
    def steps(self) -> list[str]:
        """The distinct steps of all plans: fix, audience and why; a device's plan names them by their places."""
        return list(self._steps)

    def _take(self) -> None:
        reports, self._held = self._held, []
        if not reports:
            return
        devices = [report.device for report in reports]
        rows = list(map(facts_of, devices))
        observed = [minutes(device.observed_at) for device in devices]
        facts = self._facts.take(rows, observed)
        keys = [device.key for device in devices]
        self._key.extend(keys, list(map(_making, keys, facts["serial"], facts["udid"])))
        self._observed.extend(observed)
        self._stopped.extend(list(map(_stopped, reports, observed)))
        for name in _VERDICTS:
            self._texts[name].extend([getattr(report, name) for report in reports])
        self._texts["shape"].extend(list(map(_shape, devices, rows)))
        self._texts["handling"].extend([self._handling(one) if one.plan else None for one in reports])
        self._texts["plan"].extend([self._plan(one) for one in reports])
        counts = {
            "sightings": self._sightings.take(devices, observed),
            "findings": self._findings.take(reports, observed),
            **self._story.take(reports, observed),
        }
        for name, column in self._counts.items():
            column.extend(counts[name])

    def _plan(self, report: DeviceReport) -> str:
        return ",".join([self._step(step, report.findings) for step in report.plan])

    def _step(self, step: PlanStep, findings: Sequence[Finding]) -> str:
        entry = joined((step.fix, step.audience, _shortened(step.why, findings)))
        return str(self._steps.setdefault(entry, len(self._steps)))


class _Facts:
    """A column for every signal; those that go together share one.

    Attributes:
        numbers: the columns of numbers, by signal.
    """

    def __init__(self) -> None:
        together = {name for names in _TOGETHER for name in names}
        self._joints = {names: Joint(len(names)) for names in _TOGETHER}
        others = (*together, *_CODES, *_OF_THE_USER)
        self._texts = {name: Text() for name in SIGNALS if name not in others}
        self._of_the_user = {name: Personal() for name in _OF_THE_USER}
        self.numbers = {name: Numbers() for name in _CODES}

    @property
    def columns(self) -> Mapping[str, Text | Part | Numbers | Personal]:
        """The columns by the signal's name."""
        parts: dict[str, Text | Part | Numbers | Personal] = {}
        for names, joint in self._joints.items():
            parts |= zip(names, joint.columns, strict=True)
        return {**parts, **self._texts, **self._of_the_user, **self.numbers}

    def take(self, rows: Sequence[Sequence[Any]], observed: Sequence[int]) -> Facts:
        """Take the facts of some devices; the answer is the same facts by signal."""
        facts: dict[str, Sequence[Any]] = dict(zip(SIGNALS, zip(*rows, strict=True), strict=True))
        for names, joint in self._joints.items():
            joint.extend(list(zip(*(facts[name] for name in names), strict=True)))
        for name, text in self._texts.items():
            text.extend(facts[name] if name != "udid" else _without_serial(facts))
        for name, personal in self._of_the_user.items():
            personal.extend_beside(facts[name], facts["user_name"])
        for name, numbers in self.numbers.items():
            code = _CODES[name]
            numbers.extend(
                [
                    0 if type(fact) is Gap else code(fact, at)
                    for fact, at in zip(facts[name], observed, strict=True)
                ]
            )
        return facts


class Sightings:
    """What each source last knew of a device: superseded records come last.

    Attributes:
        devices: how many devices each source knows.
    """

    def __init__(self) -> None:
        self.devices: Counter[str] = Counter()
        self._texts = {"source": Text(), "standing": Text()}
        self._times = {"observed": Numbers(), "seen": Numbers()}

    @property
    def columns(self) -> Mapping[str, Column]:
        """The columns by name."""
        return {**self._texts, **self._times}

    def take(self, devices: Sequence[Device], observed: Sequence[int]) -> list[int]:
        """Take some devices' sightings; the answer is how many each has."""
        rows = [
            (one.source, standing or one.standing, distance(one.observed_at, at), minutes(one.last_seen_at))
            for device, at in zip(devices, observed, strict=True)
            for group, standing in ((device.sightings, None), (device.superseded, "superseded"))
            for one in group
        ]
        columns = zip(*rows, strict=True)
        for column, values in zip((*self._texts.values(), *self._times.values()), columns, strict=True):
            column.extend(values)
        counts = [len(device.sightings) + len(device.superseded) for device in devices]
        self.devices.update(itertools.chain.from_iterable(map(_knowing, devices)))
        return counts


def _knowing(device: Device) -> Collection[str]:
    if len(device.sightings) == 1 and not device.superseded:
        return (device.sightings[0].source,)
    return {sighting.source for sighting in (*device.sightings, *device.superseded)}


def _majors(versions: Column) -> Counter[str]:
    found: Counter[str] = Counter()
    for version, devices in versions.counts().items() if isinstance(versions, Part) else ():
        leading = version.split(".", 1)[0]
        known = leading.isascii() and leading.isdigit() and len(leading) <= _LONGEST_MAJOR
        found[leading if known else "unknown"] += devices
    return +found


def _without_serial(facts: Facts) -> list[object]:
    return [
        udid if type(serial) is Gap else None
        for serial, udid in zip(facts["serial"], facts["udid"], strict=True)
    ]


def _shape(device: Device, facts: Sequence[object]) -> str:
    if len(device.sightings) == 1:
        marks = [_MARKS[fact.reason] if type(fact) is Gap else "0" for fact in facts]
    else:
        marks = [
            _MARKS[fact.reason] if type(fact) is Gap else _winner(device, name)
            for name, fact in zip(SIGNALS, facts, strict=True)
        ]
    if type(device.udid) is not Gap and type(device.serial) is not Gap:
        marks[_UDID] = LEFT_OUT
    return "".join(marks)


def _winner(device: Device, signal: str) -> str:
    return chr(_FIRST_SIGHTING + device.sightings.index(device.sighting_of(signal)))


def _making(key: str, serial: object, udid: object) -> int:
    """What the page can make the device's key from."""
    of, identity, how = ("udid", udid, _OF_UDID) if type(serial) is Gap else ("serial", serial, _OF_SERIAL)
    # Beyond ASCII, languages differ in what they take for upper case.
    if not isinstance(identity, str) or not identity.isascii() or not identity.isprintable():
        return _WHOLE
    return how if fingerprint(of, identity.upper()) == key else _WHOLE


def _stopped(report: DeviceReport, observed: int) -> int:
    """0 where backups go on, 1 where the last before they stopped has no date, 2 where it is the last one known."""
    last = report.stopped_at
    if last is None or isinstance(last, Gap):
        return 0 if last is None else 1
    return 2 if last == report.device.last_cloud_backup_at else 1 + distance(last, observed)


def _shortened(why: str, findings: Sequence[Finding]) -> str:
    """`why`, with the number of a finding in place of the summary that it begins with: `{0}; then …`."""
    for number, finding in enumerate(findings):
        stem = finding.summary.removesuffix(".")
        if stem and why.startswith(stem):
            return f"{{{number}}}{why[len(stem) :]}"
    # What comes from outside must not read as such a number.
    return why.replace("{", "(", 1) if why.startswith("{") else why


def _day(moment: datetime | Never, _: int) -> int:
    """Days since 1970, at least 1; 0 stands for no value."""
    return 1 if moment is NEVER else max(minutes(moment) // 1440, 1)


def _size(size: int, _: int) -> int:
    return step_of(size)


def _percent(percent: int, _: int) -> int:
    return min(max(percent, 0), 100) + 1


_CODES: Mapping[str, Callable[[Any, int], int]] = {
    **dict.fromkeys(TIME_SIGNALS, distance),
    **dict.fromkeys(SIZE_SIGNALS, _size),
    **dict.fromkeys(DAY_SIGNALS, _day),
    "battery_percent": _percent,
}
