"""What only the details of one Iru device say: free storage, supervision, UDID and enrolment.

Names, units and empty values: Iru API collection and its example answers, read 2026-11-22.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from connectors import _rows, _wire
from connectors._enrollment import enrolled
from fleet.model.fact import ABSENT, UNREADABLE, Fact, Gap

if TYPE_CHECKING:
    from fleet.model.device import DeviceRecord

BY_DETAILS = frozenset({"udid", "supervised", "enrollment", "available_bytes"})
_SPOKEN = {"true": True, "false": False}
_UNITS = {"KB": 10**3, "MB": 10**6, "GB": _wire.GB, "TB": 10**12}
_AMOUNT = re.compile(r"(\d{1,12}(?:\.\d{1,6})?)\s*([KMGT]B)", re.ASCII)


def with_details(record: DeviceRecord, details: object) -> DeviceRecord:
    """The record with what the answer of `/devices/{id}/details` adds, or with the gap in its place."""
    if isinstance(details, Gap):
        return replace(record, **dict.fromkeys(BY_DETAILS, details))
    hardware = _rows.field(details, "hardware_overview")
    automated = _rows.field(details, "automated_device_enrollment")
    capacity, available = _storage(_rows.field(details, "volumes"), record.capacity_bytes)
    return replace(
        record,
        udid=_wire.text(_rows.field(hardware, "uuid")),
        model_identifier=_wire.first_known(
            record.model_identifier, _wire.text(_rows.field(hardware, "model_identifier"))
        ),
        supervised=_wire.word(_rows.field(_rows.field(details, "mdm"), "supervised"), _SPOKEN),
        enrollment=enrolled(by_user=ABSENT, automated=_wire.flag(_rows.field(automated, "auto_enrolled"))),
        capacity_bytes=capacity,
        available_bytes=available,
    )


def _storage(volumes: object, stated: Fact[int]) -> tuple[Fact[int], Fact[int]]:
    """Capacity and free space of the first volume, the only one of an iPhone or iPad."""
    try:
        first = next(iter(_rows.rows([] if volumes is None else volumes)), None)
    except ValueError:
        return stated, UNREADABLE
    total, free = _amount(_rows.field(first, "capacity")), _amount(_rows.field(first, "available"))
    capacity = stated if isinstance(total, Gap) or total == 0 else total
    if isinstance(free, Gap) or isinstance(capacity, Gap):
        return capacity, ABSENT if free == 0 else free
    return capacity, free if free <= capacity else UNREADABLE


def _amount(value: object) -> Fact[int]:
    """Bytes of a text such as "113.26 GB"."""
    said = _wire.text(value)
    if isinstance(said, Gap):
        return said
    matched = _AMOUNT.fullmatch(said)
    return round(float(matched[1]) * _UNITS[matched[2]]) if matched else UNREADABLE
