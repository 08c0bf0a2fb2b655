"""What a monitor is told, by what is known."""

from __future__ import annotations

from datetime import timedelta

import pytest

from fleet.model.run import Outcome
from fleet.nightly.standing import Known, judged
from fleet.store.freshness import RunMark, SourceMark
from tests.store.keeping import night

NOW = night(10)


def run(at: int, outcome: Outcome = Outcome.COMPLETE, *, hold: bool = False) -> RunMark:
    return RunMark(at, night(at), night(at), outcome, hold)


def source(at: int, complete_at: int | None) -> SourceMark:
    outcome = Outcome.COMPLETE if at == complete_at else Outcome.PARTIAL
    return SourceMark(outcome, night(at), None if complete_at is None else night(complete_at), ())


@pytest.mark.parametrize(
    ("newest", "complete", "sources", "broken", "expected"),
    [
        (run(10), run(10), {"hq": source(10, 10)}, None, ("fresh",)),
        (run(9), run(9), {"hq": source(9, 9)}, None, ("fresh",)),
        (run(8), run(8), {"hq": source(8, 8)}, None, ("stale", "too old")),
        (run(10, Outcome.PARTIAL), run(9), {"hq": source(10, 9)}, None, ("incomplete", "was partial")),
        (run(10, Outcome.PARTIAL), run(8), {"hq": source(10, 8)}, None, ("stale", "hq has not been read")),
        (run(10, Outcome.FAILED), None, {"hq": source(10, None)}, None, ("stale", "hq has never been read")),
        (run(10), run(10), {}, None, ("stale", "hq has never been read")),
        (run(10, hold=True), run(10, hold=True), {"hq": source(10, 10)}, None, ("incomplete", "held")),
        (run(9), run(9), {"hq": source(9, 9)}, "the disk is full", ("incomplete", "the disk is full")),
        (run(11), run(11), {"hq": source(11, 11)}, None, ("fresh",)),
        (run(12), run(12), {"hq": source(12, 12)}, None, ("stale", "still to come: check the clocks")),
        (None, None, {}, None, ("never", "no run")),
        (None, None, {}, "the disk is full", ("never", "the disk is full")),
    ],
)
def test_how_things_stand(
    newest: RunMark | None,
    complete: RunMark | None,
    sources: dict[str, SourceMark],
    broken: str | None,
    expected: tuple[str, ...],
) -> None:
    """The word is the worst that holds, and the sentences name what a person has to look at."""
    known = Known(newest=newest, complete=complete, sources=sources, broken=broken)
    verdict = judged(known, ["hq"], now=NOW, max_age=timedelta(hours=26))
    assert verdict.standing == expected[0]
    assert all(any(part in reason for reason in verdict.reasons) for part in expected[1:])
    assert bool(verdict.reasons) is (expected[0] != "fresh")


def test_a_source_out_of_the_settings_is_not_missed() -> None:
    """Whoever took a source out of the settings does not want to hear of its age."""
    known = Known(newest=run(10), complete=run(10), sources={"old": source(1, 1)}, broken=None)
    assert judged(known, [], now=NOW, max_age=timedelta(hours=26)).standing == "fresh"
