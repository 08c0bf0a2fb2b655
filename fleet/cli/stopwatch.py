"""What a run costs, stage by stage: for `last_run.json`, for the log, and so for whoever wonders where a night went."""

from __future__ import annotations

import logging
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Stage:
    """One part of a run: the time that went by, and that of the processor."""

    name: str
    seconds: float
    cpu_seconds: float


@dataclass(slots=True)
class Stopwatch:
    """Takes the time of stages, as they end.

    Attributes:
        clock: seconds that go by.
        cpu: seconds of processor time that this process has taken, all its threads together.
    """

    clock: Callable[[], float] = time.monotonic
    cpu: Callable[[], float] = time.process_time
    stages: list[Stage] = field(default_factory=list[Stage])

    @contextmanager
    def stage(self, name: str) -> Generator[None]:
        """Take the time of the block; one that breaks is not noted."""
        began, cpu_began = self.clock(), self.cpu()
        yield
        ended = Stage(name, round(self.clock() - began, 3), round(self.cpu() - cpu_began, 3))
        self.stages.append(ended)
        log.info(
            "stage_ended stage=%(stage)s seconds=%(seconds)s cpu_seconds=%(cpu_seconds)s",
            {"stage": ended.name, "seconds": ended.seconds, "cpu_seconds": ended.cpu_seconds},
        )


def peak_memory_mb() -> float | None:
    """The most memory that this process has held so far, in MB; None where the system does not tell (Windows)."""
    if sys.platform == "win32":
        return None
    from resource import RUSAGE_SELF, getrusage

    in_bytes = 1 if sys.platform == "darwin" else 1024
    return round(getrusage(RUSAGE_SELF).ru_maxrss * in_bytes / 1e6, 1)
