"""What the cells of an exported table say: words and dates as people and programs write them.

Readers take `object`, because a cell may come from JSON; what they cannot read is `UNREADABLE`, never a guess.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING, Any, TypeVar, cast

from connectors._amount import percent_of
from connectors._wire import epoch, names, text, utc
from fleet.model.device import FLAG_SIGNALS, LIST_SIGNALS, Enrollment, Ownership, Platform
from fleet.model.fact import ABSENT, UNREADABLE, Fact, Gap
from fleet.model.identity import identity

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

E = TypeVar("E")


def phrase(value: object) -> Fact[str]:
    """A cell of text; a whole number in JSON reads as its digits."""
    return text(str(value) if type(value) is int else value)


def word(value: object, words: Mapping[str, E]) -> Fact[E]:
    """One of the `words`, which are written in lower case without blanks, hyphens and underscores."""
    said = phrase(value)
    return said if isinstance(said, Gap) else words.get(re.sub(r"[\s_-]+", "", said.lower()), UNREADABLE)


def yes_or_no(value: object) -> Fact[bool]:
    """A JSON boolean, or one of the pairs of words that exports use for it."""
    return value if isinstance(value, bool) else word(value, _YES_OR_NO)


_YES_OR_NO: Mapping[str, bool] = {
    **dict.fromkeys(("true", "yes", "1", "enabled", "on"), True),
    **dict.fromkeys(("false", "no", "0", "disabled", "off"), False),
}


def moment(value: object, *, date_format: str, zone: tzinfo) -> Fact[datetime]:
    """A time in UTC; text without a zone is in `zone`. The words never and none, and old dates, are `ABSENT`.

    Args:
        value: the cell.
        date_format: `iso`, `epoch` (seconds; 13 digits are milliseconds) or a `strptime` pattern.
        zone: where a clock without a zone hangs.
    """
    said = phrase(str(value) if isinstance(value, float) else value)
    if isinstance(said, Gap) or said.lower() in {"never", "none"}:
        return said if isinstance(said, Gap) else ABSENT
    if date_format == "epoch":
        return _since_1970(said)
    try:
        read = _iso(said) if date_format == "iso" else datetime.strptime(said, date_format)  # noqa: DTZ007 - below
    except (ValueError, OverflowError):
        return UNREADABLE
    if read is None or read.year < 1970:  # noqa: PLR2004 - how systems write no date, in any zone
        return ABSENT
    return utc(read if read.tzinfo else read.replace(tzinfo=zone))


def _iso(said: str) -> datetime | None:
    # MySQL writes no date as a year 0, which Python does not have.
    if said.startswith("0000-"):
        return None
    # Ten digits are seconds, though fromisoformat would find a year among them.
    if not re.match(r"\d{4}-|\d{8}T", said):
        raise ValueError
    return datetime.fromisoformat(said)


def tells_days(pattern: str) -> bool:
    """Whether `strptime` reads whole dates by `pattern`; without a year all lie in 1900 and mean never."""
    if not re.search(r"%[YyGcxDF]", pattern):
        return False
    day = datetime(2001, 2, 3, tzinfo=UTC)
    try:
        return datetime.strptime(day.strftime(pattern), pattern).date() == day.date()  # noqa: DTZ007 - a day only
    except (ValueError, re.error):
        return False


def _since_1970(said: str) -> Fact[datetime]:
    if not re.fullmatch(r"-?\d{1,14}(\.\d{1,9})?", said):
        return UNREADABLE
    count = float(said)
    return epoch(count, per_second=1000 if abs(count) >= 10**12 else 1)


def list_of(value: object) -> Fact[tuple[str, ...]]:
    """Names: a JSON array, or a cell split at `;` or `,` without the pair of brackets around all of it."""
    if not isinstance(value, str):
        return names(cast("object", value)) if value is None or isinstance(value, list) else UNREADABLE
    said = value.strip()
    if not said:
        return ABSENT
    return names(re.split("[;,]", said[1:-1] if _bracketed(said) else said))


def _bracketed(said: str) -> bool:
    """Whether the first bracket is closed by the last character, and not before."""
    depth = 0
    for place, char in enumerate(said):
        depth += {"[": 1, "]": -1}.get(char, 0)
        if depth <= 0:
            return place > 0 and place == len(said) - 1
    return False


def read_cell(signal: str, value: object) -> Fact[Any]:
    """What a cell says of any signal but a date or a size: those need the settings too."""
    return _READERS.get(signal, phrase)(value)


def _version(value: object) -> Fact[str]:
    """The version of a system, without the system's name before it."""
    said = phrase(value)
    if isinstance(said, Gap):
        return said
    system = _SYSTEM.fullmatch(said)
    number_said = system[2] if system else said
    if not number_said:
        return ABSENT
    return number_said if number_said[0].isdigit() else UNREADABLE


