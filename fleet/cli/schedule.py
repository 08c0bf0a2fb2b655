"""`schedule`: a ready unit for the nightly run, for whatever starts a command every night."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import time
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import fleet
from fleet.errors import SettingsError

if TYPE_CHECKING:
    from connectors._connector import SourceSettings
    from fleet.schedule.job import Job, Secret
    from fleet.schedule.registry import Unit
    from fleet.settings import Settings


class Kind(StrEnum):
    """What starts it."""

    SYSTEMD = "systemd"
    CRON = "cron"
    LAUNCHD = "launchd"
    WINDOWS = "windows"
    KUBERNETES = "kubernetes"


At = Annotated[str, typer.Option(metavar="HH:MM", help="When, every day, by this machine's clock.")]
User = Annotated[str | None, typer.Option(help="The account that it runs as; else you.")]
Image = Annotated[str | None, typer.Option(help="The container image, for kubernetes.")]
Shards = Annotated[
    int,
    typer.Option(
        min=1,
        max=999,
        metavar="N",
        help="For kubernetes: share each night among N pods; needs PostgreSQL.",
        show_default=False,
    ),
]
Out = Annotated[
    Path | None, typer.Option(metavar="FOLDER", help="Write the files there instead of printing them.")
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("schedule")(schedule)


def schedule(
    context: typer.Context,
    kind: Annotated[Kind, typer.Argument(help="What starts it.")],
    at: At = "02:00",
    user: User = None,
    image: Image = None,
    shards: Shards = 1,
    out: Out = None,
) -> None:
    """Print a ready unit for the nightly run.

    It has this machine's own paths; nothing is installed.
    """
    from fleet.cli import compose, logs
    from fleet.schedule.registry import SCHEDULERS

    loaded = compose.load_settings(context.obj.config)
    if shards > 1:
        _refuse_shards(kind, loaded)
    job = replace(
        _job(loaded, _time(at), user, image or f"fleetkeep:{fleet.__version__}"),
        shards=shards if shards > 1 else 0,
    )
    scheduler = SCHEDULERS[kind]
    units = scheduler.units_of(job)
    if out is None:
        typer.echo(_printed(units), nl=False)
    else:
        _write(units, out)
    for note in _notes(kind, job, loaded):
        logs.say(note, level=logging.WARNING)
    if context.obj.volume >= 0:
        typer.echo(f"next: {scheduler.install}", err=True)


def _refuse_shards(kind: Kind, loaded: Settings[SourceSettings]) -> None:
    if kind is not Kind.KUBERNETES:
        raise SettingsError(
            "--shards is for kubernetes; elsewhere each machine's own schedule says which share is its own, as in "
            "`fleetkeep run --shard 1/2`"
        )
    if loaded.database.path is not None:
        raise SettingsError(
            f"{loaded.path}: [database] url is an SQLite file; pods that share a night need PostgreSQL"
        )


def _time(text: str) -> time:
    try:
        hour, _, minute = text.partition(":")
        return time(int(hour), int(minute))
    except ValueError as error:
        raise SettingsError(f'--at "{text}" is not a time of day; write it like 02:00') from error


def _job(loaded: Settings[SourceSettings], at: time, user: str | None, image: str) -> Job:
    import getpass

    from fleet.schedule.job import Job

    return Job(
        program=str(_program()),
        settings=str(loaded.path),
        settings_text=loaded.path.read_text("utf-8"),
        folder=str(loaded.base),
        log=str((loaded.database.path or loaded.report.directory).with_name("fleetkeep.log")),
        writable=_writable(loaded),
        user=user or getpass.getuser(),
        user_named=user is not None,
        at=at,
        secrets=_secrets(loaded),
        caches=loaded.database.path is None,
        image=image,
    )


def _program() -> Path:
    """The console script that is running, as it is called: a link to it survives an upgrade, its target may not."""
    import shutil
    import sys
    import sysconfig

    called = Path(sys.argv[0])
    beside = Path(sysconfig.get_path("scripts"))
    found = shutil.which("fleetkeep", path=str(beside)) or shutil.which("fleetkeep")
    if called.stem == "fleetkeep" and called.is_file():
        found = str(called)
    if found is None:
        raise SettingsError(
            f"no console script `fleetkeep` in {beside} or on the PATH; install the package with pip"
        )
    return Path(found).absolute()


def _writable(loaded: Settings[SourceSettings]) -> tuple[str, ...]:
    """The folder of the database file, and the report directory, or the one in which it will be made."""
    place = loaded.report.directory
    made_in = next(folder for folder in (place, *place.parents) if folder.exists())
    folders = [made_in] if loaded.database.path is None else [loaded.database.path.parent, made_in]
    return tuple(dict.fromkeys(map(str, folders)))


def _secrets(loaded: Settings[SourceSettings]) -> tuple[Secret, ...]:
    from fleet.schedule.job import Secret

    of_database = [Secret("database-password", loaded.database.password)] if loaded.database.password else []
    configs = [config for config in (*loaded.sources, *loaded.notify) if config.enabled]
    named = [Secret(f"{one.name}-{key}", ref) for one in configs for key, ref in one.secrets.items()]
    return (*of_database, *named)


def _printed(units: list[Unit]) -> str:
    """The units one after another; of several, each under its name."""
    if len(units) == 1:
        return units[0].text
    return "\n".join(f"# ---- {unit.name}\n{unit.text}" for unit in units)


def _write(units: list[Unit], folder: Path) -> None:
    from reports.directory import writing
    from reports.whole_file import put

    with writing(folder, "or name another folder"):
        folder.mkdir(parents=True, exist_ok=True)
        for unit in units:
            put(folder / unit.name, unit.text, mode=0o644)
            typer.echo(f"wrote {folder / unit.name}")


def _unset(kind: Kind, job: Job) -> list[str]:
    """The unit of systemd has a place for variables; the others' have none that only its owner can read."""
    names = ", ".join(job.variable_names)
    if kind is Kind.SYSTEMD or not names:
        return []
    said = f"{kind} knows nothing of your shell's environment, so the run would miss {names}"
    return [f'{said}: name a file in the settings instead, as in {{ file = "secret.txt" }}']


def _notes(kind: Kind, job: Job, loaded: Settings[SourceSettings]) -> list[str]:
    """What the admin should know before it runs."""
    if kind is not Kind.KUBERNETES:
        as_root = ["it would run as root; --user names a lesser account"] if job.user == "root" else []
        return [*as_root, *_unset(kind, job)]
    outside = [path for path in (loaded.database.path, loaded.report.directory) if path]
    return [
        f"{path} is not below {loaded.base}: in the pod it would not be on the volume; write a relative path"
        for path in outside
        if not path.is_relative_to(loaded.base)
    ]
