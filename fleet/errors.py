"""Every error of the program, grouped by what happens next.

FleetkeepError
├── SettingsError        cannot start: settings or usage                        exit 2
├── StoreError           cannot start: the database is unusable or newer        exit 6
├── LockedError          another run holds the lock                             exit 5
├── OutputError          a file could not be written                            exit 7
├── Undelivered          a notification did not get through; said, never an exit code
└── SourceError          this source ends partial or failed, the run goes on    exit 3 or 4
    ├── SecretUnavailable   a secret reference could not be followed
    ├── AuthRefused         the credential was refused
    ├── PermissionMissing   the credential lacks a permission, named in the vendor's own words
    ├── NotFound            the server has no such path: wrong address, or a version without it
    ├── Unreachable         no usable connection: name, network, TLS, proxy, time
    ├── CutOff              the time of the whole run was up
    ├── Throttled           the server asked us to wait for longer than the run may last
    ├── ServerTrouble       the server keeps answering with an error of its own
    └── BadAnswer           an answer that cannot be what was asked for (HTML, cut, too large, a loop)

Messages name the place and the remedy. They never carry response bodies, secrets, or people's names.
"""

from __future__ import annotations

from typing import TypeVar

E = TypeVar("E", bound=BaseException)


class FleetkeepError(Exception):
    """Root of all our errors; `str()` of one is fit to be shown to the person at the keyboard."""


class SettingsError(FleetkeepError):
    """The settings or the command line cannot be used; nothing was started."""


class StoreError(FleetkeepError):
    """The database cannot be opened, is damaged, or was written by a newer program."""


class LockedError(FleetkeepError):
    """Another run is at work on the same database."""


class OutputError(FleetkeepError):
    """A report file could not be written; what was there before is untouched."""


class Undelivered(FleetkeepError):
    """A notification did not get through; the message names no address and no person.

    Attributes:
        again: another try may help.
        wait: seconds that the other side asked for before one; 0 if it did not.
    """

    def __init__(self, message: str, *, again: bool, wait: float = 0) -> None:
        super().__init__(message)
        self.again = again
        self.wait = wait


class SourceError(FleetkeepError):
    """One source cannot go on; the others do.

    Attributes:
        code: the machine-readable problem code that reports show.
    """

    code = "source_error"


class SecretUnavailable(SourceError):
    """A secret reference could not be followed: variable unset, file missing, command failed."""

    code = "secret_unavailable"


class AuthRefused(SourceError):
    """The server refused the credential."""

    code = "auth_refused"


class PermissionMissing(SourceError):
    """The credential is good but may not read this; the message names the permission to grant."""

    code = "permission_missing"


class NotFound(SourceError):
    """The server does not know the path."""

    code = "not_found"


class Unreachable(SourceError):
    """The server could not be reached, or did not answer in time."""

    code = "unreachable"


class CutOff(SourceError):
    """The whole run's deadline came before the source's end."""

    code = "cut_off"


class Throttled(SourceError):
    """The server asks for more patience than the source's deadline leaves."""

    code = "throttled"


class ServerTrouble(SourceError):
    """The server answered with an error of its own (5xx), again and again.

    Attributes:
        status: the HTTP status of the last answer.
    """

    code = "server_error"

    def __init__(self, message: str, *, status: int) -> None:
        super().__init__(message)
        self.status = status


class BadAnswer(SourceError):
    """The answer cannot be what was asked for: wrong type, cut short, too large, or a loop."""

    code = "bad_answer"


def cause_of(error: BaseException, kind: type[E]) -> E | None:
    """The first of that kind among an error and what it came from; None if there is none."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, kind):
        cause = cause.__cause__ or cause.__context__
    return cause
