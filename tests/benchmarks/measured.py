"""What a process costs: seconds of CPU and of the clock, and the most memory, as the system counts them."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Cost:
    """One process from start to end: seconds, seconds, megabytes."""

    cpu: float
    wall: float
    peak: float


class BrokeError(Exception):
    """The process ended badly; says how, with the last that it said."""


def measure(command: Sequence[str], folder: Path, env: Mapping[str, str] | None = None) -> Cost:
    """Run the command in `folder` to its end.

    Raises:
        BrokeError: it ended by another code than 0.
    """
    with tempfile.TemporaryFile("w+", encoding="utf-8") as said:
        began = time.perf_counter()
        process = subprocess.Popen(
            command, cwd=folder, env={**os.environ, **(env or {})}, stdout=said, stderr=subprocess.STDOUT
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            raise BrokeError(f"{command[0]} ended with {process.returncode}: {said.read()[-600:]}")
    in_bytes = 1 if sys.platform == "darwin" else 1024
    return Cost(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss * in_bytes / 1e6)


def size(*paths: Path) -> int:
    """Bytes of these files and of all files below these folders."""
    files = (file for path in paths for file in (path.rglob("*") if path.is_dir() else [path]))
    return sum(file.stat().st_size for file in files if file.is_file())
