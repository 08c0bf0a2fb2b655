"""macadmins/sofa's v2 feed: what is taken from it, and every trap in it that is known."""

from __future__ import annotations

import contextlib
import json
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors._feed_document import NotTheFeedError
from connectors._feed_sofa import read
from fleet.apple.catalog import Release
from tests.apple.feeds_of import SIX
from tests.servers.apple import NEWEST, Json, body, sofa_feed, sofa_release

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
FEW = sorted(SIX)


def told(*majors: list[Json], **more: object) -> dict[str, Release]:
    """The releases that a feed tells of, by version."""
    return {release.version: release for release in read(body({**sofa_feed(*majors), **more}), NOW).releases}


def test_a_release_is_read_whole() -> None:
    """Version, day, models and exploited holes; the day of the feed is that of its last check."""
    release = sofa_release("27.1", "2026-11-02", "iPhone12,1", "iPad12,1", exploited=["CVE-2026-1"])
    said = read(body(sofa_feed([release], names={"iPhone12,1": "iPhone 11"})), NOW)
    assert said.date == date(2026, 11, 22)
    assert said.names == {"iPhone12,1": "iPhone 11"}
    assert said.releases == (
        Release(
            version="27.1",
            date=date(2026, 11, 2),
            universal=False,
            exploited=True,
            models=frozenset({"iPhone12,1", "iPad12,1"}),
        ),
    )


def test_latest_is_not_the_newest_for_every_model() -> None:
    """18.7.8 stands as `Latest` while six models have 18.7.10: both come through, each with its models."""
    many = sofa_release("18.7.8", "2026-04-22", "iPhone12,1")
    few = sofa_release("18.7.10", "2026-08-17", *FEW)
    feed = sofa_feed([NEWEST], [many])
    feed["OSVersions"][1]["SecurityReleases"] = [few, many]
    found = {release.version: release.models for release in read(body(feed), NOW).releases}
    assert found["18.7.10"] == SIX
    assert found["18.7.8"] == frozenset({"iPhone12,1"})


def test_latest_counts_even_where_the_list_lacks_it() -> None:
    """The newest release may stand in `Latest` alone."""
    feed = sofa_feed([sofa_release("27.1", "2026-11-02", "iPhone12,1")])
    feed["OSVersions"][0]["SecurityReleases"] = []
    assert [release.version for release in read(body(feed), NOW).releases] == ["27.1"]


def test_builds_are_not_looked_at() -> None:
    """A build may be that of a watch, a twin, or missing: the release is the same."""
    builds: list[Json] = [{"Build": "23U67"}, {"Build": ""}, {"Build": None, "AllBuilds": 5}]
    found = [told([sofa_release("26.8", "2026-11-02", "iPhone12,1", **build)]) for build in builds]
    assert found[0] == found[1] == found[2]


def test_a_release_that_stands_twice_came_out_on_the_first_day() -> None:
    """17.0.2 stands there with two days; the first is when it came out."""
    twice = [sofa_release("17.0.2", "2023-09-26"), sofa_release("17.0.2", "2023-09-21")]
    assert told([NEWEST], twice)["17.0.2"].date == date(2023, 9, 21)


def test_a_scope_is_not_believed() -> None:
    """17.7.11 calls itself universal and lists six models: it is for those six."""
    release = told([sofa_release("17.7.11", "2026-05-11", *FEW, DeviceScope="universal")])["17.7.11"]
    assert (release.universal, release.models) == (False, SIX)


def test_an_empty_list_of_models_is_unknown() -> None:
    """Older releases list nobody: that is not "for nobody", and not "for all"."""
    release = told([NEWEST, sofa_release("26.4", "2026-03-24")])["26.4"]
    assert (release.universal, release.models) == (False, None)


def test_a_missing_list_of_models_is_that_of_latest() -> None:
    """Where the key is left out, the models are those of the newest release of its major."""
    bare = sofa_release("27.0", "2026-09-14")
    del bare["SupportedDevices"]
    assert told([NEWEST, bare])["27.0"].models == frozenset({"iPhone12,1", "iPhone14,5"})


