"""Disks that are small, full or sealed."""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.faults.table import Unavailable

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path


@contextmanager
def small_disk(place: Path, megabytes: int) -> Generator[Path]:
    """A disk of that size at `place`."""
    place.mkdir()
    options = ["-t", "tmpfs", "-o", f"size={megabytes}m,mode=0700", "tmpfs", str(place)]
    mounted = os.name == "posix" and subprocess.run(["mount", *options], capture_output=True, check=False)
    if not mounted or mounted.returncode:
        raise Unavailable("mounting a small disk takes root")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


@contextmanager
def filled(disk: Path, *, leave: int) -> Generator[None]:
    """Within the block no more than so many bytes of the disk are free."""
    ballast = disk / "ballast"
    with ballast.open("wb") as file:
        file.write(bytes(max(0, shutil.disk_usage(disk).free - leave)))
    yield
    ballast.unlink()


def files(folder: Path) -> dict[str, bytes]:
    """All files of a report."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
