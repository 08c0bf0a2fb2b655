"""The logo of the settings, read once and kept with the run, so that a past report keeps its face."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from fleet.errors import SettingsError

if TYPE_CHECKING:
    from pathlib import Path

LARGEST = 64 * 1024
_KINDS = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"RIFF", "image/webp"),
    (b"<svg", "image/svg+xml"),
    (b"<?xml", "image/svg+xml"),
)


def data_address(path: Path) -> str:
    """The picture as a `data:` address.

    Raises:
        SettingsError: it cannot be read, is too large, or is none of PNG, JPEG, WebP and SVG.
    """
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except OSError as error:
        raise SettingsError(f"[report] logo: {path} cannot be read ({error.strerror})") from error
    if len(content) > LARGEST:
        raise SettingsError(f"[report] logo: {path} is larger than 64 KB; make it smaller")
    kind = next((kind for start, kind in _KINDS if content.lstrip().startswith(start)), None)
    if kind is None:
        raise SettingsError(f"[report] logo: {path} should be a PNG, JPEG, WebP or SVG picture")
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
