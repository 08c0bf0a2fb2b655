"""Many devices stopped backing up together: one incident that names what they share.

`_one_day` and `_rollout` have the statistics.
A wave that was found once is only counted from then on: it ends when fewer than half of its devices are left, and what
cannot be dated any more, or changed its site or system meanwhile, counts as left.
"""

from __future__ import annotations

import math
from datetime import datetime
from typing import TYPE_CHECKING

from fleet.checks._fleet import FleetCheck
from fleet.checks._rollout import grown
from fleet.checks._stops import RESTRICTED, begin_of, half_day_of
from fleet.checks._wave import Place, measured
from fleet.model.finding import CLEAR, Basis, Evidence, Found, Severity, Undetermined, Verdict, stamp

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fleet.checks._stops import Stops
    from fleet.checks._wave import Wave
    from fleet.model.outage import Outage

_DAY = "day"
_AMONG = {
    "restriction": "devices under a profile that forbids iCloud Backup",
    "os_version": "devices on system {}",
    "site": "devices at site {}",
    "group": "devices in group {}",
    "model": "devices of model {}",
    "source": "devices of source {}",
    _DAY: "devices",
}
_SHARED = {
    "restriction": "a profile that forbids iCloud Backup",
    "os_version": "system {}",
    "site": "site {}",
    "group": "group {}",
    "model": "model {}",
    "source": "source {}",
}
_FIXES = {
    "restriction": ("lift-restriction",),
    "os_version": ("enforce-update", "apple-support"),
    "site": ("allow-apple-hosts", "lift-restriction"),
    "group": ("lift-restriction", "allow-apple-hosts"),
    "model": ("enforce-update", "apple-support"),
    "source": ("lift-restriction", "allow-apple-hosts"),
    _DAY: ("system-status", "allow-apple-hosts"),
}


def found(wave: Wave, before: Evidence | None = None, outages: Iterable[Outage] = ()) -> Found:
    """The wave in tonight's numbers.

    Args:
        before: the evidence of the run that found it last; None for a new one.
        outages: what Apple reported at that time; it is named beside the wave.
    """
    place = wave.place
    kind, value = place.factor or (_DAY, "")
    evidence: dict[str, str | int | float | bool | list[str] | None] = {
        "factor": kind,
        "value": value,
        "since": stamp(begin_of(place.half_day)),
        "until": stamp(begin_of(place.half_day + place.half_days)),
        "after_changes": place.after_changes,
        "devices": wave.devices,
        "of": wave.of,
        "elsewhere": wave.elsewhere,
        "elsewhere_of": wave.elsewhere_of,
        "shared": [_SHARED[shared].format(value) for shared, value in wave.shared],
        "most": wave.devices,
        "most_that_day": wave.devices + wave.elsewhere,
        "undated": wave.undated,
        "chance_below": f"1e{math.ceil(wave.log_chance / math.log(10))}",
        "apple_outages": [f"{one.service}, {stamp(one.began_at)}" for one in outages],
    }
    if before:
        evidence |= {name: max(_number(before, name), _number(evidence, name)) for name in _MOST}
        evidence |= {name: before[name] for name in ("undated", "chance_below", "apple_outages")}
    return Found(Severity.HIGH, _summary(wave, evidence), evidence)


def judge(wave: Wave, before: Evidence) -> Verdict:
    """Of a wave that was found before: does it stand, has most of it recovered, or can that not be said?

    Args:
        wave: what tonight's count gives for its factor and day.
        before: the evidence of the run that found it last.
    """
    most, that_day = (_number(before, name) for name in _MOST)
    if 2 * wave.devices >= most:
        return found(wave, before)
    lost = max(wave.undated - _number(before, "undated"), 0)
    left_that_day = wave.devices + wave.elsewhere
    # Devices that took another system meanwhile are none of the factor's any more, and still without a backup.
    if 2 * (wave.devices + lost) < most and 2 * left_that_day < 2 * that_day - most:
        return CLEAR
    return Undetermined((("last_cloud_backup_at", "not_dated"),))


def counted(stops: Stops, before: Evidence) -> tuple[Wave, Verdict]:
    """A wave that was found before in tonight's numbers, and what they say; one that comes with a rollout may grow."""
    place = place_of(before)
    wave = measured(stops, place)
    verdict = judge(wave, before)
    if place.after_changes and isinstance(verdict, Found):
        wave = measured(stops, grown(stops, place))
        verdict = found(wave, before)
    return wave, verdict


def place_of(evidence: Evidence) -> Place:
    """The place of a wave as its evidence names it."""
    factor = None if evidence["factor"] == _DAY else (str(evidence["factor"]), str(evidence["value"]))
    begin, end = (half_day_of(datetime.fromisoformat(str(evidence[name]))) for name in ("since", "until"))
    return Place(factor=factor, half_day=begin, half_days=end - begin)


def fixes_of(wave: Wave) -> tuple[str, ...]:
    """Fixes by what the devices share, the likeliest first."""
    fixes = _FIXES[wave.place.factor[0] if wave.place.factor else _DAY]
    first = ("lift-restriction",) if RESTRICTED in wave.shared else ()
    return tuple(dict.fromkeys((*first, *fixes)))


_MOST = ("most", "most_that_day")


def _number(evidence: Evidence, name: str) -> int:
    value = evidence[name]
    return value if isinstance(value, int) else 0


def _summary(wave: Wave, evidence: Evidence) -> str:
    kind, value = wave.place.factor or (_DAY, "")
    among = _AMONG[kind].format(value)
    elsewhere = f"; elsewhere {wave.elsewhere:,} of {wave.elsewhere_of:,}" if wave.place.factor else ""
    shared, outages = evidence["shared"], evidence["apple_outages"]
    parts = (
        f"{wave.devices:,} of {wave.of:,} {among} made their last iCloud backup {_when(wave.place)}{elsewhere}.",
        f" They share: {', '.join(shared)}." if isinstance(shared, list) and shared else "",
        " Apple reported trouble with iCloud Backup at that time." if outages else "",
    )
    return "".join(parts)


def _when(place: Place) -> str:
    """A calendar day, the 24 hours from noon to noon, or the longer time of a rollout."""
    begin, last = begin_of(place.half_day), begin_of(place.half_day + place.half_days - 1)
    if place.after_changes:
        days = f"{begin.day} {begin:%B %Y} and {last.day} {last:%B %Y}"
        return f"between {days}, most of them within three days before they came to that"
    if begin.hour == 0:
        return f"on {begin.day} {begin:%B %Y}"
    return f"in the 24 hours from {begin.day} {begin:%B %Y, %H:%M} UTC"


CHECK = FleetCheck(
    id="backup-wave",
    title="Many devices stopped backing up together",
    rule=(
        "Found (high) when at least eight devices, and a third of all that share a restriction, a system version, a"
        " site, a group, a model or a source, made their last backup on the same day, at least twice as many as"
        " elsewhere, and chance would do so less than once in a million nights; or each of them right before it got the"
        " restriction or the system, whenever that was; or a third of the whole fleet, where they share nothing but the"
        " day. It ends when fewer than half of them are left."
    ),
    basis=Basis.INFERRED,
    looks_at="the last backup of each device that has a backup problem, and what these devices share",
    fixes=("lift-restriction", "allow-apple-hosts", "enforce-update", "system-status"),
    source="W. Hoeffding, Probability inequalities for sums of bounded random variables, 1963",
)
