"""The lives of the made-up fleet: each drawn from a generator of its own, so that none depends on another."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from random import Random

from connectors.demo import hardware, people
from connectors.demo.deck import PLACES, Card, Course, Source
from connectors.demo.story import Life, Span, Story

_SERIAL_LETTERS = "0123456789CDFGHJKLMNPQRTVWXY"
_PAIRS = [first + second for first in _SERIAL_LETTERS for second in _SERIAL_LETTERS]
_STRIDE = 104_729  # a prime, so that neighbours in the fleet do not have neighbouring serials
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
ONE_WAY = frozenset({Story.UNMANAGED, Story.VANISHES, Story.REENROLLED})
"""Stories that nobody turns back."""

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
_TABLETS_AMONG = {Source.HEADQUARTERS: 0.3, Source.SCHOOLS: 0.85, Source.FIELD: 0.4}
_OWN_MODELS = {
    Story.APPLE_TV: (hardware.TELEVISION,),
    Story.VISION_PRO: (hardware.HEADSET,),
    Story.SHARED_IPAD: hardware.TABLETS,
    Story.BYOD: hardware.PHONES,
}


@lru_cache(maxsize=8192)
def life_of(card: Card, index: int, nights: int, seed: int) -> Life:
    """The life of device `index`; kept for the nights to come, as a page is rendered more than once."""
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


def reborn(life: Life) -> Life:
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
    if card.story in ONE_WAY or card.course is Course.LASTS:
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
    return "FK" + _four_of(unique) + _four_of(any_number)


def _four_of(number: int) -> str:
    first, second = divmod(number, len(_PAIRS))
    return _PAIRS[first] + _PAIRS[second]
