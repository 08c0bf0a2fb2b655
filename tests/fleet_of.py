"""Builders of devices and cases for every test: healthy unless told otherwise."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeAlias

from fleet.apple.catalog import Catalog, bundled
from fleet.checks._check import Case, Reading
from fleet.model.device import (
    SIGNALS,
    Device,
    DeviceRecord,
    Enrollment,
    Ownership,
    Platform,
    Sighting,
    Standing,
)
from fleet.model.policy import Policy

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Value: TypeAlias = Any  # tests hand in right values, wrong values and gaps alike

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
GB = 10**9
HEALTHY: dict[str, Value] = {
    "serial": "C39XTEST0001",
    "udid": "00008110-000A1B2C3D4E5F60",
    "name": "Front desk",
    "model_identifier": "iPhone14,5",
    "model_name": "iPhone 13",
    "platform": Platform.IOS,
    "os_version": "27.0.1",
    "os_build": "24A446",
    "managed": True,
    "supervised": True,
    "enrollment": Enrollment.AUTOMATED,
    "ownership": Ownership.ORGANISATION,
    "shared_ipad": False,
    "capacity_bytes": 128 * GB,
    "available_bytes": 80 * GB,
    "backup_enabled": True,
    "backup_restricted": False,
    "battery_percent": 90,
    "account_active": True,
    "vpn_configured": False,
}


def days(number: float) -> timedelta:
    """So many days."""
    return timedelta(days=number)


def ago(number: float, now: datetime = NOW) -> datetime:
    """The moment so many days before `now`."""
    return now - days(number)


def a_record(*, native_id: str = "1", now: datetime = NOW, **signals: Value) -> DeviceRecord:
    """What one source says of a healthy device that reported six hours before `now`."""
    observed = now - timedelta(hours=6)
    times = {
        "inventory_at": observed,
        "checkin_at": observed,
        "enrolled_at": now - days(400),
        "last_cloud_backup_at": observed - days(1),
    }
    values: dict[str, Value] = {**HEALTHY, **times, **signals}
    return DeviceRecord(native_id=native_id, **values)


def a_device(
    *, source: str = "hq", collected_at: datetime = NOW, key: str = "0" * 32, **signals: Value
) -> Device:
    """A healthy device of one source, changed by `signals`."""
    record = a_record(now=collected_at, **signals)
    sighting = Sighting(
        source=source,
        record=record,
        observed_at=record.observed_at(collected_at),
        last_seen_at=collected_at,
        standing=Standing.READ,
    )
    return merged([sighting], key=key)


def merged(sightings: Sequence[Sighting], *, key: str = "0" * 32) -> Device:
    """The device that several sightings make, per signal the first that knows it."""
    freshest = sorted(sightings, key=lambda sighting: sighting.observed_at, reverse=True)
    bare = Device(key=key, sightings=tuple(freshest))
    values: dict[str, Value] = {s: getattr(bare.sighting_of(s).record, s) for s in SIGNALS}
    return replace(bare, **values)


def a_case(
    device: Device | None = None,
    *,
    now: datetime = NOW,
    policy: Policy | None = None,
    catalog: Catalog | None = None,
    readings: Iterable[Reading] = (),
    seen: bool = True,
    **signals: Value,
) -> Case:
    """A healthy device before the bench, changed by `signals`."""
    past = tuple(readings)
    return Case(
        device=device or a_device(collected_at=now, **signals),
        policy=policy or Policy(),
        now=now,
        catalog=catalog or bundled(),
        readings=lambda: past,
        seen=seen,
    )


def a_history(
    free_gb: Sequence[float | None], *, battery: int | None = 90, now: datetime = NOW
) -> list[Reading]:
    """One reading a day, the last of them six hours before `now`."""
    last = now - timedelta(hours=6)
    return [
        Reading(
            observed_at=last - days(len(free_gb) - 1 - number),
            available_bytes=None if free is None else int(free * GB),
            battery_percent=battery,
        )
        for number, free in enumerate(free_gb)
    ]
