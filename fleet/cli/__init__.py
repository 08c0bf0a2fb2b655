"""The command line: the only place where clocks, secrets, HTTP clients and databases are made.

Heavy imports happen inside commands, so that `--help` answers at once.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING, NoReturn

from fleet.errors import FleetkeepError, LockedError, OutputError, SettingsError, StoreError

if TYPE_CHECKING:
    from types import FrameType

EXIT_CODES = {SettingsError: 2, LockedError: 5, StoreError: 6, OutputError: 7}
INTERRUPTED = 130
TERMINATED = 143


def main() -> None:
    """Run the command line; ends the process with one of the documented exit codes."""
    from fleet.cli.app import app, arranged

    signal.signal(signal.SIGTERM, _terminated)
    try:
        app(arranged(sys.argv[1:]), standalone_mode=True)
    except FleetkeepError as error:
        print(f"fleetkeep: {error}", file=sys.stderr)
        _end(next((code for kind, code in EXIT_CODES.items() if isinstance(error, kind)), 2))
    except KeyboardInterrupt:
        print("fleetkeep: interrupted; nothing half-done will be believed", file=sys.stderr)
        _end(INTERRUPTED)
    except BrokenPipeError:
        _end(0)


def _terminated(_number: int, _frame: FrameType | None) -> NoReturn:
    print("fleetkeep: terminated; nothing half-done will be believed", file=sys.stderr)
    _end(TERMINATED)


def _end(code: int) -> NoReturn:
    """End at once, whatever threads are still waiting for a server."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            continue
    os._exit(code)
