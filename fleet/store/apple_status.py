"""One look at Apple's System Status as a run's row keeps it, so that the run can be made again without Apple."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from fleet.model.finding import stamp
from fleet.model.outage import Outage, SystemStatus

if TYPE_CHECKING:
    from collections.abc import Mapping


def to_row(status: SystemStatus | None) -> dict[str, Any] | None:
    """As plain data, moments to the second; None where Apple was not asked or did not answer."""
    if status is None:
        return None
    return {
        "checked_at": stamp(status.checked_at),
        "outages": [
            {
                "service": outage.service,
                "kind": outage.kind,
                "began_at": stamp(outage.began_at),
                "ended_at": outage.ended_at and stamp(outage.ended_at),
            }
            for outage in status.outages
        ],
    }


def from_row(plain: Mapping[str, Any] | None) -> SystemStatus | None:
    """What `to_row` made."""
    if plain is None:
        return None
    return SystemStatus(
        checked_at=_moment(plain["checked_at"]),
        outages=tuple(
            Outage(
                service=one["service"],
                kind=one["kind"],
                began_at=_moment(one["began_at"]),
                ended_at=one["ended_at"] and _moment(one["ended_at"]),
            )
            for one in plain["outages"]
        ),
    )


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
