"""Which fixes cure what a check found, as far as it depends on the device."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fleet.checks import CHECKS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from fleet.checks.order import Situation

COPY = "local-backup"
COPY_FIRST = "A copy on a computer comes before any step that could lose data."
FORBIDDEN = (
    "No source says whether a profile forbids iCloud Backup; if one does, the switch cannot be turned on."
)
_FIXES = {check.id: check.fixes for check in CHECKS}
_WHY = {
    ("backup-disabled", "lift-restriction"): FORBIDDEN,
    ("account-inactive", COPY): COPY_FIRST,
}


def cures(check: str, situation: Situation) -> Iterator[tuple[str, str | None]]:
    """The guide's ids of what cures it, the best first, each with its reason; None for the finding's own words."""
    own = _OWN_WAYS.get(check)
    fixes = own(situation) if own else _FIXES.get(check) or dict(situation.foreign).get(check, ())
    for fix in fixes:
        yield fix, _WHY.get((check, fix))


def _of_a_switch_that_is_off(situation: Situation) -> Iterator[str]:
    yield "enable-backup"
    if situation.restriction_unknown:
        yield "lift-restriction"
    yield "allow-managed-icloud"


def _of_an_outdated_system(situation: Situation) -> Iterator[str]:
    """An update that does not fit waits for room."""
    if situation.short_of_room:
        yield "free-device-storage"
    yield from _FIXES["os-outdated"]


def _of_a_system_without_support(situation: Situation) -> Iterator[str]:
    """Hardware at its end is replaced; only where it can still run a system that makes backups, that comes first."""
    if situation.worth_updating:
        yield "update-system"
    yield "replace-hardware"


_OWN_WAYS: Mapping[str, Callable[[Situation], Iterator[str]]] = {
    "backup-disabled": _of_a_switch_that_is_off,
    "os-outdated": _of_an_outdated_system,
    "os-unsupported": _of_a_system_without_support,
}
