"""A folder of webhook deliveries, as NanoMDM and MicroMDM send them, one device's messages brought together.

Deliveries are unordered, are sent once only, and older servers leave out `ids` (NanoMDM's service/webhook and its
event schema, MicroMDM's "API and webhooks", read 2026-11-22).
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from connectors import _rows, _wire
from connectors._nanomdm_record import DEVICE, PERSONAL_DEVICE, SHARED_USER, Enrolment, Plist
from connectors._profile import read_plist
from fleet.errors import Unreachable
from fleet.model.device import Rejected
from fleet.model.fact import Gap

if TYPE_CHECKING:
    from pathlib import Path

_USERS = frozenset({"User", "User Enrollment", SHARED_USER})
_USER_KEYS = frozenset({"UserID", "EnrollmentUserID"})


def delivery_files(folder: Path) -> list[Path]:
    """Every `*.json` at and below `folder`; raises `Unreachable` where there is no such folder to read."""
    try:
        if not folder.is_dir():
            raise Unreachable(
                f"{folder} is no folder: let events name the one in which the deliveries arrive"
            )
        return sorted(path for path in folder.rglob("*.json") if path.is_file())
    except OSError as error:
        raise Unreachable(f"{folder} cannot be looked through: {error.strerror}; mend its rights") from error


@dataclass(slots=True)
class Deliveries:
    """What came of the deliveries taken so far.

    Attributes:
        enrolments: by their id.
        rejected: deliveries that do not say of which device they are.
        unread: deliveries of a known device that could not be read otherwise.
    """

    folder: Path
    max_bytes: float
    enrolments: dict[str, Enrolment] = field(default_factory=dict[str, Enrolment])
    rejected: list[Rejected] = field(default_factory=list[Rejected])
    unread: int = 0

    def take(self, path: Path) -> None:
        """Take in one file: a delivery, or a list of them."""
        place = _wire.clean(str(path.relative_to(self.folder)))
        try:
            for event in self._events(path):
                self._take(event)
        except FileNotFoundError:
            return  # cleared away since it was listed
        except OSError:
            self.rejected.append(Rejected(place, "may not be read"))
        except (ValueError, RecursionError):
            self.rejected.append(Rejected(place, "is no webhook delivery"))

    def _events(self, path: Path) -> list[object]:
        if path.stat().st_size > self.max_bytes:
            raise ValueError("larger than max_body_mb")
        content = _rows.anything(path.read_bytes())
        return [content] if _rows.mapping(content) is not None else _rows.rows(content)

    def _take(self, event: object) -> None:
        message = _Message.of(event)
        if message.channel in _USERS:
            self._take_user(message)
            return
        device = self._device(message.native_id)
        device.personal = device.personal or message.channel == PERSONAL_DEVICE
        if message.at is None or message.broken:
            self.unread += 1
        if message.at is not None:
            _enter(device, message, message.at)

    def _take_user(self, message: _Message) -> None:
        if message.channel == SHARED_USER and message.parent_id is not None:
            self._device(message.parent_id).shared = True

    def _device(self, native_id: str) -> Enrolment:
        return self.enrolments.setdefault(native_id, Enrolment(native_id))


def _enter(device: Enrolment, message: _Message, at: datetime) -> None:
    if at >= device.seen_at:
        device.seen_at = at
        device.managed = message.topic != "mdm.CheckOut"
    if message.plist is None:
        return
    if message.topic == "mdm.Authenticate":
        device.enrolled(at, message.plist)
    elif message.status == "Acknowledged":
        device.answered(at, message.plist)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Message:
    """One delivery, as far as it could be read.

    Attributes:
        at: when the server says it came; None where that cannot be read.
        plist: what the device sent; None where that was not worth reading or could not be read (`broken`).
    """

    native_id: str
    channel: str
    parent_id: str | None
    topic: str | None
    status: str | None
    at: datetime | None
    plist: Plist | None
    broken: bool

    @classmethod
    def of(cls, event: object) -> _Message:
        """The message in a delivery; raises ValueError where it does not say who sent it."""
        told = _rows.field(event, "acknowledge_event") or _rows.field(event, "checkin_event")
        ids = _rows.field(told, "ids")
        topic, status = _said(event, "topic"), _said(told, "status")
        plist = None
        broken = False
        if status == "Acknowledged" or topic == "mdm.Authenticate" or ids is None:
            try:
                plist = read_plist(base64.b64decode(_said_whole(told, "raw_payload"), validate=True))
            except ValueError:
                broken = True
        native_id = _said(ids, "id") or _said(told, "udid") or _said(told, "enrollment_id")
        if native_id is None:
            raise ValueError("no id")
        return cls(
            native_id=native_id,
            channel=_said(ids, "type") or _channel(told, plist),
            parent_id=_said(ids, "parent_id"),
            topic=topic,
            status=status,
            at=_moment(_rows.field(event, "created_at")),
            plist=plist,
            broken=broken,
        )


def _said(section: object, key: str) -> str | None:
    fact = _wire.text(_rows.field(section, key))
    return None if isinstance(fact, Gap) else fact


def _said_whole(section: object, key: str) -> str:
    value = _rows.field(section, key)
    if not isinstance(value, str):
        raise ValueError("no text")  # noqa: TRY004 - the sign of an unusable delivery
    return value


def _channel(told: object, plist: Plist | None) -> str:
    """What `ids.type` would say."""
    if plist is not None and not _USER_KEYS.isdisjoint(plist):
        return "User"
    return DEVICE if _said(told, "udid") else PERSONAL_DEVICE


def _moment(value: object) -> datetime | None:
    # To the microsecond, unlike a fact: a device answers several commands within one second.
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return moment if moment is None or moment.tzinfo else None
