"""How values of the domain are spelt in the files that machines read."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

from fleet.model.fact import known

if TYPE_CHECKING:
    from fleet.model.device import Device

T = TypeVar("T")
_TO_THE_SECOND = len("2026-11-22T02:00:00")


def zulu(moment: datetime) -> str:
    """`moment` in UTC with whole seconds, as in `2026-11-22T02:00:00Z`."""
    utc = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    return utc.isoformat()[:_TO_THE_SECOND] + "Z"


def file_name(name: str, identity: str, otherwise: str) -> str:
    """A name for a file or folder: any disk takes it, no other identity has it; `otherwise` stands for a bare name."""
    plain = unicodedata.normalize("NFKD", name.lower()).encode("ascii", "ignore").decode()
    stem = _NO_LETTERS.sub("-", plain).strip("-")[:40] or otherwise
    return f"{stem}-{hashlib.sha256(identity.encode(errors='replace')).hexdigest()[:8]}"


_NO_LETTERS = re.compile(r"[^a-z0-9]+")


def model_of(device: Device) -> str | None:
    """The model as people say it, else its identifier."""
    return known(device.model_name) or known(device.model_identifier)


def sources_of(device: Device) -> list[str]:
    """The names of the sources that know `device`, the one with the freshest facts first."""
    return list(dict.fromkeys(sighting.source for sighting in device.sightings))
