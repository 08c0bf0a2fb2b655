"""The command line: the only place where clocks, secrets, HTTP clients and databases are made.

Heavy imports happen inside commands, so that `--help` answers at once.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
import threading
from typing import TYPE_CHECKING, NoReturn

from fleet.errors import FleetkeepError, LockedError, OutputError, SettingsError, StoreError

if TYPE_CHECKING:
    from types import FrameType

EXIT_CODES = {SettingsError: 2, LockedError: 5, StoreError: 6, OutputError: 7}
BUG = 70
INTERRUPTED = 130
TERMINATED = 143
_WORDS = {INTERRUPTED: "interrupted", TERMINATED: "terminated"}


class _Stopped(BaseException):
    """Somebody wants the program to end; passes everything that catches less, and clears up on its way."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


def main() -> None:
    """Run the command line; ends the process with one of the documented exit codes."""
    from fleet.cli import logs

    signal.signal(signal.SIGTERM, _terminated)
    signal.signal(signal.SIGINT, _interrupted)
    try:
        _run()
    except FleetkeepError as error:
        logs.say(str(error))
        _end(code_of(error))
    except _Stopped as stop:
        logs.say(f"{_WORDS[stop.code]}; nothing half-done will be believed")
        _end(stop.code)
    except Exception as error:  # noqa: BLE001 - the last place that can tell the admin in one line
        if _is_bug(error):
            logs.say_bug(error)
        else:
            logs.say(words_of(error))
        _end(code_of(error))


def code_of(error: BaseException) -> int:
    """The exit code of a command that this ended."""
    if isinstance(error, _Stopped):
        return error.code
    if isinstance(error, FleetkeepError):
        return next((code for kind, code in EXIT_CODES.items() if isinstance(error, kind)), 2)
    return EXIT_CODES[OutputError] if _full(error) else BUG


def _is_bug(error: BaseException) -> bool:
    return code_of(error) == BUG and not isinstance(error, MemoryError)


def _full(error: BaseException) -> bool:
    return isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}


def words_of(error: BaseException) -> str:
    """What may be said of it anywhere: an error that is not ours keeps its words to itself."""
    if isinstance(error, FleetkeepError):
        return str(error)
    if _full(error):
        return "there is no space left on a disk that is written to, be it that of standard output; free some"
    if isinstance(error, MemoryError):
        return (
            "there is not enough memory; raise the limit (ulimit -v, systemd's MemoryMax, the container's memory) or "
            "free some: nothing that is stored is lost"
        )
    return _WORDS[error.code] if isinstance(error, _Stopped) else f"a bug of ours ({type(error).__name__})"


def _run() -> None:
    from fleet.cli.app import app, arranged

    try:
        app(arranged(sys.argv[1:]), prog_name="fleetkeep")
    except SystemExit as end:
        # Whoever read our output has seen enough; exit code 1 would say that something was found.
        if isinstance(end.__context__, BrokenPipeError):
            _end(0)
        if _somebody_waits():
            _end(end.code if isinstance(end.code, int) else 0)
        raise


def _somebody_waits() -> bool:
    """A thread that still waits for a server that nobody needs any more would keep the program from ending."""
    others = (thread for thread in threading.enumerate() if thread is not threading.main_thread())
    return any(not thread.daemon for thread in others)


def _terminated(_number: int, _frame: FrameType | None) -> NoReturn:
    raise _Stopped(TERMINATED)


def _interrupted(_number: int, _frame: FrameType | None) -> NoReturn:
    raise _Stopped(INTERRUPTED)


def _end(code: int) -> NoReturn:
    """End at once, whatever threads are still waiting for a server."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            continue
    os._exit(code)
