"""The guide's texts, each stored once: a device only says which fixes are in its plan and how it is handled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from fleet.apple.catalog import bundled
from fleet.guide import Fix, load, steps_for
from fleet.model.fact import Fact, Gap

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fleet.model.device import Device
    from fleet.model.run import DeviceReport

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


class Advice:
    """Collects which instructions the plans of a fleet need, and gives their texts at the end."""

    def __init__(self, guide: Guide) -> None:
        self._guide = guide
        self._wanted: dict[Handling, dict[str, None]] = {}

    def handling(self, report: DeviceReport) -> str:
        """The name under which `texts` keeps the instructions of this device's plan."""
        handling = Handling(
            _device_class(report.device), _major(report.device), self._guide.force_restart(report.device)
        )
        self._wanted.setdefault(handling, {}).update(dict.fromkeys(step.fix for step in report.plan))
        return _name(handling)

    def texts(self) -> dict[str, object]:
        """`fixes` by id, and `howto`: by handling and fix, the steps."""
        used = sorted({fix for fixes in self._wanted.values() for fix in fixes})
        return {
            "fixes": {fix: _text(self._guide.fixes[fix]) for fix in used if fix in self._guide.fixes},
            "howto": {_name(handling): self._steps(handling) for handling in sorted(self._wanted, key=_name)},
        }

    def _steps(self, handling: Handling) -> dict[str, list[str]]:
        known = sorted(fix for fix in self._wanted[handling] if fix in self._guide.fixes)
        return {fix: self._guide.steps(fix, handling) for fix in known}


def _text(fix: Fix) -> dict[str, object]:
    return {
        "title": fix.title,
        "why": fix.why,
        "minutes": fix.minutes,
        "risk": fix.data_at_risk,
        "password": fix.needs_password,
        "verify": fix.verify,
        "mdm": fix.mdm,
    }


def _name(handling: Handling) -> str:
    return "/".join("" if part is None else str(part) for part in handling)


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


def bundled_guide() -> Guide:
    """The guide and the catalogue that are shipped."""
    return Guide(fixes=load(), steps=_steps, force_restart=_force_restart)


def _steps(fix: str, handling: Handling) -> list[str]:
    return steps_for(load()[fix], handling.device_class, handling.major, handling.force_restart)


def _force_restart(device: Device) -> str | None:
    model = bundled().model(_known(device.model_identifier), _known(device.model_name))
    return model.force_restart if model else None


def _known(fact: Fact[str]) -> str | None:
    return None if isinstance(fact, Gap) else fact
