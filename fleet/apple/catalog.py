"""Apple's models and releases: which releases a model can have, and which majors count.

A release counts from midnight UTC of its date. Rules that need a release's neighbours look at public releases only,
so a past night is judged by what was out on that night.
"""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import asdict, dataclass, field
from functools import cached_property, lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from fleet.apple.name import unambiguous, words
from fleet.apple.release import (
    CatalogError,
    Model,
    Release,
    Version,
    parse_version,
    preceding,
    version_number,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "Catalog",
    "CatalogError",
    "Model",
    "Release",
    "Version",
    "bundled",
    "parse_version",
    "preceding",
]

PATCHED_WITHIN = dt.timedelta(days=120)


@dataclass(frozen=True, kw_only=True, eq=False)
class Catalog:
    """Models and releases as of a day. Two catalogues are the same when their `to_json` is.

    Attributes:
        date: the day as of which the facts in it are known, ISO 8601.
        models: by identifier.
        releases: the newest version first.
        sources: one line each on where the bundled facts come from.
        feeds: by the name of a public feed, the day as of which it was last believed, ISO 8601.
    """

    date: str
    models: Mapping[str, Model]
    releases: tuple[Release, ...]
    sources: tuple[str, ...] = field(default=())
    feeds: Mapping[str, str] = field(default_factory=dict[str, str])

    def model(self, identifier: str | None, name: str | None = None) -> Model | None:
        """The model with this identifier (any case); without one, the model that `name` stands for.

        A name is only believed where every model it could mean ends at the same major: "iPad" alone says
        nothing.
        """
        if identifier is not None:
            return self._by_identifier.get(identifier.strip().casefold())
        if name is None:
            return None
        exact = self._by_identifier.get(name.strip().casefold())
        return exact or self._by_name.get(words(name))

    def releases_for(self, model: Model, at: dt.date) -> tuple[Release, ...]:
        """The releases that `model` could have on the day `at`, newest version first.

        Those known to be offered to it; those for all models of a major it can run; those of which nobody lists the
        models only where the model ends at that major and no later release for all followed; and the model's own
        newest, where the list lacks it.
        """
        return _releases_for(self, model, at)

    def newest_for(self, model: Model, at: dt.date) -> Release | None:
        """The newest release that `model` could have on that day, as far as the catalogue knows."""
        return next(iter(self.releases_for(model, at)), None)

    def newest_majors(self, at: dt.date) -> tuple[int, int]:
        """The newest public major on that day, 0 where none is known, and the one before it."""
        return _newest_majors(self, at)

    def patched(self, major: int, at: dt.date) -> bool:
        """Whether Apple still patches `major` on that day.

        Apple announces no end, so this is inferred: a release of that major, for whichever model, came out no
        more than 120 days before the newest release of any major known at `at`. The days of Apple's own list say
        nothing here: it shows old releases anew.
        """
        public = [release for release in self.releases if release.date <= at and not release.posted]
        newest = max((release.date for release in public), default=None)
        own = max((release.date for release in public if release.major == major), default=None)
        return newest is not None and own is not None and newest - own <= PATCHED_WITHIN

    def major_out(self, major: int, at: dt.date) -> Release | None:
        """The first public release of `major` known on that day."""
        out = [release for release in self.releases if release.major == major and release.date <= at]
        return min(out, key=lambda release: (release.date, release.number), default=None)

    def download_gb(self, release: Release) -> tuple[float, float] | None:
        """What an update to `release` downloads, the least and the whole, as measured for the nearest of its major."""
        measured = [one for one in self.releases if one.major == release.major and one.download_gb]
        later = [one for one in measured if one.number >= release.number]
        nearest = later[-1] if later else next(iter(measured), None)
        return nearest.download_gb if nearest else None

    @cached_property
    def _by_identifier(self) -> Mapping[str, Model]:
        return {identifier.casefold(): model for identifier, model in self.models.items()}

    @cached_property
    def _by_name(self) -> Mapping[tuple[str, ...], Model]:
        return unambiguous(self.models.values())

    def to_json(self) -> str:
        """The whole catalogue as JSON text, the same for the same content."""
        head = {"as_of": self.date, "sources": list(self.sources), "feeds": dict(sorted(self.feeds.items()))}
        return _text({**head, **self._facts})

    def facts_json(self) -> str:
        """Models and releases alone: the same text from one night to the next, as long as Apple brings nothing new."""
        return _text(self._facts)

    @cached_property
    def _facts(self) -> dict[str, object]:
        return {
            "models": {key: _model_row(model) for key, model in sorted(self.models.items())},
            "releases": [_release_row(release) for release in self.releases],
        }

    @classmethod
    def from_json(cls, text: str, *, date: str | None = None) -> Catalog:
        """The catalogue that `to_json` wrote, or with its `date` the one that `facts_json` wrote.

        Raises:
            CatalogError: the text is no catalogue.
        """
        try:
            document: dict[str, Any] = json.loads(text)
            return _from_document(document if date is None else {**document, "as_of": date})
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise CatalogError(f"not a catalogue of Apple models and releases: {error!r}") from error


