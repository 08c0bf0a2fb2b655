"""Whose report it is: a logo, a colour that can be read in both colour schemes, and a line at the end."""

from __future__ import annotations

import re
from dataclasses import dataclass

WHITE = "#ffffff"
DARK = "#1b2027"
"""The ground of the page in the dark colour scheme."""
READABLE = 4.5
"""The contrast that text needs (WCAG 2.2, 1.4.3, read 2026-11-22)."""
_COLOUR = re.compile(r"#[0-9a-f]{6}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Brand:
    """What the settings say of it; empty where they say nothing.

    Attributes:
        logo: a `data:` address of the picture.
        accent: `#rrggbb`, readable on white.
    """

    logo: str = ""
    accent: str = ""
    footer: str = ""


def fault_of(colour: str) -> str | None:
    """Why a colour cannot be the accent, or None; names the nearest darker one that can."""
    if not _COLOUR.fullmatch(colour):
        return "should be a colour like #0b5cad"
    reached = contrast(colour, WHITE)
    if reached >= READABLE:
        return None
    darker = readable(colour, WHITE)
    return f"has a contrast of {reached:.1f} to white, and text needs {READABLE}; {darker} would do"


def readable(colour: str, ground: str) -> str:
    """`colour`, moved towards black or white as far as it takes to be read on `ground`."""
    goal = 0 if contrast(ground, "#000000") > contrast(ground, WHITE) else 255
    channels = _channels(colour)
    for step in range(101):
        moved = tuple(round(one + (goal - one) * step / 100) for one in channels)
        found = "#" + "".join(f"{one:02x}" for one in moved)
        if contrast(found, ground) >= READABLE:
            return found
    return WHITE if goal else "#000000"


def contrast(one: str, other: str) -> float:
    """The contrast of two colours, from 1 to 21 (WCAG 2.2, contrast ratio, read 2026-11-22)."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(one / 255) for one in _channels(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4  # noqa: PLR2004 - the standard's own


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
