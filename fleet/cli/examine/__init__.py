"""What `doctor` looks at, line by line; each line that is not ok says what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fleet.cli import compose
from fleet.cli.examine import notifications, places, sources, terms
from fleet.cli.examine.line import Level, Line, worst
from fleet.cli.examine.memory import memory
from fleet.errors import FleetkeepError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

__all__ = ["Level", "Line", "findings", "worst"]


def findings(config: Path | None, names: Sequence[str], *, send_test: bool = False) -> Iterator[Line]:
    """Everything that a nightly run needs, in the order in which it needs it.

    Args:
        names: only these sources.
        send_test: send a message by every notification.
    """
    try:
        loaded = compose.load_settings(config)
        chosen = compose.wanted(loaded, names)
    except FleetkeepError as error:
        yield Line(Level.ERROR, "settings", str(error))
        return
    yield Line(Level.OK, "settings", f"{loaded.path}, {_sources(len(chosen))} to examine")
    yield from places.permissions(loaded)
    yield from places.database(loaded)
    yield from places.outputs(loaded)
    yield from memory()
    yield terms.catalog(loaded)
    yield from terms.waivers(loaded)
    for one in chosen:
        yield from sources.source(one, loaded)
    yield from notifications.notifications(loaded, send_test=send_test)


def _sources(count: int) -> str:
    return "1 source" if count == 1 else f"{count:,} sources"
