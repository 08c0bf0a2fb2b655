"""Apple reports trouble with iCloud Backup: backups that do not come meanwhile are nobody's fault.

While it lasts, and for 48 hours after its end (a device needs a night or two on Wi-Fi and power to catch up), no
finding opens whose only evidence is that time went by without a backup.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from fleet.checks._fleet import FleetCheck
from fleet.model.finding import CLEAR, Basis, Found, Problem, Severity, Undetermined, Verdict, stamp

if TYPE_CHECKING:
    from datetime import datetime

    from fleet.model.outage import Outage, SystemStatus

AFTERMATH = timedelta(hours=48)
_BY_AGE = frozenset({"backup-stale", "backup-never"})
_NOT_KNOWN = Undetermined((("apple_status", "not_known"),))


def judge(status: SystemStatus | None, at: datetime) -> Verdict:
    """Found while trouble goes on; undetermined where Apple was not asked or did not answer."""
    if status is None:
        return _NOT_KNOWN
    current = [outage for outage in _begun(status, at) if outage.ended_at is None or outage.ended_at > at]
    return _found(current) if current else CLEAR


def held_until(look: SystemStatus | None, at: datetime) -> datetime | None:
    """Until when findings by age are held back; None where they are not at `at`.

    Args:
        look: the last look at Apple's status that there is. An old one does not hold for ever: what it saw going on
            counts as ended when it looked.
    """
    if look is None:
        return None
    ends = (outage.ended_at or look.checked_at for outage in _begun(look, at))
    until = max((end + AFTERMATH for end in ends), default=at)
    return until if until > at else None


def is_by_age(problem: Problem) -> bool:
    """True if all that holds is that time went by without a backup.

    `backup-expiring` is not among these: no outage explains an age of months, and Apple's clock runs on.
    """
    return _BY_AGE.issuperset(problem.held)


def _begun(status: SystemStatus, at: datetime) -> list[Outage]:
    """Those that had begun when the run was judged, or when Apple was asked for it, which is a little later."""
    return [outage for outage in status.outages if outage.began_at <= max(at, status.checked_at)]


def _found(current: list[Outage]) -> Found:
    since = min(outage.began_at for outage in current)
    services = list(dict.fromkeys(outage.service for outage in current))
    kinds = list(dict.fromkeys(outage.kind for outage in current))
    return Found(
        Severity.HIGH,
        f"Apple reports trouble with {' and '.join(services)} ({', '.join(kinds).lower()}) since {in_words(since)}.",
        {"services": services, "kinds": kinds, "since": stamp(since)},
    )


def in_words(moment: datetime) -> str:
    """A moment for a sentence: `20 November 2026, 14:05 UTC`."""
    return f"{moment.day} {moment:%B %Y, %H:%M} UTC"


CHECK = FleetCheck(
    id="icloud-outage",
    title="Apple reports trouble with iCloud Backup",
    rule=(
        "Found (high) while Apple's System Status reports trouble with iCloud Backup, or with the sign-in that it"
        " needs. Until 48 hours after its end no finding opens because of the age of a backup alone, and a standing one"
        " does not get worse."
    ),
    basis=Basis.OBSERVED,
    looks_at="Apple's System Status",
    fixes=("system-status",),
    source="Apple System Status, read 2026-11-22",
)
