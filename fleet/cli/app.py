"""The command tree, and the options that every command shares."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from fleet import __version__

app = typer.Typer(
    name="fleetkeep",
    help="Which of my iPhones and iPads would lose data tonight, why, and who has to do what about it?",
    no_args_is_help=False,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)


class LogFormat(StrEnum):
    """How log lines are written to standard error."""

    TEXT = "text"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class Common:
    """What was said before the command's own options.

    Attributes:
        volume: -1 for quiet, 0, 1 for -v, 2 for -vv.
    """

    config: Path | None
    volume: int


_TAKING_A_VALUE = ("--config", "--log-format")
_FLAGS = ("-v", "-vv", "--verbose", "-q", "--quiet")


def arranged(arguments: list[str]) -> list[str]:
    """The arguments with the shared options in front, so that they may stand anywhere on the line."""
    shared: list[str] = []
    others: list[str] = []
    rest = iter(arguments)
    for argument in rest:
        if argument == "--":
            others += [argument, *rest]
        elif argument in _TAKING_A_VALUE:
            shared += [argument, *[value for value in [next(rest, None)] if value is not None]]
        elif argument in _FLAGS or argument.startswith(tuple(f"{name}=" for name in _TAKING_A_VALUE)):
            shared.append(argument)
        else:
            others.append(argument)
    return shared + others


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"fleetkeep {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def shared_options(
    context: typer.Context,
    config: Annotated[
        Path | None,
        typer.Option(help="The settings file; else $FLEETKEEP_CONFIG, ./fleetkeep.toml, the user's own."),
    ] = None,
    verbose: Annotated[
        int, typer.Option("-v", "--verbose", count=True, help="Say more; -vv still more.", show_default=False)
    ] = 0,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Say nothing but errors.")] = False,
    log_format: Annotated[LogFormat, typer.Option(help="How log lines are written.")] = LogFormat.TEXT,
    version: Annotated[  # noqa: ARG001 - typer calls back before we are asked
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit."),
    ] = False,
) -> None:
    """Shared by all commands; may stand before or after the command."""
    volume = -1 if quiet else min(verbose, 2)
    context.obj = Common(config, volume)
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        return
    from fleet.cli import logs

    logs.start(volume, as_json=log_format is LogFormat.JSON)


def _register() -> None:
    from fleet.cli import (
        catalog,
        catalogue,
        database,
        demo,
        device,
        doctor,
        export,
        forget,
        history,
        init,
        nightly,
        schedule,
        schema,
        status,
        waivers,
    )

    for module in (
        *(demo, init, doctor, nightly, schedule, status, export, schema),
        *(device, history, forget, waivers, catalog, catalogue, database),
    ):
        module.register(app)


_register()
