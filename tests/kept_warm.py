"""Commands in processes of their own, without paying for the imports each time.

A warm program imports what the command imports, once, and then forks for each command that it is asked for: the
child has its own folder, environment, output and end, as if the script had been started. Where there is no fork, or
where a test changes how Python itself starts, `tests.command` starts the real script instead.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import select
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from coverage import Coverage

MODULES = (
    "alembic.command",
    "connectors.jamf_pro",
    "encodings.unicode_escape",
    "encodings.utf_8_sig",
    "fleet.cli.app",
    "fleet.cli.doctor",
    "fleet.cli.night",
    "fleet.cli.show",
    "fleet.cli.story",
    "fleet.nightly.share",
    "reports.html",
    "reports.last_run",
    "reports.ticketing",
    "rich.console",
    "typer.rich_utils",
)
"""What nearly every command comes to import; it does so late, for a quick `--help`."""
SECONDS = 3600 if "FLEETKEEP_FAULTS_IN_FULL" in os.environ else 120


@dataclass(frozen=True)
class Ended:
    """How a command ended and what it said.

    Attributes:
        peak_kb: the most memory that it had at a time; of a command that was begun warm alone.
    """

    code: int
    out: str
    err: str
    peak_kb: int = 0


@dataclass(frozen=True)
class Begun:
    """A command under way."""

    pid: int
    folder: tempfile.TemporaryDirectory[str]
    _warm: Warm

    def send(self, number: int) -> None:
        """Send it a signal."""
        os.kill(self.pid, number)

    def wait(self) -> Ended:
        """Its end, which has to come within `SECONDS`."""
        return self._warm.end_of(self)


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
        """One command to its end, which has to come within `SECONDS`."""
        return self.begin(arguments, cwd, env).wait()

    def begin(
        self,
        arguments: Sequence[str],
        cwd: Path,
        env: Mapping[str, str],
        *,
        limits: Mapping[str, int] | None = None,
        says_to: str | None = None,
    ) -> Begun:
        """One command, under way.

        Args:
            arguments: of the command line.
            cwd: its folder.
            env: all of its environment.
            limits: names of the system's limits, as in `ulimit`, with a value for each: `{"NOFILE": 64}`.
            says_to: where all that it says goes, in place of files of its own.
        """
        folder = tempfile.TemporaryDirectory()
        order = {
            "arguments": arguments,
            "cwd": str(cwd),
            "env": dict(env),
            "out": says_to or f"{folder.name}/out",
            "err": says_to or f"{folder.name}/err",
            "limits": dict(limits or {}),
        }
        (pid,) = self._asked(order)
        return Begun(pid, folder, self)

    def end_of(self, begun: Begun) -> Ended:
        """How a command ended that was begun."""
        code, peak_kb = self._asked({"end_of": begun.pid})
        with begun.folder as folder:
            out, err = (_said(Path(folder, name)) for name in ("out", "err"))
        return Ended(code, out, err, peak_kb)

    def _asked(self, order: Mapping[str, Any]) -> list[int]:
        orders, answers = self._program.stdin, self._program.stdout
        assert orders is not None
        assert answers is not None
        print(json.dumps(order), file=orders, flush=True)
        ready, _, _ = select.select([answers], [], [], SECONDS)
        if not ready:
            self._program.kill()
            raise TimeoutError(f"not ended after {SECONDS} s: {str(order)[:200]}")
        return [int(word) for word in answers.readline().split()]


def _said(path: Path) -> str:
    return path.read_text("utf-8") if path.exists() else ""


def main() -> None:
    """Take orders from standard input, one JSON object a line: to begin a command, answered with its process number.

    Or to wait for the end of one, answered with its exit code and its peak memory in KB.
    """
    warm_up()
    write_down()
    gc.collect()
    gc.freeze()  # so that no child looks through it, and copies it by looking
    answers = os.dup(1)
    kinds: set[tuple[str, ...]] = set()
    for line in sys.stdin:
        order = json.loads(line)
        if pid := order.get("end_of"):
            _, status, used = os.wait4(pid, 0)
            os.write(answers, b"%d %d\n" % (os.waitstatus_to_exitcode(status), used.ru_maxrss))
            continue
        kind = tuple(order["arguments"][:1] + [word for word in order["arguments"] if word.startswith("-")])
        known = kind in kinds
        kinds.add(kind)
        child = os.fork()
        if child == 0:
            os.close(answers)
            if known:
                measure_no_more()
            become(order)
            return
        os.write(answers, b"%d\n" % child)


def warm_up() -> None:
    """Do what every command does alike: import, look for plug-ins, read guide and catalogue, compile the templates."""
    for name in MODULES:
        importlib.import_module(name)
    from fleet import guide, plugin  # noqa: PLC0415 - the tests themselves need none of this
    from fleet.apple import catalog  # noqa: PLC0415
    from tests.reports.made_up import storied, write  # noqa: PLC0415

    guide.load()
    catalog.bundled().facts_json()
    for kind in ("checks", "connectors", "reports"):
        plugin.entries(f"fleetkeep.{kind}")
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder), [storied()])


def write_down() -> None:
    """Save what coverage has measured so far, where it measures: each child would write it down once more."""
    if measured := _coverage():
        measured.save()


def measure_no_more() -> None:
    """Stop coverage where it measures: it costs a command as much again, and of those that are alike one tells."""
    if measured := _coverage():
        measured.stop()
        os._exit = importlib.import_module("posix")._exit  # coverage has put one there that saves what it has


def _coverage() -> Coverage | None:
    if "coverage" not in sys.modules:
        return None
    from coverage import Coverage  # noqa: PLC0415 - only where it is there already

    return Coverage.current()


def become(order: Mapping[str, Any]) -> None:
    """Be the command, with its arguments, folder, environment and files for what it says; it ends the process."""
    import resource  # noqa: PLC0415 - where there is no fork, there is none of this either

    from fleet.cli import main as command  # noqa: PLC0415 - the parent only keeps it warm

    os.chdir(order["cwd"])
    os.environ.clear()
    os.environ.update(order["env"])
    time.tzset()
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for number, path in enumerate((order["out"], order["err"]), start=1):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), number)
    for name, most in order["limits"].items():
        resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (most, most))
    sys.argv = ["fleetkeep", *order["arguments"]]
    code = 0
    try:
        command()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0
    # To take the interpreter down in order would copy all that the parent keeps warm, for nothing.
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):
            stream.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
