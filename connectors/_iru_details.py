"""Asking Iru for one device's details: free storage, supervision, UDID and enrolment stand nowhere else.

A tenant has 10,000 requests an hour, shared by all its tokens (Iru API overview, read 2026-11-22), so the asking
keeps to the pace below and to the time that the source is given.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING
from urllib.parse import quote

from connectors import _rows
from connectors._iru_lists import DEVICES
from connectors._iru_record import with_details
from connectors._iru_side import WHERE
from fleet.errors import AuthRefused, BadAnswer, NotFound, PermissionMissing, ServerTrouble
from fleet.model.device import DeviceRecord, Platform, Rejected
from fleet.model.run import Trouble

if TYPE_CHECKING:
    from collections.abc import Iterator

    from connectors._http import Answer, Api

DEVICE_DETAILS = "Device details (/devices/{device_id}/details)"
PER_SECOND = 2
"""7,200 an hour, which leaves the rest to the tenant's other tokens."""
_SHARE_OF_TIME = 0.9
_HOPELESS = 5
_KINDS = {Platform.IOS, Platform.IPADOS, Platform.VISIONOS}


def affordable(deadline_minutes: float) -> int:
    """How many devices can be asked about, with a tenth of the time left for the lists."""
    return int(deadline_minutes * 60 * PER_SECOND * _SHARE_OF_TIME)


@dataclass(slots=True)
class Details:
    """Asks about one device after the other, until that is in vain or the time is spent."""

    api: Api
    affordable: int
    forbidden: bool = False
    failed: list[str] = field(default_factory=list[str])
    left_out: list[str] = field(default_factory=list[str])
    _wanted: Iterator[int] = field(default_factory=count)

    def added(self, row: DeviceRecord | Rejected) -> DeviceRecord | Rejected:
        """The record with its details, absent where they cannot be had; threads may call it at once."""
        if isinstance(row, Rejected):
            return row
        return with_details(row, self._of(row))

    def _of(self, record: DeviceRecord) -> object:
        if record.platform not in _KINDS or record.managed is False:
            return None
        if self.forbidden or len(self.failed) >= _HOPELESS:
            return None
        if next(self._wanted) >= self.affordable:
            self.left_out.append(record.native_id)
            return None
        return self._asked(record.native_id)

    def _asked(self, native_id: str) -> object:
        try:
            return details_of(self.api, native_id)
        except (PermissionMissing, AuthRefused):
            self.forbidden = True
        except NotFound:
            # Removed since it was listed.
            pass
        except (ServerTrouble, BadAnswer):
            self.failed.append(native_id)
        return None

    def troubles(self) -> Iterator[Trouble]:
        """What the report should say of details that are missing."""
        if self.forbidden:
            why = f'Free storage and supervision are absent: grant "{DEVICE_DETAILS}" ({WHERE}), or set detail = false'
            yield Trouble("details_forbidden", why)
        if self.failed:
            why = "Iru could not give the details of some devices, so free storage and supervision are absent there"
            yield Trouble("details_unread", why, len(self.failed))
        if self.left_out:
            why = f"No time for the details of all devices at {PER_SECOND} a second: raise deadline_minutes"
            yield Trouble("details_left_out", why, len(self.left_out))


def details_of(api: Api, native_id: str) -> object:
    """The answer for one device; raises `SourceError` where there is none."""
    path = f"{DEVICES}/{quote(native_id, safe='')}/details"
    return api.get(path, _object, permission=DEVICE_DETAILS)


def _object(answer: Answer) -> object:
    details = _rows.mapping(_rows.anything(answer.body))
    if details is None:
        raise ValueError("no details")
    return details
