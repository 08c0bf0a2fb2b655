"""What the public feeds brought, put to use: a catalogue that knows more, Apple's status, and notes for the report.

Nothing here can fail a night. What a feed could not say, or was not believed in, is a note; the catalogue is then that
of before, which never knows less than the one that ships with the program.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from fleet.apple.belief import believed
from fleet.apple.catalog import Catalog, CatalogError, bundled
from fleet.apple.joining import Tidings, changes, joined, learned
from fleet.model.outage import SystemStatus

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from connectors._feed import Look
    from connectors._feed_cache import Cache

FILE = "catalog.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What a night judges by, after the feeds.

    Attributes:
        status: what Apple says of its services now; None where it was not asked or is not known.
        troubles: for each feed that did not bring what was hoped for, its title and why.
        notes: the same as sentences for a report.
        changes: what the catalogue knows more than before, a line each.
    """

    catalog: Catalog
    status: SystemStatus | None = None
    troubles: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()


def known(cache: Cache) -> Catalog:
    """The bundled catalogue, and what feeds have taught since; a damaged file of that counts for nothing."""
    kept = cache.read(FILE)
    if kept is None:
        return bundled()
    try:
        return joined(bundled(), Catalog.from_json(kept.decode("utf-8")))
    except (CatalogError, UnicodeDecodeError):
        return bundled()


def taken(before: Catalog, looks: Sequence[Look[Any]], today: date) -> Taken:
    """Believe what can be believed of what the feeds said; `today` is the day by this machine's clock."""
    catalog, status = before, None
    troubles: list[tuple[Look[Any], str]] = []
    for look in looks:
        trouble = look.problem
        if isinstance(look.content, Tidings):
            try:
                catalog = learned(catalog, believed(look.content, before, bundled(), today))
            except CatalogError as error:
                trouble = str(error)
        elif isinstance(look.content, SystemStatus):
            status = look.content
        if trouble:
            troubles.append((look, trouble))
    return Taken(
        catalog=catalog,
        status=status,
        troubles=tuple((look.title, trouble) for look, trouble in troubles),
        notes=tuple(_note(look, trouble, catalog, today) for look, trouble in troubles),
        changes=tuple(changes(before, catalog)),
    )


def kept_for_later(cache: Cache, before: Catalog, after: Catalog) -> None:
    """Write down what was learned, for the next night and for when the feeds are silent."""
    text = after.to_json()
    if text != before.to_json():
        cache.write(FILE, text.encode())


def _note(look: Look[Any], trouble: str, catalog: Catalog, today: date) -> str:
    if look.feed == "status":
        return f"{look.title} is not known tonight: {trouble}. Trouble at Apple would not be seen."
    return f"{look.title} brought nothing: {trouble}. Judged by the catalogue of {aged(catalog, today)}."


def aged(catalog: Catalog, today: date) -> str:
    """The catalogue's day and how long ago that was: `2026-10-05 (49 days old)`."""
    days = max((today - date.fromisoformat(catalog.date)).days, 0)
    return f"{catalog.date} ({days} day{'' if days == 1 else 's'} old)"
