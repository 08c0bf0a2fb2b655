"""Catalogues joined: knowing only grows, in whatever order it comes."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from fleet.apple.catalog import Catalog, bundled
from fleet.apple.joining import Tidings, changes, joined, learned, one_per_version
from fleet.apple.release import Release
from tests.apple.feeds_of import SIX, TODAY, a_release, day, tidings

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

IDENTIFIERS = ("iPhone12,1", "iPhone11,2", "iPad11,6", "iPad7,5", "iPhone20,1", "iPad20,3")
NAMES = {"iPhone20,1": "iPhone 19", "iPad20,3": "iPad Pro 13-inch (M6) Wi-Fi + Cellular"}
VERSIONS = ("16.7.17", "17.7.12", "18.7.10", "18.7.11", "26.7.1", "26.8", "27.0.1", "27.1", "27.1.1", "28.0")

FEW = replace(
    bundled(),
    models={key: model for key, model in bundled().models.items() if key in IDENTIFIERS},
    releases=tuple(release for release in bundled().releases if release.version in VERSIONS),
)

releases = st.builds(
    Release,
    version=st.sampled_from(VERSIONS),
    date=st.dates(dt.date(2026, 9, 1), dt.date(2026, 11, 22)),
    universal=st.sampled_from((False,)),
    exploited=st.sampled_from((None, False, True)),
    models=st.none() | st.frozensets(st.sampled_from(IDENTIFIERS), min_size=1),
    posted=st.booleans(),
)
said = st.builds(
    Tidings,
    feed=st.sampled_from(("sofa", "gdmf")),
    date=st.dates(dt.date(2026, 10, 5), dt.date(2026, 11, 22)),
    releases=st.lists(releases, max_size=6).map(one_per_version),
    names=st.sampled_from(({}, NAMES)),
)


def told(catalog: Catalog, feeds: Sequence[Tidings]) -> Catalog:
    """The catalogue after all feeds, one after the other."""
    for one in feeds:
        catalog = learned(catalog, one)
    return catalog


def content(catalog: Catalog) -> str:
    """All of it; a model's names are those of whoever named it first, so they are left out."""
    models = {key: replace(model, name="", base_name="") for key, model in catalog.models.items()}
    return replace(catalog, models=models).to_json()


@given(st.lists(said, min_size=2, max_size=4), st.randoms())
def test_the_order_of_feeds_does_not_matter(feeds: list[Tidings], random: Random) -> None:
    """Whichever feed answers first, the same is known in the end."""
    shuffled = random.sample(feeds, len(feeds))
    assert content(told(FEW, feeds)) == content(told(FEW, shuffled))


@given(st.lists(said, min_size=1, max_size=3))
def test_hearing_it_again_changes_nothing(feeds: list[Tidings]) -> None:
    """The same tidings every night leave the same catalogue, and nothing is said to have changed."""
    once = told(FEW, feeds)
    assert told(once, feeds).to_json() == once.to_json()
    assert list(changes(once, told(once, feeds))) == []
    assert joined(once, once).to_json() == once.to_json()


@given(st.lists(said, min_size=1, max_size=4))
def test_knowing_never_goes_backwards(feeds: list[Tidings]) -> None:
    """No release, model, listed model or known hole is lost, and no model's newest system becomes older."""
    before = FEW
    for one in feeds:
        after = learned(before, one)
        assert after.date >= before.date
        assert before.models.keys() <= after.models.keys()
        for key, model in before.models.items():
            assert after.models[key].newest >= model.newest
            assert after.models[key].name == model.name or model.name == key
        known = {release.number: release for release in after.releases}
        for release in before.releases:
            now = known[release.number]
            assert (now.posted, now.date) <= (release.posted, release.date)
            assert now.models is None or (release.models or frozenset()) <= now.models
            assert now.universal >= release.universal
            assert now.exploited is not None or release.exploited is None
            assert now.exploited or not release.exploited
        before = after


