"""The places of this machine: the database, the report directory, room on their disks, and who may read them."""

from __future__ import annotations

import os
import shutil
import stat
from typing import TYPE_CHECKING

from fleet import secrets
from fleet.cli import compose
from fleet.cli.examine.line import Level, Line
from fleet.cli.examine.transit import transit
from fleet.errors import FleetkeepError
from fleet.store import schema
from fleet.store.database import damage

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from connectors._connector import SourceSettings
    from fleet.settings import Settings

SCARCE_BYTES = 10**9
_OTHERS = stat.S_IRWXO
_GROUP = stat.S_IRWXG


def database(loaded: Settings[SourceSettings]) -> Iterator[Line]:
    """Whether it can be opened, is whole and of our schema, and whether its disk has room."""
    path, password = loaded.database.path, loaded.database.password
    if password and (said := secrets.exposure(password, loaded.base)):
        yield Line(Level.WARNING, "database", said)
    if path is None:
        yield from transit(loaded.database.url, os.environ)
    else:
        yield from _room("database", path.parent)
    if path is not None and not path.exists():
        yield _unmade(path)
        return
    try:
        opened = compose.database_of(loaded, upgrade=False)
        broken = damage(opened)
    except FleetkeepError as error:
        yield Line(Level.ERROR, "database", str(error))
        return
    if broken:
        yield Line(Level.ERROR, "database", f"{opened.place} is damaged: {broken[0]}; restore a copy")
    else:
        yield Line(Level.OK, "database", f"{opened.place}, schema {schema.HEAD}")


def _unmade(path: Path) -> Line:
    """Of a database that is not there yet: whether the first run can make it."""
    if not path.parent.is_dir():
        said = f"the folder {path.parent} does not exist; create it, or mend [database] url"
        return Line(Level.ERROR, "database", said)
    if not os.access(path.parent, os.W_OK):
        said = f"{path.parent} cannot be written to by this user; grant that, or mend [database] url"
        return Line(Level.ERROR, "database", said)
    return Line(Level.OK, "database", f"{path} will be made by the first run")


def outputs(loaded: Settings[SourceSettings]) -> Iterator[Line]:
    """Whether reports can be written, and whether their disk has room."""
    place = loaded.report.directory
    existing = next(folder for folder in (place, *place.parents) if folder.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK):
        yield Line(Level.ERROR, "reports", f"{existing} cannot be written to; mend it or [report] directory")
        return
    yield Line(Level.OK, "reports", str(place))
    yield from _room("reports", existing)


def permissions(loaded: Settings[SourceSettings]) -> Iterator[Line]:
    """Who else on this computer may change what runs, or read what is stored; on Windows nobody can tell by a mode."""
    if os.name == "nt":
        return
    found = [
        *_of_settings(loaded.path),
        *_of_database(loaded.database.path),
        *_of_reports(loaded.report.directory),
    ]
    yield from found or [
        Line(Level.OK, "permissions", "settings, database and reports are for their owner alone")
    ]


def _of_settings(path: Path) -> Iterator[Line]:
    mode = path.stat().st_mode
    if mode & stat.S_IWOTH:
        said = f"everybody on this computer may change {path}, and so run programs as you; chmod 0600 it"
        yield Line(Level.ERROR, "permissions", said)
    elif mode & stat.S_IWGRP:
        said = f"its group may change {path}, and so run programs as you; chmod g-w it, unless that is meant"
        yield Line(Level.WARNING, "permissions", said)
    if mode & stat.S_IROTH:
        said = (
            f"everybody on this computer reads {path}: servers, client ids, whom waivers name; chmod o-r it"
        )
        yield Line(Level.WARNING, "permissions", said)


def _of_database(path: Path | None) -> Iterator[Line]:
    files = [] if path is None else [path, *(path.with_name(path.name + end) for end in ("-wal", "-shm"))]
    for file in files:
        if file.exists() and file.stat().st_mode & (_GROUP | _OTHERS):
            said = f"others on this computer may open {file}, which tells who has which device; chmod 0600 it"
            yield Line(Level.WARNING, "permissions", said)


def _of_reports(folder: Path) -> Iterator[Line]:
    if folder.is_dir() and folder.stat().st_mode & stat.S_IWOTH:
        said = f"everybody on this computer may replace what lies in {folder}; chmod o-w it"
        yield Line(Level.ERROR, "permissions", said)


def _room(what: str, folder: Path) -> Iterator[Line]:
    try:
        free = shutil.disk_usage(folder).free
    except OSError:
        return  # the line about the place itself says what is wrong with it
    if free >= SCARCE_BYTES:
        yield Line(Level.OK, what, f"{free / 1e9:.1f} GB free in {folder}")
    else:
        advice = "free some space before the next run"
        yield Line(Level.WARNING, what, f"{free / 1e9:.1f} GB free in {folder}; {advice}")
