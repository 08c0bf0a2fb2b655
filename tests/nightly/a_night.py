"""Whole nights on made-up sources inside this process: collected, judged, and listened to."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeAlias

from connectors._connector import Page, Surroundings
from fleet.apple.catalog import bundled
from fleet.model.device import SIGNALS, DeviceRecord, Rejected
from fleet.model.policy import Policy
from fleet.nightly.collect import Night, Source, collect
from fleet.nightly.judge import Terms, judge, judge_again
from fleet.store import ledger
from tests.fleet_of import GB, NOW, Value, a_record, days

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime

    from fleet.apple.catalog import Catalog
    from fleet.model.device_report import DeviceReport
    from fleet.model.finding import Action, Finding, State
    from fleet.model.outage import SystemStatus
    from fleet.model.run import Outcome, RunReport, SourceReport
    from fleet.store.database import Database

Row: TypeAlias = DeviceRecord | Rejected
FIRST = NOW - days(60)
CATALOG = bundled()
# Judged by backup alone: systems and models age while the made-up nights go by.
POLICY = Policy(os_patch_grace_days=999, os_exploited_grace_days=999, os_major_grace_days=999)


def night(number: int) -> datetime:
    """The moment of the night with that number."""
    return FIRST + days(number)


def a_phone(number: int, at: int, **signals: Value) -> DeviceRecord:
    """A nearly empty phone that backed up the day before it reported, six hours before the night `at`."""
    own: dict[str, Value] = {"native_id": str(number), "serial": serial(number), "udid": f"UDID-{number}"}
    small: dict[str, Value] = {"os_version": "26.0", "enrolled_at": night(-300), "available_bytes": 125 * GB}
    return a_record(now=night(at), **{**own, **small, **signals})


def ill(number: int, at: int, **signals: Value) -> DeviceRecord:
    """The same with its backup switched off."""
    return a_phone(number, at, **{"backup_enabled": False, **signals})


def a_source(
    rows: Iterable[Row] = (),
    *,
    name: str = "hq",
    per_page: int = 10,
    expected: int | None = None,
    error: BaseException | None = None,
    site: str | None = None,
) -> Source:
    """A source that yields `rows` by the page, and then ends or breaks."""
    every = list(rows)

    def walk(_: Surroundings) -> Iterator[Page]:
        for start in range(0, len(every), per_page):
            yield Page(rows=every[start : start + per_page], expected=expected)
        if error:
            raise error

    return Source(name=name, kind="made_up", provides=frozenset(SIGNALS), walk=walk, site=site)


def surroundings(at: datetime) -> Surroundings:
    """An outside world in which no time goes by."""
    return Surroundings(collected_at=at, now=float, sleep=no_wait)


def no_wait(_: float) -> None:
    """Take no time."""


@dataclass(slots=True)
class Ears:
    """Takes the devices of one pass, as a report does."""

    reports: dict[str, DeviceReport] = field(default_factory=dict[str, "DeviceReport"])

    def device(self, report: DeviceReport) -> None:
        """Keep it."""
        assert report.device.key not in self.reports
        self.reports[report.device.key] = report

    def again(self) -> None:
        """Forget all."""
        self.reports.clear()


@dataclass(frozen=True, slots=True)
class Heard:
    """A finished run and its devices by serial."""

    run: RunReport
    devices: dict[str, DeviceReport]

    def finding(self, number: int = 1, problem: str = "backup") -> Finding:
        """The one finding of that problem on that phone."""
        (found,) = (one for one in self.devices[serial(number)].findings if one.problem == problem)
        return found

    def told(self, number: int = 1) -> tuple[State, Action]:
        """State and action of the phone's backup finding."""
        found = self.finding(number)
        return found.state, found.action

    @property
    def actions(self) -> set[Action]:
        """What the ticketing system is asked for, over the fleet."""
        return {finding.action for device in self.devices.values() for finding in device.findings}


def serial(number: int) -> str:
    """The serial of the phone with that number."""
    return f"SERIAL{number:04}"


@dataclass(slots=True)
class Office:
    """A database with its nightly work.

    Attributes:
        names: the configured sources; those of the first night unless said otherwise.
        catalog: what Apple's models and systems are judged by.
    """

    database: Database
    terms: Terms = field(default_factory=lambda: Terms(policy=POLICY))
    names: Sequence[str] = ()
    catalog: Catalog = CATALOG

    def collect(
        self, at: int, *sources: Source, accept: bool = False, full: bool = False
    ) -> dict[str, Outcome]:
        """Read the sources in the night `at`."""
        self.names = self.names or [source.name for source in sources]
        around = Night(
            database=self.database,
            surroundings=surroundings(night(at)),
            now=clock(at),
            accept_mass_change=accept,
            full=full,
        )
        return collect(sources, around)

    def judge(
        self, at: int, *, accept: bool = False, status: SystemStatus | None = None, history: bool = False
    ) -> Heard:
        """Judge what is known in the night `at`."""
        ears = Ears()
        run = judge(
            self.database,
            self.terms,
            self.catalog,
            names=self.names,
            as_of=night(at),
            now=clock(at),
            listener=ears,
            accept_mass_change=accept,
            status=status,
            history=history,
        )
        return heard(run, ears)

    def night(
        self, at: int, *sources: Source, accept: bool = False, status: SystemStatus | None = None
    ) -> Heard:
        """Collect and judge."""
        self.collect(at, *sources, accept=accept)
        return self.judge(at, accept=accept, status=status)

    def again(self, run_id: int | None, *, history: bool = False) -> Heard:
        """Make a past run again."""
        ears = Ears()
        return heard(judge_again(self.database, run_id, ears, history=history), ears)

    def ledger(self, at: int, name: str = "hq") -> SourceReport:
        """The source's line in the report of that night."""
        basis, *_ = ledger.basis_at(self.database, [name], night(at))
        return basis.report

    def with_terms(self, **changes: Value) -> None:
        """From now on judge by other terms."""
        self.terms = replace(self.terms, **changes)


def heard(run: RunReport, ears: Ears) -> Heard:
    """The run with its devices by serial."""
    return Heard(run, {str(report.device.serial): report for report in ears.reports.values()})


def clock(at: int) -> Callable[[], datetime]:
    """A wall clock that stands at the night `at`."""
    return lambda: night(at)
