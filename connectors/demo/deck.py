"""The deck of the made-up fleet: how often each story is told, how it goes on, and which source lists it.

Dealt over and over, a shuffled deck gives the stories their exact shares.
"""

from __future__ import annotations

from enum import StrEnum
from random import Random
from typing import NamedTuple

from connectors.demo import people
from connectors.demo.story import Story


class Source(StrEnum):
    """The servers of the Larkmoor Trust; their values are the names of the sources."""

    HEADQUARTERS = "headquarters"
    SCHOOLS = "schools"
    FIELD = "field-export"


PLACES = {Source.HEADQUARTERS: people.OFFICES, Source.SCHOOLS: people.SCHOOLS, Source.FIELD: people.FIELD}
"""Where the devices of each source live."""


class Course(StrEnum):
    """How a story that is a problem goes on."""

    LASTS = "lasts"
    RECOVERS = "recovers"
    RETURNS = "returns"


class Card(NamedTuple):
    """One place in the deck. The field reports the devices of the story `TWICE` too."""

    story: Story
    source: Source
    course: Course


class _Share(NamedTuple):
    """Devices of one story out of 200, by source."""

    headquarters: int
    schools: int
    field: int


_SHARES = {
    Story.HEALTHY: _Share(56, 34, 10),
    Story.SWITCHED_OFF: _Share(4, 3, 1),
    Story.NEVER: _Share(3, 2, 1),
    Story.STOPS: _Share(5, 4, 1),
    Story.STALE: _Share(3, 2, 1),
    Story.EXPIRED: _Share(1, 1, 0),
    Story.FILLS_UP: _Share(4, 4, 0),
    Story.FULL: _Share(2, 2, 0),
    Story.PATCH_BEHIND: _Share(6, 4, 2),
    Story.OLD_MAJOR: _Share(2, 1, 1),
    Story.LAST_SYSTEM: _Share(4, 3, 1),
    Story.SILENT: _Share(3, 2, 1),
    Story.VANISHES: _Share(1, 1, 0),
    Story.REENROLLED: _Share(1, 1, 0),
    Story.BYOD: _Share(6, 0, 0),
    Story.SHARED_IPAD: _Share(0, 3, 0),
    Story.APPLE_TV: _Share(1, 1, 0),
    Story.UNMANAGED: _Share(1, 1, 0),
    Story.VISION_PRO: _Share(1, 0, 0),
    Story.LOW_BATTERY: _Share(1, 1, 0),
    Story.NO_ACCOUNT: _Share(2, 0, 0),
    Story.TWICE: _Share(4, 0, 0),
}
_COURSES = (Course.LASTS, Course.RECOVERS, Course.LASTS, Course.RETURNS)


def shuffled_deck(seed: int) -> tuple[Card, ...]:
    """200 devices' cards in an order of their own for every seed."""
    cards: list[Card] = []
    for story, share in _SHARES.items():
        homes = [source for source, count in zip(Source, share, strict=True) for _ in range(count)]
        cards += [Card(story, home, _COURSES[number % 4]) for number, home in enumerate(homes)]
    Random(f"{seed}/deck").shuffle(cards)
    return tuple(cards)


def is_listed(card: Card, sources: tuple[Source, ...]) -> bool:
    """Whether any of these sources lists a device of this card."""
    return card.source in sources or (card.story is Story.TWICE and Source.FIELD in sources)
