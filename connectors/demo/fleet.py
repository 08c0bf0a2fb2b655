"""The made-up fleet: which device lives which story, drawn from a seed, and who is listed where on a night.

It costs no memory until somebody asks for one of its devices.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from connectors.demo.deck import Card, Source, is_listed, shuffled_deck
from connectors.demo.lives import ONE_WAY, life_of, reborn
from connectors.demo.story import Life, Story

if TYPE_CHECKING:
    from collections.abc import Iterator

FIRST_ID = 101
BOTH_LISTED_NIGHTS = 4


@dataclass(frozen=True, slots=True)
class Fleet:
    """A fleet of `devices` devices that lives through `nights` nights; equal arguments make equal fleets."""

    devices: int
    nights: int
    seed: int
    deck: tuple[Card, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "deck", shuffled_deck(self.seed))

    def card(self, index: int) -> Card:
        """What the deck says of the device `index`."""
        return self.deck[index % len(self.deck)]

    def life(self, index: int) -> Life:
        """The life of the device `index`, 0 up to `devices`."""
        return life_of(self.card(index), index, self.nights, self.seed)

    def record(self, record_id: int) -> Life:
        """The life that a vendor's record id stands for: of a device, or of one that was enrolled again."""
        index, again = (record_id - FIRST_ID) % self.devices, record_id - FIRST_ID >= self.devices
        life = self.life(index)
        return reborn(life) if again else life

    def listed(self, night: int, *sources: Source) -> array[int]:
        """The record ids that these sources list on `night`, ascending."""
        ids, again = array("L"), array("L")
        for index in self._members(*sources):
            if self.card(index).story in ONE_WAY:
                old, new = self._comings_and_goings(index, night)
                ids.extend(old)
                again.extend(new)
            else:
                ids.append(FIRST_ID + index)
        return ids + again

    def _members(self, *sources: Source) -> Iterator[int]:
        here = [is_listed(card, sources) for card in self.deck]
        return (index for index in range(self.devices) if here[index % len(here)])

    def _comings_and_goings(self, index: int, night: int) -> tuple[list[int], list[int]]:
        life, record_id = self.life(index), FIRST_ID + index
        start = life.spans[0].start
        match life.story:
            case Story.VANISHES:
                return [record_id] * (night < start), []
            case Story.REENROLLED:
                again = [record_id + self.devices] * (night >= start)
                return [record_id] * (night < start + BOTH_LISTED_NIGHTS), again
            case _:
                return [record_id], []


def made_up_fleet(devices: int = 250, nights: int = 30, seed: int = 7) -> Fleet:
    """A fleet for the demo, the same for the same arguments; `devices` and `nights` count from 1."""
    return Fleet(devices, nights, seed)
