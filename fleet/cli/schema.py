"""`schema`: the JSON Schemas of what other programs read."""

from __future__ import annotations

from typing import Annotated

import typer

from fleet.errors import SettingsError


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("schema")(schema)


def schema(
    name: Annotated[
        str,
        typer.Argument(
            help="report (findings.json), manifest (manifest.json), device or finding (a line of NDJSON)."
        ),
    ] = "report",
) -> None:
    """The JSON Schema of a file for other programs."""
    import json

    from reports import schemas

    if name not in schemas.SCHEMAS:
        raise SettingsError(f'no schema "{name}"; there are: {", ".join(schemas.SCHEMAS)}')
    typer.echo(json.dumps(schemas.schema(name), indent=2, ensure_ascii=False))
