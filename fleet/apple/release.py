"""One model, one release, and versions as numbers.

Versions are compared as numbers of equal length (26.4 is 26.4.0); builds are never compared, because Apple ships
one release under several.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

Version: TypeAlias = tuple[int, int, int, int]

BACKUP_NEEDS = 9
"""The oldest major with which iCloud Backup works (MacRumors on Apple's note of 2024-12-18, read 2026-11-22)."""
_AFTER_18 = 26  # Apple went from 18 straight to 26: "iOS 26" of 2025 followed "iOS 18" of 2024.


class CatalogError(ValueError):
    """The text is not a catalogue, or a feed cannot be believed; the message names what is wrong with it."""


@lru_cache(maxsize=4096)
def parse_version(text: str) -> Version | None:
    """`26.4.1` as four numbers, zeros filled in; a trailing `(a)` of a background patch is left out.

    None where the text is not a version.
    """
    match = _VERSION.fullmatch(text.strip())
    if match is None:
        return None
    numbers = [int(part) for part in match[1].split(".")]
    major, minor, patch, part, *_ = *numbers, 0, 0, 0
    return major, minor, patch, part


_VERSION = re.compile(r"([0-9]{1,4}(?:\.[0-9]{1,4}){0,3})(?: ?\([a-z]\))?")


def version_number(text: str) -> Version:
    """The same, for text that has to be a version; raises `CatalogError`."""
    number = parse_version(text)
    if number is None:
        raise CatalogError("a release's version is not made of numbers and dots")
    return number


def preceding(major: int) -> int:
    """The major that came before `major` in Apple's sequence (…, 17, 18, 26, 27, …)."""
    return 18 if major == _AFTER_18 else major - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One hardware model.

    Attributes:
        name: the marketing name; of a model that only Apple's list names, the identifier again.
        max_major: the highest major it can run, as far as is known.
        max_version: the newest release known for it, public since `max_version_date`.
        force_restart: the key sequence's name in the guide; None where it is not known.
    """

    identifier: str
    name: str
    base_name: str
    family: str
    os: str
    max_major: int
    max_version: str
    max_version_date: dt.date
    force_restart: str | None

    @property
    def newest(self) -> Version:
        """`max_version` as numbers."""
        return version_number(self.max_version)

    @property
    def icloud_backup_capable(self) -> bool:
        """Whether it can reach a system with which iCloud Backup works."""
        return self.max_major >= BACKUP_NEEDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """One public release.

    Attributes:
        universal: offered to every model that runs its major.
        models: the models to which it is known to be offered; None where nobody lists them. Neither universal nor
            listed, it counts for models that end at its major, for whom Apple makes such releases in practice.
        exploited: it closes a hole known to be used in attacks; None where that is not known.
        posted: `date` is only the day on which Apple's own list showed it, so it may have come out earlier.
        download_gb: what an update to it downloads, the least (the difference from the major before) and the whole;
            None where nobody measured.
    """

    version: str
    date: dt.date
    universal: bool
    exploited: bool | None
    models: frozenset[str] | None = None
    posted: bool = False
    download_gb: tuple[float, float] | None = None

    @property
    def number(self) -> Version:
        """The version as numbers."""
        return version_number(self.version)

    @property
    def major(self) -> int:
        """The first of its numbers."""
        return self.number[0]

    @property
    def public_from(self) -> dt.datetime:
        """Midnight UTC of its date."""
        return dt.datetime(self.date.year, self.date.month, self.date.day, tzinfo=dt.UTC)
