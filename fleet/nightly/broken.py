"""Checks that end with an error of their own: one more thing that is unknown, and never the end of a night."""

from __future__ import annotations

import logging
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fleet.checks.kit import Check

log = logging.getLogger(__name__)


class BrokenChecks:
    """Which checks broke tonight, by what and on how many devices."""

    def __init__(self) -> None:
        self._met: Counter[tuple[str, str]] = Counter()

    def __bool__(self) -> bool:
        return bool(self._met)

    def broke(self, check: Check, error: Exception) -> None:
        """Take note; the first of a kind goes to the log, with the way there."""
        kind = type(error).__name__
        if (check.id, kind) not in self._met:
            log.error("check_broke check=%(check)s", {"check": check.id}, exc_info=error)
        self._met[check.id, kind] += 1

    def notes(self) -> Iterator[str]:
        """A sentence for each, for the report."""
        for (check, kind), count in sorted(self._met.items()):
            devices = f"{count:,} device" + ("" if count == 1 else "s")
            yield (
                f"The check {check} broke on {devices} ({kind}): what it would say of them is unknown, and nothing "
                "of it opens or closes there. Tell whoever wrote it; the log has the place."
            )
