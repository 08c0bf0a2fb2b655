"""`forget`: one device or one person goes out of the database, is searched for, and what lies outside is named."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from fleet.errors import SettingsError, StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from connectors._connector import SourceSettings
    from fleet.settings import Settings
    from fleet.store.database import Database
    from fleet.store.forgetting import Forgotten

_LISTED = 20


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("forget")(forget)


def forget(
    context: typer.Context,
    who: Annotated[str, typer.Argument(metavar="SERIAL|EMAIL", help="The device, or the person.")],
    reports: Annotated[
        bool, typer.Option("--reports", help="Delete the reports of the runs that had judged it, too.")
    ] = False,
) -> None:
    """Take one device or one person out of the database.

    Proves that nothing is left of it, and says what lies elsewhere.
    """
    from fleet.cli import compose
    from fleet.store import forgetting
    from fleet.store.lock import lock

    loaded = compose.load_settings(context.obj.config)
    database = compose.database_of(loaded)
    a_person = "@" in who
    with lock(database, compose.now()):
        found = (forgetting.forget_person if a_person else forgetting.forget_device)(database, who)
    if found is None:
        raise SettingsError(f"{database.place} knows no such {'person' if a_person else 'device'}")
    for line in (*_told(database, found), *_outside(loaded, database, found, delete=reports)):
        typer.echo(line)
    if found.left:
        raise StoreError(f"{database.place} still names it in: {', '.join(found.left)}")


def _told(database: Database, found: Forgotten) -> Iterator[str]:
    gone = [f"{count:,} {what}" for what, count in found.removed.items() if count]
    yield f"forgotten: {', '.join(gone)}"
    searched = "every column with text, and the file itself" if database.path else "every column with text"
    if not found.left:
        yield f"searched {database.place}, {searched}: nothing left"


def _outside(
    loaded: Settings[SourceSettings], database: Database, found: Forgotten, *, delete: bool
) -> Iterator[str]:
    """What this program cannot reach, or was not told to."""
    from reports import kept

    if found.sources:
        yield f"the next run brings back what is still listed by: {', '.join(found.sources)}; remove it there first"
    if found.open_tickets:
        yield f"no run will close these tickets any more; close them by hand: {', '.join(found.open_tickets)}"
    directories = kept.reports_of(loaded.report.directory, found.runs)
    if delete:
        for directory in directories:
            kept.delete(directory)
        yield f"deleted {len(directories):,} reports from {loaded.report.directory}"
    elif directories:
        yield f"reports that may name it: {len(directories):,}; --reports deletes them"
        yield from (f"  {directory}" for directory in directories[:_LISTED])
        if len(directories) > _LISTED:
            yield f"  and {len(directories) - _LISTED:,} more"
    yield from (f"a copy of the database that may name it: {copy}" for copy in _copies(database))
    yield (
        "not looked through: other report directories, messages, tickets and exports that were made of it, backups, "
        "and the settings file"
    )


def _copies(database: Database) -> list[str]:
    if database.path is None:
        return []
    return sorted(map(str, database.path.parent.glob(f"{database.path.name}.before-upgrade-from-*")))
