"""`init`: a commented settings file to start from."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from fleet.errors import OutputError, SettingsError


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("init")(init)


def init(
    path: Annotated[Path, typer.Argument(help="The file to write.")] = Path("fleetkeep.toml"),
    kind: Annotated[
        list[str] | None, typer.Option("--kind", help="A source to prepare; may be repeated.")
    ] = None,
) -> None:
    """Write a commented settings file; never over an existing one."""
    from fleet.cli import template

    text = template.settings_text(kind or ["jamf_pro"])
    try:
        with open(path, "x", encoding="utf-8", opener=_private) as file:
            file.write(text)
    except FileExistsError as error:
        raise SettingsError(f"{path} exists already; name another path, or edit it") from error
    except OSError as error:
        with suppress(OSError):
            path.unlink()  # else the next try would find a file in its way
        raise OutputError(
            f"cannot write {path}: {error.strerror}; name a file in a folder of yours"
        ) from error
    typer.echo(
        f"wrote {path}: fill in the [[source]], let `fleetkeep doctor` look at it, then `fleetkeep run`"
    )


def _private(path: str, flags: int) -> int:
    """Servers, client ids and people's addresses will stand there: made for its owner alone."""
    return os.open(path, flags, 0o600)
