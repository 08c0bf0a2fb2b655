"""The guide: what to do about a problem, as data; one TOML file per fix, named by the fix's id."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

Audience: TypeAlias = Literal["user", "admin"]
Devices: TypeAlias = Literal["iphone", "ipad", "any"]


class GuideError(ValueError):
    """A file of the guide is not as it must be; the message names the file and the key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One way of writing the steps, with the devices and systems for which it is right.

    Attributes:
        force_restart: the key sequence that it describes, by the catalogue's name; None where it fits all.
    """

    lines: tuple[str, ...]
    devices: Devices = "any"
    min_major: int | None = None
    max_major: int | None = None
    force_restart: str | None = None

    @property
    def general(self) -> bool:
        """True where it fits every device."""
        return self.devices == "any" and self.min_major is self.max_major is self.force_restart is None

    def fits(self, device_class: str, major: int | None, force_restart_key: str | None) -> bool:
        """Whether it is right for such a device; a condition on something unknown is not met."""
        return (
            self.devices in ("any", device_class)
            and (self.min_major is None or (major is not None and major >= self.min_major))
            and (self.max_major is None or (major is not None and major <= self.max_major))
            and self.force_restart in (None, force_restart_key)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a fix's facts come from; only pages that were read carry their address."""

    title: str
    read: date
    url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fix:
    """One fix of the guide.

    Attributes:
        audience: who has to act.
        why: what it helps against.
        minutes: how long it takes the person.
        data_at_risk: what can be lost; empty where nothing can.
        needs_password: the Apple Account's password or the passcode is asked for.
        steps: the most special variant first, the last fits every device.
        verify: how to see that it worked.
        mdm: what a management system can do instead or in support; empty where it can do nothing.
        supervised: that way needs a supervised device.
        risk: 0 harmless, 1 inconvenient, 2 settings or data may be lost, 3 data will be lost without a copy.
    """

    id: str
    title: str
    audience: Audience
    why: str
    minutes: int
    data_at_risk: str
    needs_password: bool
    steps: tuple[Variant, ...]
    verify: str
    mdm: str
    supervised: bool
    risk: int
    sources: tuple[Source, ...]


@lru_cache(maxsize=1)
def load() -> Mapping[str, Fix]:
    """All fixes by id, in the order of their ids; read and checked once.

    Raises:
        GuideError: a file is not as it must be.
    """
    found = (entry for entry in files("fleet.guide").iterdir() if entry.name.endswith(".toml"))
    fixes = {
        entry.name.removesuffix(".toml"): read_fix(entry.name, entry.read_text("utf-8"))
        for entry in sorted(found, key=lambda entry: entry.name)
    }
    return MappingProxyType(fixes)


def steps_for(fix: Fix, device_class: str, major: int | None, force_restart_key: str | None) -> list[str]:
    """The lines of `fix` for one device, in order.

    Args:
        fix: the fix.
        device_class: `iphone`, `ipad` or anything else, in any case.
        major: the major of the installed system; None where it is not known.
        force_restart_key: the catalogue's name of the model's key sequence; None where it is not known.
    """
    kind = device_class.casefold()
    return list(next(v.lines for v in fix.steps if v.fits(kind, major, force_restart_key)))


def read_fix(name: str, text: str) -> Fix:
    """The fix in the file `name`.

    Raises:
        GuideError: the text is not a fix, or not one of that name.
    """
    try:
        return _checked(_read(tomllib.loads(text)), name)
    except (tomllib.TOMLDecodeError, TypeError, KeyError) as error:
        raise GuideError(f"fleet/guide/{name}: {error}") from error


def _read(table: dict[str, Any]) -> Fix:
    steps = tuple(Variant(lines=tuple(row.pop("lines")), **row) for row in table.pop("steps"))
    sources = tuple(Source(**row) for row in table.pop("sources"))
    return Fix(**table, steps=steps, sources=sources)


def _checked(fix: Fix, name: str) -> Fix:
    wrong = {
        "id is not the name of the file": f"{fix.id}.toml" != name,
        "audience is neither user nor admin": fix.audience not in get_args(Audience),
        "risk is not between 0 and 3": fix.risk not in range(4),
        "minutes is not a positive number": fix.minutes <= 0,
        "title, why and verify must say something": not all((fix.title, fix.why, fix.verify)),
        "the last steps must fit every device": not fix.steps or not fix.steps[-1].general,
        "steps without a line": not all(variant.lines for variant in fix.steps),
        "devices is not iphone, ipad or any": any(v.devices not in get_args(Devices) for v in fix.steps),
        "a risky fix must say what data is at risk": fix.risk > 1 and not fix.data_at_risk,
        "no source": not fix.sources,
    }
    complaint = next((text for text, true in wrong.items() if true), None)
    if complaint is not None:
        raise GuideError(f"fleet/guide/{name}: {complaint}")
    return fix
