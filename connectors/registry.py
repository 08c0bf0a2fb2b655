"""Every kind of source by the word in the settings; a connector's module is only imported when it is wanted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any, cast

from connectors._connector import Connector, SourceSettings
from fleet import plugin
from fleet.errors import SettingsError

GROUP = "fleetkeep.connectors"
"""Entry points of this group bring other people's connectors: name = the kind, value = `module:CONNECTOR`."""

OWN_KINDS = (
    "jamf_pro",
    "jamf_school",
    "intune",
    "workspace_one",
    "meraki",
    "iru",
    "mosyle",
    "simplemdm",
    "addigy",
    "fleet",
    "manageengine",
    "hexnode",
    "apple_business",
    "zentral",
    "nanomdm",
    "file",
    "demo",
)


def kinds() -> list[str]:
    """The kinds that may stand in the settings: ours first, then those of installed plug-ins."""
    others = {entry.name for entry in plugin.entries(GROUP)} - set(OWN_KINDS)
    return [*OWN_KINDS, *sorted(others)]


def connector(kind: str) -> Connector[Any]:
    """The connector of a kind.

    Raises:
        SettingsError: there is no such kind, or its plug-in cannot be loaded.
    """
    if kind in OWN_KINDS:
        return import_module(f"connectors.{kind}").CONNECTOR
    of_kind = (entry for entry in plugin.entries(GROUP) if entry.name == kind)
    found = next(plugin.loaded(GROUP, cast("type[Connector[Any]]", Connector), of_kind), None)
    if found is not None:
        return found
    raise SettingsError(f'there is no connector "{kind}"; known are: {", ".join(kinds())}')


class SettingsModels(Mapping[str, type[SourceSettings]]):
    """The settings model of each kind, imported when a source of that kind is read; plug-ins are looked for once."""

    def __init__(self) -> None:
        self._kinds = kinds()

    def __getitem__(self, kind: str) -> type[SourceSettings]:
        if kind not in self._kinds:
            raise KeyError(kind)
        return connector(kind).settings

    def __iter__(self) -> Iterator[str]:
        return iter(self._kinds)

    def __len__(self) -> int:
        return len(self._kinds)
