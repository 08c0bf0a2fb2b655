"""What the checks of the system share: which model a device is, and which version runs on it."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from fleet.apple.catalog import Catalog, Model, Version, parse_version
from fleet.model.fact import Gap, MissingFact, need
from fleet.model.finding import Undetermined

if TYPE_CHECKING:
    from datetime import date

    from fleet.checks._check import Case

UNKNOWN_MODEL = Undetermined((("model_identifier", "unknown_model"),))
UNREADABLE_VERSION = Undetermined((("os_version", "unreadable"),))


def model_of(case: Case) -> Model | None:
    """The device's model by its identifier, else by its name; None for one that the catalogue lacks.

    Raises:
        MissingFact: neither is known.
    """
    identifier = case.device.model_identifier
    if isinstance(identifier, Gap):
        return case.catalog.model(None, need(case.device.model_name))
    return case.catalog.model(identifier)


def beyond_catalog(case: Case) -> str | None:
    """What the catalogue does not know of this device: its `model`, its `release` (a newer one); None if nothing."""
    try:
        model, version = model_of(case), version_of(case)
    except MissingFact:
        return None
    if model is None:
        return "model"
    return (
        "release" if version and _is_newer(case.catalog, model.identifier, version, case.now.date()) else None
    )


@lru_cache(maxsize=4096)
def _is_newer(catalog: Catalog, identifier: str, version: Version, day: date) -> bool:
    newest = catalog.newest_for(catalog.models[identifier], day)
    return newest is not None and version > newest.number


def version_of(case: Case) -> Version | None:
    """The installed version as numbers; None where the text is no version.

    Raises:
        MissingFact: it is not known.
    """
    return parse_version(need(case.device.os_version))
