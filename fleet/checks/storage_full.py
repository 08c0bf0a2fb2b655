"""The device itself is so full that backups, updates and apps begin to fail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fleet.checks._check import Case, Check
from fleet.model.fact import Gap, need
from fleet.model.finding import CLEAR, Basis, Found, Severity, Undetermined, Verdict

if TYPE_CHECKING:
    from fleet.model.policy import Policy

GB = 10**9  # Apple counts storage in decimal units.
CONTRADICTION = Undetermined((("available_bytes", "unreadable"), ("capacity_bytes", "unreadable")))


def judge(case: Case) -> Verdict:
    """Found by free gigabytes, which need no capacity to be too few, and by the free share, which does."""
    free = need(case.device.available_bytes)
    capacity = case.device.capacity_bytes
    severity = _by_gigabytes(free, case.policy)
    if isinstance(capacity, Gap):
        need(capacity if severity is None else free)
        share = None
    elif contradictory(free, capacity):
        return CONTRADICTION
    else:
        severity = shortage(free, capacity, case.policy)
        share = 100 * free / capacity
    return CLEAR if severity is None else _found(severity, free, share)


def contradictory(free: int, capacity: int) -> bool:
    """Whether these bytes cannot both be true: more free than there is, or a device without any storage."""
    return free > capacity or not capacity


def shortage(free: int, capacity: int, policy: Policy) -> Severity | None:
    """How badly short of space a device with these bytes free and in all is; None where it is not."""
    by_gigabytes = _by_gigabytes(free, policy)
    if by_gigabytes is not None:
        return by_gigabytes
    if 100 * free < policy.storage_high_percent_free * capacity:
        return Severity.HIGH
    return Severity.MEDIUM if 100 * free < policy.storage_warn_percent_free * capacity else None


def _by_gigabytes(free: int, policy: Policy) -> Severity | None:
    if free < policy.storage_critical_gb_free * GB:
        return Severity.CRITICAL
    return Severity.HIGH if free < policy.storage_high_gb_free * GB else None


def _found(severity: Severity, free: int, share: float | None) -> Found:
    of_all = "" if share is None else f" ({share:.1f} %)"
    return Found(
        severity,
        f"Only {free / GB:.1f} GB of the device's storage are free{of_all}.",
        {"free_gb": round(free / GB, 3), "free_percent": None if share is None else round(share, 2)},
    )


CHECK = Check(
    id="storage-full",
    title="The device's storage is nearly full",
    rule=(
        "Found when less than {storage_warn_percent_free} % is free (medium), less than "
        "{storage_high_percent_free} % or {storage_high_gb_free} GB (high), or less than "
        "{storage_critical_gb_free} GB (critical)."
    ),
    clears=(
        "It ends when at least {storage_warn_percent_free} % and at least {storage_high_gb_free} GB are free."
    ),
    basis=Basis.INFERRED,
    reads=frozenset({"capacity_bytes", "available_bytes"}),
    fixes=("free-device-storage",),
    judge=judge,
    source="Apple device management, DeviceInformation AvailableDeviceCapacity, read 2026-11-22",
)
