"""A waiver: someone's word that a problem is accepted on some devices until a day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

from fleet.model.fact import Fact, Gap
from fleet.model.identity import identity

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from fleet.model.device import Device

EVERY_CHECK = "*"
SCOPES = ("serials", "sites", "groups", "models", "sources")
ENDS_SOON_DAYS = 14
_Traits: TypeAlias = tuple[frozenset[str], ...]


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
        id: its number in the database; None for one of the settings file.
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
    id: int | None = None

    @property
    def until(self) -> datetime:
        """The last whole second at which it holds, UTC."""
        return datetime.combine(self.expires, time(23, 59, 59), UTC)

    @property
    def label(self) -> str:
        """What it waives where, for people: `backup-disabled on serial C39X, iPad Air`."""
        where = "; ".join(
            f"{name[:-1]} {', '.join(getattr(self, name))}" for name in SCOPES if getattr(self, name)
        )
        checks = "every check" if EVERY_CHECK in self.checks else ", ".join(self.checks)
        return f"{checks} on {where}"

    def ended(self, on: datetime) -> bool:
        """True from the day after its last one."""
        return on.astimezone(UTC).date() > self.expires

    def matches(self, device: Device, check: str, on: datetime) -> bool:
        """True if it waives `check` on `device` at the moment `on`; one without any scope waives nothing."""
        return not self.ended(on) and _names(self, check) and _within(_wanted(self), _traits(device))


class Waivers:
    """All waivers of one run, asked about one finding after another.

    Attributes:
        covered: for each of them, in their order, how many findings it covered so far.
    """

    def __init__(self, waivers: Sequence[Waiver], on: datetime) -> None:
        self.covered = [0] * len(waivers)
        self._by_serial: dict[str, list[tuple[int, Waiver, _Traits]]] = {}
        self._others: list[tuple[int, Waiver, _Traits]] = []
        for number, waiver in enumerate(waivers):
            if not waiver.ended(on):
                self._file(number, waiver)

    def until(self, device: Device, check: str) -> datetime | None:
        """The last moment at which `check` is waived on `device`; None where it is not waived now."""
        if not self._by_serial and not self._others:
            return None
        traits = _traits(device)
        ends: datetime | None = None
        for number, waiver, wanted in self._candidates(traits):
            if _names(waiver, check) and _within(wanted, traits):
                self.covered[number] += 1
                ends = max(ends or waiver.until, waiver.until)
        return ends

    def _file(self, number: int, waiver: Waiver) -> None:
        # Most are for one device: looked up by its serial, a thousand of them cost no more than one.
        wanted = _wanted(waiver)
        for serial in wanted[0]:
            self._by_serial.setdefault(serial, []).append((number, waiver, wanted))
        if not wanted[0]:
            self._others.append((number, waiver, wanted))

    def _candidates(self, traits: _Traits) -> Iterator[tuple[int, Waiver, _Traits]]:
        for serial in traits[0]:
            yield from self._by_serial.get(serial, ())
        yield from self._others


class WaiverState(StrEnum):
    """Whether a waiver needs a hand: the most urgent word that fits."""

    EXPIRED = "expired"
    DEAD = "dead"
    EXPIRING = "expiring"
    ACTIVE = "active"


@dataclass(frozen=True, slots=True)
class WaiverUse:
    """One waiver as a run found it.

    Attributes:
        findings: how many it covered; None for one that no run has judged by yet.
        state: `expired`; `dead`, for one that covers nothing; `expiring` within 14 days; or `active`.
    """

    waiver: Waiver
    findings: int | None
    state: WaiverState


def use_of(waiver: Waiver, findings: int | None, on: datetime) -> WaiverUse:
    """How a waiver that covered so many findings stands at the moment `on`."""
    if waiver.ended(on):
        return WaiverUse(waiver, findings, WaiverState.EXPIRED)
    if findings == 0:
        return WaiverUse(waiver, findings, WaiverState.DEAD)
    soon = (waiver.expires - on.astimezone(UTC).date()).days <= ENDS_SOON_DAYS
    return WaiverUse(waiver, findings, WaiverState.EXPIRING if soon else WaiverState.ACTIVE)


def _names(waiver: Waiver, check: str) -> bool:
    return check in waiver.checks or EVERY_CHECK in waiver.checks


def _within(wanted: _Traits, traits: _Traits) -> bool:
    pairs = [(some, had) for some, had in zip(wanted, traits, strict=True) if some]
    return bool(pairs) and all(not had.isdisjoint(some) for some, had in pairs)


def _wanted(waiver: Waiver) -> _Traits:
    """What a device must have, in the order of SCOPES; an empty set where it does not matter."""
    serials = frozenset(identity(serial) or serial for serial in waiver.serials)
    return (serials, *(frozenset[str](getattr(waiver, name)) for name in SCOPES[1:]))


def _traits(device: Device) -> _Traits:
    """What a device has, in the order of SCOPES."""
    serial = identity(device.serial)
    return (
        frozenset({serial}) if serial else frozenset[str](),
        _known(device.site),
        frozenset[str]() if isinstance(device.groups, Gap) else frozenset(device.groups),
        _known(device.model_identifier) | _known(device.model_name),
        frozenset(sighting.source for sighting in device.sightings),
    )


def _known(fact: Fact[str]) -> frozenset[str]:
    return frozenset[str]() if isinstance(fact, Gap) else frozenset({fact})
