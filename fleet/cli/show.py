"""The demo's work: night after night of a made-up fleet through the real line."""

from __future__ import annotations

import tempfile
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from connectors import registry
from connectors.demo import demo_sources, made_up_fleet, night_time
from connectors.demo.press import press_for
from fleet.cli import compose
from fleet.cli.night import Work, shifted, summary
from fleet.cli.nightly import front_page
from fleet.cli.progress import Bar
from fleet.model.policy import Policy
from fleet.nightly.publish import Silence
from fleet.nightly.terms import Terms
from fleet.settings import DEFAULT_FORMATS
from fleet.store.database import open_database
from reports.registry import ready

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fleet.nightly.collect import Source

TERMS = Terms(policy=Policy(), title="Larkmoor Trust: iPad and iPhone backups (made up)")


def show(*, devices: int, nights: int, out: Path, seed: int, as_of: str | None, loud: bool) -> None:
    """Live through the nights, report the last one into `out`, and say where to look."""
    fleet = made_up_fleet(devices, nights, seed)
    last = compose.moment(as_of) if as_of else compose.now()
    compose.settle_memory()
    with press_for(devices) as press, tempfile.TemporaryDirectory(prefix="fleetkeep-demo-") as folder:
        database = open_database(f"sqlite:///{folder}/demo.db")
        work = Work(database=database, as_of=last - timedelta(days=nights), bar=Bar() if loud else None)
        sources: list[Source] = []
        for night in range(nights):
            at = night_time(last, night, nights)
            sources = [
                compose.source_over(
                    registry.connector(one.kind).settings.model_validate(one.values), one.transport
                )
                for one in demo_sources(fleet, night, at, Path(folder), press)
            ]
            if loud and work.bar:
                work.bar.stage(f"night {night + 1} of {nights}")
            work = shifted(work, at)
            work.collect(sources, accept_mass_change=False)
            if night < nights - 1:
                work.judge(TERMS, _names(sources), Silence(), accept_mass_change=False)
        chosen = ready(DEFAULT_FORMATS)
        judged = partial(work.judge, TERMS, _names(sources), accept_mass_change=False, history=True)
        finished, _ = work.publish(TERMS, out, chosen, judged)
        database.engine.dispose()
    if loud:
        typer.echo(f"{summary(finished)}\nreport: {front_page(out / 'latest', chosen).absolute()}")


def _names(sources: Sequence[Source]) -> list[str]:
    return [source.name for source in sources]
