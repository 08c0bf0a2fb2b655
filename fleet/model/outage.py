"""What Apple's System Status says of the services that iCloud Backup needs, as one look at it found them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """A time in which Apple reports trouble with one service.

    Attributes:
        service: the row's name on Apple's page, for example `iCloud Backup`.
        kind: Apple's word for the trouble: `Outage`, `Issue`, `Performance`, `Maintenance`.
        ended_at: None while it goes on.
    """

    service: str
    kind: str
    began_at: datetime
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemStatus:
    """One look at Apple's System Status.

    Attributes:
        checked_at: when it was asked, UTC.
        outages: past and present ones of the services that matter to a backup; planned ones are not among them.
    """

    checked_at: datetime
    outages: tuple[Outage, ...] = ()
