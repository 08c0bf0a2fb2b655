"""`export`: a run's tickets as CSV for a ticketing or asset product, and the check of such a file."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fleet.errors import SettingsError
from fleet.model.finding import Action
from reports.ticketing._grouping import Grouping

if TYPE_CHECKING:
    from collections.abc import Generator

    from reports.ticketing._export import AssetExport, Exported, TicketExport
    from reports.ticketing._file import Sink
    from reports.ticketing._night import Night
    from reports.ticketing._profile import AnyProfile

WRONG_FILE = 2
TOLD_AT_MOST = 100
NAMED_AT_MOST = 3

Out = Annotated[Path | None, typer.Option(help="Where the file goes; else to standard output.")]
Checked = Annotated[
    Path | None,
    typer.Option("--check", metavar="FILE", help="Write nothing; say what the product would refuse."),
]
Only = Annotated[
    str | None,
    typer.Option(metavar="ACTIONS", help="Tickets with these actions alone, as in create,update."),
]
GroupBy = Annotated[Grouping | None, typer.Option(help="What one ticket is about; else one finding.")]
RunId = Annotated[int | None, typer.Option("--run", metavar="ID", help="A past run; else the newest.")]
ForSpreadsheet = Annotated[
    bool | None,
    typer.Option(help="Written for people who open it in a spreadsheet first; else as the product wants it."),
]
Redact = Annotated[
    bool,
    typer.Option(
        "--redact",
        help="Tokens in place of people, serial numbers, sites and groups: to show, not to import.",
    ),
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("export")(export)


def export(
    context: typer.Context,
    profile: Annotated[
        str,
        typer.Option(metavar="NAME", help="The product, as in servicenow; an unknown one lists them all."),
    ],
    out: Out = None,
    check: Checked = None,
    only: Only = None,
    group_by: GroupBy = None,
    run_id: RunId = None,
    spreadsheet: ForSpreadsheet = None,
    redact: Redact = False,
) -> None:
    """A run's tickets, or its devices, as CSV for another product.

    In the columns, dates and limits of one ticketing or asset product.
    """
    from reports.ticketing._profile import AssetProfile

    chosen = profile_of(profile)
    for_people = chosen.spreadsheet if spreadsheet is None else spreadsheet
    if check is not None:
        raise typer.Exit(_checked(check, chosen, spreadsheet=for_people))
    actions = actions_of(only)
    if isinstance(chosen, AssetProfile) and (actions is not None or group_by is not None):
        raise SettingsError(
            f"{chosen.product} takes devices, not tickets: --only and --group-by say nothing there"
        )

    from fleet.cli import compose
    from fleet.nightly import export as exporting

    database = compose.database_of(compose.load_settings(context.obj.config))
    compose.settle_memory()
    night = exporting.night_of(database, run_id, redact=redact)
    with _sink(out, chosen, mark=for_people) as sink:
        listener = _listener(chosen, sink, night, actions, group_by, spreadsheet=for_people)
        exported = exporting.export(database, night.run.id, listener, redact=redact)
    _tell(exported, chosen, night, loud=context.obj.volume >= 0 and out is not None)


def profile_of(name: str) -> AnyProfile:
    """The profile by name.

    Raises:
        SettingsError: there is no such profile.
    """
    from reports.ticketing.registry import PROFILES

    if name not in PROFILES:
        raise SettingsError(f'no profile "{name}"; there are: {", ".join(PROFILES)}')
    return PROFILES[name]


def actions_of(text: str | None) -> frozenset[Action] | None:
    """The actions in a list with commas.

    Raises:
        SettingsError: one of them is none.
    """
    if text is None:
        return None
    words = [word.strip() for word in text.split(",") if word.strip()]
    for word in words:
        if word not in frozenset(Action):
            raise SettingsError(f'--only "{word}" is not an action; there are: {", ".join(Action)}')
    return frozenset(Action(word) for word in words)


@contextmanager
def _sink(out: Path | None, profile: AnyProfile, *, mark: bool) -> Generator[Sink]:
    from reports.ticketing._file import Files, Stream

    header = [column.name for column in profile.columns]
    if out is None:
        yield Stream(sys.stdout.buffer, header, mark=mark)
        return
    with Files(out, header, mark=mark, limit=profile.row_limit) as files:
        yield files


def _listener(
    profile: AnyProfile,
    sink: Sink,
    night: Night,
    only: frozenset[Action] | None,
    group_by: Grouping | None,
    *,
    spreadsheet: bool,
) -> TicketExport | AssetExport:
    from reports.ticketing._export import AssetExport, TicketExport
    from reports.ticketing._profile import AssetProfile

    if isinstance(profile, AssetProfile):
        return AssetExport(profile, sink, night, spreadsheet=spreadsheet)
    grouping = group_by or Grouping.FINDING
    return TicketExport(profile, sink, night, grouping=grouping, only=only, spreadsheet=spreadsheet)


def _tell(exported: Exported, profile: AnyProfile, night: Night, *, loud: bool) -> None:
    import logging

    from fleet.cli import logs
    from reports.ticketing._profile import AssetProfile

    if night.run.hold and not isinstance(profile, AssetProfile):
        logs.say("ticket actions are held: none of them is to be carried out", level=logging.WARNING)
    for why, number in exported.left_out.items():
        logs.say(f"devices left out: {number:,} {why}", level=logging.WARNING)
    if not exported.files and profile.row_limit is not None and exported.rows > profile.row_limit:
        logs.say(
            f"{profile.product} takes at most {profile.row_limit:,} rows from one file, and these are "
            f"{exported.rows:,}; --out splits them",
            level=logging.WARNING,
        )
    if loud:
        files = ", ".join(str(path) for path in exported.files)
        quiet = exported.rows == 0 and not isinstance(profile, AssetProfile)
        typer.echo(
            f"{exported.rows:,} {'row' if exported.rows == 1 else 'rows'} of run {night.run.id}: {files}"
            + ("; it changes no ticket, and --run ID exports an earlier one" if quiet else "")
        )


def _checked(path: Path, profile: AnyProfile, *, spreadsheet: bool) -> int:
    from reports.ticketing._validate import Validator

    validator = Validator(profile, spreadsheet=spreadsheet)
    number = 0
    for number, complaint in enumerate(validator.complaints(path), 1):
        if number <= TOLD_AT_MOST:
            typer.echo(f"{path}: {complaint}")
    if number > TOLD_AT_MOST:
        typer.echo(f"{path}: and {number - TOLD_AT_MOST:,} more")
    if number:
        return WRONG_FILE
    typer.echo(f"{path}: {validator.rows:,} rows, as {profile.product} takes them")
    return 0
