"""Apple's System Status: trouble with the services that iCloud Backup needs, past and present.

The general page is plain JSON, the developers' one is wrapped in a call (`jsonCallback(…);`); names of services have
parentheses of their own. Both forms read 2026-11-22, from programs that use them and one published sample of each
kind of event; no capture of a whole page was to be had.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from connectors._feed_document import NotTheFeedError, document, listed, some
from connectors._rows import field
from connectors._wire import epoch
from fleet.model.fact import Gap
from fleet.model.outage import Outage, SystemStatus

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

NAME = "status"
BACKUP = "iCloud Backup"
NEEDED = (BACKUP, "iCloud Account & Sign In", "Apple Account")
UNKNOWN = "unknown"
_KINDS = frozenset({"Outage", "Issue", "Performance", "Maintenance"})
_WELL = "Available"


def read(body: bytes, at: datetime) -> SystemStatus:
    """What the page says at that moment; raises `NotTheFeedError`, also where it lacks iCloud Backup."""
    services = listed(field(document(unwrapped(body)), "services"), "services")
    if all(field(service, "serviceName") != BACKUP for service in services):
        raise NotTheFeedError(f"it names no service {BACKUP}")
    return SystemStatus(checked_at=at, outages=tuple(dict.fromkeys(_outages(services, at))))


def unwrapped(body: bytes) -> bytes:
    """The JSON within a call, or the body as it is."""
    call = _CALL.fullmatch(body.strip())
    return call[1] if call else body


_CALL = re.compile(rb"[A-Za-z_$][\w$.]*\s*\((.*)\)\s*;?", re.DOTALL)


def _outages(services: list[object], at: datetime) -> Iterator[Outage]:
    for service in services:
        name = field(service, "serviceName")
        for event in some(field(service, "events")):
            about = name if name in NEEDED else BACKUP
            concerned = name in NEEDED or BACKUP in some(field(event, "affectedServices"))
            if concerned and (outage := _outage(str(about), event, at)) is not None:
                yield outage


def _outage(service: str, event: object, at: datetime) -> Outage | None:
    """None for what is only planned, and for what is no trouble; by its times where Apple's word is a new one."""
    kind, status = (str(field(event, key)) for key in ("statusType", "eventStatus"))
    began, ended = (
        None if isinstance(moment := epoch(field(event, key), per_second=1000), Gap) else moment
        for key in ("epochStartDate", "epochEndDate")
    )
    over, planned = status in _OVER, status == _PLANNED
    if status not in _WORDS:
        over, planned = ended is not None and ended <= at, began is not None and began > at
    if kind == _WELL or planned or (over and began is None):
        return None
    since = began or at
    return Outage(
        service=service,
        kind=kind if kind in _KINDS else UNKNOWN,
        began_at=since,
        # One that is over and has no end lasted for a moment at least.
        ended_at=(ended or since) if over else None,
    )


_PLANNED = "upcoming"
_OVER = frozenset({"resolved", "completed"})
_WORDS = frozenset({*_OVER, _PLANNED, "ongoing"})
