"""Apple's software lookup: what is taken from it, and every trap in it that is known."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors._feed_document import NotTheFeedError
from connectors._feed_gdmf import read
from tests.servers.apple import WATCHES, body, gdmf_entry, gdmf_list

if TYPE_CHECKING:
    from fleet.apple.catalog import Release

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


def told(document: object) -> dict[str, Release]:
    """The releases that the list tells of, by version."""
    return {release.version: release for release in read(body(document), NOW).releases}


def test_newest_per_model_in_whatever_order() -> None:
    """Entries come unsorted; each keeps its own models."""
    few, many = (
        gdmf_entry("18.7.11", "2026-11-02", "iPhone11,2"),
        gdmf_entry("27.1", "2026-11-02", "iPhone12,1"),
    )
    found = told(gdmf_list(few, many))
    assert found == told(gdmf_list(many, few))
    assert {version: release.models for version, release in found.items()} == {
        "27.1": frozenset({"iPhone12,1"}),
        "18.7.11": frozenset({"iPhone11,2"}),
    }


def test_two_builds_are_one_release() -> None:
    """23G83 and 23G6083 are the same 26.6.1, for the models of both."""
    twins = [gdmf_entry("27.1", "2026-11-02", model, Build=build) for model, build in TWINS]
    assert told(gdmf_list(*twins))["27.1"].models == frozenset({"iPhone12,1", "iPad12,1"})


TWINS = [("iPhone12,1", "24B91"), ("iPad12,1", "24B6091")]


def test_posting_dates_are_refreshed() -> None:
    """18.7.8 is posted anew in August: the earliest posting counts, and as a posting, not as its release."""
    public = gdmf_entry("18.7.8", "2026-08-06", "iPhone12,1")
    earlier = [gdmf_entry("18.7.8", "2026-04-22", "iPhone12,1")]
    release = told(gdmf_list(public, earlier=earlier))["18.7.8"]
    assert (release.date, release.posted, release.exploited) == (date(2026, 4, 22), True, None)


def test_what_an_mdm_may_still_ask_for_is_not_what_is_newest() -> None:
    """A version that only the longer list names is taken for nobody's newest."""
    found = told(
        gdmf_list(
            gdmf_entry("27.1", "2026-11-02", "iPhone12,1"),
            earlier=[gdmf_entry("27.2", "2026-11-20", "iPhone12,1")],
        )
    )
    assert set(found) == {"27.1"}


def test_watches_and_televisions_are_left_out() -> None:
    """The list for iOS holds watches, televisions and speakers: entries for these alone are no release of ours."""
    found = told(gdmf_list(gdmf_entry("27.1", "2026-11-02", "iPhone12,1"), gdmf_entry("27.3", "2026-11-02")))
    assert {version: release.models for version, release in found.items()} == {
        "27.1": frozenset({"iPhone12,1"})
    }
    assert WATCHES[0] not in str(found)


def test_a_background_improvement_is_no_release() -> None:
    """It has a list of its own, and its letter is no part of a version."""
    extra = gdmf_entry("27.0.1", "2026-11-02", "iPhone12,1", ProductVersionExtra="(a)")
    assert told(gdmf_list(gdmf_entry("27.1", "2026-11-02", "iPhone12,1"), improvements=[extra])).keys() == {
        "27.1"
    }


def test_an_expired_copy_is_refused() -> None:
    """A list of which every entry has expired lay in some cache for months; one live entry is enough."""
    old = gdmf_entry("26.6.1", "2026-08-17", "iPhone12,1", expires="2026-11-20")
    with pytest.raises(NotTheFeedError, match="old copy"):
        read(body(gdmf_list(old, old)), NOW)
    assert set(told(gdmf_list(old, gdmf_entry("27.1", "2026-11-02", "iPhone12,1")))) == {"26.6.1", "27.1"}


@pytest.mark.parametrize(
    "document",
    [
        {},
        [],
        {"PublicAssetSets": []},
        {"PublicAssetSets": {"macOS": []}},
        {"PublicAssetSets": {"iOS": {}}},
        "x",
        None,
    ],
)
def test_what_is_no_list_is_refused(document: object) -> None:
    """Another document with a 200 is not taken for Apple's list."""
    with pytest.raises(NotTheFeedError, match="no PublicAssetSets for iOS"):
        read(body(document), NOW)


@given(
    st.sampled_from(sorted(gdmf_entry("27.1"))),
    st.none() | st.integers() | st.text() | st.lists(st.integers()),
)
def test_no_value_breaks_the_reader(key: str, value: object) -> None:
    """Whatever a field holds, the other entries are read."""
    good = gdmf_entry("27.1", "2026-11-02", "iPhone12,1")
    said = read(body(gdmf_list(good, {**gdmf_entry("27.2", "2026-11-02", "iPad12,1"), key: value})), NOW)
    assert "27.1" in {release.version for release in said.releases}
