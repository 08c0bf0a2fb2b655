"""The guide as reports use it: a fix's texts, and its steps as they read on one device (`DeviceReport.handling`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fleet import guide
from fleet.model.device_report import Handling

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = ["Guide", "Handling", "bundled_guide"]


@dataclass(frozen=True, slots=True)
class Guide:
    """The fixes, and how the steps of one read on a device.

    Attributes:
        steps: the numbered lines of a fix that is in the guide.
    """

    fixes: Mapping[str, guide.Fix]
    steps: Callable[[str, Handling], Sequence[str]]


def bundled_guide() -> Guide:
    """The guide that is shipped."""
    return Guide(fixes=guide.load(), steps=guide.steps)
