"""The thresholds by which devices are judged: `[policy]` of the settings, with their defaults."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Every threshold; the unit stands in the name. An age equal to a threshold is not yet over it."""

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
