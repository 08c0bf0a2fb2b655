"""Reading only what reported since last time: when that will do, and when everything has to be read after all.

Only a full walk proves that a device is gone, and only it shows what was edited on the server without the device
reporting. So an increment goes on from a full walk that is young enough, never from anything that was not whole, and
has to come out at the very number of devices that the source says it has.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from fleet.errors import BadAnswer, NotFound, ServerTrouble
from fleet.store import walks

if TYPE_CHECKING:
    from fleet.nightly.collect import Night, Source
    from fleet.store.inventory import CollectionWriter
    from fleet.store.walks import Start

OVERLAP = timedelta(hours=1)
"""So much further back is asked: clocks differ, and what a device reported takes a while to show."""
_A_LITTLE_EARLY = timedelta(hours=12)
"""A weekly walk keeps its day, although no night begins at the same second."""
_REFUSED = (BadAnswer, NotFound, ServerTrouble)
"""What a server says that does not know how to answer such a question."""


def start_of(source: Source, night: Night) -> Start | None:
    """What an increment of this source can go on from; None if everything is to be read."""
    if night.full or source.full_walk_days <= 1:
        return None
    start = walks.start_of(night.database, source.name, terms=source.terms, overlap=OVERLAP)
    if start is None:
        return None
    age = night.surroundings.collected_at - start.full_at
    return start if age + _A_LITTLE_EARLY < timedelta(days=source.full_walk_days) else None


def doubt(
    writer: CollectionWriter, expected: int | None, unreadable: int, error: BaseException | None
) -> str | None:
    """Why an increment that has ended will not do; None if it will, or if a full walk would fare no better."""
    if error is not None:
        return "the server refused the question" if isinstance(error, _REFUSED) else None
    if unreadable:
        return "not everything in it could be read"
    if not writer.devices:
        return "nothing at all had reported"
    listed = writer.listed()
    if expected is None:
        return "the source does not say how many devices it has"
    if listed != expected:
        return f"it came out at {listed} devices, and the source has {expected}"
    return None
