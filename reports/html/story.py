"""What a device's page tells beside facts and findings: causes and what speaks for them, disputes, and the past."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fleet.merge import conflicts
from fleet.model.device import SIZE_SIGNALS, TIME_SIGNALS
from fleet.model.fact import Never, known
from reports.html.columns import Phrases, Text, spelled
from reports.html.moments import distance, minutes
from reports.html.numbers import Numbers
from reports.html.sizes import step_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from fleet.model.device import Device
    from fleet.model.device_report import DeviceReport
    from reports.html.blob import Column

_PAST = ("check", "severity", "reason")


class Story:
    """Four tables: clauses about causes, what sources dispute, nights before tonight, and findings that ended.

    A clause is `about` a cause: `for:<id>`, `against:<id>`, or `not:<id>` for one that it rules out. `causes` names
    per device the probable ones with their strength, the likeliest first. Nights go back from tonight, and
    each keeps only how its whole GB and its last backup differ from the one after it: mostly they do not.
    """

    def __init__(self, as_of: int) -> None:
        self._as_of = as_of
        self.causes = Text()
        self._clauses = {"about": Text(), "says": Phrases()}
        self._disputes = {"signal": Text(), "source": Text(), "value": Text()}
        self._nights = {"at": Numbers(), "free": Numbers(), "backup": Numbers()}
        self._past = {name: Text() for name in _PAST}
        self._spans = {"first_seen": Numbers(), "last_seen": Numbers()}

    @property
    def tables(self) -> Mapping[str, Mapping[str, Column]]:
        """The columns of each table, by name."""
        return {
            "clauses": self._clauses,
            "disputes": self._disputes,
            "nights": self._nights,
            "past": {**self._past, **self._spans},
        }

    def take(self, reports: Sequence[DeviceReport], observed: Sequence[int]) -> dict[str, list[int]]:
        """Take some devices' stories; the answer is how many rows of each table every one has."""
        self.causes.extend(
            [tuple(f"{one.strength}:{one.cause}" for one in report.causes) or None for report in reports]
        )
        clauses = [list(_clauses(report)) if report.causes else [] for report in reports]
        disputes = [list(_disputes(report.device)) for report in reports]
        _extend(self._clauses, clauses)
        _extend(self._disputes, disputes)
        self._take_nights(reports, observed)
        self._take_past(reports)
        return {
            "clauses": list(map(len, clauses)),
            "disputes": list(map(len, disputes)),
            "nights": [len(report.history) for report in reports],
            "past": [len(report.past) for report in reports],
        }

    def _take_nights(self, reports: Sequence[DeviceReport], observed: Sequence[int]) -> None:
        for report, at in zip(reports, observed, strict=True):
            if report.history:
                self._take_night(report, at)

    def _take_night(self, report: DeviceReport, at: int) -> None:
        device, nights = report.device, report.history[::-1]
        self._nights["at"].extend([self._as_of - minutes(night.collected_at) for night in nights])
        free = [_gigabytes(night.available_bytes) for night in nights]
        self._nights["free"].extend(list(_moves(_gigabytes(known(device.available_bytes)), free)))
        backups = [_backup(night.last_backup, at) for night in nights]
        self._nights["backup"].extend(list(_moves(_backup(known(device.last_cloud_backup_at), at), backups)))

    def _take_past(self, reports: Sequence[DeviceReport]) -> None:
        ended = [one for report in reports for one in report.past]
        for name, column in self._past.items():
            column.extend([getattr(one, name) for one in ended])
        for name, times in self._spans.items():
            times.extend([minutes(getattr(one, name)) for one in ended])


def _gigabytes(size: int | None) -> int:
    return 0 if size is None else max(size, 0) // 10**9 + 1


def _backup(moment: datetime | Never | None, observed: int) -> int:
    return 0 if moment is None or isinstance(moment, Never) else distance(moment, observed)


def _moves(before: int, values: Sequence[int]) -> Iterator[int]:
    """Each value as its distance from the one before, the sign folded into the lowest bit."""
    for value in values:
        away = value - before
        yield 2 * away if away >= 0 else -2 * away - 1
        before = value


def _extend(columns: Mapping[str, Text | Phrases], rows_of: Sequence[Sequence[tuple[str, ...]]]) -> None:
    rows = [row for several in rows_of for row in several]
    for column, values in zip(columns.values(), zip(*rows, strict=True), strict=False):
        column.extend(values)


def _clauses(report: DeviceReport) -> Iterator[tuple[str, str]]:
    for one in report.causes:
        yield from [(f"for:{one.cause}", clause) for clause in one.evidence_for]
        yield from [(f"against:{one.cause}", clause) for clause in one.evidence_against]
    yield from [(f"not:{one.cause}", one.because) for one in report.ruled_out]


def _disputes(device: Device) -> Iterator[tuple[str, str, str]]:
    for signal, said in conflicts(device).items():
        yield from [(signal, sighting.source, _coded(signal, value)) for sighting, value in said]


def _coded(signal: str, value: Any) -> str:  # noqa: ANN401 - each signal has its own type
    """As the signal's own column keeps it, so that the page says it in the same words."""
    if signal in TIME_SIGNALS:
        return "never" if not hasattr(value, "timestamp") else str(minutes(value))
    return str(step_of(value)) if signal in SIZE_SIGNALS else spelled(value)
