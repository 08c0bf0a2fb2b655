"""How alembic runs our revisions: always online, on the engine that the store hands over."""

from alembic import context
from sqlalchemy.engine import Engine

from fleet.store.tables import UtcTime, metadata


def _render_item(kind: str, item: object, autogen: object) -> str | bool:
    """Write our own column type into a new revision together with the import that it needs."""
    if kind == "type" and isinstance(item, UtcTime):
        autogen.imports.add("from fleet.store.tables import UtcTime")  # type: ignore[attr-defined]
        return "UtcTime()"
    return False


engine: Engine = context.config.attributes["engine"]
with engine.begin() as connection:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        render_as_batch=connection.dialect.name == "sqlite",
        render_item=_render_item,  # type: ignore[arg-type]
        compare_type=True,
    )
    with context.begin_transaction():
        context.run_migrations()
