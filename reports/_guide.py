"""The guide as reports use it: a fix's texts, and its steps as they read on one device."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from fleet.apple.catalog import bundled
from fleet.guide import Fix, load, steps_for
from fleet.model.fact import Gap
from reports._plain import known

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fleet.model.device import Device

_LONGEST_MAJOR = 4  # digits; what is longer is no version


class Handling(NamedTuple):
    """What the wording of instructions depends on.

    Attributes:
        device_class: `iphone` or `ipad`.
        major: the installed system's major version, None where unknown.
        force_restart: the catalogue's key of the button sequence, None where unknown.
    """

    device_class: str
    major: int | None
    force_restart: str | None


@dataclass(frozen=True, slots=True)
class Guide:
    """The fixes, and how the steps of one read on a device.

    Attributes:
        steps: the numbered lines of a fix; a fix that is not in the guide has none.
        force_restart: the button sequence's key of a device.
    """

    fixes: Mapping[str, Fix]
    steps: Callable[[str, Handling], list[str]]
    force_restart: Callable[[Device], str | None]

    def handling(self, device: Device) -> Handling:
        """How the instructions for `device` are worded."""
        return Handling(_device_class(device), _major(device), self.force_restart(device))


def bundled_guide() -> Guide:
    """The guide and the catalogue that are shipped."""
    return Guide(fixes=load(), steps=_steps, force_restart=_force_restart)


def _steps(fix: str, handling: Handling) -> list[str]:
    return steps_for(load()[fix], handling.device_class, handling.major, handling.force_restart)


def _force_restart(device: Device) -> str | None:
    model = bundled().model(known(device.model_identifier), known(device.model_name))
    return model.force_restart if model else None


def _device_class(device: Device) -> str:
    """An iPad, a Vision Pro or anything else that is no iPhone is handled like an iPad."""
    for fact in (device.model_name, device.model_identifier):
        if not isinstance(fact, Gap):
            return "iphone" if fact.lower().startswith("iphone") else "ipad"
    return "iphone" if device.platform == "iOS" else "ipad"


def _major(device: Device) -> int | None:
    if isinstance(device.os_version, Gap):
        return None
    leading = device.os_version.split(".", 1)[0]
    return (
        int(leading) if leading.isascii() and leading.isdigit() and len(leading) <= _LONGEST_MAJOR else None
    )
