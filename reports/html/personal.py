"""Text columns made from people's names, without the names."""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING

from reports.html.columns import Phrases, spelled

if TYPE_CHECKING:
    from collections.abc import Sequence

_NAME = "\x1c"
_NOT_LATIN = "\u0250"  # from here on languages differ in what they take for one letter


class Personal(Phrases):
    """Texts made from somebody's name (`amara.okafor3@…`, `Amara's iPhone`): the words of the name are left out.

    In their place stands which word it is, as it is spelt (`a` to `c`) or as addresses spell it (`e` to `g`).
    """

    _kind = "personal"

    def extend_beside(self, texts: Sequence[object], owners: Sequence[object]) -> None:
        """Take some rows, each beside the name of the person."""
        self._take(
            [_impersonal(spelled(text), spelled(owner)) for text, owner in zip(texts, owners, strict=True)]
        )


def _impersonal(text: str, owner: str) -> str:
    if not text or not owner:
        return text
    for place, word in _words_of(owner):
        if word in text:
            text = text.replace(word, place, 1)
    return text


# A batch's names are looked for in its devices' names, and then in its addresses.
@lru_cache(maxsize=2048)
def _words_of(owner: str) -> tuple[tuple[str, str], ...]:
    """What stands in place of which word of a name."""
    if max(owner) >= _NOT_LATIN:
        return ()
    spelt = (("abc", owner.split(" ")), ("efg", _addressed(owner).split(" ")))
    pairs = [pair for places, words in spelt for pair in zip(places, words, strict=False)]
    return tuple((f"{_NAME}{place}", word) for place, word in pairs if len(word) > 1)


def _addressed(name: str) -> str:
    """A name as addresses spell it: small letters without accents."""
    if name.isascii():
        return name.lower()
    parts = unicodedata.normalize("NFKD", name)
    return "".join([part for part in parts if unicodedata.category(part) != "Mn"]).lower()
