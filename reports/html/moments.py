"""Times as the page's columns keep them: whole minutes."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from fleet.model.fact import NEVER, Never

if TYPE_CHECKING:
    from datetime import datetime


@lru_cache(maxsize=4096)  # most of a night's times are the times of a few collections
def minutes(moment: datetime) -> int:
    """Minutes since 1970; nothing older is ever a date here."""
    return max(int(moment.timestamp()) // 60, 0)


def distance(moment: datetime | Never, observed: int) -> int:
    """Minutes from `observed`, the sign folded into the lowest bit, from 2 on; 0 is for no value, 1 for never."""
    if moment is NEVER or isinstance(moment, Never):
        return 1
    away = minutes(moment) - observed
    return 2 + (2 * away if away >= 0 else -2 * away - 1)
