"""`device`: one device's story."""

from __future__ import annotations

from typing import Annotated

import typer

from fleet.errors import SettingsError


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("device")(device)


def device(
    context: typer.Context,
    serial: Annotated[str, typer.Argument(help="Its serial number, in any case.")],
    run_id: Annotated[int | None, typer.Option("--run", metavar="ID", help="As a past run saw it.")] = None,
) -> None:
    """What each source says of one device and how old that is, its findings, and what to do."""
    from fleet.cli import compose, story
    from fleet.nightly import judge

    database = compose.database_of(compose.load_settings(context.obj.config))
    again, _ = judge.remade(database, run_id)
    found = judge.judge_device(database, serial, again.run_id)
    if found is None:
        raise SettingsError(
            f"no source that run {again.run_id} judged knows a device with the serial {serial}"
        )
    typer.echo(story.told(found, again.as_of))
