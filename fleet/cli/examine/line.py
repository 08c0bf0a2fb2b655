"""One thing that `doctor` looked at."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How bad a line is, the worst last."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Line:
    """What was looked at, and what was found; where that is not ok, with what to do."""

    level: Level
    what: str
    said: str


def worst(levels: list[Level]) -> Level:
    """The worst of them; ok for none."""
    return max(levels, key=list(Level).index, default=Level.OK)
