"""What asset products are told of a device: our verdict in words of a closed set, and the facts behind it.

No attribute of ours is ever empty where an importer keeps the old value on an empty cell: a problem that is gone has to
be seen to be gone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fleet.model.fact import Gap, Never, known
from fleet.model.finding import Severity, Status
from reports.ticketing._kind import line, one_of
from reports.ticketing._profile import Asset, Column
from reports.ticketing._ticket import label

if TYPE_CHECKING:
    from datetime import datetime

    from fleet.model.device_report import DeviceReport

NONE = "none"
UNKNOWN = "unknown"
STATUS = one_of(*Status)
SEVERITY = one_of(*Severity, NONE)


def lacks_nothing(_report: DeviceReport) -> None:
    """Every device can be a row."""


def fact(header: str, signal: str) -> Column[Asset]:
    """A column that holds a signal of text."""
    return Column(header, line(), lambda asset: known(getattr(asset.report.device, signal)))


def name(asset: Asset) -> str:
    """What people call the device."""
    return label(asset.report.device)


def severity(asset: Asset) -> str:
    """The worst that stands against it, or `none`."""
    return asset.report.severity or NONE


def cause(asset: Asset) -> str:
    """The most probable cause of a missing backup, or `none`."""
    return asset.report.cause or NONE


def findings(asset: Asset) -> str:
    """The checks that stand against it, or `none`."""
    standing = [finding.check for finding in asset.report.findings if finding.state.standing]
    return ", ".join(standing) or NONE


def next_fix(asset: Asset) -> str:
    """The fix to try first, or `none`."""
    return asset.report.plan[0].fix if asset.report.plan else NONE


def last_backup(asset: Asset) -> datetime | None:
    """When iCloud last had a backup of it; None where there never was one or nobody knows."""
    moment = asset.report.device.last_cloud_backup_at
    return None if isinstance(moment, (Gap, Never)) else moment


def last_backup_told(asset: Asset) -> str:
    """The day of its last iCloud backup, `never` or `unknown`."""
    moment = asset.report.device.last_cloud_backup_at
    if isinstance(moment, Gap):
        return UNKNOWN
    return moment.value if isinstance(moment, Never) else f"{moment:%Y-%m-%d}"


def link_to(asset: Asset) -> str | None:
    """Its page in the report, where that has an address."""
    return f"{asset.base_url}index.html#d={asset.report.device.key}" if asset.base_url else None


def groups(asset: Asset, joined_by: str) -> str:
    """The names of its groups."""
    return joined_by.join(known(asset.report.device.groups) or ())
