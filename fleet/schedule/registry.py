"""The schedulers, and how a unit of each is written."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

from jinja2 import Environment, StrictUndefined

from fleet.schedule import quoting
from fleet.schedule.job import CREDENTIALS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fleet.schedule.job import Job


@dataclass(frozen=True, slots=True)
class Unit:
    """One file of a scheduler."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Scheduler:
    """How a scheduler takes a job.

    Attributes:
        units: the file names of its units; the template of each has the same name.
        quote: what happens to every value on its way into a template, unless a filter has done it.
        refused: characters that its units cannot carry.
        install: how the admin puts the units in place, for people's eyes.
        xml: whether its units are XML, where the template escapes every value.
    """

    units: tuple[str, ...]
    quote: Callable[[object], str]
    refused: str
    install: str
    xml: bool = False

    def units_of(self, job: Job) -> list[Unit]:
        """The files for this job.

        Raises:
            SettingsError: a path has a character that this scheduler cannot carry.
        """
        job.refuse(self.refused)
        return [Unit(name, self._text(name, job)) for name in self.units]

    def _text(self, name: str, job: Job) -> str:
        template = files("fleet.schedule").joinpath("unit", f"{name}.j2").read_text("utf-8")
        text = self._jinja().from_string(template).render(job=job, credentials=CREDENTIALS).rstrip() + "\n"
        # Without a declared encoding, XML of nothing but ASCII is read alike by every reader.
        return text.encode("ascii", "xmlcharrefreplace").decode("ascii") if self.xml else text

    def _jinja(self) -> Environment:
        def finalize(value: object) -> object:
            return value if isinstance(value, quoting.Quoted) else self.quote(value)

        jinja = Environment(
            autoescape=self.xml,  # noqa: S701 - the others are no markup: `finalize` quotes every value
            finalize=None if self.xml else finalize,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )
        jinja.filters.update(_FILTERS)
        return jinja


_FILTERS: Mapping[str, Callable[..., str]] = {
    "command": quoting.systemd_command,
    "whole": quoting.systemd_whole,
    "crontab": quoting.crontab,
    "block": quoting.yaml_text,
    "cmd": quoting.windows,
    "mounted": quoting.mounted,
}

SCHEDULERS: Mapping[str, Scheduler] = {
    "systemd": Scheduler(
        units=("fleetkeep.service", "fleetkeep.timer"),
        quote=quoting.systemd,
        refused="\\\"'",  # systemd takes no program with one of these in its path
        install="put both into /etc/systemd/system, then `systemctl daemon-reload` and "
        "`systemctl enable --now fleetkeep.timer`",
    ),
    "cron": Scheduler(
        units=("fleetkeep.cron",),
        quote=quoting.shell,
        refused="\\",
        install="add it by `crontab -e`; with --user, it is a file for /etc/cron.d",
    ),
    "launchd": Scheduler(
        units=("fleetkeep.nightly.plist",),
        quote=quoting.plain,
        refused="",
        install="put it into /Library/LaunchDaemons, owned by root, then "
        "`launchctl bootstrap system /Library/LaunchDaemons/fleetkeep.nightly.plist`",
        xml=True,
    ),
    "windows": Scheduler(
        units=("fleetkeep.xml",),
        quote=quoting.plain,
        refused='%"',
        install="`schtasks /Create /TN fleetkeep /XML fleetkeep.xml`",
        xml=True,
    ),
    "kubernetes": Scheduler(
        units=("fleetkeep.yaml",),
        quote=quoting.yaml,
        refused="",
        install="make the Secret that its head names, then `kubectl apply -f fleetkeep.yaml`",
    ),
}
