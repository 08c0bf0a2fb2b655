"""The composition root: from the settings file to a database, sources and terms that the nightly work takes."""

from __future__ import annotations

import ctypes
import gc
import math
import os
import sys
import time
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import fleet
from connectors import registry as connectors
from connectors._connector import IncrementSettings, Page, SourceSettings, Surroundings
from fleet import secrets, settings
from fleet.checks import installed
from fleet.cli.logo import data_address
from fleet.errors import SettingsError
from fleet.model.brand import Brand
from fleet.model.fingerprint import fingerprint
from fleet.model.waiver import EVERY_CHECK
from fleet.nightly.collect import Source
from fleet.nightly.terms import Terms
from fleet.store.database import Database, open_database
from fleet.toml_table import nearest, plain
from reports.notify.registry import CHANNELS
from reports.registry import formats, ready

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    import httpx

    from connectors._connector import Connector
    from fleet.model.waiver import Waiver
    from fleet.settings import Settings, SourceConfig


def now() -> datetime:
    """The wall clock, UTC, in whole seconds: the one place that reads it."""
    return datetime.now(UTC).replace(microsecond=0)


def moment(text: str, option: str = "--as-of") -> datetime:
    """A moment from the command line, given by that option.

    Raises:
        SettingsError: it is not ISO 8601.
    """
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError as error:
        raise SettingsError(
            f'{option} "{text}" is not a time; write it like 2026-11-22T02:00:00Z (ISO 8601, UTC)'
        ) from error
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).astimezone(UTC).replace(microsecond=0)


def load_settings(config: Path | None) -> Settings[SourceSettings]:
    """The settings that the command line, the environment or the usual places name."""
    loaded = settings.load(
        settings.find(config, os.environ),
        connectors.SettingsModels(),
        known_checks=[check.id for check in installed()],
        known_formats=list(formats()),
        channels={kind: channel.settings for kind, channel in CHANNELS.items()},
    )
    ready(loaded.report.formats)
    return loaded


def database_of(loaded: Settings[SourceSettings], *, upgrade: bool = True) -> Database:
    """The database of the settings, open."""
    password = loaded.database.opened(lambda ref: secrets.resolve(ref, os.environ, loaded.base))
    return open_database(
        loaded.database.url, password=password.get_secret_value() if password else None, upgrade=upgrade
    )


def settle_memory() -> None:
    """Spare the collector what lives as long as the program, and wake it for pages rather than for rows.

    Decoding and judging make millions of short-lived values that reference counting frees by itself; at the default
    threshold the collector looks through all of them again and again (measured: a seventh of the time).
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)
    if sys.platform == "linux":
        # glibc gives each thread room of its own, 64 MB of addresses, and seldom takes it back: with two rooms for all,
        # a run of many sources fits into a limit on addresses, and into a tenth less of memory.
        with suppress(AttributeError):  # other C libraries have no such thing
            ctypes.CDLL(None).mallopt(_ARENA_MAX, 2)


_ARENA_MAX = -8
"""`M_ARENA_MAX` in glibc's malloc.h (mallopt(3), read 2026-11-22)."""


def surroundings(collected_at: datetime, *, deadline_minutes: float = math.inf) -> Surroundings:
    """The real world, for connectors; their time begins now."""
    return Surroundings(
        collected_at=collected_at,
        now=time.monotonic,
        sleep=time.sleep,
        ends=time.monotonic() + deadline_minutes * 60,
        user_agent=f"fleetkeep/{fleet.__version__}",
    )


def source_of(config: SourceConfig[SourceSettings], base: Path, omit: Iterable[str] = ()) -> Source:
    """A configured source; its secrets are resolved when its walk begins; `omit` is what is not to be stored."""
    connector = connectors.connector(config.kind)

    def walk(around: Surroundings) -> Iterator[Page]:
        opened = config.opened(lambda ref: secrets.resolve(ref, os.environ, base))
        yield from connector.walk(opened, around)

    source = _source(config.settings, connector, walk)
    return replace(source, omit=frozenset(omit), terms=fingerprint(source.terms, *sorted(omit)))


def source_over(values: SourceSettings, transport: httpx.BaseTransport | None) -> Source:
    """A source whose settings are complete, answered by `transport` inside this process, so without any waiting."""
    connector = connectors.connector(values.kind)

    def walk(around: Surroundings) -> Iterator[Page]:
        yield from connector.walk(values, replace(around, transport=transport, sleep=_without_waiting))

    return replace(_source(values, connector, walk), full_walk_days=1)


def _without_waiting(_seconds: float) -> None: ...


def _source(
    values: SourceSettings,
    connector: Connector[SourceSettings],
    walk: Callable[[Surroundings], Iterator[Page]],
) -> Source:
    days = values.full_walk_days if isinstance(values, IncrementSettings) else 1
    return Source(
        name=values.name,
        kind=values.kind,
        provides=connector.reported(values),
        fields=connector.named(values),
        walk=walk,
        site=values.site,
        icloud_plan_gb=values.icloud_plan_gb,
        full_walk_days=days,
        terms=fingerprint(fleet.__version__, values.model_dump_json()),
    )


def wanted(loaded: Settings[SourceSettings], names: Sequence[str]) -> list[SourceConfig[SourceSettings]]:
    """The enabled sources, or those of `names`.

    Raises:
        SettingsError: a name is not configured, or there is no source at all.
    """
    known = {config.name: config for config in loaded.sources}
    for name in names:
        if name not in known:
            raise SettingsError(f'{loaded.path}: no source "{name}"; there are: {", ".join(known) or "none"}')
    chosen = [known[name] for name in names] or [config for config in loaded.sources if config.enabled]
    if not chosen:
        raise SettingsError(f"{loaded.path}: no [[source]] to read; `fleetkeep init` shows how one looks")
    return chosen


def known_check(name: str) -> str:
    """The id of a check, or `*` for every one.

    Raises:
        SettingsError: there is none of that name; names the nearest.
    """
    known = [check.id for check in installed()]
    if name not in {EVERY_CHECK, *known}:
        wrong = f'no check "{plain(name)}"; {nearest(name, known)}' if name else "CHECK is required"
        raise SettingsError(f"{wrong}; `fleetkeep checks` tells of each")
    return name


def terms_of(loaded: Settings[SourceSettings], waivers: Sequence[Waiver] = ()) -> Terms:
    """All that a judgement depends on besides the facts; `waivers` are those of the database."""
    plans = {
        config.name: config.settings.icloud_plan_gb
        for config in loaded.sources
        if config.settings.icloud_plan_gb is not None
    }
    report = loaded.report
    logo = data_address(report.logo) if report.logo else ""
    return Terms(
        policy=loaded.policy,
        waivers=(*loaded.waivers, *waivers),
        plans=plans,
        title=report.title,
        base_url=report.base_url or "",
        brand=Brand(logo=logo, accent=report.accent or "", footer=report.footer or ""),
    )
