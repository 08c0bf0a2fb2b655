"""What others on this machine took meanwhile: PostgreSQL's processes, and the loopback network. Linux alone tells."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def cpu_of_server(folder: Path) -> float:
    """Seconds of CPU that the PostgreSQL server in that folder has taken, with its sessions, ended ones included."""
    number = int((folder / "data" / "postmaster.pid").read_text("ascii").split()[0])
    children = (place for place in Path("/proc").glob("[0-9]*") if _parent(place) == number)
    ticks = sum(_ticks(Path(f"/proc/{number}"))) + sum(sum(_ticks(place)[:2]) for place in children)
    return ticks / os.sysconf("SC_CLK_TCK")


def loopback_bytes() -> int:
    """Bytes that have gone over the loopback network, whoever sent them."""
    for line in Path("/proc/net/dev").read_text("ascii").splitlines():
        name, _, figures = line.partition(":")
        if name.strip() == "lo":
            return int(figures.split()[0])
    return 0


def _ticks(place: Path) -> Sequence[int]:
    """User and system time of a process; then those of its children that have ended (proc(5), fields 14 to 17)."""
    return [int(field) for field in _fields(place)[11:15]]


def _parent(place: Path) -> int:
    return int(_fields(place)[1])


def _fields(place: Path) -> Sequence[str]:
    """What stands in `stat` behind the program's name, which may have any character in it; zeros for one that ended."""
    try:
        return (place / "stat").read_text("utf-8").rpartition(")")[2].split()
    except OSError:
        return ["0"] * 20
