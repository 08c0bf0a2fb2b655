"""Each source: its secrets, the way to its server, its login, and each permission by name."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from connectors import registry
from fleet import secrets
from fleet.cli import compose
from fleet.cli.examine.line import Level, Line
from fleet.cli.examine.servers import servers
from fleet.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from connectors._connector import SourceSettings
    from fleet.settings import Settings, SourceConfig


def source(config: SourceConfig[SourceSettings], loaded: Settings[SourceSettings]) -> Iterator[Line]:
    """What a run will need of it, in the order in which it will."""
    what = f"source {config.name}"
    yield from exposed(config, loaded, what)
    yield from servers(config.settings, what, compose.now)
    connector = registry.connector(config.kind)
    optional = {one.name: one for one in connector.permissions if one.optional}
    try:
        opened = config.opened(lambda ref: secrets.resolve(ref, os.environ, loaded.base))
        for step, error in connector.probe(opened, compose.surroundings(compose.now())):
            if error is None:
                yield Line(Level.OK, what, step)
            elif step in optional:
                said = f"{step} (optional, for {optional[step].needed_for}): {_nameless(error, config.name)}"
                yield Line(Level.WARNING, what, said)
            else:
                yield Line(Level.ERROR, what, f"{step}: {_nameless(error, config.name)}")
    except SourceError as error:
        yield Line(Level.ERROR, what, _nameless(str(error), config.name))


def _nameless(said: str, name: str) -> str:
    """What an error says, without the source's name: the line begins with that as it is."""
    return said.removeprefix(f'source "{name}": ').removeprefix(f"{name}: ")


def exposed(config: SourceConfig[Any], loaded: Settings[SourceSettings], what: str) -> Iterator[Line]:
    """Secrets in files that everybody may read."""
    for ref in config.secrets.values():
        if said := secrets.exposure(ref, loaded.base):
            yield Line(Level.WARNING, what, said)
