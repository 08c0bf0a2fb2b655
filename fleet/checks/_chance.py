"""Tails of two distributions, as logarithms: the chance that as many or more are hit, summed and not approximated."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

NEGLIGIBLE = 1e-12


def log_hypergeometric_tail(k: int, n: int, stopped: int, judged: int) -> float:
    """The natural logarithm of the chance that `k` or more of `stopped` of `judged` devices are among `n` of them.

    >>> round(math.exp(log_hypergeometric_tail(1, 1, 5, 50)), 12)
    0.1
    """
    first = _log_choose(stopped, k) + _log_choose(judged - stopped, n - k) - _log_choose(judged, n)
    more = (
        (stopped - i) * (n - i) / ((i + 1) * (judged - stopped - n + i + 1))
        for i in range(k, min(n, stopped))
    )
    return first + _log_of_series(more)


def log_binomial_tail(k: int, n: int, share: float) -> float:
    """The natural logarithm of the chance that `k` or more of `n` stop where each does with the chance `share` < 1.

    >>> round(math.exp(log_binomial_tail(1, 2, 0.5)), 12)
    0.75
    """
    first = _log_choose(n, k) + k * math.log(share) + (n - k) * math.log1p(-share)
    return first + _log_of_series((n - i) / (i + 1) * share / (1 - share) for i in range(k, n))


def _log_choose(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)


def _log_of_series(ratios: Iterable[float]) -> float:
    """The logarithm of 1 + r1 + r1 r2 + r1 r2 r3 …, to twelve digits."""
    total = term = 1.0
    for ratio in ratios:
        term *= ratio
        total += term
        if term < total * NEGLIGIBLE and ratio < 1:
            break
    return math.log(total)
