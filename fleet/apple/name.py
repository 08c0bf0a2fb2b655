"""Marketing names, as vendors write them, and the models that one can mean."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fleet.apple.release import Model


def words(name: str) -> tuple[str, ...]:
    """A marketing name without what vendors write differently: case, punctuation, radio, "5th"."""
    found = re.findall(r"[a-z0-9.]+", name.casefold().replace("wi-fi", " "))
    return tuple(_ORDINAL.sub(r"\1", word) for word in found if word not in _DROPPED)


def unambiguous(models: Iterable[Model]) -> dict[tuple[str, ...], Model]:
    """Every beginning of a name that only models of one highest major share."""
    meant: dict[tuple[str, ...], dict[str, Model]] = {}
    for model in models:
        for parts in (words(model.name), words(model.base_name)):
            for length in range(1, len(parts) + 1):
                meant.setdefault(parts[:length], {})[model.identifier] = model
    return {
        parts: min(found.values(), key=lambda model: (model.newest, _numbers(model.identifier)))
        for parts, found in meant.items()
        if len({model.max_major for model in found.values()}) == 1
    }


def _numbers(identifier: str) -> list[int]:
    return [int(digits) for digits in re.findall(r"[0-9]+", identifier)]


_DROPPED = frozenset({"apple", "wifi", "cellular", "generation", "gen", "inch", "in"})
_ORDINAL = re.compile(r"^([0-9]+)(?:st|nd|rd|th)$")
