"""All checks on one device: verdicts, the problems that they amount to, and the device's status."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from fleet.checks import CHECKS
from fleet.checks._check import STALE, UNJUDGED, Case, Check, run, stale_before
from fleet.checks._system import beyond_catalog
from fleet.checks.backup_expiring import days_until_deletion
from fleet.model.device import Device, Enrollment, Platform
from fleet.model.fact import Gap, Reason
from fleet.model.finding import (
    CLEAR,
    Finding,
    Found,
    Problem,
    Severity,
    State,
    Status,
    Undetermined,
    Verdict,
)
from fleet.model.frozen import frozen

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

BACKUP = "backup"
_ASSESSED = frozenset({Platform.IOS, Platform.IPADOS, Platform.VISIONOS})


@frozen
class Assessment:
    """What the checks say of one device tonight.

    Attributes:
        not_applicable: why no check was run (`user_enrollment`, `shared_ipad`, `platform`, `not_managed`).
        verdicts: by check id.
        outcomes: by problem, the verdict of all its checks together: what a standing finding is held against.
        problems: those found, `backup` first, the others in the order of the catalogue.
        beyond_catalog: what the catalogue of Apple's models and releases does not know: `model` or `release`.
    """

    not_applicable: str | None = None
    verdicts: Mapping[str, Verdict]
    outcomes: Mapping[str, Verdict]
    problems: tuple[Problem, ...] = ()
    beyond_catalog: str | None = None


def assess(
    case: Case,
    checks: tuple[Check, ...] = CHECKS,
    *,
    broke: Callable[[Check, Exception], None] | None = None,
) -> Assessment:
    """Judge one device by every check that applies; the backup checks first, for others lean on them.

    Args:
        broke: see `run`.
    """
    reason = not_applicable(case.device)
    if reason is not None:
        return Assessment(not_applicable=reason, verdicts={}, outcomes={})
    verdicts: dict[str, Verdict] = {}
    outcomes: dict[str, Verdict] = {}
    problems: list[Problem] = []
    backup: Verdict = UNJUDGED
    # Sightings come freshest first: where the last one is fresh, all are.
    fresh = case.device.sightings[-1].observed_at >= stale_before(case)
    for problem, group in _OWN if checks is CHECKS else _grouped(checks):
        for check in group:
            verdicts[check.id] = run(check, case, backup=backup, fresh=fresh, broke=broke)
        outcome = outcomes[problem] = _together(group, verdicts)
        if isinstance(outcome, Found):
            problems.append(_problem(problem, group, verdicts, case))
        if problem == BACKUP:
            backup = outcome
    return Assessment(
        verdicts=verdicts, outcomes=outcomes, problems=tuple(problems), beyond_catalog=beyond_catalog(case)
    )


def not_applicable(device: Device) -> str | None:
    """Why this device is outside of what we judge; None where it is inside, or where nobody says so."""
    platform = device.platform
    if device.enrollment is Enrollment.USER:
        return "user_enrollment"
    if device.shared_ipad is True:
        return "shared_ipad"
    if not isinstance(platform, Gap) and platform not in _ASSESSED:
        return "platform"
    return "not_managed" if device.managed is False else None


def status_of(assessment: Assessment, findings: Sequence[Finding], case: Case) -> tuple[Status, str | None]:
    """The device's status, and for an unknown or not applicable one the reason.

    Args:
        assessment: tonight's verdicts on the device.
        findings: its findings after tonight, the waived and the ended ones included.
        case: the same case that was assessed.
    """
    if assessment.not_applicable is not None:
        return Status.NOT_APPLICABLE, assessment.not_applicable
    if any(f.state.standing and f.severity.rank >= Severity.MEDIUM.rank for f in findings):
        return Status.AT_RISK, None
    reason = _unprotected(case)
    if reason is None:
        return Status.PROTECTED, None
    if any(f.problem == BACKUP and f.state is State.WAIVED for f in findings):
        return Status.UNKNOWN, "waived"
    return Status.UNKNOWN, reason


def _unprotected(case: Case) -> str | None:
    """Why a recent backup is not proven; None where it is."""
    device, last = case.device, case.device.last_cloud_backup_at
    if isinstance(last, Gap):
        return _why_unseen(device, last)
    if isinstance(last, datetime):
        observed = case.observed_at("last_cloud_backup_at")
        if observed < stale_before(case):
            return STALE
        recent = observed - last <= timedelta(days=case.policy.backup_warn_days)
        return None if recent else "backup_problem"
    enabled = device.backup_enabled
    return str(enabled.reason) if isinstance(enabled, Gap) else "no_backup_yet"


def _why_unseen(device: Device, last: Gap) -> str:
    """The gap's reason, unless the device is one that never sent an inventory at all."""
    inventory = device.inventory_at
    never = isinstance(inventory, Gap) and inventory.reason is Reason.ABSENT and last.reason is Reason.ABSENT
    return "never_collected" if never else str(last.reason)


