"""`demo`: the main job on a made-up fleet, without settings, account or network."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("demo")(demo)


def demo(
    context: typer.Context,
    devices: Annotated[int, typer.Option(min=1, max=500_000, help="How many devices the fleet has.")] = 250,
    nights: Annotated[int, typer.Option(min=1, max=1000, help="How many nights it has lived through.")] = 30,
    out: Annotated[Path, typer.Option(help="Where the report goes.")] = Path("demo-out"),
    seed: Annotated[int, typer.Option(help="Another number makes another fleet.")] = 7,
    as_of: Annotated[
        str | None,
        typer.Option("--as-of", metavar="TIME", help="The last night (ISO 8601, UTC); else this one."),
    ] = None,
) -> None:
    """See what fleetkeep does, on a made-up fleet.

    Read by the real connectors, judged night after night, and reported: no account, no network, no settings.
    """
    import logging

    from fleet.cli.show import show

    if context.obj.volume == 0:
        logging.getLogger().setLevel(
            logging.ERROR
        )  # that a made-up server fails one night is part of the show
    show(devices=devices, nights=nights, out=out, seed=seed, as_of=as_of, loud=context.obj.volume >= 0)
