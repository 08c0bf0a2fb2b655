"""`db`: the schema, health, retention and a consistent copy."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fleet.errors import OutputError, SettingsError, StoreError

if TYPE_CHECKING:
    from fleet.store.database import Database

KEEP_DAYS = 400
"""What `prune` goes by where nobody says otherwise."""


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(
        help="The database: schema, health, retention, copies, roles.",
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    group.command("upgrade")(upgrade)
    group.command("check")(check)
    group.command("prune")(prune)
    group.command("backup")(backup)
    group.command("roles")(roles)
    app.add_typer(group, name="db")


def upgrade(context: typer.Context) -> None:
    """Create the schema, or bring it to this version; an SQLite file is copied first."""
    database = _open(context)
    typer.echo(f"{database.place}: the schema is up to date")
    if database.upgraded_from:
        typer.echo(f"a copy from before is {database.upgraded_from}")


def check(context: typer.Context) -> None:
    """Ask the database whether it is whole."""
    from fleet.store.database import damage

    database = _open(context, upgrade=False)
    found = damage(database)
    if found:
        raise StoreError(f"{database.place} is damaged:\n" + "\n".join(found))
    typer.echo(f"{database.place}: ok")


def prune(
    context: typer.Context,
    keep_days: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Nights younger than this stay; else [privacy] keep_days, else 400.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Forget readings and runs of nights long past, and records of devices that left the fleet before that."""
    from datetime import timedelta

    from fleet.cli import compose
    from fleet.store.lock import lock
    from fleet.store.retention import prune as pruned

    loaded = compose.load_settings(context.obj.config)
    database = compose.database_of(loaded)
    days = keep_days or loaded.privacy.keep_days or KEEP_DAYS
    with lock(database, compose.now()):
        gone = pruned(database, before=compose.now() - timedelta(days=days))
    typer.echo(", ".join(f"{count:,} {what}" for what, count in gone.items()) + " removed")


def backup(
    context: typer.Context, path: Annotated[Path, typer.Argument(help="The file to write the copy to.")]
) -> None:
    """Write a consistent copy of an SQLite database while it may be in use."""
    from fleet.store.database import copy_sqlite

    database = _open(context, upgrade=False)
    if database.path is None:
        raise SettingsError("a PostgreSQL database is copied by pg_dump; `db backup` is for SQLite files")
    try:
        copy_sqlite(database.path, path)
    except OSError as error:
        raise OutputError(
            f"cannot write {path}: {error.strerror}; name a file in a folder of yours"
        ) from error
    typer.echo(f"copied {database.path} to {path}")


def roles(
    prefix: Annotated[str, typer.Option(help="What the roles' names begin with.")] = "fleetkeep",
) -> None:
    """Print SQL for three roles in PostgreSQL, each with the least rights: an owner, a collector and a reader."""
    import re

    from fleet.store.roles import script
    from fleet.toml_table import plain

    if not re.fullmatch("[a-z_][a-z0-9_]{0,49}", prefix):
        raise SettingsError(
            f'--prefix "{plain(prefix)}" cannot begin the name of a role; small letters, digits and _ can'
        )
    typer.echo(script(prefix), nl=False)


def _open(context: typer.Context, *, upgrade: bool = True) -> Database:
    from fleet.cli import compose

    return compose.database_of(compose.load_settings(context.obj.config), upgrade=upgrade)
