"""One night's work as the settings file describes it, under the lock."""

from __future__ import annotations

import logging
import math
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from fleet.apple.catalog import bundled
from fleet.cli import compose, feeds, logs
from fleet.cli.nightly import front_page
from fleet.cli.notices import Notices
from fleet.cli.progress import Bar
from fleet.cli.spoken import counted
from fleet.cli.stopwatch import Stopwatch
from fleet.errors import SettingsError
from fleet.log_fields import log_fields
from fleet.model.run import Outcome, RunReport, SourceReport
from fleet.nightly import judge
from fleet.nightly.collect import Night, Source, collect
from fleet.nightly.publish import Publication, Several, Silence, context_of
from fleet.nightly.refresh import Taken
from fleet.store import erasure, ledger, leftovers, retention, waivers
from fleet.store.database import Database
from fleet.store.lock import lock
from reports.registry import ready

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence
    from datetime import datetime
    from pathlib import Path

    from connectors._connector import SourceSettings
    from fleet.cli.app import Common
    from fleet.cli.last_run import Record
    from fleet.nightly.judge import Listener
    from fleet.nightly.terms import Terms
    from fleet.settings import Settings
    from reports._format import Format


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """A database under the lock, a clock, and someone who may be watching.

    Attributes:
        as_of: the clock of every judgement.
        bar: shows progress; None to be quiet.
        refresh: gives what Apple's feeds brought; without them the bundled catalogue judges.
        shared_run_id: the shared run that this is a part of.
        stopwatch: takes the time of collecting, judging and putting the report in place.
    """

    database: Database
    as_of: datetime
    bar: Bar | None
    refresh: Callable[[], Taken] = lambda: Taken(catalog=bundled())
    shared_run_id: int | None = None
    stopwatch: Stopwatch = field(default_factory=Stopwatch)

    def collect(
        self,
        sources: Sequence[Source],
        *,
        accept_mass_change: bool,
        full: bool = False,
        deadline_minutes: float = math.inf,
    ) -> dict[str, Outcome]:
        """Read the sources into the database, as far as it goes in that time; says what became of each."""
        night = Night(
            database=self.database,
            surroundings=compose.surroundings(self.as_of, deadline_minutes=deadline_minutes),
            now=compose.now,
            progress=self.bar,
            accept_mass_change=accept_mass_change,
            shared_run_id=self.shared_run_id,
            full=full,
        )
        with self.stopwatch.stage("collect"):
            outcomes = collect(sources, night)
        if self.bar:
            self.bar.clear()
        return outcomes

    def judge(
        self,
        terms: Terms,
        names: Sequence[str],
        listener: Listener,
        *,
        accept_mass_change: bool,
        history: bool = False,
        notes: Sequence[str] = (),
    ) -> RunReport:
        """Judge what was collected last, and write down what became of findings.

        Args:
            history: the listener shows earlier nights too.
            notes: what the report is to say beside what the judgement brings.
        """
        apple = self.refresh()
        for note in apple.notes:
            logs.say(note, level=logging.WARNING)
        if self.bar:
            self.bar.stage("judging")
        with self.stopwatch.stage("judge"):
            finished = judge.judge(
                self.database,
                terms,
                apple.catalog,
                status=apple.status,
                names=names,
                as_of=self.as_of,
                now=compose.now,
                listener=listener,
                accept_mass_change=accept_mass_change,
                notes=(*apple.notes, *notes),
                history=history,
                shared_run_id=self.shared_run_id,
            )
        if self.bar:
            self.bar.clear()
        return finished

    def publish(
        self,
        terms: Terms,
        root: Path,
        formats: Sequence[Format],
        made: Callable[[Listener], RunReport],
        *,
        also: Listener | None = None,
    ) -> tuple[RunReport, Path]:
        """Put the report of what `made` has to tell in place, with `also` listening; returns where."""
        texts = context_of(terms.policy, terms.base_url, self.as_of, terms.brand)
        with Publication(root, self.as_of, formats, texts) as publication:
            finished = made(Several(publication, also) if also else publication)
            with self.stopwatch.stage("publish"):
                return finished, publication.publish(finished)


