"""Other people's connectors, checks and report formats: entry points of installed packages."""

from __future__ import annotations

from functools import cache
from importlib.metadata import EntryPoints, entry_points
from typing import TYPE_CHECKING, Protocol, TypeVar

from fleet.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

T = TypeVar("T")


class Entry(Protocol):
    """What we need of an entry point."""

    @property
    def name(self) -> str:
        """Its name in the group."""
        ...

    @property
    def value(self) -> str:
        """The place that it points at."""
        ...

    def load(self) -> object:
        """What stands there."""
        ...


def entries(group: str) -> list[Entry]:
    """The entry points of a group, by name."""
    return sorted(_installed(group), key=lambda entry: entry.name)


@cache
def _installed(group: str) -> EntryPoints:
    # Every installed package has to be looked into for them: dear enough to be done once.
    return entry_points(group=group)


def loaded(group: str, kind: type[T], found: Iterable[Entry] | None = None) -> Iterator[T]:
    """What each entry point of `group` brings.

    Args:
        found: the entry points; by default those of the installed packages.

    Raises:
        SettingsError: one of them cannot be imported, or is not a `kind`.
    """
    for entry in entries(group) if found is None else found:
        try:
            thing = entry.load()
        except Exception as error:
            raise SettingsError(_blame(entry, group, f"cannot be loaded ({error})")) from error
        if not isinstance(thing, kind):
            raise SettingsError(_blame(entry, group, f"must be a {kind.__name__}"))
        yield thing


def taken(entry_id: str, group: str) -> SettingsError:
    """The error for a plug-in whose id another thing already has."""
    return SettingsError(
        f'{group}: "{entry_id}" is taken; uninstall or mend the package that brings it again'
    )


def _blame(entry: Entry, group: str, what: str) -> str:
    return f"entry point {entry.name} of {group}: {entry.value} {what}; uninstall or mend the package that brings it"