@lru_cache(maxsize=8)
def _grouped(checks: tuple[Check, ...]) -> tuple[tuple[str, tuple[Check, ...]], ...]:
    """The checks by problem, in the order of the catalogue, `backup` first."""
    names = sorted(dict.fromkeys(check.problem for check in checks), key=lambda name: name != BACKUP)
    return tuple((name, tuple(check for check in checks if check.problem == name)) for name in names)


def _together(group: tuple[Check, ...], verdicts: Mapping[str, Verdict]) -> Verdict:
    """One verdict for a problem: found if any check finds it, clear only if none is left open."""
    if len(group) == 1:
        return verdicts[group[0].id]
    missing: dict[tuple[str, str], None] = {}
    for check in group:
        verdict = verdicts[check.id]
        if isinstance(verdict, Found):
            return verdict
        if isinstance(verdict, Undetermined) and not _beside_the_point(check, verdict):
            missing.update(dict.fromkeys(verdict.missing))
    return Undetermined(tuple(missing)) if missing else CLEAR


def _beside_the_point(check: Check, verdict: Undetermined) -> bool:
    """A setting that no source reports stays open for ever; a recent backup proves that it does no harm."""
    outcome = "last_cloud_backup_at" in check.reads
    return not outcome and all(reason == Reason.NOT_REPORTED for _, reason in verdict.missing)


def _problem(name: str, group: tuple[Check, ...], verdicts: Mapping[str, Verdict], case: Case) -> Problem:
    device = case.device
    held = [(check, verdict) for check in group if isinstance(verdict := verdicts[check.id], Found)]
    first, found = held[0]
    signals = sorted({signal for check, _ in held for signal in check.reads})
    sightings = [device.sighting_of(s) for s in signals if not isinstance(getattr(device, s), Gap)]
    return Problem(
        problem=name,
        check=first.id,
        held=tuple(check.id for check, _ in held),
        basis=first.basis,
        severity=max((verdict.severity for _, verdict in held), key=lambda severity: severity.rank),
        summary=found.summary,
        evidence=_evidence(held) | _outlook(name, case),
        fixes=tuple(dict.fromkeys(fix for check, _ in held for fix in check.fixes)),
        sources=tuple(dict.fromkeys(s.source for s in sightings)) or (device.sightings[0].source,),
        observed_at=min((s.observed_at for s in sightings), default=device.observed_at),
    )


def _outlook(problem: str, case: Case) -> dict[str, int]:
    """How long a device without new backups still has its last one, whichever check found that it makes none."""
    last = case.device.last_cloud_backup_at
    if problem != BACKUP or not isinstance(last, datetime):
        return {}
    return {"days_until_deletion": days_until_deletion(last, case.now)}


def _evidence(
    held: Sequence[tuple[Check, Found]],
) -> dict[str, str | int | float | bool | list[str] | None]:
    """The first check's evidence, and what the others add to it; a key that is taken gets a prefix."""
    (_, first), *others = held
    evidence = dict(first.evidence)
    for check, found in others:
        for key, value in found.evidence.items():
            free = evidence.get(key, value) == value
            evidence[key if free else f"{check.id}.{key}"] = value
    if others:
        evidence["also"] = [check.id for check, _ in others]
    return evidence


_OWN = _grouped(CHECKS)  # once, not once per device
