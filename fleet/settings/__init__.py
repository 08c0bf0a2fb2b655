"""`fleetkeep.toml`: found, read, and checked as a whole before anything starts.

Whatever is wrong is said at once, one line each: file, table, key, what was found and what is allowed. What
stands where a secret belongs is never repeated.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic

import platformdirs

from fleet.errors import SettingsError
from fleet.settings import _kinds, _tables
from fleet.settings._kinds import Resolver, S, SourceConfig
from fleet.settings._models import DEFAULT_FORMATS, Catalog, DatabaseKeys, Privacy, Report, Run, WaiverKeys
from fleet.settings._shared import anchored, names_of
from fleet.settings._tables import PERSONAL, Database
from fleet.toml_table import File, checked, parsed

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from pydantic import BaseModel

    from fleet.model.policy import Policy
    from fleet.model.waiver import Waiver

__all__ = [
    "DEFAULT_FORMATS", "FILE_NAME", "PERSONAL", "VARIABLE",
    "Catalog", "Database", "DatabaseKeys", "Privacy", "Report", "Resolver", "Run", "Settings", "SourceConfig",
    "WaiverKeys", "find", "load",
]  # fmt: skip

FILE_NAME = "fleetkeep.toml"
VARIABLE = "FLEETKEEP_CONFIG"
_TABLES = ("database", "report", "policy", "privacy", "run", "source", "catalog", "waiver", "notify")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(Generic[S]):
    """Everything that the settings file says, checked.

    Attributes:
        path: the file, absolute.
        sources: in the order of the file; those with `enabled = false` too; maybe none.
        notify: likewise, the notifications.
    """

    path: Path
    database: Database
    report: Report
    policy: Policy
    sources: tuple[SourceConfig[S], ...]
    waivers: tuple[Waiver, ...]
    catalog: Catalog
    notify: tuple[SourceConfig[Any], ...] = ()
    privacy: Privacy = field(default_factory=Privacy)
    run: Run = field(default_factory=Run)

    @property
    def base(self) -> Path:
        """The folder to which the file's relative paths are relative."""
        return self.path.parent


def find(explicit: Path | None, environ: Mapping[str, str]) -> Path:
    """The settings file: `explicit`, else what `environ` names, else the first usual place with one.

    Raises:
        SettingsError: there is none; names the places looked at.
    """
    named = explicit or (Path(environ[VARIABLE]) if environ.get(VARIABLE) else None)
    if named is not None:
        if not _is_there(named):
            who = "--config" if explicit else VARIABLE
            raise SettingsError(f"{named} ({who}) does not exist; `fleetkeep init {named}` writes one")
        return named
    places = _usual_places()
    for place in places:
        if _is_there(place):
            return place
    looked = ", ".join(map(str, places))
    raise SettingsError(f"no settings file at {looked}; `fleetkeep init` writes one, --config names another")


def _usual_places() -> list[Path]:
    folders = (
        platformdirs.user_config_path("fleetkeep", appauthor=False),
        platformdirs.site_config_path("fleetkeep", appauthor=False),
    )
    return [Path(FILE_NAME), *(folder / FILE_NAME for folder in folders)]


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def load(
    path: Path,
    kinds: Mapping[str, type[S]],
    *,
    known_checks: Collection[str],
    known_formats: Collection[str],
    channels: Mapping[str, type[BaseModel]] | None = None,
) -> Settings[S]:
    """The settings in the file at `path`; `kinds` gives the settings model of each kind of source.

    Args:
        channels: likewise, that of each kind of notification.

    Raises:
        SettingsError: one line for each thing that is wrong.
    """
    path = path.absolute()
    file = File(tables=parsed(path), faults=[])
    database = _tables.database(file.one("database"), path.parent)
    report = _tables.report(file.one("report"), path.parent, known_formats)
    policy = _tables.policy(file.one("policy"))
    source_tables = file.many("source")
    sources = _kinds.sources(source_tables, path.parent, kinds)
    catalog = checked(anchored(file.one("catalog"), Catalog, path.parent), Catalog)
    privacy = _tables.privacy(file.one("privacy"))
    run = checked(file.one("run"), Run)
    waivers = _tables.waivers(file.many("waiver"), known_checks, names_of(source_tables))
    notify = _kinds.notifications(file.many("notify"), path.parent, channels or {}, names_of(source_tables))
    file.refuse_unknown(_TABLES)
    if file.faults or not (database and report and catalog and privacy and run):
        raise SettingsError("\n".join(f"{path}: {fault}" for fault in file.faults))
    return Settings(
        path=path,
        database=database,
        report=report,
        policy=policy,
        sources=sources,
        waivers=waivers,
        catalog=catalog,
        notify=notify,
        privacy=privacy,
        run=run,
    )
