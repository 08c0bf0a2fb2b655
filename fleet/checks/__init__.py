"""The catalogue of checks, in the order in which they are shown and in which they name a finding."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fleet import plugin
from fleet.checks import (
    account_inactive,
    backup_disabled,
    backup_expiring,
    backup_never,
    backup_restricted,
    backup_stale,
    backup_wave,
    icloud_outage,
    icloud_quota,
    os_outdated,
    os_unsupported,
    power_low,
    silent_device,
    storage_filling,
    storage_full,
    vpn_configured,
)
from fleet.checks._check import Check

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from fleet.checks._fleet import FleetCheck
    from fleet.plugin import Entry

GROUP = "fleetkeep.checks"

CHECKS: tuple[Check, ...] = (
    backup_restricted.CHECK,
    backup_disabled.CHECK,
    backup_never.CHECK,
    backup_expiring.CHECK,
    backup_stale.CHECK,
    storage_full.CHECK,
    storage_filling.CHECK,
    icloud_quota.CHECK,
    os_outdated.CHECK,
    os_unsupported.CHECK,
    account_inactive.CHECK,
    vpn_configured.CHECK,
    power_low.CHECK,
    silent_device.CHECK,
)
FLEET_CHECKS: tuple[FleetCheck, ...] = (icloud_outage.CHECK, backup_wave.CHECK)
BY_ID: Mapping[str, Check] = {check.id: check for check in CHECKS}


def installed(found: Iterable[Entry] | None = None) -> tuple[Check, ...]:
    """Our checks, and after them those that other packages register under `fleetkeep.checks`.

    Args:
        found: the entry points of that group; by default those of the installed packages.

    Raises:
        SettingsError: one of them is not a `Check`, or takes an id that is taken.
    """
    checks = dict(BY_ID)
    fleet_ids = {check.id for check in FLEET_CHECKS}
    for check in plugin.loaded(GROUP, Check, found):
        if check.id in checks or check.id in fleet_ids:
            raise plugin.taken(check.id, GROUP)
        checks[check.id] = check
    return tuple(checks.values())
