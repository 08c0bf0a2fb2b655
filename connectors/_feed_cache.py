"""What public feeds said last, kept on this machine: private files, each whole or not there.

A folder that cannot be written to costs no night: the feeds are asked again next time.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """The last word of one feed.

    Attributes:
        asked_at: when its server last answered, with whatever, UTC.
        good_at: when it last said that `body` is what it brings; None if it never brought anything readable.
        etag: what a conditional request repeats, as `last_modified`; empty where the server names none.
        problem: what was wrong with the last answer; empty where nothing was.
    """

    url: str
    asked_at: datetime
    good_at: datetime | None = None
    etag: str = ""
    last_modified: str = ""
    problem: str = ""
    body: bytes = b""


class Cache:
    """A private folder of small files, made when first written to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def read(self, name: str) -> bytes | None:
        """A file's content; None where there is none that can be read."""
        try:
            return (self.folder / name).read_bytes()
        except OSError:
            return None

    def write(self, name: str, content: bytes) -> None:
        """Put the content in the place of the file, in one step; only its owner may read it."""
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle, beside = tempfile.mkstemp(dir=self.folder, prefix=f".{name}.")
        except OSError as error:
            self._complain(error)
            return
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            Path(beside).replace(self.folder / name)
        except OSError as error:
            self._complain(error)
            with contextlib.suppress(OSError):
                Path(beside).unlink(missing_ok=True)

    def _complain(self, error: OSError) -> None:
        fields = {"folder": str(self.folder), "reason": error.strerror}
        log.warning("cache_not_written folder=%(folder)s reason=%(reason)s", fields)

    def kept(self, feed: str, url: str) -> Kept | None:
        """What the feed at that address said last; None if nothing, or if the file is damaged."""
        head, _, body = (self.read(f"{feed}.feed") or b"").partition(b"\n")
        try:
            plain: dict[str, Any] = json.loads(head)
            asked_at, good_at = (
                text and datetime.fromisoformat(text).astimezone(UTC)
                for text in (plain.pop("asked_at"), plain.pop("good_at"))
            )
            kept = Kept(**plain, asked_at=asked_at, good_at=good_at, body=body)
        except (ValueError, TypeError, KeyError, AttributeError):
            return None
        return kept if kept.asked_at and kept.url == url else None

    def keep(self, feed: str, kept: Kept) -> None:
        """Write down what the feed said last."""
        plain = {
            "url": kept.url,
            "asked_at": kept.asked_at.isoformat(),
            "good_at": kept.good_at and kept.good_at.isoformat(),
            "etag": kept.etag,
            "last_modified": kept.last_modified,
            "problem": kept.problem,
        }
        self.write(f"{feed}.feed", json.dumps(plain).encode() + b"\n" + kept.body)
