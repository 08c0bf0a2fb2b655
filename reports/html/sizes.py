"""Sizes as the page's columns keep them: whole steps of 100 MB."""

from __future__ import annotations

SIZE_STEP = 100_000_000
_LARGEST = 2**31


def step_of(size: int | None) -> int:
    """0 stands for no value, else one more than the number of steps; what no disk can hold is capped."""
    return 0 if size is None else min(max(size // SIZE_STEP, 0), _LARGEST) + 1
