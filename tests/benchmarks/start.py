"""How soon the command answers: `fleetkeep --help` beside a Python that does nothing."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.benchmarks.contenders import installed
from tests.benchmarks.measured import measure

_TIMES = 7


def start() -> str:
    """The best of a few of each, in seconds of CPU, and their ratio."""
    with tempfile.TemporaryDirectory() as folder:
        nothing, ours = (
            min(measure(command, Path(folder)).cpu for _ in range(_TIMES))
            for command in ([sys.executable, "-c", "pass"], [installed(), "--help"])
        )
    return (
        f"`--help` takes {ours:.3f} s of CPU, `python -c pass` {nothing:.3f} s: {ours / nothing:.1f} times."
    )
