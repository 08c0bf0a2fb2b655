"""Progress on a terminal: one line that is written over; nothing at all where nobody watches."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import TextIO


@dataclass(slots=True)
class Bar:
    """Pages and devices of each source as they come in.

    Attributes:
        stream: where it is shown, if that is a terminal.
    """

    stream: TextIO = field(default_factory=lambda: sys.stderr)
    _lines: dict[str, str] = field(default_factory=dict[str, str])

    def __call__(self, source: str, *, pages: int, devices: int, expected: int | None) -> None:
        """Show how far `source` has come."""
        of = f" of {expected:,}" if expected is not None else ""
        self._lines[source] = f"{source}: {pages:,} pages, {devices:,}{of} devices"
        self._show("   ".join(self._lines.values()))

    def stage(self, text: str) -> None:
        """Show what is being done."""
        self._show(text)

    def clear(self) -> None:
        """Leave the line empty."""
        self._show("")

    def _show(self, text: str) -> None:
        if self.stream.isatty():
            self.stream.write(f"\r\x1b[2K{text[:150]}")
            self.stream.flush()