@given(st.lists(said, min_size=1, max_size=3))
def test_what_was_learned_survives_storing(feeds: list[Tidings]) -> None:
    """What is kept on disk overnight reads as it was written; so does what the ledger keeps, without its day."""
    catalog = told(FEW, feeds)
    assert Catalog.from_json(catalog.to_json()).to_json() == catalog.to_json()
    again = Catalog.from_json(catalog.facts_json(), date=catalog.date)
    assert (again.facts_json(), again.date) == (catalog.facts_json(), catalog.date)


def test_a_release_for_few_models_is_the_newest_for_those_alone() -> None:
    """18.7.11 is the newest for the six that it lists; an iPhone that runs 27 never hears of it."""
    catalog = learned(bundled(), tidings(a_release("18.7.11", "2026-11-02", *SIX)))
    newest = {key: catalog.newest_for(catalog.models[key], TODAY) for key in ("iPhone11,2", "iPhone12,1")}
    assert {key: release and release.version for key, release in newest.items()} == {
        "iPhone11,2": "18.7.11",
        "iPhone12,1": "27.0.1",
    }
    offered = catalog.releases_for(catalog.models["iPhone12,1"], TODAY)
    assert "18.7.11" not in {release.version for release in offered}


def test_a_release_of_unknown_models_counts_for_those_that_end_there() -> None:
    """Where nobody lists the models, 18.7.11 is no patch for a phone that can run 27."""
    catalog = learned(bundled(), tidings(a_release("18.7.11")))
    few, many = catalog.models["iPhone11,2"], catalog.models["iPhone12,1"]
    assert next(r.version for r in catalog.releases_for(few, TODAY)) == "18.7.11"
    assert "18.7.11" not in {r.version for r in catalog.releases_for(many, TODAY)}


def test_the_day_it_came_out_counts_before_the_day_a_list_showed_it() -> None:
    """Apple's list shows old releases anew; once somebody knows the true day, that one stands."""
    posted = tidings(a_release("26.8", "2026-11-20", "iPad11,6", posted=True), feed="gdmf")
    dated = tidings(a_release("26.8", "2026-11-02", "iPad11,6"))
    later = tidings(a_release("26.8", "2026-11-22", "iPad11,6", posted=True), feed="gdmf")
    (release,) = (r for r in told(bundled(), [posted, dated, later]).releases if r.version == "26.8")
    assert (release.date, release.posted) == (day("2026-11-02"), False)


def test_a_day_of_apples_list_does_not_make_an_old_major_patched() -> None:
    """16.7.16 shown anew in November is no proof that Apple still patches 16."""
    shown = a_release("16.7.16", "2026-11-20", "iPhone10,1", posted=True)
    assert not learned(bundled(), tidings(shown, feed="gdmf")).patched(16, TODAY)


def test_a_new_model_gets_its_name_whoever_comes_first() -> None:
    """Apple's list knows an identifier only; the name comes with the other feed, before or after."""
    apple = tidings(a_release("28.0", "2026-11-20", "iPad20,3", posted=True), feed="gdmf")
    sofa = tidings(a_release("28.0", "2026-11-20", "iPad20,3"), names=NAMES)
    for feeds in ([apple, sofa], [sofa, apple]):
        model = told(bundled(), feeds).models["iPad20,3"]
        assert (model.name, model.base_name) == (NAMES["iPad20,3"], "iPad Pro 13-inch (M6)")
        assert (model.family, model.os, model.max_major) == ("iPad", "iPadOS", 28)
        assert model.force_restart is None


def test_changes_are_told_in_plain_words() -> None:
    """An admin reads what is new: releases, holes, models, and what known models can run now."""
    news = tidings(
        a_release("28.0", "2026-11-20", "iPhone20,1", "iPhone12,1", posted=True),
        a_release("27.1", "2026-11-02", "iPhone12,1", exploited=True),
        a_release("27.0.1", "2026-09-28", "iPhone12,1", exploited=True),
        names=NAMES,
    )
    assert list(changes(bundled(), learned(bundled(), news))) == [
        "28.0: seen since 2026-11-20, for 2 models",
        "27.1: out since 2026-11-02, for 1 model, closes holes used in attacks",
        "27.0.1: closes holes used in attacks",
        "iPhone20,1 (iPhone 19): a new model, up to 28.0",
        "1 model runs 28 now, not only 27",
    ]
