"""Traces of what was forgotten: where a word is named, in every column with text and in the file of the database."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, cast

import sqlalchemy as sa

from fleet.store import tables as t

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from sqlalchemy.engine import Connection

    from fleet.store.database import Database

_IN_PLACE = "(forgotten)"
_TEXTS = (
    *(t.run.c.settings, t.run.c.notes, t.collection.c.problems, t.notification.c.problem),
    *(t.waiver.c.scope, t.waiver.c.reason, t.waiver.c.owner, t.waiver.c.made_by, t.waiver.c.revoked_by),
    *(t.finding_version.c.summary, t.finding_version.c.evidence),
    *(t.record.c.groups, t.record.c.department, t.record.c.site),
)
"""Columns in which somebody may be named in passing."""
_CHUNK = 1 << 20
_OVERLAP = 4096
_AT_ONCE = 50


class Traces:
    """Finds words, each standing by itself and in any case of letters, and puts another in their place."""

    def __init__(self, words: Iterable[str]) -> None:
        self._words = sorted(set(words), key=lambda word: (-len(word), word))
        spelled = {form for word in self._words for form in (word, *_escaped(word))}
        by_length = sorted(spelled, key=lambda form: (-len(form), form))
        self._spelled = by_length
        self._pattern = re.compile("|".join(_alone(form) for form in by_length) or r"(?!)", re.IGNORECASE)

    def erase(self, connection: Connection) -> int:
        """Replace the words in all texts that may name somebody in passing; returns how many texts that were."""
        return sum(self._erase(connection, column) for column in _TEXTS)

    def left(self, database: Database) -> Iterator[str]:
        """Where the words still are: `table.column`, or the file of the database."""
        within_others: set[str] = set()
        with database.engine.connect() as connection:
            for table in t.metadata.sorted_tables:
                for column in filter(_is_text, table.columns):
                    said = [_said(row[-1]) for row in self._likely(connection, column)]
                    if any(map(self._pattern.search, said)):
                        yield f"{table.name}.{column.name}"
                    within_others.update(form for form in self._spelled for text in said if _in(form, text))
        forms = [form for form in self._spelled if form not in within_others and len(form) >= _TELLING]
        for path in _files(database):
            if _holds(path, forms):
                yield f"the file {path}"

    def _erase(self, connection: Connection, column: sa.Column[Any]) -> int:
        rows = self._hits(connection, column)
        keys = list(column.table.primary_key.columns)
        for row in rows:
            values: dict[str, Any] = {column.name: self._without(row[-1])}
            if column.table is t.record:
                values["digest"] = -1  # so that a source that says it again is believed again
            this = (key == value for key, value in zip(keys, row, strict=False))
            connection.execute(column.table.update().where(*this).values(**values))
        return len(rows)

    def _hits(self, connection: Connection, column: sa.Column[Any]) -> list[Any]:
        """The rows that name one of the words, as primary key and value."""
        return [row for row in self._likely(connection, column) if self._pattern.search(_said(row[-1]))]

    def _likely(self, connection: Connection, column: sa.Column[Any]) -> Iterator[Any]:
        """The rows that have one of the words somewhere, be it as a part of a longer one."""
        keys = list(column.table.primary_key.columns)
        text = sa.cast(column, sa.Text)
        for start in range(0, len(self._spelled), _AT_ONCE):
            likely = [
                test
                for form in self._spelled[start : start + _AT_ONCE]
                for test in (
                    text.contains(form, autoescape=True),
                    sa.func.lower(text).contains(form.lower(), autoescape=True),
                )
            ]
            yield from connection.execute(sa.select(*keys, column).where(sa.or_(*likely))).all()

    def _without(self, value: Any) -> Any:  # noqa: ANN401 - text, or what JSON can hold
        if isinstance(value, str):
            return self._pattern.sub(_IN_PLACE, value)
        if isinstance(value, dict):
            return {name: self._without(one) for name, one in cast("dict[str, Any]", value).items()}
        return [self._without(one) for one in cast("list[Any]", value)] if isinstance(value, list) else value


def _is_text(column: sa.Column[Any]) -> bool:
    return isinstance(column.type, (sa.String, sa.JSON))


def _escaped(word: str) -> Iterator[str]:
    """The word as it stands in JSON, which two writers spell in two ways."""
    for ascii_only in (True, False):
        yield json.dumps(word, ensure_ascii=ascii_only)[1:-1]


def _said(value: Any) -> str:  # noqa: ANN401 - text, or what JSON can hold
    """All texts in a value, each on a line of its own."""
    if isinstance(value, dict):
        value = list(cast("dict[str, Any]", value).values())
    if isinstance(value, list):
        return "\n".join(map(_said, cast("list[Any]", value)))
    return str(value)


def _alone(form: str) -> str:
    return rf"(?<![^\W_]){re.escape(form)}(?![^\W_])"


def _in(form: str, text: str) -> bool:
    return form.casefold() in text.casefold()


def _files(database: Database) -> list[Path]:
    path = database.path
    return [] if path is None else [one for one in (path, path.with_name(f"{path.name}-wal")) if one.exists()]


def _holds(path: Path, forms: Sequence[str]) -> bool:
    """True if one of the words is in the bytes of the file; there nothing has to stand between two texts."""
    wanted = [form.encode("utf-8", "surrogatepass").lower() for form in forms]
    before = b""
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            seen = (before + chunk).lower()
            if any(one in seen for one in wanted):
                return True
            before = seen[-_OVERLAP:]
    return False


_TELLING = 6
"""Shorter words may be in any file by chance."""
