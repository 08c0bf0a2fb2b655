"""The one sentence on top: how many would lose data tonight, how that moved, and how many cannot be judged."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from fleet.model.finding import Status
from reports.html import words
from reports.html.links import EVERYTHING, link

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fleet.model.run import RunReport
    from reports.html.tally import Tally


class Part(NamedTuple):
    """A piece of the sentence; a number of devices leads to them."""

    text: str
    link: str | None = None


def headline(run: RunReport, tally: Tally) -> list[Part]:
    """The sentence, piece by piece."""
    total, without = run.totals, tally.without_backup.total()
    if not total.devices:
        return [Part("No device is known yet.")]
    at_risk, unknown = total.statuses[Status.AT_RISK], total.statuses[Status.UNKNOWN]
    return [
        Part(f"{without:,}", link(check=sorted(tally.without_backup)) if without else None),
        Part(" of "),
        Part(words.count(total.devices, "device"), EVERYTHING),
        *_in_all(run, at_risk, without),
        Part(f"{unknown:,}", link(status=str(Status.UNKNOWN))),
        Part(" cannot be judged."),
    ]


def _in_all(run: RunReport, at_risk: int, without: int) -> Iterator[Part]:
    if at_risk == without:
        moved = _moved(run, at_risk, " at risk")
        yield Part(f" would lose data tonight{moved and '; ' + moved}; ")
        return
    moved = _moved(run, at_risk, "")
    yield Part(" would lose data tonight; ")
    yield Part(f"{at_risk:,}", link(status=str(Status.AT_RISK)))
    yield Part(f" {'is' if at_risk == 1 else 'are'} at risk in all{moved and ', ' + moved}; ")


def _moved(run: RunReport, at_risk: int, what: str) -> str:
    """`2 fewer than last time`; empty where there was no last time."""
    if not run.trend:
        return ""
    difference = at_risk - run.trend[-1].statuses.get(Status.AT_RISK, 0)
    if not difference:
        return f"as many{what} as last time"
    return f"{abs(difference):,} {'more' if difference > 0 else 'fewer'}{what} than last time"
