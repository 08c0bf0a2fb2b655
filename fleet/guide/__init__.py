"""The guide: what to do about a problem, as data; one TOML file per fix, named by the fix's id.

`labels.toml` holds what menus and devices are called, so that a menu that Apple moves is mended in one place.
"""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files
from types import MappingProxyType
from typing import TYPE_CHECKING

from fleet.apple.catalog import parse_version
from fleet.guide.fix import Fix
from fleet.guide.reading import read_fix, read_labels
from fleet.guide.table import GuideError
from fleet.model.device import Enrollment, Platform
from fleet.model.device_report import Handling
from fleet.model.fact import known

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fleet.apple.catalog import Catalog
    from fleet.guide.fix import DeviceClass
    from fleet.guide.reading import Labels
    from fleet.model.device import Device


__all__ = ["ORDER", "Fix", "GuideError", "handling_of", "load", "managed", "possible", "steps"]

ORDER = (
    "check-in",
    "wifi-and-power",
    "system-status",
    "enable-backup",
    "lift-restriction",
    "allow-managed-icloud",
    "free-icloud-storage",
    "power-and-data-modes",
    "force-restart",
    "vpn-off",
    "allow-apple-hosts",
    "free-device-storage",
    "enforce-update",
    "update-system",
    "local-backup",
    "replace-hardware",
    "sign-out-and-in",
    "reset-settings",
    "apple-support",
)
"""The guide's order: harmless and frequent first, a copy on a computer before what can lose data, Apple last.

The twelve fixes of users stand as people try them; the admin's own stand where they take over from one of those.
"""


@lru_cache(maxsize=1)
def load() -> Mapping[str, Fix]:
    """All fixes by id, in the guide's order; read and checked once.

    Raises:
        GuideError: a file is not as it must be, or is missing, or is there and should not be.
    """
    texts = {
        entry.name.removesuffix(".toml"): entry.read_text("utf-8")
        for entry in files("fleet.guide").iterdir()
        if entry.name.endswith(".toml") and entry.name != _LABELS
    }
    return MappingProxyType(read_all(texts, _labels()))


def read_all(texts: Mapping[str, str], labels: Labels) -> dict[str, Fix]:
    """The fixes that these files hold, by the files' names without their ending.

    Raises:
        GuideError: one is not as it must be, is missing, or should not be there.
    """
    for name in sorted(set(texts) ^ set(ORDER)):
        raise GuideError(
            f"fleet/guide/{name}.toml: {'is missing' if name in ORDER else 'is no fix of the guide'}"
        )
    return {name: read_fix(f"{name}.toml", texts[name], labels) for name in ORDER}


@lru_cache(maxsize=8192)
def steps(fix: str, handling: Handling) -> tuple[str, ...]:
    """The lines of `fix` for one device, in order, with menus called what they are called there."""
    variant = next(variant for variant in load()[fix].steps if variant.suits(handling))
    return tuple(line.format_map(_called(handling)) for line in variant.lines)


def handling_of(device: Device, catalog: Catalog) -> Handling:
    """What the wording of instructions for this device depends on, as far as it is known."""
    return _handling(
        catalog,
        known(device.model_identifier),
        known(device.model_name),
        known(device.os_version),
        known(device.platform),
    )


def managed(device: Device) -> bool:
    """Whether management may act on the device itself: under automated or device enrolment, or supervised."""
    return device.supervised is True or device.enrollment in (Enrollment.AUTOMATED, Enrollment.DEVICE)


@lru_cache(maxsize=8192)
def possible(handling: Handling, *, managed: bool) -> frozenset[str]:
    """The fixes that such a device can take at all."""
    return frozenset(fix.id for fix in load().values() if fix.possible(handling, managed=managed))


@lru_cache(maxsize=8192)
def _handling(
    catalog: Catalog, identifier: str | None, name: str | None, version: str | None, platform: Platform | None
) -> Handling:
    model = catalog.model(identifier, name)
    number = parse_version(version) if version else None
    return Handling(
        device_class=_class(identifier, name, platform),
        major=number[0] if number else None,
        force_restart=model.force_restart if model else None,
    )


def _class(identifier: str | None, name: str | None, platform: Platform | None) -> DeviceClass:
    for text in (identifier, name):
        for beginning, device_class in _BEGINNINGS.items():
            if text and text.strip().casefold().startswith(beginning):
                return device_class
    return _BY_PLATFORM.get(platform, "other")


@lru_cache(maxsize=1024)
def _called(handling: Handling) -> Mapping[str, str]:
    return {
        label: next(wording.text for wording in wordings if wording.includes(handling))
        for label, wordings in _labels().items()
    }


@lru_cache(maxsize=1)
def _labels() -> Labels:
    return read_labels(_LABELS, (files("fleet.guide") / _LABELS).read_text("utf-8"))


_LABELS = "labels.toml"
_BEGINNINGS: dict[str, DeviceClass] = {
    "iphone": "iphone",
    "ipad": "ipad",
    "ipod": "ipod",
    "realitydevice": "vision",
    "apple vision": "vision",
    "vision": "vision",
}
_BY_PLATFORM: dict[Platform | None, DeviceClass] = {
    Platform.IOS: "iphone",
    Platform.IPADOS: "ipad",
    Platform.VISIONOS: "vision",
}
