"""Counters of one pass over the fleet: which backups stopped when, and what those devices have in common.

No device is kept. Of those whose backup is well only the number per common factor is; of those whose backup stopped,
the number per half day and per combination of factors, which is as many entries as there are kinds of such devices.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, TypeAlias

from fleet.model.fact import Gap

if TYPE_CHECKING:
    from fleet.model.device import Device

Factor: TypeAlias = tuple[str, str]
"""What devices can have in common: a kind of factor and its value, for example `("site", "Lyon")`."""
Kind: TypeAlias = tuple[Factor, ...]
"""All factors of a device."""

HALF_DAY = timedelta(hours=12)
RESTRICTED: Factor = ("restriction", "iCloud Backup forbidden")
KINDS_OF_FACTOR = ("restriction", "os_version", "site", "group", "model", "source")
"""In the order in which they are named where devices share several: the likelier cause first."""


def factors_of(device: Device) -> Kind:
    """What this device may have in common with others; what is not known of it is nothing that it shares."""
    site, version, groups = device.site, device.os_version, device.groups
    model = device.model_identifier if isinstance(device.model_name, Gap) else device.model_name
    found: list[Factor] = [RESTRICTED] if device.backup_restricted is True else []
    if not isinstance(version, Gap):
        found.append(("os_version", version))
    if not isinstance(site, Gap):
        found.append(("site", site))
    if not isinstance(groups, Gap):
        found += [("group", group) for group in groups]
    if not isinstance(model, Gap):
        found.append(("model", model))
    found.append(("source", device.sighting_of("last_cloud_backup_at").source))
    return tuple(found)


def half_day_of(moment: datetime) -> int:
    """The number of the half day (UTC) in which it lies."""
    return int(moment.timestamp()) // int(HALF_DAY.total_seconds())


def begin_of(half_day: int) -> datetime:
    """When it begins."""
    return datetime.fromtimestamp(half_day * HALF_DAY.total_seconds(), UTC)


@dataclass(slots=True)
class Stops:
    """What a pass has counted so far.

    Attributes:
        judged: devices of which it is known whether their backup is well.
        having: of these, how many have a factor.
        at: those whose backup stopped: by the half day of their last backup, by all their factors.
        undated: those whose last backup cannot be dated, by factor.
    """

    judged: int = 0
    having: dict[Factor, int] = field(default_factory=lambda: defaultdict(int))
    at: dict[int, dict[Kind, int]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(int)))
    undated: dict[Factor, int] = field(default_factory=lambda: defaultdict(int))

    def well(self, kind: Kind) -> None:
        """Count a device whose backup is well."""
        self.judged += 1
        having = self.having
        for factor in kind:
            having[factor] += 1

    def stopped(self, kind: Kind, last: datetime | None) -> None:
        """Count a device that stopped backing up after `last`; None where that is not known."""
        self.well(kind)
        if last is not None:
            self.at[half_day_of(last)][kind] += 1
            return
        for factor in kind:
            self.undated[factor] += 1
