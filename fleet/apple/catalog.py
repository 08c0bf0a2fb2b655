"""Apple's models and releases: which releases a model can have, and which majors count.

Versions are compared as numbers of equal length (26.4 is 26.4.0); builds are never compared, because Apple
ships one release under several. A release counts from midnight UTC of its date. Rules that need a release's
neighbours look at public releases only, so a past night is judged by what was out on that night.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from dataclasses import asdict, dataclass, field
from functools import cached_property, lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Version: TypeAlias = tuple[int, int, int, int]

PATCHED_WITHIN = dt.timedelta(days=120)
_AFTER_18 = 26  # Apple went from 18 straight to 26: "iOS 26" of 2025 followed "iOS 18" of 2024.


class CatalogError(ValueError):
    """The text is not a catalogue; the message names what is wrong with it."""


@lru_cache(maxsize=4096)
def parse_version(text: str) -> Version | None:
    """`26.4.1` as four numbers, zeros filled in; a trailing `(a)` of a background patch is left out.

    None where the text is not a version.
    """
    match = _VERSION.fullmatch(text.strip())
    if match is None:
        return None
    numbers = [int(part) for part in match[1].split(".")]
    major, minor, patch, part, *_ = *numbers, 0, 0, 0
    return major, minor, patch, part


_VERSION = re.compile(r"([0-9]{1,4}(?:\.[0-9]{1,4}){0,3})(?: ?\([a-z]\))?")


def preceding(major: int) -> int:
    """The major that came before `major` in Apple's sequence (…, 17, 18, 26, 27, …)."""
    return 18 if major == _AFTER_18 else major - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One hardware model.

    Attributes:
        max_major: the highest major it can run.
        max_version: the newest release known for it, public since `max_version_date`.
        force_restart: the key sequence's name in the guide.
    """

    identifier: str
    name: str
    base_name: str
    family: str
    os: str
    max_major: int
    max_version: str
    max_version_date: dt.date
    force_restart: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """One public release.

    Attributes:
        universal: offered to every model that runs its major; else only to some, in practice those that end
            there. exploited: it closes a hole known to be used in attacks; None where that is not known.
    """

    version: str
    date: dt.date
    universal: bool
    exploited: bool | None

    @property
    def number(self) -> Version:
        """The version as numbers."""
        return _number(self.version)

    @property
    def major(self) -> int:
        """The first of its numbers."""
        return self.number[0]

    @property
    def public_from(self) -> dt.datetime:
        """Midnight UTC of its date."""
        return dt.datetime(self.date.year, self.date.month, self.date.day, tzinfo=dt.UTC)


@dataclass(frozen=True, kw_only=True, eq=False)
class Catalog:
    """Models and releases as of a day. Two catalogues are the same when their `to_json` is.

    Attributes:
        date: the day of the newest facts in it, ISO 8601.
        models: by identifier.
        sources: one line each on where the facts come from.
    """

    date: str
    models: Mapping[str, Model]
    releases: tuple[Release, ...]
    sources: tuple[str, ...] = field(default=())

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
        return exact or self._by_name.get(_words(name))

    def releases_for(self, model: Model, at: dt.date) -> tuple[Release, ...]:
        """The releases that `model` could have on the day `at`, newest version first.

        Those for all models of a major it can run; those for some models only where the model ends at that
        major and no later release for all followed; and the model's own newest, where the list lacks it.
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
        more than 120 days before the newest release of any major known at `at`.
        """
        public = [release for release in self.releases if release.date <= at]
        newest = max((release.date for release in public), default=None)
        own = max((release.date for release in public if release.major == major), default=None)
        return newest is not None and own is not None and newest - own <= PATCHED_WITHIN

    def major_out(self, major: int, at: dt.date) -> Release | None:
        """The first public release of `major` known on that day."""
        out = [release for release in self.releases if release.major == major and release.date <= at]
        return min(out, key=lambda release: (release.date, release.number), default=None)

    @cached_property
    def _by_identifier(self) -> Mapping[str, Model]:
        return {identifier.casefold(): model for identifier, model in self.models.items()}

    @cached_property
    def _by_name(self) -> Mapping[tuple[str, ...], Model]:
        return _unambiguous_names(self.models.values())

    def to_json(self) -> str:
        """The catalogue as JSON text, the same for the same content."""
        document = {
            "as_of": self.date,
            "sources": list(self.sources),
            "models": {key: _model_row(model) for key, model in sorted(self.models.items())},
            "releases": [_release_row(release) for release in self.releases],
        }
        return json.dumps(document, ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Catalog:
        """The catalogue that `to_json` wrote.

        Raises:
            CatalogError: the text is no catalogue.
        """
        try:
            document: dict[str, Any] = json.loads(text)
            return _from_documents(document, document)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise CatalogError(f"not a catalogue of Apple models and releases: {error!r}") from error


@lru_cache(maxsize=1)
def bundled() -> Catalog:
    """The catalogue that ships with the program; always the same object."""
    folder = files("fleet.apple")
    models, releases = (
        json.loads(folder.joinpath(name).read_text("utf-8")) for name in ("models.json", "releases.json")
    )
    return _from_documents(models, releases)


def _from_documents(models: Mapping[str, Any], releases: Mapping[str, Any]) -> Catalog:
    dt.date.fromisoformat(releases["as_of"])
    read = (_read_release(row) for row in releases["releases"])
    return Catalog(
        date=releases["as_of"],
        models={key: _read_model(key, row) for key, row in models["models"].items()},
        releases=tuple(sorted(read, key=lambda release: release.number, reverse=True)),
        sources=tuple(dict.fromkeys([*models["sources"], *releases["sources"]])),
    )


def _read_model(identifier: str, row: Mapping[str, Any]) -> Model:
    day = dt.date.fromisoformat(row["max_version_date"])
    rest = {key: value for key, value in row.items() if key != "max_version_date"}
    model = Model(identifier=identifier, max_version_date=day, **rest)
    if _number(model.max_version)[0] != model.max_major:
        raise CatalogError(f"{identifier} ends at {model.max_major}, yet its newest is {model.max_version}")
    return model


def _model_row(model: Model) -> dict[str, object]:
    row = asdict(model)
    del row["identifier"]
    return {**row, "max_version_date": model.max_version_date.isoformat()}


def _read_release(row: Mapping[str, Any]) -> Release:
    _number(row["version"])
    return Release(
        version=row["version"],
        date=dt.date.fromisoformat(row["date"]),
        universal={"universal": True, "device": False}[row["scope"]],
        exploited=row["exploited"],
    )


def _release_row(release: Release) -> dict[str, object]:
    return {
        "version": release.version,
        "date": release.date.isoformat(),
        "scope": "universal" if release.universal else "device",
        "exploited": release.exploited,
    }


def _number(text: str) -> Version:
    number = parse_version(text)
    if number is None:
        raise CatalogError("a release's version is not made of numbers and dots")
    return number


# A fleet has a few hundred pairs of model and system, and one night: every later device finds its answer
# here.
@lru_cache(maxsize=4096)
def _releases_for(catalog: Catalog, model: Model, at: dt.date) -> tuple[Release, ...]:
    fitting = [r for r in catalog.releases if r.date <= at and _offered(catalog, model, r)]
    own = _number(model.max_version)
    if model.max_version_date <= at and all(own > release.number for release in fitting):
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
    if release.universal:
        return release.major <= model.max_major
    return release.major == model.max_major and not any(
        other.universal and other.major == release.major and other.number > release.number
        for other in catalog.releases
    )


def _words(name: str) -> tuple[str, ...]:
    """A marketing name without what vendors write differently: case, punctuation, radio, "5th"."""
    words = re.findall(r"[a-z0-9.]+", name.casefold().replace("wi-fi", " "))
    return tuple(_ORDINAL.sub(r"\1", word) for word in words if word not in _DROPPED)


_DROPPED = frozenset({"apple", "wifi", "cellular", "generation", "gen", "inch", "in"})
_ORDINAL = re.compile(r"^([0-9]+)(?:st|nd|rd|th)$")


def _unambiguous_names(models: Iterable[Model]) -> dict[tuple[str, ...], Model]:
    """Every beginning of a name that only models of one highest major share."""
    meant: dict[tuple[str, ...], dict[str, Model]] = {}
    for model in models:
        for words in (_words(model.name), _words(model.base_name)):
            for length in range(1, len(words) + 1):
                meant.setdefault(words[:length], {})[model.identifier] = model
    return {
        words: min(found.values(), key=lambda model: _number(model.max_version))
        for words, found in meant.items()
        if len({model.max_major for model in found.values()}) == 1
    }
