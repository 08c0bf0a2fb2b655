"""The nightly job, as a scheduler has to know it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fleet.errors import SettingsError
from fleet.secrets import File, Variable

if TYPE_CHECKING:
    from datetime import time

    from fleet.secrets import SecretRef

CREDENTIALS = "/run/credentials/fleetkeep.service/"
"""Where systemd hands a service its credentials (systemd.exec(5), $CREDENTIALS_DIRECTORY of a system service)."""


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret that the settings name.

    Attributes:
        name: made of the source's name and the key, fit for a file name, as in `hq-client_secret`.
    """

    name: str
    ref: SecretRef


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """All that goes into a unit; every path is absolute.

    Attributes:
        program: the console script.
        settings: the settings file, and its text, which holds no secret.
        folder: where the job starts: the folder of the settings file.
        log: a file for what the job says, for schedulers that keep no log of their own.
        writable: the folders in which the job leaves something.
        user: the account that it runs as.
        user_named: whether somebody asked for that one.
        at: when, every day, by the clock of the machine.
        secrets: those of enabled sources and notifications, and the database's.
        caches: what Apple's feeds brought goes to the user's cache, because the database is no file.
        image: the container image, for Kubernetes.
        shards: how many pods share a night, for Kubernetes; 0 for one that does it alone.
    """

    program: str
    settings: str
    settings_text: str
    folder: str
    log: str
    writable: tuple[str, ...]
    user: str
    user_named: bool
    at: time
    secrets: tuple[Secret, ...]
    caches: bool
    image: str
    shards: int = 0

    @property
    def variables(self) -> list[Secret]:
        """The secrets that come by the environment, each variable once."""
        by_name = {one.ref.name: one for one in self.secrets if isinstance(one.ref, Variable)}
        return list(by_name.values())

    @property
    def variable_names(self) -> list[str]:
        """What those variables are called."""
        return [one.ref.name for one in self.variables if isinstance(one.ref, Variable)]

    @property
    def files(self) -> list[Secret]:
        """The secrets that are files, each file once."""
        by_path = {str(one.ref.path): one for one in self.secrets if isinstance(one.ref, File)}
        return list(by_path.values())

    @property
    def credentials(self) -> list[str]:
        """The names of the files that systemd is to hand over as credentials."""
        paths = [str(one.ref.path) for one in self.files if isinstance(one.ref, File)]
        return [path.removeprefix(CREDENTIALS) for path in paths if path.startswith(CREDENTIALS)]

    @property
    def uncredited(self) -> list[Secret]:
        """The secrets from variables and files that are no credentials yet."""
        return [*self.variables, *(one for one in self.files if CREDENTIALS not in str(one.ref))]

    @property
    def in_home(self) -> bool:
        """Whether the job needs something in somebody's home."""
        return self._needs("/home", "/root", "/run/user")

    @property
    def in_temporary(self) -> bool:
        """Whether the job needs something in a folder for temporary files."""
        return self._needs("/tmp", "/var/tmp")  # noqa: S108 - to see that we are not there

    def _needs(self, *folders: str) -> bool:
        needed = (self.program, self.settings, self.folder, *self.writable)
        return any(f"{path}/".startswith(f"{folder}/") for path in needed for folder in folders)

    def refuse(self, characters: str) -> None:
        """Refuse paths and names with characters that the unit's form cannot carry.

        Raises:
            SettingsError: one has them.
        """
        for text in (self.program, self.settings, self.folder, self.log, self.user, *self.writable):
            wrong = [char for char in text if char in characters or not char.isprintable()]
            if wrong:
                raise SettingsError(
                    f"{text!a} has the character {wrong[0]!a}, which this unit cannot carry; use another path"
                )
