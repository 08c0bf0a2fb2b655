"""Jamf School's dates, which it writes in several ways and seldom with their zone.

Spellings: public recordings and the reference of Jamf School, read 2026-11-22.
"""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

from connectors import _wire
from connectors._rows import field, has, mapping
from fleet.model.fact import ABSENT, UNREADABLE, Fact, Gap

_YEAR_DAY_MONTH = re.compile(r"^(\d{4})-(\d\d)-(\d\d)")
_LONGEST_EPOCH = 12


def moment(value: object, zone: tzinfo) -> Fact[datetime]:
    """A time in UTC from any of the forms that Jamf School uses.

    These are seconds since 1970 (a number or digits), text with or without a zone, and the objects
    `{date, timezone}` and `{date, epoch}`. Blank, zero, `0000-…` and 1970 are how it writes none.
    """
    if mapping(value) is not None:
        if has(value, "epoch"):
            return _wire.epoch(field(value, "epoch"))
        named = zone_named(field(value, "timezone"))
        return UNREADABLE if named is None else _written(field(value, "date"), named)
    if isinstance(value, str):
        return _written(value, zone)
    return _wire.epoch(value)


def _written(value: object, zone: tzinfo) -> Fact[datetime]:
    said = _wire.text(value)
    if isinstance(said, Gap):
        return said
    if said.isascii() and said.isdigit() and len(said) <= _LONGEST_EPOCH:
        return _wire.epoch(int(said))
    if said.startswith("0000-"):
        return ABSENT
    # The reference of Jamf School shows a date as year, day, month: it is told by a month that cannot be one.
    for spelling in (said, _YEAR_DAY_MONTH.sub(r"\1-\3-\2", said)):
        with suppress(ValueError):
            read = datetime.fromisoformat(spelling)
            return _wire.utc(read if read.tzinfo else read.replace(tzinfo=zone))
    return UNREADABLE


def zone_named(value: object) -> tzinfo | None:
    """The time zone of a name ("Europe/Berlin") or an offset ("+02:00"); None where it is neither."""
    if not isinstance(value, str):
        return None
    if value in {"UTC", "Z"}:
        return UTC
    with suppress(KeyError, ValueError, OSError):
        return ZoneInfo(value)
    with suppress(ValueError):
        return datetime.strptime(value, "%z").tzinfo
    return None