@lru_cache(maxsize=1)
def bundled() -> Catalog:
    """The catalogue that ships with the program; always the same object."""
    folder = files("fleet.apple")
    models, releases = (
        json.loads(folder.joinpath(name).read_text("utf-8")) for name in ("models.json", "releases.json")
    )
    sources = tuple(dict.fromkeys([*models["sources"], *releases["sources"]]))
    return _from_document({**releases, "models": models["models"], "sources": sources})


def _from_document(document: Mapping[str, Any]) -> Catalog:
    dt.date.fromisoformat(document["as_of"])
    read = (_read_release(row) for row in document["releases"])
    return Catalog(
        date=document["as_of"],
        models={key: _read_model(key, row) for key, row in document["models"].items()},
        releases=tuple(sorted(read, key=lambda release: release.number, reverse=True)),
        sources=tuple(document.get("sources", ())),
        feeds=dict(document.get("feeds", {})),
    )


def _read_model(identifier: str, row: Mapping[str, Any]) -> Model:
    day = dt.date.fromisoformat(row["max_version_date"])
    rest = {key: value for key, value in row.items() if key != "max_version_date"}
    model = Model(identifier=identifier, max_version_date=day, **rest)
    if model.newest[0] != model.max_major:
        raise CatalogError(f"{identifier} ends at {model.max_major}, yet its newest is {model.max_version}")
    return model


def _model_row(model: Model) -> dict[str, object]:
    row = asdict(model)
    del row["identifier"]
    return {**row, "max_version_date": model.max_version_date.isoformat()}


def _read_release(row: Mapping[str, Any]) -> Release:
    version_number(row["version"])
    models, download = row.get("models"), row.get("download_gb")
    return Release(
        version=row["version"],
        date=dt.date.fromisoformat(row["date"]),
        universal={"universal": True, "device": False}[row["scope"]],
        exploited=row["exploited"],
        models=None if models is None else frozenset(models),
        posted=row.get("posted", False),
        download_gb=None if download is None else (download[0], download[1]),
    )


def _release_row(release: Release) -> dict[str, object]:
    row: dict[str, object] = {
        "version": release.version,
        "date": release.date.isoformat(),
        "scope": "universal" if release.universal else "device",
        "exploited": release.exploited,
    }
    if release.models is not None:
        row["models"] = sorted(release.models)
    if release.posted:
        row["posted"] = True
    if release.download_gb is not None:
        row["download_gb"] = list(release.download_gb)
    return row


def _text(document: Mapping[str, object]) -> str:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))


# A fleet has a few hundred pairs of model and system, and one night: every later device finds its answer
# here.
@lru_cache(maxsize=4096)
def _releases_for(catalog: Catalog, model: Model, at: dt.date) -> tuple[Release, ...]:
    fitting = [r for r in catalog.releases if r.date <= at and _offered(catalog, model, r)]
    if model.max_version_date <= at and all(model.newest > release.number for release in fitting):
        newest = Release(
            version=model.max_version, date=model.max_version_date, universal=False, exploited=None
        )
        fitting.append(newest)
    return tuple(sorted(fitting, key=lambda release: release.number, reverse=True))


@lru_cache(maxsize=64)
def _newest_majors(catalog: Catalog, at: dt.date) -> tuple[int, int]:
    newest = max((release.major for release in catalog.releases if release.date <= at), default=0)
    return newest, preceding(newest)


def _offered(catalog: Catalog, model: Model, release: Release) -> bool:
    if release.universal and release.major <= model.max_major:
        return True
    if release.models is not None:
        return model.identifier in release.models
    return (
        not release.universal
        and release.major == model.max_major
        and not any(
            other.universal and other.major == release.major and other.number > release.number
            for other in catalog.releases
        )
    )
