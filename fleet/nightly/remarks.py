"""Sentences beside a run's figures: what a reader has to know before trusting a difference.

All of them follow from the ledger, so that a past run says the same again.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from fleet.model.waiver import ENDS_SOON_DAYS, WaiverState
from fleet.nightly import rules

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from fleet.model.run import Totals
    from fleet.model.waiver import WaiverUse
    from fleet.store.runs import RunRow


def sentences(
    before: RunRow | None, now: RunRow, waivers: Sequence[WaiverUse], totals: Totals
) -> Iterator[str]:
    """What changed in the rules since the run `before`, which waivers need a hand, where the catalogue is behind."""
    if now.erasures:
        yield (
            "Something that this run had judged was forgotten since, on request: it is shown without it, and its "
            "figures may differ from those of its night."
        )
    if before is not None:
        yield from rules.changes(before, now)
    yield from _about_waivers(waivers)
    yield from _about_the_catalog(now.catalog_date, now.as_of.date(), totals)


_WAIVERS = {
    WaiverState.EXPIRING: f"end within {ENDS_SOON_DAYS} days",
    WaiverState.EXPIRED: "have ended",
    WaiverState.DEAD: "cover no finding",
}
_NAMED = 5


def _about_waivers(waivers: Sequence[WaiverUse]) -> Iterator[str]:
    for state, word in _WAIVERS.items():
        some = [one.waiver for one in waivers if one.state is state]
        if some:
            named = "; ".join(f"{one.label} (until {one.expires})" for one in some[:_NAMED])
            more = f"; and {len(some) - _NAMED:,} more" if len(some) > _NAMED else ""
            yield f"Waivers that {word}: {len(some):,}. {named}{more}. `fleetkeep waivers` lists all."


OLD_CATALOG_DAYS = 60
"""Apple brings a release about every month: a catalogue older than two has most likely missed some."""


def _about_the_catalog(date: str, night: dt.date, totals: Totals) -> Iterator[str]:
    """Where Apple has gone on and the catalogue has not: said, never guessed."""
    age = (night - dt.date.fromisoformat(date)).days
    if age > OLD_CATALOG_DAYS:
        yield (
            f"The catalogue of Apple's systems is of {date}, {age} days old: newer releases do not count yet. "
            "`fleetkeep catalog update` asks for them."
        )
    releases = totals.beyond_catalog[
        "release"
    ]  # a model that it lacks stands in the report; no update may bring it
    if releases:
        yield (
            f"The catalogue of {date} is behind: newer systems than it knows run on {_devices(releases)}, and do not "
            "count as outdated."
        )


def _devices(count: int) -> str:
    return f"{count:,} device" if count == 1 else f"{count:,} devices"
