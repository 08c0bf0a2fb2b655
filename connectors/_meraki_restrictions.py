"""Asking Meraki for the restrictions on each device, the one place where it tells whether iCloud Backup is forbidden.

The reference shows the shape of the answer; that restrictions carry Apple's names is inferred (Meraki Dashboard API
v1, "List the restrictions on a device", read 2026-11-22).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import quote

from connectors import _rows, _wire
from connectors._meraki_lists import READ_ONLY, whole_list
from fleet.model.fact import ABSENT, UNREADABLE, Fact

if TYPE_CHECKING:
    from connectors._http import Api
    from fleet.model.device import DeviceRecord


def restrictions_of(api: Api, path: str, native_id: str) -> Fact[bool]:
    """What the restrictions on a device of the network at `path` say; raises `SourceError` where they cannot be had."""
    restrictions = f"{path}/devices/{quote(native_id, safe='')}/restrictions"
    return backup_restricted(api.get(restrictions, whole_list, permission=READ_ONLY))


def restricted(record: DeviceRecord, told: Fact[bool]) -> DeviceRecord:
    """The record with what its restrictions told."""
    return replace(record, backup_restricted=told)


def backup_restricted(profiles: list[object]) -> Fact[bool]:
    """True where one profile forbids iCloud Backup, False where profiles that name it all allow it.

    That no profile names it proves nothing: Meraki documents neither the names of restrictions nor that the list
    is whole.
    """
    named = [
        _rows.field(_rows.field(_rows.field(profile, "restrictions"), "allowCloudBackup"), "value")
        for profile in profiles
    ]
    allowed = [fact for fact in map(_wire.flag, named) if fact is not ABSENT]
    if False in allowed:
        return True
    if UNREADABLE in allowed:
        return UNREADABLE
    return False if allowed else ABSENT
