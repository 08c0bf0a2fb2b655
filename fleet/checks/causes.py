"""Why a device makes no backups: the probable causes with what speaks for and against each, and what is ruled out.

What was found weighs as `weights` says. What no management system can see follows in the guide's order; of that
nothing is ever ruled out. A clear verdict excludes a cause only where it is the cause itself that was looked at: a
store account that is active says nothing of iCloud, and a nearly empty device nothing of its iCloud storage.
"""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

from fleet import guide
from fleet.checks.storage_full import GB
from fleet.checks.weights import weight_of
from fleet.model.device_report import Cause, RuledOut, Strength
from fleet.model.fact import Gap
from fleet.model.finding import CLEAR, Found, Severity, Undetermined

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from fleet.checks._check import Case
    from fleet.model.finding import Verdict

    Verdicts = Mapping[str, Verdict]

Clauses: TypeAlias = tuple[str, ...]
Evidence: TypeAlias = "tuple[Clauses, Clauses] | None"

UNEXPLAINED = "unexplained"
QUOTA = "icloud-quota"
_LOW_PERCENT = 20
_NONE: Evidence = ((), ())


def causes_of(case: Case, verdicts: Verdicts) -> tuple[Cause, ...]:
    """The probable causes of a backup problem, the heaviest first, then what nobody can see.

    Where a cause explains the problem there is no need to guess, and the unseen ones are left out.
    """
    seen = _seen(case, verdicts)
    if seen and seen[0].strength is Strength.EXPLAINS:
        return seen
    return (*seen, *_unseen(case, verdicts))


def named(causes: tuple[Cause, ...]) -> str:
    """The one that is told as *the* cause: the first, where it is likely at least."""
    if causes and causes[0].strength in (Strength.EXPLAINS, Strength.LIKELY):
        return causes[0].cause
    return UNEXPLAINED


def ruled_out(case: Case, verdicts: Verdicts) -> tuple[RuledOut, ...]:
    """What this device's fresh facts exclude, with the value that does so."""
    return tuple([excluded for rule in _RULES if (excluded := rule(case, verdicts))])


def clause(sentences: str) -> str:
    """The first of some sentences as a clause: no capital at its beginning, no full stop at its end."""
    first = sentences.partition(". ")[0]
    return first[:1].lower() + first[1:].removesuffix(".")


def _seen(case: Case, verdicts: Verdicts) -> tuple[Cause, ...]:
    found = [
        (weight, verdict)
        for check, verdict in verdicts.items()
        if type(verdict) is Found and (weight := weight_of(check, verdict, case))
    ]
    found.sort(key=lambda pair: -pair[0].weight)
    return tuple(
        Cause(
            cause=weight.check,
            strength=weight.strength,
            evidence_for=(clause(verdict.summary),),
            evidence_against=(*_against(weight.check, case), *weight.against, *_old(weight.check, verdicts)),
        )
        for weight, verdict in found
    )


def _against(check: str, case: Case) -> Iterator[str]:
    """What this device's own facts hold against a found cause."""
    enabled = case.device.backup_enabled is True
    if check == "account-inactive" and enabled:
        yield "iCloud Backup is switched on, which takes a sign-in to iCloud"
    if check == "backup-restricted" and enabled:
        yield "the device reports iCloud Backup as switched on"
    if check in ("backup-restricted", "backup-disabled"):
        last = case.device.last_cloud_backup_at
        if isinstance(last, datetime) and not case.overdue(last):
            yield f"a backup was still made on {last:%Y-%m-%d}"


def _old(check: str, verdicts: Verdicts) -> Clauses:
    """What was found on a device that fell silent may be otherwise by now."""
    silent = verdicts.get("silent-device")
    if check == "silent-device" or type(silent) is not Found:
        return ()
    return (f"that was reported {silent.evidence['silent_days']} days ago",)


def _unseen(case: Case, verdicts: Verdicts) -> Iterator[Cause]:
    for fix in _unseen_fixes():
        evidence = _EVIDENCE[fix](case, verdicts) if fix in _EVIDENCE else _NONE
        if evidence is not None:
            yield _unseen_cause(fix, *evidence)


@lru_cache(maxsize=1)
def _unseen_fixes() -> Clauses:
    return tuple(fix.id for fix in guide.load().values() if fix.unseen or fix.id in _EVIDENCE)


@lru_cache(maxsize=8192)
def _unseen_cause(fix: str, evidence_for: Clauses, evidence_against: Clauses) -> Cause:
    """The same words make the same object, which many devices share."""
    return Cause(
        cause=fix, strength=Strength.UNSEEN, evidence_for=evidence_for, evidence_against=evidence_against
    )


def _switch(case: Case, _verdicts: Verdicts) -> Evidence:
    known = not isinstance(case.device.backup_enabled, Gap)
    return None if known else (("no source says whether iCloud Backup is switched on",), ())


def _profile(case: Case, _verdicts: Verdicts) -> Evidence:
    """Where the device says that backup is on, no profile can forbid it."""
    known = not isinstance(case.device.backup_restricted, Gap) or case.device.backup_enabled is True
    return None if known else (("no source says whether a profile forbids iCloud Backup",), ())


def _wifi_and_power(case: Case, _verdicts: Verdicts) -> Evidence:
    roaming = ("it was roaming when it last reported",) if case.device.roaming is True else ()
    return (*roaming, *_battery_low(case)), ()


