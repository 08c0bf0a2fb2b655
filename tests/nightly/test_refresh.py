"""Feeds put to use: what a night judges by when they bring something, nothing, or nonsense."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import pytest

from connectors._feed import Look
from connectors._feed_cache import Cache
from fleet.apple.catalog import bundled
from fleet.model.outage import SystemStatus
from fleet.nightly.refresh import FILE, kept_for_later, known, taken
from tests.apple.feeds_of import TODAY, a_release, tidings

if TYPE_CHECKING:
    from pathlib import Path


NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
TITLES = {
    "sofa": "macadmins/sofa",
    "gdmf": "Apple's software lookup",
    "status": "Apple's System Status",
}


def brought(content: Any, feed: str = "sofa") -> Look[Any]:  # noqa: ANN401 - of any feed
    """A feed that answered."""
    return Look(feed=feed, title=TITLES[feed], content=content, at=NOW)


def failed(problem: str, feed: str = "sofa") -> Look[Any]:
    """A feed that did not."""
    return Look(feed=feed, title=TITLES[feed], problem=problem)


NEWS = tidings(a_release("27.1", "2026-11-02", "iPhone12,1", exploited=True))


def test_a_night_judges_by_what_feeds_brought() -> None:
    """The catalogue knows the new release, is as of the feed's day, and tells what is new."""
    found = taken(bundled(), [brought(NEWS)], TODAY)
    newest = found.catalog.newest_for(found.catalog.models["iPhone12,1"], TODAY)
    assert newest is not None
    assert (newest.version, newest.exploited) == ("27.1", True)
    assert (found.catalog.date, dict(found.catalog.feeds)) == ("2026-11-22", {"sofa": "2026-11-22"})
    assert found.changes == ("27.1: out since 2026-11-02, for 1 model, closes holes used in attacks",)
    assert found.notes == ()


def test_the_status_is_as_it_was_seen() -> None:
    """What Apple says of its services goes on as it is; unasked, it is not known."""
    status = SystemStatus(checked_at=NOW)
    assert taken(bundled(), [brought(status, "status")], TODAY).status is status
    assert taken(bundled(), [], TODAY).status is None


BUNDLED = "the bundled catalogue, of 2026-10-05"
UNSEEN = "Trouble at Apple would not be seen."
JUDGED = "Judged by the catalogue of 2026-10-05 (49 days old)."


@pytest.mark.parametrize(
    ("look", "note"),
    [
        (
            failed("sofafeed.macadmins.io is not known by that name"),
            f"macadmins/sofa brought nothing: sofafeed.macadmins.io is not known by that name. {JUDGED}",
        ),
        (
            brought(tidings(date="2026-08-22")),
            f"macadmins/sofa brought nothing: it is of 2026-08-22, older than {BUNDLED}. {JUDGED}",
        ),
        (
            failed("www.apple.com answered with 500", "status"),
            f"Apple's System Status is not known tonight: www.apple.com answered with 500. {UNSEEN}",
        ),
    ],
    ids=["unreachable", "stale", "no status"],
)
def test_a_feed_that_brings_nothing_is_a_note(look: Look[Any], note: str) -> None:
    """The catalogue stays as it is; the note says why, by what is judged instead, and how old that is."""
    found = taken(bundled(), [look], TODAY)
    assert found.catalog is bundled()
    assert found.notes == (note,)


def test_one_feed_is_enough() -> None:
    """What one brings counts, whatever became of the other; the note tells the age of what is known in the end."""
    found = taken(bundled(), [failed("broken"), brought(NEWS, "gdmf")], date(2026, 11, 22))
    assert found.catalog.releases[0].version == "27.1"
    assert found.notes == (
        "macadmins/sofa brought nothing: broken. Judged by the catalogue of 2026-11-22 (0 days old).",
    )


def test_what_was_learned_is_known_the_next_night(tmp_path: Path) -> None:
    """Silent feeds cost nothing of what they taught before, even where they have dropped it since."""
    cache = Cache(tmp_path / "apple")
    found = taken(known(cache), [brought(NEWS)], TODAY)
    kept_for_later(cache, bundled(), found.catalog)
    assert known(cache).to_json() == found.catalog.to_json()
    later = taken(known(cache), [brought(tidings(date="2026-11-23"))], TODAY)
    assert "27.1" in {release.version for release in later.catalog.releases}


def test_nothing_new_is_not_written(tmp_path: Path) -> None:
    """A night without news leaves no file behind."""
    cache = Cache(tmp_path / "apple")
    kept_for_later(cache, bundled(), taken(bundled(), [failed("broken")], TODAY).catalog)
    assert not cache.folder.exists()


@pytest.mark.parametrize(
    "damage", [b"", b"{}", b"\xff", b'{"as_of": "2030-01-01"}', bundled().to_json().encode()[:-9]]
)
def test_a_damaged_file_is_as_none(tmp_path: Path, damage: bytes) -> None:
    """Where the kept catalogue cannot be read, the bundled one counts."""
    cache = Cache(tmp_path / "apple")
    cache.write(FILE, damage)
    assert known(cache) is bundled()


def test_a_newer_program_knows_more_than_an_old_file(tmp_path: Path) -> None:
    """After an upgrade, what is bundled and what was learned before it count together."""
    cache = Cache(tmp_path / "apple")
    old = tidings(a_release("18.7.11", "2026-11-02", "iPhone11,2"))
    kept_for_later(cache, bundled(), taken(bundled(), [brought(old)], TODAY).catalog)
    assert {release.version for release in known(cache).releases} == {
        "18.7.11",
        *(release.version for release in bundled().releases),
    }
