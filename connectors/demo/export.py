"""A CSV file as an MDM's web console exports it, one per night: the made-up fleet's devices in the field.

It reports fewer signals than an API does: no storage, no account, no roaming; and its dates are UTC without
saying so.
"""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

from connectors.demo.deck import Source
from connectors.demo.jamf_record import group_names
from connectors.demo.story import Condition, Life, Story, condition

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from connectors.demo.fleet import Fleet

COLUMNS = {
    "serial": "Serial No.",
    "udid": "Device UDID",
    "name": "Device",
    "model_identifier": "Product type",
    "model_name": "Model",
    "os_version": "System",
    "managed": "Managed",
    "backup_enabled": "iCloud backup",
    "last_cloud_backup_at": "Last iCloud backup",
    "inventory_at": "Last report",
    "enrolled_at": "Enrolled on",
    "battery_percent": "Battery",
    "user_name": "Assigned to",
    "user_email": "E-mail",
    "department": "Team",
    "site": "Location",
    "groups": "Groups",
}
"""Our signals, and what the export calls them: the `columns` of a `file` source."""

DATE_FORMAT = "%d/%m/%Y %H:%M"
_OLDER_BY_NIGHTS = 2


def write_export(fleet: Fleet, night: int, at: datetime, path: Path) -> None:
    """Write the field's export of `night`, collected at `at`, to `path`; what was there is overwritten."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        table = csv.writer(file, delimiter=";")
        table.writerow(COLUMNS.values())
        for record_id in fleet.listed(night, Source.FIELD):
            life = fleet.record(record_id)
            table.writerow(_cells(life, _state(life, night, at)))


def _state(life: Life, night: int, at: datetime) -> Condition:
    """A device that headquarters reports too comes here from older data."""
    age = _OLDER_BY_NIGHTS if life.story is Story.TWICE else 0
    return condition(life, night, at, age=age)


def _cells(life: Life, state: Condition) -> list[str]:
    owner = life.owner
    return [
        life.serial,
        life.udid,
        life.name,
        life.model.identifier,
        life.model.name,
        f"{'iPadOS' if life.model.product == 'iPad' else 'iOS'} {state.release.version}",
        "Yes" if life.story is not Story.UNMANAGED else "No",
        "Enabled" if state.backup_enabled else "Disabled",
        _day(state.last_backup_at),
        _day(state.observed_at),
        _day(state.enrolled_at),
        f"{state.battery_percent}%",
        owner.real_name if owner else "",
        owner.email if owner else "",
        life.department,
        life.place.site,
        ", ".join(group_names(life)),
    ]


def _day(moment: datetime | None) -> str:
    return moment.strftime(DATE_FORMAT) if moment else ""
