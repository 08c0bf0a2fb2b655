"""The thresholds by which devices are judged: `[policy]` of the settings, with their defaults."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Every threshold; the unit stands in the name. An age equal to a threshold is not yet over it.

    Attributes:
        backup_warn_days: a last backup older than that is too old, when the device reported (medium).
        backup_high_days: likewise, high.
        backup_critical_days: likewise, critical.
        backup_expiring_days: a last backup older than that is about to be deleted by Apple, who does so after 180 days.
        storage_warn_percent_free: less free storage than that is nearly full (medium).
        storage_high_percent_free: likewise, high.
        storage_high_gb_free: likewise, in GB, whichever comes first.
        storage_critical_gb_free: likewise, critical.
        os_patch_grace_days: how long after its release a newer patch may be missing.
        os_exploited_grace_days: likewise, one that closes holes used in attacks.
        os_major_grace_days: likewise, a newer major version.
        silent_days: a device that reported longer ago than that is silent, and older facts prove no health.
        retire_after_days: a device that no source lists any more leaves the fleet after that.
        icloud_plan_gb: the iCloud storage assumed for each user; `icloud_plan_gb` of a source comes before it.
        resolve_after_clean_runs: so many runs in a row have to find a problem gone before it resolves.
        mass_change_percent: when more of the fleet than that changes sides in a night, ticket actions are held.
    """

    backup_warn_days: int = 7
    backup_high_days: int = 14
    backup_critical_days: int = 30
    backup_expiring_days: int = 150
    storage_warn_percent_free: float = 10.0
    storage_high_percent_free: float = 5.0
    storage_high_gb_free: float = 2.0
    storage_critical_gb_free: float = 0.5
    os_patch_grace_days: int = 14
    os_exploited_grace_days: int = 7
    os_major_grace_days: int = 90
    silent_days: int = 7
    retire_after_days: int = 30
    icloud_plan_gb: float = 5
    resolve_after_clean_runs: int = 1
    mass_change_percent: float = 20

    def fingerprint(self) -> str:
        """16 hex digits that two policies share exactly when every threshold is equal (5 and 5.0 are)."""
        thresholds = {name: float(value) for name, value in asdict(self).items()}
        canonical = json.dumps(thresholds, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()[:16]
