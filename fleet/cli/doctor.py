"""`doctor`: is everything in place for the nightly run?"""

from __future__ import annotations

from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("doctor")(doctor)


def doctor(
    context: typer.Context,
    source: Annotated[
        list[str] | None, typer.Option("--source", help="Only this source; may be repeated.")
    ] = None,
    send_test: Annotated[
        bool, typer.Option("--send-test", help="Send a test message by every notification.")
    ] = False,
) -> None:
    """Examine settings, secrets, database, outputs, sources and notifications; exit 2 on an error."""
    from fleet.cli import examine

    width = max(map(len, examine.Level))
    worst = examine.Level.OK
    for line in examine.findings(context.obj.config, source or [], send_test=send_test):
        typer.echo(f"{line.level:<{width}}  {line.what}: {line.said}")
        worst = max(worst, line.level, key=list(examine.Level).index)
    raise typer.Exit(2 if worst is examine.Level.ERROR else 0)