def _battery_low(case: Case) -> Clauses:
    percent = case.device.battery_percent
    if isinstance(percent, Gap) or percent >= _LOW_PERCENT:
        return ()
    return (f"its battery was at {percent} % when it last reported",)


def _modes(case: Case, _verdicts: Verdicts) -> Evidence:
    return _battery_low(case), ()


def _status(_case: Case, verdicts: Verdicts) -> Evidence:
    days = _days_without_backup(verdicts)
    return (
        ((), ())
        if days is None
        else ((), (f"there had been no backup for {days} days when it reported; outages end sooner",))
    )


def _days_without_backup(verdicts: Verdicts) -> object:
    for check, name in _DAYS.items():
        verdict = verdicts.get(check)
        if type(verdict) is Found:
            return verdict.evidence[name]
    return None


_DAYS = {
    "backup-stale": "days_without_backup",
    "backup-expiring": "backup_age_days",
    "backup-never": "enrolled_days",
}


def _icloud_storage(case: Case, verdicts: Verdicts) -> Evidence:
    """Told as what it is: with a plan that is only assumed, what is in use on the device is a faint hint."""
    quota = verdicts.get(QUOTA)
    if type(quota) is not Found:
        return (), (_SMALL,) if quota is CLEAR else ()
    if case.plan_known:
        return None  # it stands among the causes that were found
    return (clause(quota.summary),), (
        "the plan is assumed, not known",
        "a backup holds only a part of what is in use",
    )


_SMALL = "no more is in use on the device than the plan holds, though other devices and services share it"


def _own_vpn(_case: Case, verdicts: Verdicts) -> Evidence:
    return None if type(verdicts.get("vpn-configured")) is Found else _NONE


def _sign_in(case: Case, verdicts: Verdicts) -> Evidence:
    if type(verdicts.get("account-inactive")) is Found:
        return None
    enabled = ("iCloud Backup is switched on",) if case.device.backup_enabled is True else ()
    store = ("a store account is signed in",) if case.device.account_active is True else ()
    return (), (*enabled, *store)


_EVIDENCE: Mapping[str, Callable[[Case, Verdicts], Evidence]] = {
    "wifi-and-power": _wifi_and_power,
    "system-status": _status,
    "enable-backup": _switch,
    "lift-restriction": _profile,
    "free-icloud-storage": _icloud_storage,
    "power-and-data-modes": _modes,
    "vpn-off": _own_vpn,
    "sign-out-and-in": _sign_in,
}


def _not_restricted(_case: Case, verdicts: Verdicts) -> RuledOut | None:
    return _NOT_RESTRICTED if verdicts.get("backup-restricted") is CLEAR else None


def _not_disabled(_case: Case, verdicts: Verdicts) -> RuledOut | None:
    return _NOT_DISABLED if verdicts.get("backup-disabled") is CLEAR else None


def _not_too_old(case: Case, verdicts: Verdicts) -> RuledOut | None:
    """Hardware at its end, found or not, is no hindrance: only a system below the minimum is."""
    verdict = verdicts.get("os-unsupported")
    if verdict is None or type(verdict) is Undetermined:
        return None
    if type(verdict) is Found and verdict.severity is Severity.CRITICAL:
        return None
    return _works_with(str(case.device.os_version))


def _not_full(case: Case, verdicts: Verdicts) -> RuledOut | None:
    free = case.device.available_bytes
    if isinstance(free, Gap) or verdicts.get("storage-full") is not CLEAR:
        return None
    return _free(free // GB)


def _not_outdated(case: Case, verdicts: Verdicts) -> RuledOut | None:
    return _current(str(case.device.os_version)) if verdicts.get("os-outdated") is CLEAR else None


def _not_flat(case: Case, verdicts: Verdicts) -> RuledOut | None:
    percent = case.device.battery_percent
    if isinstance(percent, Gap) or verdicts.get("power-low") is not CLEAR:
        return None
    return _charged(percent)


def _no_vpn(_case: Case, verdicts: Verdicts) -> RuledOut | None:
    return _NO_VPN if verdicts.get("vpn-configured") is CLEAR else None


_RULES = (_not_restricted, _not_disabled, _not_too_old, _not_full, _not_outdated, _not_flat, _no_vpn)
_NOT_RESTRICTED = RuledOut(cause="backup-restricted", because="no profile forbids iCloud Backup")
_NOT_DISABLED = RuledOut(cause="backup-disabled", because="iCloud Backup is switched on")
_NO_VPN = RuledOut(cause="vpn-configured", because="no always-on or on-demand VPN is configured")


@lru_cache(maxsize=1024)
def _works_with(version: str) -> RuledOut:
    return RuledOut(cause="os-unsupported", because=f"iCloud Backup works with its system, {version}")


@lru_cache(maxsize=1024)
def _current(version: str) -> RuledOut:
    return RuledOut(cause="os-outdated", because=f"its system, {version}, is not outdated")


@lru_cache(maxsize=1024)
def _free(gigabytes: int) -> RuledOut:
    return RuledOut(cause="storage-full", because=f"{gigabytes} GB of storage are free")


@lru_cache(maxsize=128)
def _charged(percent: int) -> RuledOut:
    return RuledOut(cause="power-low", because=f"its battery was at {percent} % when it last reported")
