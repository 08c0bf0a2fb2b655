"""How a page wears its brand: the accent colour of the settings, made readable in the dark scheme too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fleet.model.brand import DARK, readable

if TYPE_CHECKING:
    from fleet.model.brand import Brand


def style_of(brand: Brand, style: str) -> str:
    """`style` with the brand's colour in place of its own."""
    if not brand.accent:
        return style
    dark = readable(brand.accent, DARK)
    return (
        f"{style}@media screen {{ :root {{ --accent: {brand.accent}; }} }}\n"
        f"@media screen and (prefers-color-scheme: dark) {{ :root {{ --accent: {dark}; }} }}\n"
    )
