"""Links into the page: the address of a view of its list."""

from __future__ import annotations

from urllib.parse import urlencode

EVERYTHING = "#q="


def link(**filters: str | list[str]) -> str:
    """A link to the devices that a count counts: by the names of the page's facets."""
    return "#" + urlencode(filters, doseq=True)
