"""What the readers of Apple's public feeds share: the document, and which of its identifiers are ours."""

from __future__ import annotations

import datetime as dt
import re
from typing import cast

from connectors import _rows
from fleet.apple.release import parse_version


class NotTheFeedError(ValueError):
    """The answer is not what the feed brings; the message says in a clause why, without quoting it."""


def document(body: bytes) -> object:
    """The answer as JSON; raises `NotTheFeedError`."""
    try:
        return _rows.anything(body)
    except (ValueError, RecursionError):
        raise NotTheFeedError("it is cut, or no JSON") from None


def listed(value: object, what: str) -> list[object]:
    """A list that has to be there; raises `NotTheFeedError`."""
    try:
        return _rows.rows(value)
    except ValueError:
        raise NotTheFeedError(f"it has no {what}") from None


def some(value: object) -> list[object]:
    """A list that may be missing, or be something else: empty then."""
    return cast("list[object]", value) if isinstance(value, list) else []


def mobile(identifiers: object) -> frozenset[str]:
    """The iPhones, iPads and iPods of a list in which watches, TVs and speakers stand too."""
    return frozenset(one for one in some(identifiers) if isinstance(one, str) and _MOBILE.fullmatch(one))


def version(value: object) -> str | None:
    """A release's version; None for what is none, as the `26.3.1 (a)` of a background improvement."""
    if not isinstance(value, str) or "(" in value or parse_version(value) is None:
        return None
    return value.strip()


def day(value: object) -> dt.date | None:
    """The calendar day that a date or time begins with; None where it does not."""
    try:
        return dt.date.fromisoformat(value[:10]) if isinstance(value, str) else None
    except ValueError:
        return None


_MOBILE = re.compile(r"(?:iPhone|iPad|iPod)[0-9]{1,3},[0-9]{1,3}")
