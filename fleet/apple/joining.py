"""Two catalogues as one that knows what either knows, and what a feed says as a catalogue.

Knowing only grows: no release and no model is ever lost, a model's newest release never becomes an older one, a hole
that was once exploited stays so. In which order catalogues are joined does not matter, and joining one twice changes
nothing; only of a model's names those of the first catalogue stand.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeVar

from fleet.apple.release import Model, Release

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from fleet.apple.catalog import Catalog

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tidings:
    """What a public feed says of releases; nothing of it is believed yet.

    Attributes:
        feed: its name in the settings.
        date: the day as of which it speaks.
        releases: one for each version.
        names: marketing names by identifier, as far as it gives any.
        unread: entries that could not be read.
    """

    feed: str
    date: dt.date
    releases: tuple[Release, ...]
    names: Mapping[str, str] = field(default_factory=dict[str, str])
    unread: int = 0


def joined(first: Catalog, second: Catalog) -> Catalog:
    """What both know."""
    models = {
        identifier: _both(first.models, second.models, identifier, _same_model)
        for identifier in dict.fromkeys((*first.models, *second.models))
    }
    return replace(
        first,
        date=max(first.date, second.date),
        models=models,
        releases=one_per_version((*first.releases, *second.releases)),
        feeds={
            feed: _both(first.feeds, second.feeds, feed, max)
            for feed in sorted({*first.feeds, *second.feeds})
        },
    )


def learned(catalog: Catalog, tidings: Tidings) -> Catalog:
    """`catalog` and what the feed says, which has to be believed already (see `fleet.apple.belief`)."""
    said = replace(
        catalog,
        date=tidings.date.isoformat(),
        models=_models(tidings),
        releases=tidings.releases,
        feeds={tidings.feed: tidings.date.isoformat()},
    )
    return joined(catalog, said)


def one_per_version(releases: Iterable[Release]) -> tuple[Release, ...]:
    """The releases, newest first, those of the same version as one."""
    found: dict[tuple[int, ...], Release] = {}
    for release in releases:
        known = found.get(release.number)
        found[release.number] = release if known is None else _same_release(known, release)
    return tuple(found[number] for number in sorted(found, reverse=True))


def changes(before: Catalog, after: Catalog) -> Iterator[str]:
    """What `after` knows more, a line each, the newest release first."""
    known = {release.number: release for release in before.releases}
    for release in after.releases:
        yield from _news_of(known.get(release.number), release)
    raised: Counter[tuple[int, int]] = Counter()
    for identifier, model in after.models.items():
        old = before.models.get(identifier)
        if old is None:
            yield f"{identifier} ({model.name}): a new model, up to {model.max_version}"
        elif old.max_major != model.max_major:
            raised[model.max_major, old.max_major] += 1
    for (new, old_major), count in raised.items():
        yield f"{_counted(count)} {'runs' if count == 1 else 'run'} {new} now, not only {old_major}"


def _news_of(known: Release | None, release: Release) -> Iterator[str]:
    if known is None:
        models = "" if release.models is None else f", for {_counted(len(release.models))}"
        holes = ", closes holes used in attacks" if release.exploited else ""
        since = "seen" if release.posted else "out"
        yield f"{release.version}: {since} since {release.date}{models}{holes}"
    elif release.exploited and not known.exploited:
        yield f"{release.version}: closes holes used in attacks"


def _counted(models: int) -> str:
    return "1 model" if models == 1 else f"{models} models"


def _models(tidings: Tidings) -> dict[str, Model]:
    newest: dict[str, Release] = {}
    for release in sorted(tidings.releases, key=lambda release: release.number):
        newest.update(dict.fromkeys(sorted(release.models or ()), release))
    return {
        identifier: _model(identifier, tidings.names.get(identifier, identifier), release)
        for identifier, release in newest.items()
    }


def _model(identifier: str, name: str, release: Release) -> Model:
    family = identifier.rstrip("0123456789,")
    return Model(
        identifier=identifier,
        name=name,
        base_name=name.partition(" Wi-Fi")[0],
        family=family,
        os="iPadOS" if family == "iPad" else "iOS",
        max_major=release.major,
        max_version=release.version,
        max_version_date=release.date,
        # Since the iPhone 8 there is one sequence for all; a new iPad's keys are not foretold.
        force_restart="iphone_volup_voldown_hold_side" if family == "iPhone" else None,
    )


def _same_model(first: Model, second: Model) -> Model:
    named = first if first.name != first.identifier else second
    newest = max(first, second, key=lambda model: (model.newest, -model.max_version_date.toordinal()))
    return replace(
        named,
        max_major=newest.max_major,
        max_version=newest.max_version,
        max_version_date=newest.max_version_date,
    )


def _same_release(first: Release, second: Release) -> Release:
    """The day on which it came out counts before one on which a list showed it, then the earlier."""
    dated = min(first, second, key=lambda release: (release.posted, release.date))
    listed = [release.models for release in (first, second) if release.models is not None]
    return replace(
        first,
        version=min(first.version, second.version),
        date=dated.date,
        posted=dated.posted,
        universal=first.universal or second.universal,
        exploited=_either(first.exploited, second.exploited),
        models=frozenset[str]().union(*listed) if listed else None,
        download_gb=max(filter(None, (first.download_gb, second.download_gb)), default=None),
    )


def _either(first: bool | None, second: bool | None) -> bool | None:
    if first or second:
        return True
    return second if first is None else first


def _both(first: Mapping[str, T], second: Mapping[str, T], key: str, join: Callable[[T, T], T]) -> T:
    if key in first and key in second:
        return join(first[key], second[key])
    return first[key] if key in first else second[key]
