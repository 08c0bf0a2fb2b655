"""The guide's texts, each stored once: a device only says which fixes are in its plan and how it is handled."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fleet.guide import Fix
    from fleet.model.device_report import DeviceReport
    from reports._guide import Guide, Handling


class Advice:
    """Collects which instructions the plans of a fleet need, and gives their texts at the end."""

    def __init__(self, guide: Guide) -> None:
        self._guide = guide
        self._wanted: dict[Handling, dict[str, None]] = {}

    def handling(self, report: DeviceReport) -> str:
        """The name under which `texts` keeps the instructions of this device's plan."""
        wanted = self._wanted.setdefault(report.handling, {})
        wanted.update(dict.fromkeys(step.fix for step in report.plan))
        return _name(report.handling)

    def texts(self) -> dict[str, object]:
        """`fixes` by id, and `howto`: by handling and fix, the steps."""
        used = sorted({fix for fixes in self._wanted.values() for fix in fixes})
        return {
            "fixes": {fix: _text(self._guide.fixes[fix]) for fix in used if fix in self._guide.fixes},
            "howto": {_name(handling): self._steps(handling) for handling in sorted(self._wanted, key=_name)},
        }

    def _steps(self, handling: Handling) -> dict[str, Sequence[str]]:
        known = sorted(fix for fix in self._wanted[handling] if fix in self._guide.fixes)
        return {fix: self._guide.steps(fix, handling) for fix in known}


def _text(fix: Fix) -> dict[str, object]:
    return {
        "title": fix.title,
        "why": fix.why,
        "unseen": fix.unseen,
        "minutes": fix.cost.minutes,
        "risk": fix.cost.data_at_risk,
        "password": fix.cost.asks_for,
        "verify": fix.verify,
        "mdm": str(fix.mdm),
    }


def _name(handling: Handling) -> str:
    return "/".join("" if part is None else str(part) for part in handling)
