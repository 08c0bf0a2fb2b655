"""`run --name` and `run --shard`: this process's part of a run that several share in one PostgreSQL database."""

from __future__ import annotations

import logging
import re
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fleet.cli import compose, feeds, last_run, logs, notices
from fleet.cli.night import ConfiguredNight, Work
from fleet.cli.nightly import INCOMPLETE, exit_code
from fleet.cli.progress import Bar
from fleet.errors import SettingsError
from fleet.log_fields import log_fields
from fleet.model.run import Outcome
from fleet.nightly.share import Part, Shard
from fleet.store import shared_runs
from fleet.store.advisory import taking_part
from fleet.toml_table import plain

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Sequence

    from connectors._connector import SourceSettings
    from fleet.cli.app import Common
    from fleet.model.finding import Severity
    from fleet.settings import Settings
    from fleet.store.database import Database
    from fleet.store.shared_runs import SharedRun


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the command line asks for.

    Attributes:
        name: of the run; without one, the day on which it begins, UTC.
        shard: as in `2/4`; without one, all sources.
        sources: those that this process can read; empty for all.
        wait_minutes: for shards that have not come, before their sources are read too.
    """

    name: str | None
    shard: str | None
    sources: Sequence[str]
    wait_minutes: float
    as_of: str | None
    fail_on: Severity | None
    full: bool
    accept_mass_change: bool


def run(common: Common, asked: Asked) -> int:
    """Take part in a shared run; returns the exit code.

    Whoever reports ends as a run of its own does. The others end with 0, or with 3 if something that they read is
    incomplete.
    """
    accept = asked.accept_mass_change
    with (
        last_run.kept(common.config) as record,
        notices.alarmed(common.config),
        _opened(common, asked) as (night, part),
    ):
        outcomes: dict[str, Outcome] = {}
        part.read(
            lambda names: outcomes.update(night.collect(names, accept_mass_change=accept, full=asked.full))
        )
        record.code = _code(outcomes.values())
        if missing := part.missing():
            night.say(_waiting(part.shared, missing, len(part.sources)))
            return record.code
        finished = part.conclude(
            lambda: night.judge(accept_mass_change=accept, publish=True, record=record),
            lambda run_id: night.publish_again(run_id, record),
            compose.now,
        )
        if finished is None:
            night.say(f'the shared run "{part.shared.name}" is over, and reported')
        else:
            record.code = exit_code(finished, asked.fail_on)
    return record.code


def _code(outcomes: Iterable[Outcome]) -> int:
    return 0 if all(outcome is Outcome.COMPLETE for outcome in outcomes) else INCOMPLETE


def _waiting(shared: SharedRun, missing: Sequence[str], count: int) -> str:
    few = ", ".join(missing[:_FEW]) + (", …" if len(missing) > _FEW else "")
    return (
        f'the shared run "{shared.name}" has {len(missing):,} of {count:,} sources still to be read ({few}); whoever '
        f"reads the last of them reports. `fleetkeep run --name {shared.name}` reads all that nobody reads"
    )


_FEW = 5


@contextmanager
def _opened(common: Common, asked: Asked) -> Generator[tuple[ConfiguredNight, Part]]:
    loaded = compose.load_settings(common.config)
    if loaded.database.path is not None:
        raise SettingsError(
            f"{loaded.path}: [database] url is an SQLite file; --name and --shard share a run between processes, and "
            "that takes PostgreSQL"
        )
    shard = _shard(asked.shard)
    database = compose.database_of(loaded)
    sources = [config.name for config in compose.wanted(loaded, ())]
    shared = _joined(database, asked, sources)
    compose.settle_memory()
    with (
        taking_part(database.engine, shared.id) as leases,
        log_fields(run=f"{shared.as_of:%Y-%m-%dT%H%M%SZ}"),
    ):
        part = Part(
            database=database,
            shared=shared,
            leases=leases,
            sources=sources,
            offered=[config.name for config in compose.wanted(loaded, asked.sources)],
            shard=shard,
            patience=60 * asked.wait_minutes,
            sleep=time.sleep,
        )
        yield ConfiguredNight(_work(common, loaded, database, shared), loaded, common.volume >= 0), part


def _work(common: Common, loaded: Settings[SourceSettings], database: Database, shared: SharedRun) -> Work:
    return Work(
        database=database,
        as_of=shared.as_of,
        bar=Bar() if common.volume >= 0 else None,
        # Asked for by the one who judges alone, and so not before it does.
        refresh=lambda: feeds.for_a_night(loaded, shared.as_of, compose.now()).taken(),
        shared_run_id=shared.id,
    )


def _joined(database: Database, asked: Asked, sources: Sequence[str]) -> SharedRun:
    at = compose.now()
    as_of = compose.moment(asked.as_of) if asked.as_of else at
    name = asked.name or f"{as_of:%Y-%m-%d}"
    if not _NAME.fullmatch(name):
        raise SettingsError(
            f'--name "{plain(name)}" cannot be the name of a run: up to 64 letters, digits and . _ : - are'
        )
    shared = shared_runs.join(database, name, as_of=as_of, at=at, sources=sources)
    if asked.as_of and shared.as_of != as_of:
        raise SettingsError(
            f'the shared run "{name}" is as of {shared.as_of:%Y-%m-%dT%H:%M:%SZ}, not of --as-of {asked.as_of}'
        )
    logs.say(f'taking part in the shared run "{name}"', level=logging.INFO)
    return shared


_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")


def _shard(text: str | None) -> Shard:
    if text is None:
        return Shard()
    numbers = re.fullmatch(r"([0-9]{1,4})/([0-9]{1,4})", text)
    if numbers is None or not 1 <= int(numbers[1]) <= int(numbers[2]):
        raise SettingsError(f'--shard "{plain(text)}" is no share; the second of four is 2/4')
    return Shard(int(numbers[1]), int(numbers[2]))