@pytest.mark.parametrize(
    ("said", "exploited"),
    [
        ({"ActivelyExploitedCVEs": ["CVE-2026-1"]}, True),
        ({"ActivelyExploitedCVEs": [], "CVEs": {"CVE-2026-1": {"InKEV": True}}}, True),
        ({"ActivelyExploitedCVEs": [], "CVEs": {"CVE-2026-1": {"ActivelyExploited": True}}}, True),
        ({"ActivelyExploitedCVEs": [], "CVEs": {"CVE-2026-1": {}}}, False),
        ({"ActivelyExploitedCVEs": [], "CVEs": {}}, False),
        ({"ActivelyExploitedCVEs": None, "CVEs": None}, None),
    ],
)
def test_exploited_holes(said: Json, *, exploited: bool | None) -> None:
    """A hole in use makes the release urgent; where nothing is said of holes, that is not known."""
    assert told([sofa_release("27.1", "2026-11-02", "iPhone12,1", **said)])["27.1"].exploited is exploited


def test_watches_and_televisions_are_left_out() -> None:
    """Only iPhones, iPads and iPods are models of ours, whatever else a list names."""
    release = sofa_release(
        "27.1", "2026-11-02", "iPhone12,1", "Watch7,1", "AppleTV14,1", "iPhone12,1,1", "iPad"
    )
    said = read(body(sofa_feed([release], names={"Watch7,1": "Apple Watch", "iPhone12,1": "iPhone 11"})), NOW)
    assert said.releases[0].models == frozenset({"iPhone12,1"})
    assert said.names == {"iPhone12,1": "iPhone 11"}


def test_a_background_improvement_is_no_release() -> None:
    """26.3.1 (a) is a patch on top of 26.3.1, in whichever list it stands."""
    found = told([NEWEST, sofa_release("26.3.1 (a)", "2026-03-17", "iPhone12,1")])
    assert set(found) == {"27.0.1"}


def test_one_bad_row_costs_no_other() -> None:
    """Rows without a version or a day are counted; the rest is read."""
    dates = [sofa_release("27.1", ReleaseDate=day) for day in (None, "soon")]
    feed = sofa_feed([NEWEST])
    feed["OSVersions"][0]["SecurityReleases"] += [sofa_release("newest"), *dates, 5]
    said = read(body(feed), NOW)
    assert ([release.version for release in said.releases], said.unread) == (["27.0.1"], 4)


@pytest.mark.parametrize(
    ("document", "why"),
    [
        (
            {"UpdateHash": "0", "OSVersions": [{"OSVersion": "26", "Latest": {"Build": "26A000"}}]},
            "not the v2 feed",
        ),
        (sofa_feed([NEWEST], LastCheck="never"), "not the v2 feed"),
        (sofa_feed([NEWEST], OSVersions=None), "no OSVersions"),
        (sofa_feed([NEWEST], OSVersions={"27": []}), "no OSVersions"),
        ([], "not the v2 feed"),
        ("27.1", "not the v2 feed"),
    ],
)
def test_what_is_not_the_v2_feed_is_refused(document: object, why: str) -> None:
    """The v1 feed has placeholders for builds and no models: it is not taken for the v2 feed."""
    with pytest.raises(NotTheFeedError, match=why):
        read(body(document), NOW)


@given(st.integers(0, 400))
def test_a_cut_answer_is_never_half_believed(length: int) -> None:
    """Wherever the answer breaks off, nothing of it counts."""
    whole = body(sofa_feed([NEWEST, sofa_release("27.1", "2026-11-02", "iPhone12,1")]))
    with pytest.raises(NotTheFeedError):
        read(whole[: length * len(whole) // 401], NOW)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(st.sampled_from(sorted(NEWEST)), anything)
def test_no_value_breaks_the_reader(key: str, value: object) -> None:
    """Whatever a field holds, the feed is read or refused, never an error of another kind."""
    text = json.dumps(sofa_feed([NEWEST, {**NEWEST, key: value}])).encode("utf-8", "surrogatepass")
    with contextlib.suppress(NotTheFeedError):
        read(text, NOW)
