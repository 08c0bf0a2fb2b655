"""`run`, and its parts `collect`, `evaluate` and `report`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fleet.model.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

    from fleet.cli.night import ConfiguredNight
    from fleet.model.run import Outcome, RunReport
    from reports._format import Format

Sources = Annotated[list[str] | None, typer.Option("--source", help="Only this source; may be repeated.")]
AsOf = Annotated[
    str | None, typer.Option("--as-of", metavar="TIME", help="The clock of every judgement (ISO 8601, UTC).")
]
Full = Annotated[bool, typer.Option("--full", help="Read every source in full.")]
Accept = Annotated[
    bool, typer.Option("--accept-mass-change", help="It is true that so much changed: go on with tickets.")
]
FailOn = Annotated[
    Severity | None, typer.Option("--fail-on", help="Exit 1 when a finding of this severity or worse stands.")
]
Name = Annotated[
    str | None,
    typer.Option(
        help="Share this run with all processes that give this name; needs PostgreSQL.", show_default=False
    ),
]
ShardOf = Annotated[
    str | None,
    typer.Option(
        "--shard",
        metavar="K/N",
        help="Read the K-th of N shares of the sources, in the run of --name or of today.",
    ),
]
Wait = Annotated[
    float,
    typer.Option(
        "--wait",
        metavar="MINUTES",
        min=0,
        help="With --shard: wait so long for shards that do not come, then read theirs too.",
        show_default=False,
    ),
]
Out = Annotated[Path | None, typer.Option("--out", help="The report directory, in place of the settings'.")]
Formats = Annotated[list[str] | None, typer.Option("--format", help="Only this format; may be repeated.")]
Redact = Annotated[
    bool,
    typer.Option(
        "--redact",
        help="Tokens in place of people, serial numbers, sites and groups; into DIRECTORY/redacted, or --out.",
    ),
]

REDACTED = "redacted"
INCOMPLETE = 3
NOTHING_COLLECTED = 4
FOUND = 1


def register(app: typer.Typer) -> None:
    """Add the nightly commands."""
    app.command("run")(run)
    app.command("collect")(collect)
    app.command("evaluate")(evaluate)
    app.command("report")(report)


def run(
    context: typer.Context,
    source: Sources = None,
    as_of: AsOf = None,
    fail_on: FailOn = None,
    full: Full = False,
    accept_mass_change: Accept = False,
    name: Name = None,
    shard: ShardOf = None,
    wait: Wait = 0,
) -> None:
    """The nightly job: collect, evaluate, report, notify. Several processes can share it, see --name."""
    from fleet.cli import last_run, notices, shared

    if name is not None or shard is not None:
        asked = shared.Asked(
            name=name,
            shard=shard,
            sources=source or (),
            wait_minutes=wait,
            as_of=as_of,
            fail_on=fail_on,
            full=full,
            accept_mass_change=accept_mass_change,
        )
        raise typer.Exit(shared.run(context.obj, asked))

    config = context.obj.config
    with last_run.kept(config) as record, notices.alarmed(config), _night(context, as_of) as night:
        night.collect(source or [], accept_mass_change=accept_mass_change, full=full)
        finished = night.judge(accept_mass_change=accept_mass_change, publish=True, record=record)
        record.code = exit_code(finished, fail_on)
    raise typer.Exit(record.code)


def collect(
    context: typer.Context,
    source: Sources = None,
    as_of: AsOf = None,
    full: Full = False,
    accept_mass_change: Accept = False,
) -> None:
    """Read the sources into the database, and nothing more."""
    with _night(context, as_of, judging=False) as night:
        outcomes = night.collect(source or [], accept_mass_change=accept_mass_change, full=full)
    raise typer.Exit(collected_code(list(outcomes.values())))


def evaluate(
    context: typer.Context, as_of: AsOf = None, fail_on: FailOn = None, accept_mass_change: Accept = False
) -> None:
    """Judge what was collected last; writes findings, and no report."""
    with _night(context, as_of) as night:
        finished = night.judge(accept_mass_change=accept_mass_change, publish=False)
    raise typer.Exit(exit_code(finished, fail_on))


def report(
    context: typer.Context,
    run_id: Annotated[
        int | None, typer.Option("--run", metavar="ID", help="A past run; else the newest.")
    ] = None,
    out: Out = None,
    formats: Formats = None,
    redact: Redact = False,
    site: Annotated[str | None, typer.Option("--site", help="Only the devices of this site.")] = None,
    group: Annotated[str | None, typer.Option("--group", help="Only the devices in this group.")] = None,
    source: Annotated[
        str | None, typer.Option("--source", help="Only the devices that this source knows.")
    ] = None,
) -> None:
    """Write the report of a run again, from the database alone.

    With --redact, one that can be shown to strangers. With --site, --group or --source, that of one slice alone, into
    DIRECTORY/slices or --out; only its devices are read.
    """
    from fleet.cli import compose
    from fleet.model.brand import Brand
    from fleet.nightly import judge, one_slice, publish, redacted
    from reports.registry import ready

    loaded = compose.load_settings(context.obj.config)
    part = _part(site, group, source, redact=redact)
    chosen = ready(formats or loaded.report.formats, None if part else loaded.report.split_by)
    database = compose.database_of(loaded)
    again, _ = judge.remade(database, run_id)
    terms = again.terms
    base_url = "" if redact or part else terms.base_url
    brand = Brand() if redact else terms.brand
    texts = publish.context_of(terms.policy, base_url, again.as_of, brand)
    place = out or _usual_place(loaded.report.directory, part, redact=redact)
    with publish.Publication(place, again.as_of, chosen, texts) as publication:
        if part:
            finished = one_slice.judge_slice(database, again.run_id, *part, publication)
        else:
            make = redacted.judge_again if redact else judge.judge_again
            finished = make(database, again.run_id, publication, history=True)
        place = publication.publish(finished, as_latest=run_id is None and not redact)
    typer.echo(f"report of run {finished.id}: {front_page(place, chosen)}")


def _part(site: str | None, group: str | None, source: str | None, *, redact: bool) -> tuple[str, str] | None:
    """By what the report is to be narrowed, and to which; None for the whole fleet."""
    from fleet.errors import SettingsError

    given = [(kind, name) for kind, name in (("site", site), ("group", group), ("source", source)) if name]
    if len(given) > 1 or (given and redact):
        raise SettingsError("give one of --site, --group, --source and --redact")
    return given[0] if given else None


def _usual_place(directory: Path, part: tuple[str, str] | None, *, redact: bool) -> Path:
    from reports.slices import FOLDER, folder_of

    if part:
        return directory / FOLDER / folder_of(*part)
    return directory / REDACTED if redact else directory


def _night(
    context: typer.Context, as_of: str | None, *, judging: bool = True
) -> AbstractContextManager[ConfiguredNight]:
    from fleet.cli import night

    return night.opened(context.obj, as_of, judging=judging)


def exit_code(finished: RunReport, fail_on: Severity | None) -> int:
    """The highest-numbered exit code that applies to a finished run."""
    if finished.outcome == "failed":
        return NOTHING_COLLECTED
    if finished.outcome != "complete" or finished.hold:
        return INCOMPLETE
    standing = [severity for severity, count in finished.totals.findings.items() if count]
    return FOUND if fail_on and any(severity.rank >= fail_on.rank for severity in standing) else 0


def collected_code(outcomes: Sequence[Outcome]) -> int:
    """The exit code of a collection without a judgement."""
    if all(outcome == "failed" for outcome in outcomes):
        return NOTHING_COLLECTED
    return 0 if all(outcome == "complete" for outcome in outcomes) else INCOMPLETE


def front_page(place: Path, formats: Sequence[Format]) -> Path:
    """The file to open first in a report directory."""
    return place / "index.html" if any(one.name == "html" for one in formats) else place
