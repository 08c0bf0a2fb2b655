"""Rows handed to the driver as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    import sqlalchemy as sa
    from sqlalchemy.engine import Connection


def insert_rows(
    connection: Connection,
    table: sa.Table,
    columns: Sequence[str],
    rows: Sequence[tuple[Any, ...]],
    *,
    unless_known: str | None = None,
) -> None:
    """Insert rows whose values are as the driver takes them already.

    Args:
        unless_known: a unique column; a row whose value of it is there already is passed over.

    Handing SQLAlchemy a dictionary a row and letting it convert every value costs as much again as writing it.
    """
    prepare = connection.dialect.identifier_preparer
    mark = "?" if connection.dialect.paramstyle == "qmark" else "%s"
    names, marks = ", ".join(map(prepare.quote, columns)), ", ".join([mark] * len(columns))
    unless = f" ON CONFLICT ({prepare.quote(unless_known)}) DO NOTHING" if unless_known else ""
    connection.exec_driver_sql(
        f"INSERT INTO {prepare.format_table(table)} ({names}) VALUES ({marks}){unless}",  # noqa: S608 - names of our own
        list(rows),
    )
