"""Two directories change places at one instant, where the system can do that."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def exchanged(one: Path, other: Path) -> bool:
    """True if they changed places; False where the system or the file system cannot, and nothing was done."""
    if sys.platform != "linux":
        return False
    import ctypes  # noqa: PLC0415 - for the one moment at the end of a run

    try:
        rename = ctypes.CDLL(None).renameat2
    except AttributeError:
        return False  # a C library before 2018
    return rename(_HERE, os.fsencode(one), _HERE, os.fsencode(other), _EXCHANGE) == 0


_HERE = -100
"""`AT_FDCWD`: relative paths count from the current directory (renameat2(2), read 2026-11-22)."""
_EXCHANGE = 2
"""`RENAME_EXCHANGE`, in the same place."""