@dataclass(frozen=True, slots=True)
class ConfiguredNight:
    """The work of one night on what the settings name."""

    _work: Work
    _loaded: Settings[SourceSettings]
    _loud: bool

    def collect(self, names: Sequence[str], *, accept_mass_change: bool, full: bool) -> dict[str, Outcome]:
        """Read the enabled sources, or only those of `names`.

        Raises:
            SettingsError: the database already holds a later night.
        """
        newest = ledger.newest_moment(self._work.database)
        if newest and newest > self._work.as_of:
            raise SettingsError(
                f"the database already holds a collection of {newest:%Y-%m-%dT%H:%M:%SZ}, later than "
                f"{self._work.as_of:%Y-%m-%dT%H:%M:%SZ}; `fleetkeep evaluate --as-of` judges a past night"
            )
        chosen = compose.wanted(self._loaded, names)
        omit = self._loaded.privacy.omit
        sources = [compose.source_of(config, self._loaded.base, omit) for config in chosen]
        outcomes = self._work.collect(
            sources,
            accept_mass_change=accept_mass_change,
            full=full,
            deadline_minutes=self._loaded.run.deadline_minutes,
        )
        if self._work.shared_run_id is None:
            self._erase()
        self._tell_sources(outcomes)
        return outcomes

    def judge(self, *, accept_mass_change: bool, publish: bool, record: Record | None = None) -> RunReport:
        """Judge every configured source's latest collection; with a report, and tell of it, or without.

        Args:
            record: takes down what was published.
        """
        if self._work.shared_run_id is not None:
            self._erase()  # not while others write
        work, notices = self._work, Notices(self._loaded)
        terms = compose.terms_of(self._loaded, waivers.in_force(work.database, work.as_of))
        notes = notices.notes(work.database) if publish else ()
        names = [config.name for config in self._loaded.sources]

        made = partial(
            work.judge,
            terms,
            names,
            accept_mass_change=accept_mass_change,
            history=publish,
            notes=notes,
        )
        if publish:
            return self._publish(terms, made, notices, record)
        finished = made(Silence())
        self.say(summary(finished))
        return finished

    def publish_again(self, run_id: int, record: Record) -> RunReport:
        """Report an evaluation that is finished, and tell of it, in place of a process that died before it had."""
        again, _ = judge.remade(self._work.database, run_id)
        made = partial(judge.judge_again, self._work.database, run_id, history=True)
        return self._publish(again.terms, made, Notices(self._loaded), record)

    def _publish(
        self, terms: Terms, made: Callable[[Listener], RunReport], notices: Notices, record: Record | None
    ) -> RunReport:
        database, report = self._work.database, self._loaded.report
        formats = ready(report.formats, report.split_by)
        also = notices if self._loaded.notify else None
        finished, place = self._work.publish(terms, report.directory, formats, made, also=also)
        self.say(f"{summary(finished)}\nreport: {front_page(place, formats)}")
        if record:
            record.published(database, finished, place, self._work.stopwatch.stages)
        if told := notices.send(database, finished, place):
            self.say(f"told: {', '.join(told)}")
        if days := self._loaded.privacy.keep_days:
            retention.prune(database, before=self._work.as_of - timedelta(days=days))
        return finished

    def _erase(self) -> None:
        """Take what is not to be stored any more out of what is stored."""
        omit = self._loaded.privacy.omit
        if omit and (erased := erasure.erase_signals(self._work.database, omit)):
            self.say(f"erased from {erased:,} stored records: {', '.join(omit)} ([privacy] omit)")

    def _tell_sources(self, outcomes: dict[str, Outcome]) -> None:
        names = list(outcomes)
        for basis in ledger.basis_at(self._work.database, names, self._work.as_of):
            if basis.removed:
                continue  # not among those that were read now
            source = basis.report
            of = f" of {source.expected:,}" if source.expected is not None else ""
            unreadable = f", {source.unreadable:,} unreadable" if source.unreadable else ""
            self.say(
                f"{source.name}: {source.outcome}, {source.devices:,}{of} devices{unreadable}{_by(source)}"
            )
            if source.outcome is not Outcome.COMPLETE:
                with log_fields(source=source.name):
                    for trouble in source.problems:
                        logs.say(_of_source(source.name, trouble.message))
                continue
            for trouble in source.problems:
                if trouble.code in _EVEN_IF_COMPLETE:
                    self.say(f"  {trouble.message}")

    def say(self, text: str) -> None:
        """Tell the person at the keyboard, if that one wants to hear."""
        if self._loud:
            logs.tell(text)


_EVEN_IF_COMPLETE = frozenset({"no_devices", "unreadable_records", "unreadable_field"})
"""What a person who sets up a source has to see at once; the report names it too, and other troubles."""


@contextmanager
def opened(common: Common, as_of: str | None, *, judging: bool) -> Generator[ConfiguredNight]:
    """The configured night, with its database open and locked, and a killed run's leavings cleared away.

    A night that will be judged sends for Apple's feeds at once, so that they come in while sources are read.
    """
    loaded = compose.load_settings(common.config)
    at = compose.moment(as_of) if as_of else compose.now()
    database = compose.database_of(loaded)
    loud = common.volume >= 0
    if database.upgraded_from:
        logs.say(
            f"the database was upgraded; a copy from before is {database.upgraded_from}",
            level=logging.WARNING,
        )
    compose.settle_memory()
    with closing(database), lock(database, compose.now()), log_fields(run=f"{at:%Y-%m-%dT%H%M%SZ}"):
        if leftovers.discard_unfinished(database):
            logs.say(
                "an earlier run did not end; what it left behind was cleared away", level=logging.WARNING
            )
        work = Work(database=database, as_of=at, bar=Bar() if loud else None)
        if judging:
            work = replace(work, refresh=feeds.for_a_night(loaded, at, compose.now()).taken)
        yield ConfiguredNight(work, loaded, loud)


def _by(source: SourceReport) -> str:
    if source.increment is None:
        return ""
    full = f"the last full walk was on {source.increment.full_at:%Y-%m-%d}"
    return f" ({source.increment.read:,} read, the others as they were; {full})"


def _of_source(name: str, message: str) -> str:
    named = message.startswith((f"{name}:", f'source "{name}"'))
    return message if named else f"{name}: {message}"


def summary(finished: RunReport) -> str:
    """A run's outcome in a few lines."""
    totals = finished.totals
    counts = {str(status).replace("_", " "): count for status, count in totals.statuses.items()}
    lines = [
        f"{counted(totals.devices, 'device')}: "
        + " · ".join(f"{count:,} {status}" for status, count in counts.items()),
        "findings: " + " · ".join(f"{count:,} {state}" for state, count in totals.changes.items()),
    ]
    lines += [
        f"fleet-wide, {incident.severity}: {incident.summary}"
        for incident in finished.incidents
        if incident.finding.state.standing
    ]
    if finished.hold:
        lines.append(
            "HELD: more changed in one night than [policy] mass_change_percent allows; ticket actions wait for the "
            "next unchanged night or --accept-mass-change"
        )
    return "\n".join(lines)


def shifted(work: Work, as_of: datetime) -> Work:
    """The same work on another night."""
    return replace(work, as_of=as_of)
