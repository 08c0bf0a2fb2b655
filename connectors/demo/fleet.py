"""The made-up fleet: which device lives which story, drawn from a seed, and who is listed where on a night.

A shuffled deck gives the stories their exact shares; every device's life is drawn from a generator of its
own, so a fleet costs no memory until somebody asks for one of its devices.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import lru_cache
from random import Random
from typing import TYPE_CHECKING, NamedTuple

from connectors.demo import hardware, people
from connectors.demo.story import Life, Span, Story

if TYPE_CHECKING:
    from collections.abc import Iterator

FIRST_ID = 101
BOTH_LISTED_NIGHTS = 4
_SERIAL_LETTERS = "0123456789CDFGHJKLMNPQRTVWXY"
_PAIRS = [first + second for first in _SERIAL_LETTERS for second in _SERIAL_LETTERS]
_STRIDE = 104_729  # a prime, so that neighbours in the fleet do not have neighbouring serials


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
_UNTROUBLED = frozenset(
    {
        Story.HEALTHY,
        Story.LAST_SYSTEM,
        Story.BYOD,
        Story.SHARED_IPAD,
        Story.APPLE_TV,
        Story.VISION_PRO,
        Story.TWICE,
    }
)
_SEEN_AT_ONCE = frozenset({Story.SWITCHED_OFF})
_ONE_WAY = frozenset({Story.UNMANAGED, Story.VANISHES, Story.REENROLLED})
_BEGAN_DAYS_AGO = {
    Story.NEVER: (20, 200),
    Story.STALE: (60, 170),
    Story.EXPIRED: (170, 400),
    Story.FULL: (12, 45),
    Story.PATCH_BEHIND: (40, 90),
    Story.OLD_MAJOR: (100, 300),
    Story.UNMANAGED: (90, 300),
}
"""Troubles older than the demo: days from their start to its last night."""

_STAYS_BEHIND = 0.25
_OWNED_TABLETS = 0.55


@dataclass(frozen=True, slots=True)
class Fleet:
    """A fleet of `devices` devices that lives through `nights` nights; equal arguments make equal fleets."""

    devices: int
    nights: int
    seed: int
    deck: tuple[Card, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "deck", _deck(self.seed))

    def card(self, index: int) -> Card:
        """What the deck says of the device `index`."""
        return self.deck[index % len(self.deck)]

    def life(self, index: int) -> Life:
        """The life of the device `index`, 0 up to `devices`."""
        return _life(self.card(index), index, self.nights, self.seed)

    def record(self, record_id: int) -> Life:
        """The life that a vendor's record id stands for: of a device, or of one that was enrolled again."""
        index, again = (record_id - FIRST_ID) % self.devices, record_id - FIRST_ID >= self.devices
        life = self.life(index)
        return _reborn(life) if again else life

    def listed(self, night: int, *sources: Source) -> array[int]:
        """The record ids that these sources list on `night`, ascending."""
        ids, again = array("L"), array("L")
        for index in self._members(*sources):
            if self.card(index).story in _ONE_WAY:
                old, new = self._comings_and_goings(index, night)
                ids.extend(old)
                again.extend(new)
            else:
                ids.append(FIRST_ID + index)
        return ids + again

    def _members(self, *sources: Source) -> Iterator[int]:
        here = [_belongs(card, sources) for card in self.deck]
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


def _deck(seed: int) -> tuple[Card, ...]:
    cards: list[Card] = []
    for story, share in _SHARES.items():
        homes = [source for source, count in zip(Source, share, strict=True) for _ in range(count)]
        cards += [Card(story, home, _COURSES[number % 4]) for number, home in enumerate(homes)]
    Random(f"{seed}/deck").shuffle(cards)
    return tuple(cards)


def _belongs(card: Card, sources: tuple[Source, ...]) -> bool:
    return card.source in sources or (card.story is Story.TWICE and Source.FIELD in sources)


@lru_cache(maxsize=8192)
def _life(card: Card, index: int, nights: int, seed: int) -> Life:
    """Kept for the nights to come: a life does not change, and a page is rendered more than once."""
    return _draw(card, index, nights, Random(f"{seed}/{index}"))


def _draw(card: Card, index: int, nights: int, rng: Random) -> Life:
    model, place = _model(card, rng), rng.choice(PLACES[card.source])
    owner = people.person(rng, index) if _has_owner(card, model, rng) else None
    spans = _spans(card, nights, rng)
    inventory_minutes = rng.randint(5, 180)
    held = _held(card, model, rng)
    return Life(
        index=index,
        story=card.story,
        model=model,
        capacity_gb=_capacity(card, model, rng),
        spans=spans,
        owner=owner,
        place=place,
        department=rng.choice(place.departments),
        name=people.personal_name(rng, owner, model.product)
        if owner
        else people.shared_name(rng, place, model.product),
        serial=_serial(index, rng),
        udid=f"0000{rng.randint(8101, 8150)}-{rng.getrandbits(56):014X}{index % 256:02X}",
        salt=rng.getrandbits(60) | 1,
        enrolled_night=spans[0].start if card.story is Story.NEVER else -rng.randint(420, 1400),
        held=held,
        major=min(model.last_major, _taken_major(held, rng)),
        lag_days=rng.randint(1, 9),
        rhythm=rng.choice((1, 1, 1, 2)),
        free_share=rng.uniform(0.16, 0.75),
        inventory_minutes=inventory_minutes,
        backup_minutes=inventory_minutes + rng.randint(10, 300),
    )


