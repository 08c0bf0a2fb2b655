"""How hard property tests search: all their examples, or a few where another Python tries them all."""

import os

FEW = 10
_FEW = "FLEETKEEP_FEW_EXAMPLES" in os.environ


def examples(most: int) -> int:
    """How many examples of a property are tried, of `most` that it is worth."""
    return min(most, FEW) if _FEW else most
