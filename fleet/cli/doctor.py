"""`doctor`: is everything in place for the nightly run?"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from fleet.cli.examine import Level, Line


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
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of lines.")] = False,
) -> None:
    """Examine all that a night needs, and say what to do.

    Settings, files, secrets, database, clocks, sources and notifications; exit 2 on an error.
    """
    from fleet.cli import examine

    lines: list[Line] = []
    for line in examine.findings(context.obj.config, source or [], send_test=send_test):
        lines.append(line)
        if not as_json:
            typer.echo(f"{line.level:<{max(map(len, examine.Level))}}  {line.what}: {line.said}")
    worst = examine.worst([line.level for line in lines])
    if as_json:
        typer.echo(json.dumps(_document(lines, worst), ensure_ascii=False))
    raise typer.Exit(2 if worst is examine.Level.ERROR else 0)


def _document(lines: list[Line], worst: Level) -> dict[str, object]:
    told = [{"level": line.level, "what": line.what, "message": line.said} for line in lines]
    return {"schema": "fleetkeep.doctor/1", "worst": worst, "lines": told}
