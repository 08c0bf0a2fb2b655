"""Rows handed to the driver as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    import sqlalchemy as sa
    from sqlalchemy.engine import Connection


def insert_rows(
    connection: Connection, table: sa.Table, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]
) -> None:
    """Insert rows whose values are as the driver takes them already.

    Handing SQLAlchemy a dictionary a row and letting it convert every value costs as much again as writing it.
    """
    prepare = connection.dialect.identifier_preparer
    mark = "?" if connection.dialect.paramstyle == "qmark" else "%s"
    names, marks = ", ".join(map(prepare.quote, columns)), ", ".join([mark] * len(columns))
    connection.exec_driver_sql(
        f"INSERT INTO {prepare.format_table(table)} ({names}) VALUES ({marks})",  # noqa: S608 - names of our own
        list(rows),
    )
