"""`device`: one device's story, and its history."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from fleet.errors import SettingsError

if TYPE_CHECKING:
    from fleet.nightly.bench import Judgement
    from fleet.store.database import Database


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("device")(device)


def device(
    context: typer.Context,
    serial: Annotated[
        str,
        typer.Argument(
            help="Its serial number in any case; or its UDID, its key in a report, or one of its tickets."
        ),
    ],
    run_id: Annotated[
        int | None, typer.Option("--run", metavar="ID", help="As a past run saw it; else the newest.")
    ] = None,
    history: Annotated[
        bool, typer.Option("--history", help="What each night knew: what changed, when, by which source.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For other programs.")] = False,
) -> None:
    """One device's story: facts, findings, and what to do.

    What each source says of it, and how old that is.
    """
    from fleet.cli import compose, nights, plain_json, story
    from fleet.nightly import past
    from fleet.store import runs

    database = compose.database_of(compose.load_settings(context.obj.config))
    judgement, found = past.devices_by(database, serial, run_id)
    if not found:
        raise SettingsError(_unknown(database, serial, judgement))
    kept_since = runs.pruned_before(database)
    for seen in found:
        if as_json:
            said = (
                plain_json.life(seen, judgement, kept_since)
                if history
                else plain_json.device(seen, judgement)
            )
        else:
            said = nights.told(seen, kept_since) if history else story.told(seen, judgement.as_of)
        typer.echo(said)


def _unknown(database: Database, name: str, judgement: Judgement) -> str:
    """Why there is nothing to tell, and what the admin may have meant."""
    from fleet.model.identity import identity
    from fleet.store import naming

    if identity(name) is None:
        return f'"{name}" stands for no serial number; a device without one goes by its UDID or by its key in a report'
    run = f"run {judgement.run_id} of {judgement.as_of:%Y-%m-%d %H:%M} UTC"
    if since := naming.first_seen(database, name):
        return f"{run} did not know {name} yet: its first night is {since:%Y-%m-%d %H:%M} UTC"
    near = naming.nearest(database, name)
    meant = f"; did you mean {' or '.join(near)}?" if near else ""
    return f"no source that {run} judged knows a device with the serial number, UDID or key {name}{meant}"
