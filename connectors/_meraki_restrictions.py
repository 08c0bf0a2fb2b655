"""Asking Meraki for the restrictions on each device, the one place where it tells whether iCloud Backup is forbidden.

The reference shows the shape of the answer; that restrictions carry Apple's names is inferred (Meraki Dashboard API
v1, "List the restrictions on a device", read 2026-11-22).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from urllib.parse import quote

from connectors import _rows, _wire
from connectors._meraki_lists import ADMINISTRATORS, READ_ONLY, whole_list
from fleet.errors import BadAnswer, NotFound, PermissionMissing, ServerTrouble
from fleet.model.device import DeviceRecord, Platform, Rejected
from fleet.model.fact import ABSENT, NOT_PERMITTED, UNREADABLE, Fact
from fleet.model.run import Trouble

if TYPE_CHECKING:
    from connectors._http import Api

_KINDS = {Platform.IOS, Platform.IPADOS, Platform.VISIONOS}
_HOPELESS = 5


@dataclass(slots=True)
class Restrictions:
    """Asks for the restrictions of one device after the other, until it shows that asking is in vain."""

    api: Api
    path: str
    forbidden: bool = False
    failed: list[str] = field(default_factory=list[str])

    def told(self, row: DeviceRecord | Rejected) -> DeviceRecord | Rejected:
        """The record with `backup_restricted`; threads may call it at once."""
        if isinstance(row, Rejected):
            return row
        return replace(row, backup_restricted=self._of(row))

    def _of(self, record: DeviceRecord) -> Fact[bool]:
        if record.platform not in _KINDS or record.managed is False:
            return ABSENT
        if self.forbidden:
            return NOT_PERMITTED
        return ABSENT if len(self.failed) >= _HOPELESS else self._asked(record.native_id)

    def _asked(self, native_id: str) -> Fact[bool]:
        path = f"{self.path}/devices/{quote(native_id, safe='')}/restrictions"
        try:
            return backup_restricted(self.api.get(path, whole_list, permission=READ_ONLY))
        except PermissionMissing:
            self.forbidden = True
            return NOT_PERMITTED
        except NotFound:
            return ABSENT
        except (ServerTrouble, BadAnswer):
            self.failed.append(native_id)
            return ABSENT

    def troubles(self) -> tuple[Trouble, ...]:
        """What the report should say of what could not be read."""
        if self.forbidden:
            why = f'Restrictions may not be read: grant "{READ_ONLY}" ({ADMINISTRATORS}) or set profiles = false'
            return (Trouble("restrictions_forbidden", why),)
        if self.failed:
            why = (
                "Meraki could not give the restrictions of some devices, so backup_restricted is absent there"
            )
            return (Trouble("restrictions_unread", why, len(self.failed)),)
        return ()


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