def _reborn(life: Life) -> Life:
    """The same hardware after a wipe: enrolled on that night, nearly empty, and nothing amiss."""
    start = life.spans[0].start
    return replace(
        life, enrolled_night=start, spans=(), story=Story.HEALTHY, free_share=0.84, name=life.model.product
    )


def _spans(card: Card, nights: int, rng: Random) -> tuple[Span, ...]:
    if card.story in _UNTROUBLED:
        return ()
    start, end, again = (int(nights * share) for share in _turns(card, rng))
    if card.story in _SEEN_AT_ONCE:
        start, again = min(start, nights - 1), min(again, nights - 1)
    if card.story in _BEGAN_DAYS_AGO:
        start = nights - 1 - rng.randint(*_BEGAN_DAYS_AGO[card.story])
    if card.story in _ONE_WAY or card.course is Course.LASTS:
        return (Span(start),)
    end = max(min(end, nights - 1), start + 1)
    returns = card.course is Course.RETURNS
    return (Span(start, end), Span(max(again, end + 1))) if returns else (Span(start, end),)


def _turns(card: Card, rng: Random) -> tuple[float, float, float]:
    """When a trouble begins, ends and begins again, as shares of the nights, far enough apart to be noticed.

    What would happen after the last night happens on it, so that it has news; but a storage that nobody frees
    may fill up only later.
    """
    late = card.story in _SEEN_AT_ONCE
    if card.course is Course.RETURNS:
        return rng.uniform(0.03, 0.12), rng.uniform(0.42, 0.5), rng.uniform(0.55, 1.4 if late else 0.66)
    if card.course is Course.RECOVERS:
        return rng.uniform(0.05, 0.35), rng.uniform(0.66, 1.08), 1
    return rng.uniform(0.05, 1.5 if late or card.story is Story.FILLS_UP else 0.75), 1, 1


_TABLETS_AMONG = {Source.HEADQUARTERS: 0.3, Source.SCHOOLS: 0.85, Source.FIELD: 0.4}
_OWN_MODELS = {
    Story.APPLE_TV: (hardware.TELEVISION,),
    Story.VISION_PRO: (hardware.HEADSET,),
    Story.SHARED_IPAD: hardware.TABLETS,
    Story.BYOD: hardware.PHONES,
}


def _model(card: Card, rng: Random) -> hardware.Model:
    tablet = rng.random() < _TABLETS_AMONG[card.source]
    pool = hardware.TABLETS if tablet else hardware.PHONES
    if card.story is Story.LAST_SYSTEM:
        pool = hardware.AGED_TABLETS if tablet else hardware.AGED_PHONES
    if card.story is Story.OLD_MAJOR:
        pool = tuple(
            model for model in pool if model.first_major <= min(held.major for held in hardware.OLD_MAJORS)
        )
    return rng.choice(_OWN_MODELS.get(card.story, pool))


def _capacity(card: Card, model: hardware.Model, rng: Random) -> int:
    small = card.story in {Story.FILLS_UP, Story.FULL}
    return model.capacities_gb[0] if small else rng.choice(model.capacities_gb)


def _held(card: Card, model: hardware.Model, rng: Random) -> hardware.Release | None:
    if model in {hardware.TELEVISION, hardware.HEADSET}:
        return hardware.ELSEWHERE
    if card.story is Story.PATCH_BEHIND:
        return rng.choice(hardware.PATCHES_BEHIND)
    return rng.choice(hardware.OLD_MAJORS) if card.story is Story.OLD_MAJOR else None


def _taken_major(held: hardware.Release | None, rng: Random) -> int:
    """The newest major that its owner takes: three in four follow at once, and nobody goes back."""
    return max(26 if rng.random() < _STAYS_BEHIND else 27, held.major if held else 0)


def _has_owner(card: Card, model: hardware.Model, rng: Random) -> bool:
    if card.story in {Story.APPLE_TV, Story.SHARED_IPAD}:
        return False
    return card.story is Story.BYOD or model.product != "iPad" or rng.random() < _OWNED_TABLETS


def _serial(index: int, rng: Random) -> str:
    """Ten characters like those of a recent device, but beginning with FK; unique up to 614,656 devices."""
    pairs = len(_PAIRS)
    unique, any_number = index * _STRIDE % pairs**2, rng.randrange(pairs**2)
    return "FK" + "".join(_PAIRS[half] for number in (unique, any_number) for half in divmod(number, pairs))
