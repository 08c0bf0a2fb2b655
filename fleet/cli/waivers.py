"""`waive` and `waivers`: accept a problem on some devices until a day, take that back, and see what is accepted."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from fleet.errors import SettingsError

if TYPE_CHECKING:
    from fleet.model.waiver import Waiver, WaiverUse
    from fleet.store.database import Database
    from fleet.store.waivers import StoredWaiver

LONGEST_DAYS = 731
"""Two years: what is accepted for longer is a policy, and belongs into the settings file under somebody's review."""

LONGEST_TEXT = 200

Several = list[str] | None


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("waive")(waive)
    app.command("waivers")(waivers)


def waive(
    context: typer.Context,
    serial: Annotated[
        str | None, typer.Argument(metavar="SERIAL", help="The device; leave it out to scope by an option.")
    ] = None,
    check: Annotated[
        str | None, typer.Argument(metavar="CHECK", help="The check to accept, or '*' for every one.")
    ] = None,
    reason: Annotated[str, typer.Option("--reason", help="Why the problem is accepted.")] = "",
    until: Annotated[
        str,
        typer.Option(
            "--until", metavar="DAY", help="The last day, as in 2027-01-31 (UTC); two years at most."
        ),
    ] = "",
    owner: Annotated[
        str, typer.Option("--owner", help="Who answers for it; you by your user name if left out.")
    ] = "",
    site: Annotated[
        Several, typer.Option("--site", help="All devices of this site; may be repeated.")
    ] = None,
    group: Annotated[
        Several, typer.Option("--group", help="All devices of this group; may be repeated.")
    ] = None,
    model: Annotated[
        Several, typer.Option("--model", help="All of this model, by name or identifier; may be repeated.")
    ] = None,
    source: Annotated[
        Several, typer.Option("--source", help="All devices of this source; may be repeated.")
    ] = None,
    revoke: Annotated[
        int | None,
        typer.Option("--revoke", metavar="ID", help="Take back the waiver of that number instead."),
    ] = None,
) -> None:
    """Accept a problem until a day.

    On one device, or on all within --site, --group, --model or --source.
    """
    from fleet.cli import compose
    from fleet.model.waiver import Waiver
    from fleet.store import waivers as kept
    from fleet.store.lock import lock

    loaded = compose.load_settings(context.obj.config)
    database = compose.database_of(loaded)
    if revoke is not None:
        with lock(database, compose.now()):
            _revoke(database, revoke)
        return
    given = Waiver(
        serials=(_serial(serial),) if check and serial else (),
        checks=(compose.known_check(check or serial or ""),),
        sites=_entries("--site", site),
        groups=_entries("--group", group),
        models=_entries("--model", model),
        sources=tuple(config.name for config in compose.wanted(loaded, source)) if source else (),
        reason=_required("--reason", reason, "why the problem is accepted"),
        owner=_required("--owner", owner or user(), "who answers for it"),
        expires=_last_day(until, compose.now().date()),
    )
    _refuse_without_scope(given)
    with lock(database, compose.now()):
        number = kept.give(database, given, at=compose.now(), by=user() or "unknown")
    typer.echo(f"waiver {number}: {given.label} until {given.expires}, from the next run on")
    for one in given.serials:
        if not kept.knows_serial(database, one):
            typer.echo(f"no source has told of a device with the serial {one} yet", err=True)


def waivers(
    context: typer.Context,
    every: Annotated[bool, typer.Option("--all", help="Those that were taken back, too.")] = False,
) -> None:
    """List what is accepted, and until when.

    Active, expiring within 14 days, expired, or dead (covers nothing in the last run).
    """
    from fleet.cli import compose
    from fleet.nightly import judge
    from fleet.store import waivers as kept

    loaded = compose.load_settings(context.obj.config)
    database = compose.database_of(loaded)
    stored = {one.waiver: one for one in kept.stored(database) if every or one.revoked_at is None}
    standing = judge.waivers_now(database, [*loaded.waivers, *stored], compose.now())
    rows = [_HEAD, *(_row(use, stored.get(use.waiver)) for use in standing)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows if standing else ():
        typer.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    if not standing:
        typer.echo("no waivers: nothing is accepted")


_HEAD = ("ID", "STATE", "UNTIL", "FINDINGS", "WHAT", "OWNER", "GIVEN", "REASON")


def _row(use: WaiverUse, kept: StoredWaiver | None) -> tuple[str, ...]:
    waiver = use.waiver
    state = "revoked" if kept and kept.revoked_at else str(use.state)
    return (
        str(waiver.id or "-"),
        state,
        str(waiver.expires),
        "-" if use.findings is None else f"{use.findings:,}",
        waiver.label,
        waiver.owner,
        f"{kept.made_at:%Y-%m-%d} by {kept.made_by}" if kept else "settings file",
        waiver.reason,
    )


def user() -> str:
    """The name by which the operating system knows who is at the keyboard; empty where it does not say."""
    import getpass

    try:
        return getpass.getuser()[:LONGEST_TEXT]
    except (ImportError, KeyError, OSError):
        return ""


def _revoke(database: Database, number: int) -> None:
    from fleet.cli import compose
    from fleet.store import waivers as kept

    if not kept.revoke(database, number, at=compose.now(), by=user() or "unknown"):
        raise SettingsError(
            f"--revoke: no waiver {number} is in force; `fleetkeep waivers` lists those that are"
        )
    typer.echo(f"waiver {number} is taken back, from the next run on")


def _serial(text: str) -> str:
    from fleet.model.identity import identity

    if identity(text) is None:
        raise SettingsError(f'SERIAL: "{_shown(text)}" is no serial number')
    return text


def _entries(option: str, entries: Several) -> tuple[str, ...]:
    return tuple(_required(option, entry, "the name of one") for entry in entries or ())


def _required(option: str, text: str, what: str) -> str:
    text = text.strip()
    if not text:
        raise SettingsError(f"{option} is required: {what}")
    if len(text) > LONGEST_TEXT or not text.isprintable():
        raise SettingsError(f"{option} should be one line of at most {LONGEST_TEXT} characters")
    return text


def _last_day(text: str, today: date) -> date:
    if not text:
        raise SettingsError("--until is required: the last day on which it holds, as in 2027-01-31")
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise SettingsError(f'--until: "{_shown(text)}" is no day; write it as in 2027-01-31') from None
    if day < today:
        raise SettingsError(f"--until: {day} is past; today is {today} (UTC)")
    if day > today + timedelta(days=LONGEST_DAYS):
        raise SettingsError(f"--until: {day} is more than two years ahead; a waiver never lasts for ever")
    return day


def _refuse_without_scope(waiver: Waiver) -> None:
    from fleet.model.waiver import SCOPES

    if not any(getattr(waiver, name) for name in SCOPES):
        raise SettingsError("SERIAL is required, or one of --site, --group, --model, --source: which devices")


def _shown(text: str) -> str:
    from fleet.toml_table import plain

    return plain(text)
