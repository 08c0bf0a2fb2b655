"""What one ticket is about: a word that the command line has to know before anything is loaded."""

from __future__ import annotations

from enum import StrEnum


class Grouping(StrEnum):
    """What one ticket is about."""

    FINDING = "finding"
    DEVICE = "device"
    CHECK = "check"
