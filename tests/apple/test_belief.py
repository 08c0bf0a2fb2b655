"""What a feed says is not believed when it cannot be true."""

from __future__ import annotations

import datetime as dt

import pytest

from fleet.apple.belief import believed
from fleet.apple.catalog import Catalog, bundled
from fleet.apple.joining import Tidings, learned
from fleet.apple.release import CatalogError, Release
from tests.apple.feeds_of import SIX, TODAY, a_release, tidings


def kept(said: Tidings, known: Catalog | None = None) -> set[str]:
    """The versions that are believed, besides the newest bundled one."""
    found = believed(said, known or bundled(), bundled(), TODAY)
    return {release.version for release in found.releases} - {"27.0.1"}


@pytest.mark.parametrize(
    ("release", "is_kept"),
    [
        (a_release("27.1", "2026-11-02", "iPhone12,1"), True),
        (a_release("27.1", "2026-11-24", "iPhone12,1"), True),
        (a_release("27.1", "2026-11-25", "iPhone12,1"), False),
        (a_release("27.1", "1970-01-01", "iPhone12,1"), False),
        (a_release("27.1", "2026-11-02"), True),
        (a_release("28.0", "2026-11-02", "iPhone12,1"), True),
        (a_release("28.0", "2026-11-02"), False),
        (a_release("29.0", "2026-11-02", "iPhone12,1"), False),
        (a_release("99.9", "2026-11-02", "iPhone12,1"), False),
        (a_release("18.7.11", "2026-11-02", *SIX), True),
    ],
)
def test_a_release_has_to_be_possible(release: Release, *, is_kept: bool) -> None:
    """Days to come, days before the iPhone, majors out of reach, and a new major without models are left out."""
    assert kept(tidings(release)) == ({release.version} if is_kept else set())


def test_a_program_that_was_not_upgraded_for_years_still_learns() -> None:
    """Apple brings a major a year: two years on, two more can be true."""
    then = dt.date(2028, 11, 23)
    said = tidings(a_release("30.1", "2028-11-02", "iPhone22,1"), date="2028-11-22")
    assert "30.1" in {r.version for r in believed(said, bundled(), bundled(), then).releases}


def test_hardware_is_not_old_because_a_feed_is_silent_about_models() -> None:
    """Two new majors without lists of models do not push a phone that ends at 27 out of the current ones."""
    said = believed(
        tidings(a_release("28.0"), a_release("29.0"), a_release("27.1", "2026-11-02", "iPhone12,1")),
        bundled(),
        bundled(),
        dt.date(2027, 12, 1),
    )
    assert learned(bundled(), said).newest_majors(TODAY) == (27, 26)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (tidings(a_release("27.1"), date="2026-10-04"), "older than the bundled catalogue, of 2026-10-05"),
        (tidings(a_release("27.1"), date="2026-11-20"), "the one that was taken before, of 2026-11-21"),
        (tidings(a_release("27.0.1", "2030-01-01")), "no release for any iPhone or iPad that can be true"),
        (
            Tidings(feed="gdmf", date=TODAY, releases=(a_release("26.6.1", "2026-08-17", "iPhone12,1"),)),
            "does not know 27.0.1 yet",
        ),
        (Tidings(feed="gdmf", date=TODAY, releases=()), "does not know 27.0.1 yet"),
    ],
)
def test_what_is_older_than_what_we_have_is_refused(said: Tidings, why: str) -> None:
    """A mirror that stood still, a cut answer: nothing of it is taken, and the reason is told."""
    known = learned(bundled(), tidings(date="2026-11-21"))
    with pytest.raises(CatalogError, match=why):
        believed(said, known, bundled(), TODAY)


def test_a_feed_that_dates_itself_into_the_future_does_not_lock_out_the_next() -> None:
    """A day to come is taken as today, so tomorrow's answer is not older than it."""
    assert believed(tidings(date="2030-01-01"), bundled(), bundled(), TODAY).date == TODAY
