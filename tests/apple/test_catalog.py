"""The catalogue: models, releases, and what was public when."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from fleet.apple.catalog import Catalog, CatalogError, bundled, parse_version
from fleet.checks.os_outdated import allowed_majors
from fleet.model.policy import Policy


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("26.4", (26, 4, 0, 0)),
        ("26.4.0", (26, 4, 0, 0)),
        ("27", (27, 0, 0, 0)),
        (" 16.5.1 (c)", (16, 5, 1, 0)),
        ("9.3.5", (9, 3, 5, 0)),
        ("", None),
        ("26.", None),
        ("26.x", None),
        ("iOS 26.4", None),
        ("٢٦.4", None),
        ("9" * 5000, None),
    ],
)
def test_versions_are_numbers(text: str, number: tuple[int, ...] | None) -> None:
    """Versions compare as numbers of one length, and what is none is not guessed at."""
    assert parse_version(text) == number


@pytest.mark.parametrize(
    ("identifier", "name", "found"),
    [
        ("iPhone12,1", None, "iPhone12,1"),
        ("IPHONE12,1", "iPhone 5", "iPhone12,1"),
        ("iPhone99,1", "iPhone 11", None),
        (None, "iPhone 11", "iPhone12,1"),
        (None, "Apple iPhone 11", "iPhone12,1"),
        (None, "iPad 5th Gen (WiFi)", "iPad6,11"),
        (None, "iPad (5th generation) Wi-Fi + Cellular", "iPad6,11"),
        (None, "iPad Pro 12.9-inch (5th generation)", "iPad13,8"),
        (None, "iPad Pro (12.9-inch) (5th Generation)", "iPad13,8"),
        (None, "iPad Air 11-inch (M2)", "iPad14,8"),
        (None, "iphone12,1", "iPhone12,1"),
        (None, "iPad", None),
        (None, "iPad Pro", None),
        (None, "iPhone SE", None),
        (None, "iPhone", None),
        (None, "Galaxy S25", None),
        (None, "", None),
        (None, None, None),
    ],
)
def test_models_are_found(identifier: str | None, name: str | None, found: str | None) -> None:
    """A model is found by identifier, or by a name that can only mean models with the same last system."""
    model = bundled().model(identifier, name)
    assert (model and model.identifier) == found


@pytest.mark.parametrize(
    ("identifier", "night", "newest"),
    [
        ("iPhone12,1", "2026-04-15", "26.4.1"),
        ("iPhone12,1", "2026-09-13", "26.6.1"),
        ("iPhone12,1", "2026-09-14", "27.0"),
        ("iPhone12,1", "2026-11-23", "27.0.1"),
        ("iPhone11,2", "2026-05-10", "18.7.8"),
        ("iPhone11,2", "2026-11-23", "18.7.10"),
        ("iPad11,6", "2026-06-15", "26.5"),
        ("iPad11,6", "2026-11-23", "26.7.1"),
        ("iPad7,5", "2026-05-10", "17.7.10"),
        ("iPad7,5", "2026-05-11", "17.7.11"),
        ("iPhone10,1", "2026-04-15", None),
        ("iPhone10,1", "2026-11-23", "16.7.16"),
    ],
)
def test_newest_release_of_a_model(identifier: str, night: str, newest: str | None) -> None:
    """A model's newest release is the newest that was out for it on that night, not the newest of all."""
    catalog = bundled()
    release = catalog.newest_for(catalog.models[identifier], date.fromisoformat(night))
    assert (release and release.version) == newest


def test_releases_for_few_models_are_not_offered_to_others() -> None:
    """18.7.10 counts for models that end at 18, and for no iPhone that can run 27."""
    catalog, night = bundled(), date(2026, 11, 23)
    few = {"18.7.9", "18.7.10", "17.7.11", "26.5.1"}
    offered = {r.version for r in catalog.releases_for(catalog.models["iPhone12,1"], night)}
    assert not few & offered
    assert "18.7.8" in offered


