"""A waiver: someone's word that a problem is accepted on some devices until a day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING

from fleet.model.fact import Fact, Gap

if TYPE_CHECKING:
    from fleet.model.device import Device

EVERY_CHECK = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiver:
    """Which checks are waived on which devices, why, by whom and until when.

    A device has to be within every scope that is given, and is within one when it matches any of its entries.
    What is not known of a device matches nothing.

    Attributes:
        checks: check ids, or `*` for all.
        serials: serial numbers, upper or lower case.
        models: model identifiers ("iPad11,6") or model names ("iPad Air").
        sources: names of sources; a device is in scope if one of its counting records came from them.
        expires: the last day on which it holds, UTC.
    """

    checks: tuple[str, ...]
    serials: tuple[str, ...] = ()
    sites: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    reason: str
    owner: str
    expires: date

    @property
    def until(self) -> datetime:
        """The last whole second at which it holds, UTC."""
        return datetime.combine(self.expires, time(23, 59, 59), UTC)

    def matches(self, device: Device, check: str, on: datetime) -> bool:
        """True if it waives `check` on `device` at the moment `on`; one without any scope waives nothing."""
        scopes = [(wanted, had) for wanted, had in self._scopes(device) if wanted]
        return (
            on.astimezone(UTC).date() <= self.expires
            and (check in self.checks or EVERY_CHECK in self.checks)
            and bool(scopes)
            and all(not had.isdisjoint(wanted) for wanted, had in scopes)
        )

    def _scopes(self, device: Device) -> tuple[tuple[tuple[str, ...], frozenset[str]], ...]:
        serials = frozenset(serial.casefold() for serial in _known(device.serial))
        return (
            (tuple(serial.casefold() for serial in self.serials), serials),
            (self.sites, _known(device.site)),
            (self.groups, frozenset[str]() if isinstance(device.groups, Gap) else frozenset(device.groups)),
            (self.models, _known(device.model_identifier) | _known(device.model_name)),
            (self.sources, frozenset(sighting.source for sighting in device.sightings)),
        )


def _known(fact: Fact[str]) -> frozenset[str]:
    return frozenset[str]() if isinstance(fact, Gap) else frozenset({fact})
