"""Commands in processes of their own, without paying for the imports each time.

A warm program imports what the command imports, once, and then forks for each command that it is asked for: the
child has its own folder, environment, output and end, as if the script had been started. Where there is no fork, or
where a test changes how Python itself starts, `tests.command` starts the real script instead.
"""

from __future__ import annotations

import atexit
import importlib
import json
import os
import select
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MODULES = (
    "alembic.command",
    "connectors.jamf_pro",
    "fleet.cli.night",
    "fleet.cli.show",
    "fleet.cli.story",
    "reports.html",
    "rich.console",
    "typer.rich_utils",
)
"""What nearly every command comes to import; it does so late, for a quick `--help`."""
SECONDS = 120


@dataclass(frozen=True)
class Ended:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str


class Warm:
    """A warm program, for one command after another; it ends with the process that made it."""

    def __init__(self, root: Path) -> None:
        self._program = subprocess.Popen(
            [sys.executable, "-m", "tests.kept_warm"],
            cwd=root,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        atexit.register(self._program.communicate)

    def run(self, arguments: Sequence[str], cwd: Path, env: Mapping[str, str]) -> Ended:
        """One command to its end, which has to come within two minutes."""
        with tempfile.TemporaryDirectory() as folder:
            out, err = Path(folder, "out"), Path(folder, "err")
            order = {
                "arguments": arguments,
                "cwd": str(cwd),
                "env": dict(env),
                "out": str(out),
                "err": str(err),
            }
            code = self._asked(json.dumps(order))
            return Ended(code, out.read_text(encoding="utf-8"), err.read_text(encoding="utf-8"))

    def _asked(self, order: str) -> int:
        orders, answers = self._program.stdin, self._program.stdout
        assert orders is not None
        assert answers is not None
        print(order, file=orders, flush=True)
        ready, _, _ = select.select([answers], [], [], SECONDS)
        if not ready:
            self._program.kill()
            raise TimeoutError(f"not ended after {SECONDS} s: {order[:200]}")
        return int(answers.readline())


def main() -> None:
    """Take orders from standard input, one JSON object a line; answer each with the command's exit code."""
    for name in MODULES:
        importlib.import_module(name)
    answers = os.dup(1)
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            os.close(answers)
            become(json.loads(line))
            return
        _, status = os.waitpid(child, 0)
        os.write(answers, b"%d\n" % os.waitstatus_to_exitcode(status))


def become(order: Mapping[str, Any]) -> None:
    """Be the command, with its arguments, folder, environment and files for what it says; it ends the process."""
    from fleet.cli import main as command  # noqa: PLC0415 - the parent only keeps it warm

    os.chdir(order["cwd"])
    os.environ.clear()
    os.environ.update(order["env"])
    time.tzset()
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for number, path in enumerate((order["out"], order["err"]), start=1):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), number)
    sys.argv = ["fleetkeep", *order["arguments"]]
    command()


if __name__ == "__main__":
    main()
