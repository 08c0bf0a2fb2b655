"""How much memory this process may take, where somebody set a limit."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from fleet.cli.examine.line import Level, Line

if TYPE_CHECKING:
    from collections.abc import Iterator

LEAST_BYTES = 256 * 10**6
"""What a night of some ten thousand devices fits into; one of a million takes twice as much."""
_GROUPS = Path("/sys/fs/cgroup")


def memory(groups: Path = _GROUPS) -> Iterator[Line]:
    """The limit, if there is one; whoever passes it is ended by the system in the middle of a night.

    Args:
        groups: where the kernel tells of the limits of containers and services (cgroup v2, as one sees it from inside).
    """
    limit = min((*_of_process(), *_of_container(groups)), default=None)
    if limit is None:
        return
    said = f"this process may take {limit / 1e6:,.0f} MB"
    if limit >= LEAST_BYTES:
        yield Line(Level.OK, "memory", said)
        return
    advice = (
        f"a night needs {LEAST_BYTES / 1e6:.0f} MB, and 512 MB with a million devices: raise the limit (ulimit -v, "
        "systemd's MemoryMax, the container's memory)"
    )
    yield Line(Level.WARNING, "memory", f"{said}; {advice}")


def _of_process() -> Iterator[int]:
    if sys.platform == "win32":
        return
    from resource import RLIM_INFINITY, RLIMIT_AS, getrlimit

    soft, _ = getrlimit(RLIMIT_AS)
    if soft != RLIM_INFINITY:
        yield soft


def _of_container(groups: Path) -> Iterator[int]:
    try:
        said = (groups / "memory.max").read_text("ascii").strip()
    except (OSError, ValueError):
        return
    if said.isdigit():  # else `max`
        yield int(said)
