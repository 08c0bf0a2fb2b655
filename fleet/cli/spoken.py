"""Facts and moments as a terminal shows them."""

from __future__ import annotations

import unicodedata
from datetime import datetime
from typing import TYPE_CHECKING

from fleet.model.fact import Gap

if TYPE_CHECKING:
    from fleet.model.device import Device

GB = 10**9


def shown(value: object, signal: str = "") -> str:
    """A fact as one word or phrase; what others wrote into it cannot play with the terminal."""
    match value:
        case Gap():
            said = f"unknown ({value.reason})"
        case datetime():
            said = moment(value)
        case bool():
            said = "yes" if value else "no"
        case int() if signal.endswith("_bytes"):
            said = f"{value / GB:.1f} GB"
        case int() if signal.endswith("_percent"):
            said = f"{value} %"
        case tuple():
            said = ", ".join(map(str, value)) or "none"  # pyright: ignore[reportUnknownArgumentType]
        case _:
            said = str(getattr(value, "value", value))
    return plain(said)


def plain(text: str) -> str:
    """Text without characters that would turn or break the line: a device's name is whatever its owner typed."""
    return "".join(" " if _turns(char) else char for char in text)


def _turns(char: str) -> bool:
    return char not in _JOINERS and unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"}


_JOINERS = "\N{ZERO WIDTH JOINER}\N{ZERO WIDTH NON-JOINER}"  # parts of written words, and of emoji


def title(device: Device) -> str:
    """Name, serial number, model and system in one line, as far as they are known."""
    facts = (device.name, device.serial, device.model_name, device.os_version)
    known = [shown(fact) for fact in facts if not isinstance(fact, Gap)]
    return " · ".join(known) or f"device {device.key}"


def moment(at: datetime) -> str:
    """To the minute, in UTC."""
    return f"{at:%Y-%m-%d %H:%M} UTC"


def day(at: datetime) -> str:
    """The day, in UTC."""
    return f"{at:%Y-%m-%d}"


def counted(count: int, unit: str) -> str:
    """A number of things: "1 day", "1,200 days"."""
    return f"{count:,} {unit}{'' if count == 1 else 's'}"


def ago(then: datetime, at: datetime) -> str:
    """How long before `at`: "3 hours ago"."""
    hours = int((at - then).total_seconds() // 3600)
    if hours < 1:
        return "less than an hour ago"
    return f"{counted(hours, 'hour') if hours < 48 else counted(hours // 24, 'day')} ago"  # noqa: PLR2004 - two days read better as days