def platform_said(version_cell: object) -> Fact[Platform]:
    """The platform whose name stands before a version."""
    said = phrase(version_cell)
    system = None if isinstance(said, Gap) else _SYSTEM.fullmatch(said)
    return word(system[1], _PLATFORMS) if system else ABSENT


def _identity(value: object) -> Fact[str]:
    """A serial or UDID; what exports write in place of one is none."""
    said = phrase(value)
    return said if isinstance(said, Gap) or identity(said) else ABSENT


def _serial(value: object) -> Fact[str]:
    said = _identity(value)
    return said if isinstance(said, Gap) else said.upper()


def _stated(words: Mapping[str, Any]) -> Callable[[object], Fact[Any]]:
    return lambda value: word(value, words)


_SYSTEM = re.compile(
    r"(iOS|iPadOS|tvOS|visionOS|watchOS|macOS|mac os x|os x|osx|android|windows)\s*((?:\d.*)?)", re.IGNORECASE
)
_PLATFORMS = {
    **{platform.lower(): platform for platform in Platform},
    **dict.fromkeys(("iphone", "iphoneos", "ipod", "ipodtouch"), Platform.IOS),
    "ipad": Platform.IPADOS,
    "appletv": Platform.TVOS,
    **dict.fromkeys(("visionpro", "applevision", "applevisionpro"), Platform.VISIONOS),
    **dict.fromkeys(("watch", "applewatch"), Platform.WATCHOS),
    **dict.fromkeys(("mac", "osx", "macosx"), Platform.MACOS),
    **dict.fromkeys(("windows", "chromeos", "linux"), Platform.OTHER),
}
_ENROLLMENTS = {
    word + state: enrollment
    for enrollment, words in {
        Enrollment.AUTOMATED: ("automated", "automateddeviceenrollment", "dep", "ade", "prestage"),
        Enrollment.DEVICE: ("device", "deviceenrollment", "manual", "configurator", "ac2", "profile"),
        Enrollment.USER: ("user", "userenrollment", "byod"),
    }.items()
    for word in words
    for state in ("", "pending")
}
_OWNERSHIPS = {
    word + state: ownership
    for ownership, words in {
        Ownership.ORGANISATION: ("institutional", "organisation", "organization", "corporate", "company"),
        Ownership.PERSONAL: ("personal", "byod", "employee", "user"),
    }.items()
    for word in words
    for state in ("", "owned")
}
_READERS: Mapping[str, Callable[[object], Fact[Any]]] = {
    **dict.fromkeys(FLAG_SIGNALS, yes_or_no),
    "serial": _serial,
    "udid": _identity,
    "platform": _stated(_PLATFORMS),
    "os_version": _version,
    "pending_os_version": _version,
    "enrollment": _stated(_ENROLLMENTS),
    "ownership": _stated(_OWNERSHIPS),
    "battery_percent": percent_of,
    **dict.fromkeys(LIST_SIGNALS, list_of),
}
