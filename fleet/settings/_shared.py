"""What reading one table has in common with reading another."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from fleet.toml_table import Table, keys_of, nearest, shown

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from pydantic import BaseModel

_PATH_KEYS = ("path", "events", "certificate")  # some kinds declare a glob, and so a text


def anchored(table: Table, model: type[BaseModel], base: Path) -> Table:
    """The table with its relative paths made absolute."""
    keys = {*keys_of(model, Path), *_PATH_KEYS}
    found = {key: value for key, value in table.rows.items() if key in keys}
    anchored = {key: str(base / value) for key, value in found.items() if isinstance(value, str)}
    return replace(table, rows={**table.rows, **anchored})


def refuse_strangers(table: Table, key: str, found: Iterable[str], known: Collection[str]) -> None:
    """Take down each word that names nothing that is known, with the nearest that does."""
    for word in found:
        if word not in known:
            table.fault(key, f"found {shown(word)}; {nearest(word, sorted(known))}")


def names_of(tables: list[Table]) -> list[str]:
    """The names of these tables, as far as they have any."""
    return [name for table in tables if isinstance(name := table.rows.get("name"), str)]
