"""Strict reading of the guide's TOML: every key is asked for by name and type, and none may be left over."""

from __future__ import annotations

import datetime as dt
import tomllib
from typing import TYPE_CHECKING, NoReturn, TypeAlias, TypeVar, cast, get_args

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

T = TypeVar("T")
Rows: TypeAlias = "Mapping[str, object]"


class GuideError(ValueError):
    """A file of the guide is not as it must be; the message names the file, the place and the key."""


class Table:
    """One table of a file; whatever is wrong with it is a `GuideError`."""

    def __init__(self, place: str, rows: Rows) -> None:
        self.place = place
        self._rows = dict(rows)

    @classmethod
    def parsed(cls, name: str, text: str) -> Table:
        """The whole file `name`."""
        try:
            return cls(f"fleet/guide/{name}:", tomllib.loads(text))
        except tomllib.TOMLDecodeError as error:
            raise GuideError(f"fleet/guide/{name}: {error}") from error

    def keys(self) -> list[str]:
        """The keys that have not been asked for yet."""
        return list(self._rows)

    def text(self, key: str, *, empty: bool = False) -> str:
        """A text; it must say something unless `empty`."""
        value = self._take(key, str, "a text")
        if not empty and not value.strip():
            self.fail(key, "must say something")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts that all say something."""
        values = self._list(key, "a list of texts")
        lines = tuple(value for value in values if isinstance(value, str) and value.strip())
        if len(lines) != len(values):
            self.fail(key, "must be a list of texts that say something")
        return lines

    def number(self, key: str) -> int:
        """A whole number."""
        return self._take(key, int, "a whole number")

    def maybe_number(self, key: str) -> int | None:
        """A whole number, or None where the key is left out."""
        return self.number(key) if key in self._rows else None

    def maybe_text(self, key: str) -> str | None:
        """A text that says something, or None where the key is left out."""
        return self.text(key) if key in self._rows else None

    def flag(self, key: str) -> bool:
        """True or false; false where the key is left out."""
        return self._take(key, bool, "true or false") if key in self._rows else False

    def day(self, key: str) -> dt.date:
        """A date."""
        return self._take(key, dt.date, "a date")

    def word(self, key: str, words: object) -> str:
        """One of the words of a Literal."""
        return self._among(key, self.text(key), words)

    def words(self, key: str, words: object) -> tuple[str, ...]:
        """Some of the words of a Literal."""
        return tuple(self._among(key, value, words) for value in self.texts(key))

    def maybe_words(self, key: str, words: object) -> tuple[str, ...]:
        """Some of the words of a Literal, none where the key is left out."""
        return self.words(key, words) if key in self._rows else ()

    def table(self, key: str) -> Table:
        """A table of its own."""
        return Table(f"{self.place} [{key}]", cast("Rows", self._take(key, dict, "a table")))

    def tables(self, key: str) -> Iterator[Table]:
        """A list of tables, empty where the key is left out."""
        rows = self._list(key, "a list of tables") if key in self._rows else []
        for number, row in enumerate(rows, 1):
            if not isinstance(row, dict):
                self.fail(key, "must be a list of tables")
            yield Table(f"{self.place} [[{key}]] {number}", cast("Rows", row))

    def done(self) -> None:
        """Nothing may be left."""
        for key in self._rows:
            self.fail(key, "is no key of this table")

    def fail(self, key: str, why: str) -> NoReturn:
        """Raise what is wrong with `key`."""
        raise GuideError(f"{self.place} {key}: {why}")

    def _list(self, key: str, said: str) -> list[object]:
        return cast("list[object]", self._take(key, list, said))

    def _take(self, key: str, kind: type[T], said: str) -> T:
        if key not in self._rows:
            self.fail(key, "is missing")
        value = self._rows.pop(key)
        if type(value) is not kind:
            self.fail(key, f"must be {said}")
        return cast("T", value)

    def _among(self, key: str, value: str, words: object) -> str:
        if value not in get_args(words):
            self.fail(key, f"must be one of {', '.join(get_args(words))}")
        return value
