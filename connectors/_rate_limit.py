"""A vendor's limit of requests, kept by waiting for one's turn."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from connectors._connector import Surroundings


class RateLimit:
    """A token bucket: at most `rate` requests in a burst, refilled evenly over `per_seconds`."""

    def __init__(self, rate: int, per_seconds: float, around: Surroundings) -> None:
        self._rate = rate
        self._per_second = rate / per_seconds
        self._around = around
        self._lock = threading.Lock()
        self._tokens = float(rate)
        self._counted_at = around.now()

    def wait(self) -> None:
        """Return when one more request is within the limit."""
        with self._lock:
            now = self._around.now()
            self._tokens = min(self._rate, self._tokens + (now - self._counted_at) * self._per_second) - 1
            self._counted_at = now
            owed = -self._tokens / self._per_second
        if owed > 0:
            self._around.sleep(owed)
