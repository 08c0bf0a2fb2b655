"""`history`: how the fleet stood on a past night."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("history")(history)


def history(
    context: typer.Context,
    on: Annotated[
        str, typer.Option("--on", metavar="DATE", help="A day, up to its end, or a moment (ISO 8601, UTC).")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="For other programs.")] = False,
) -> None:
    """How the fleet stood on a past night.

    Totals, findings, and the devices at risk.
    """
    from fleet.cli import compose, past_night, plain_json
    from fleet.nightly import past

    moment = _moment(on)
    database = compose.database_of(compose.load_settings(context.obj.config))
    with past.fleet_at(database, moment) as fleet:
        if as_json:
            for piece in plain_json.fleet(fleet, on):
                typer.echo(piece, nl=False)
            typer.echo()
        else:
            for line in past_night.told(fleet, moment):
                typer.echo(line)


def _moment(on: str) -> datetime:
    """The last second of a day, or the moment.

    Raises:
        SettingsError: it is neither.
    """
    from fleet.cli import compose

    try:
        day = date.fromisoformat(on)
    except ValueError:
        return compose.moment(on, "--on")
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1, seconds=-1)
