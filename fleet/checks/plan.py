"""Which fixes to try on a device, and in which order: by evidence, and what can do harm last."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fleet import guide
from fleet.apple.catalog import parse_version
from fleet.checks import BY_ID, CHECKS
from fleet.checks.assess import BACKUP, Assessment
from fleet.checks.os_outdated import Rule
from fleet.model.device import Enrollment
from fleet.model.fact import Gap
from fleet.model.finding import Found, Problem, Severity
from fleet.model.run import PlanStep

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from fleet.checks._check import Case

UNEXPLAINED = "unexplained"

# Explains why a device makes no backups, the most telling first. Only found verdicts count, and of these only
# such as can stop a backup: a storage that is truly short, a system below the minimum or of a major long
# gone.
_CAUSES = (
    "backup-restricted",
    "backup-disabled",
    "storage-full",
    "os-unsupported",
    "os-outdated",
    "account-inactive",
    "icloud-quota",
    "vpn-configured",
    "power-low",
)
_REST = ("storage-filling", "backup-expiring", "silent-device")
_FIXES = {check.id: check.fixes for check in CHECKS}
_CERTAIN = ("backup-restricted", "backup-disabled")

# What no management system can see, in the order of the guide: harmless and frequent first.
_UNSEEN = {
    "wifi-and-power": "Whether it is on Wi-Fi, on power and locked at night cannot be seen from here.",
    "system-status": "A disturbance at Apple would explain it, and ends by itself.",
    "free-icloud-storage": "Whether the iCloud storage is full cannot be seen from here.",
    "power-and-data-modes": "Low Power Mode and Low Data Mode hold backups back, unseen.",
    "force-restart": "A hung background service cannot be seen, and ends with a restart.",
    "vpn-off": "A VPN that the user set up cannot be seen from here.",
    "allow-apple-hosts": "A network that blocks or inspects the way to Apple cannot be seen.",
    "local-backup": "A copy on a computer comes before any step that could lose data.",
    "sign-out-and-in": "A broken sign-in to the Apple Account cannot be seen from here.",
    "reset-settings": "A bad setting cannot be seen, and nothing gentler has helped by now.",
    "apple-support": "What is left can only be seen by Apple.",
}
_LAST = {"local-backup": 1, "sign-out-and-in": 2, "reset-settings": 3, "apple-support": 4}
_DDM_MAJOR = 17  # enforced updates came with iOS 17 (Apple device management, read 2026-11-22)


@dataclass(frozen=True, slots=True)
class _Bench:
    """The found verdicts of one device, the fixes for them, and the case that they belong to."""

    case: Case
    found: Mapping[str, Found]
    fixes: Mapping[str, tuple[str, ...]]
    backup: Problem | None


def plan_for(case: Case, assessment: Assessment) -> tuple[str | None, tuple[PlanStep, ...]]:
    """The most probable cause of a backup problem, and the steps to take in their order.

    The cause is a check id, `unexplained` where everything that can be observed is ruled out, or None without
    a backup problem. A step that can lose data always comes after `local-backup`; `apple-support` comes last.
    """
    if not assessment.problems:
        return None, ()
    found = {check: verdict for check, verdict in assessment.verdicts.items() if isinstance(verdict, Found)}
    backup = next((problem for problem in assessment.problems if problem.problem == BACKUP), None)
    fixes = {problem.check: problem.fixes for problem in assessment.problems} | _FIXES
    bench = _Bench(case, found, fixes, backup)
    cause = _cause(bench)
    whys: dict[str, str] = {}
    for fix, why in (*_pointed_at(bench), *_unseen(bench, cause)):
        whys.setdefault(fix, why)
    return cause, tuple(_step(fix, whys[fix]) for fix in _ordered(whys, bench))


def _step(fix: str, why: str) -> PlanStep:
    return PlanStep(fix=fix, audience=guide.load()[fix].audience, why=why)


def _cause(bench: _Bench) -> str | None:
    if bench.backup is None:
        return None
    return next(
        (check for check in _CAUSES if _can_stop_a_backup(check, bench.found.get(check))), UNEXPLAINED
    )


def _can_stop_a_backup(check: str, found: Found | None) -> bool:
    if found is None:
        return False
    if check == "storage-full":
        return found.severity.rank >= Severity.HIGH.rank
    if check == "os-unsupported":
        return found.severity is Severity.CRITICAL
    return check != "os-outdated" or found.evidence["rule"] == Rule.MAJOR


def _pointed_at(bench: _Bench) -> Iterator[tuple[str, str]]:
    """The fixes that found verdicts call for: the causes first, then the rest, checks from elsewhere last."""
    foreign = [check for check in bench.found if check not in BY_ID]
    for check in (*_CAUSES, *_REST, *foreign):
        if check in bench.found:
            fixes = _updates(bench) if check == "os-outdated" else bench.fixes.get(check, ())
            yield from ((fix, bench.found[check].summary) for fix in fixes if fix in guide.load())


def _updates(bench: _Bench) -> Iterator[str]:
    """The admin's way where the device takes it; the user's way unless the hardware is at its end anyway."""
    if _takes_enforced_updates(bench.case):
        yield "enforce-update"
    if "os-unsupported" not in bench.found:
        yield "update-system"


def _takes_enforced_updates(case: Case) -> bool:
    device = case.device
    text = device.os_version
    version = None if isinstance(text, Gap) else parse_version(text)
    enrolled = device.enrollment in (Enrollment.AUTOMATED, Enrollment.DEVICE) or device.supervised is True
    return enrolled and version is not None and version[0] >= _DDM_MAJOR


def _unseen(bench: _Bench, cause: str | None) -> Iterator[tuple[str, str]]:
    """What to try against causes that nobody can see; a cause known for certain leaves no need to guess."""
    if bench.backup is None or cause in _CERTAIN:
        return
    yield from _UNSEEN.items()


def _ordered(whys: Mapping[str, str], bench: _Bench) -> list[str]:
    """Stable: only what could do harm moves back, behind the local backup that makes up for it."""
    urgent = "backup-expiring" in bench.found
    return sorted(whys, key=lambda fix: 0 if urgent and fix == "local-backup" else _LAST.get(fix, 0))
