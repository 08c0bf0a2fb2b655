"""The trend over the last runs: points of a drawing, and the same numbers as rows of a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fleet.model.finding import Status
from reports.html import words
from reports.html.links import link

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from fleet.model.run import Outcome, RunReport

RUNS = 30
WIDTH, HEIGHT = 600, 120
_DRAWN = (Status.AT_RISK, Status.UNKNOWN)
_COLUMNS = (Status.AT_RISK, Status.UNKNOWN, Status.PROTECTED, Status.NOT_APPLICABLE)


def trend(run: RunReport) -> dict[str, object] | None:
    """The last 30 runs with this one, as the template draws them; None where this is the first."""
    nights = [
        *((point.as_of, point.outcome, point.statuses) for point in run.trend[1 - RUNS :]),
        (run.as_of, run.outcome, run.totals.statuses),
    ]
    if len(nights) == 1:
        return None
    moments = [as_of for as_of, _, _ in nights]
    most = max(1, *(statuses.get(status, 0) for _, _, statuses in nights for status in _DRAWN))
    return {
        "runs": len(nights),
        "first": f"{moments[0]:%Y-%m-%d}",
        "last": f"{moments[-1]:%Y-%m-%d}",
        "most": f"{most:,}",
        "width": WIDTH,
        "height": HEIGHT,
        "lines": [_line(status, nights, moments, most) for status in _DRAWN],
        "columns": [words.STATUSES[status][1] for status in _COLUMNS],
        "rows": [_row(*night) for night in reversed(nights)],
    }


def _line(
    status: Status,
    nights: Sequence[tuple[datetime, Outcome, Mapping[Status, int]]],
    moments: Sequence[datetime],
    most: int,
) -> dict[str, str]:
    counts = [statuses.get(status, 0) for _, _, statuses in nights]
    points = [
        f"{x:.1f},{HEIGHT * (1 - count / most):.1f}"
        for x, count in zip(_places(moments), counts, strict=True)
    ]
    icon, word, _ = words.STATUSES[status]
    return {
        "code": str(status),
        "icon": icon,
        "word": word,
        "points": " ".join(points),
        "first": f"{counts[0]:,}",
        "last": f"{counts[-1]:,}",
        "most": f"{max(counts):,}",
        "link": link(status=str(status)),
    }


def _places(moments: Sequence[datetime]) -> list[float]:
    """Where each run stands from left to right, to scale."""
    whole = (moments[-1] - moments[0]).total_seconds()
    if whole <= 0:
        return [WIDTH * place / (len(moments) - 1) for place in range(len(moments))]
    return [WIDTH * (moment - moments[0]).total_seconds() / whole for moment in moments]


def _row(as_of: datetime, outcome: Outcome, statuses: Mapping[Status, int]) -> dict[str, object]:
    return {
        "as_of": f"{as_of:%Y-%m-%d %H:%M}",
        "outcome": words.OUTCOMES[outcome][:2],
        "counts": [f"{statuses.get(status, 0):,}" for status in _COLUMNS],
    }
