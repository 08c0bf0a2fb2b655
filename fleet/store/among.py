"""`column IN (these many values)` with the values as one parameter.

An `IN` with a parameter per value is written and bound anew for each list: for a page of hundreds of ids that costs
more than the look-up itself. SQLite takes the list as JSON, PostgreSQL as an array.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from sqlalchemy.engine import Connection

    from fleet.store.tables import Row

WANTED = "wanted"


def rows_among(
    connection: Connection,
    query: sa.Select[*tuple[Any, ...]],
    column: sa.Column[Any],
    wanted: Collection[Any],
    others: Mapping[str, Any] | None = None,
) -> list[Row]:
    """The rows of `query` whose `column` is one of `wanted`; `others` are the query's own parameters."""
    values = list(wanted)
    name = connection.dialect.name
    listed = json.dumps(values) if name == "sqlite" else values
    return list(connection.execute(_among(query, column, name), {**(others or {}), WANTED: listed}))


# Built once for each look-up: a statement made anew is a statement whose cache key is made anew.
@lru_cache(maxsize=64)
def _among(
    query: sa.Select[*tuple[Any, ...]], column: sa.Column[Any], dialect: str
) -> sa.Select[*tuple[Any, ...]]:
    if dialect == "sqlite":
        items = sa.func.json_each(sa.bindparam(WANTED, type_=sa.Text)).table_valued("value")
        return query.where(column.in_(sa.select(items.c.value)))
    from sqlalchemy.dialects import postgresql  # noqa: PLC0415 - a twentieth of the start, for whoever uses it

    return query.where(column == sa.any_(sa.bindparam(WANTED, type_=postgresql.ARRAY(column.type))))