@pytest.mark.parametrize(
    ("identifier", "night", "majors"),
    [
        ("iPhone12,1", "2026-04-15", {26, 18}),
        ("iPhone12,1", "2026-09-13", {26, 18}),
        ("iPhone12,1", "2026-09-20", {27, 26, 18}),
        ("iPhone12,1", "2026-11-23", {27, 26, 18}),
        ("iPhone12,1", "2026-12-31", {27, 26}),
        ("iPad11,6", "2026-04-15", {26, 18}),
        ("iPad11,6", "2026-12-31", {26, 18}),
        ("iPhone11,2", "2026-04-15", {18}),
        ("iPhone11,2", "2026-12-31", {18}),
        ("iPhone10,1", "2026-11-23", {16}),
        ("iPhone12,1", "2025-10-01", {26, 18, 17}),
    ],
)
def test_allowed_majors(identifier: str, night: str, majors: set[int]) -> None:
    """The newest, the one before while it is patched, and one more for the grace after a new major."""
    now = datetime.fromisoformat(night).replace(hour=2, tzinfo=UTC)
    assert allowed_majors(bundled(), bundled().models[identifier], now, Policy()) == majors


@pytest.mark.parametrize(
    ("second", "allowed"), [("2026-12-13T00:00:00+00:00", True), ("2026-12-13T00:00:01+00:00", False)]
)
def test_the_grace_of_a_new_major_ends_to_the_second(second: str, *, allowed: bool) -> None:
    """Ninety days after a new major came out the third newest ceases to be allowed."""
    majors = allowed_majors(
        bundled(), bundled().models["iPhone12,1"], datetime.fromisoformat(second), Policy()
    )
    assert (18 in majors) is allowed


def test_a_catalogue_survives_storing() -> None:
    """A run judges by the same catalogue when its stored copy is read again."""
    text = bundled().to_json()
    again = Catalog.from_json(text)
    assert again.to_json() == text
    assert again.date == "2026-10-05"
    assert len(again.models) == 178


def _broken(**changes: object) -> str:
    return json.dumps({**json.loads(bundled().to_json()), **changes})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        "null",
        _broken(as_of="yesterday"),
        _broken(
            releases=[{"version": "27.x", "date": "2026-01-01", "scope": "universal", "exploited": None}]
        ),
        _broken(releases=[{"version": "27", "date": "2026-01-01", "scope": "all", "exploited": None}]),
        _broken(models={"iPhone1,1": {"name": "iPhone"}}),
        _broken(models={"iPhone1,1": 5}),
    ],
)
def test_what_is_no_catalogue_is_refused(text: str) -> None:
    """A damaged catalogue is one clear error, whatever is wrong with it."""
    with pytest.raises(CatalogError, match="not a catalogue"):
        Catalog.from_json(text)


def test_dates_and_sources_are_stated() -> None:
    """The bundled facts say how old they are and where they come from."""
    assert bundled().date == "2026-10-05"
    assert bundled().sources
    assert max(release.date for release in bundled().releases) == date(2026, 9, 28)


def test_the_bundled_models_are_whole() -> None:
    """Every iPhone, iPad and iPod touch is known, each with its keys of a forced restart."""
    models = bundled().models.values()
    counted = {
        family: sum(model.family == family for model in models) for family in ("iPhone", "iPad", "iPod touch")
    }
    assert counted == {"iPhone": 66, "iPad": 105, "iPod touch": 7}
    assert all(model.force_restart and model.name and model.base_name for model in models)
    assert len({release.number for release in bundled().releases}) == 73


@pytest.mark.parametrize(
    ("identifier", "capable"),
    [("iPhone1,1", False), ("iPhone3,3", False), ("iPhone4,1", True), ("iPad1,1", False), ("iPad2,1", True)],
)
def test_who_can_reach_icloud_backup(identifier: str, *, capable: bool) -> None:
    """Hardware that ends below iOS 9 can make no iCloud backup, whatever is done to it."""
    assert bundled().models[identifier].icloud_backup_capable is capable


@pytest.mark.parametrize(
    ("version", "download"),
    [("27.0", (4.37, 7.86)), ("27.0.1", (4.37, 7.86)), ("27.3", (4.37, 7.86)), ("26.7.1", None)],
)
def test_what_an_update_downloads_is_measured_or_unknown(
    version: str, download: tuple[float, float] | None
) -> None:
    """The nearest release of the same major stands for one that nobody measured; another major says nothing."""
    catalog = bundled()
    release = replace(catalog.releases[0], version=version, download_gb=None)
    assert catalog.download_gb(release) == download
