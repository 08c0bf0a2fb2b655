"""A system too old for iCloud Backup, or hardware that gets no further systems."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fleet.apple.release import BACKUP_NEEDS
from fleet.checks._check import Case, Check
from fleet.checks._system import UNKNOWN_MODEL, UNREADABLE_VERSION, model_of, version_of
from fleet.model.device import Platform
from fleet.model.fact import MissingFact
from fleet.model.finding import CLEAR, Basis, Found, Severity, Verdict

if TYPE_CHECKING:
    from fleet.apple.catalog import Model

_COUNTED_LIKE_IOS = (Platform.IOS, Platform.IPADOS)  # visionOS counts its own majors, from 1


def judge(case: Case) -> Verdict:
    """Found below iCloud Backup's minimum (critical) and where the hardware's last system is behind (low)."""
    model = _model(case)
    if model is not None and not model.icloud_backup_capable:
        return _below_minimum(model.max_version)
    version = version_of(case)
    if version is None:
        return UNREADABLE_VERSION
    if version[0] < BACKUP_NEEDS and (model is not None or case.device.platform in _COUNTED_LIKE_IOS):
        return _below_minimum(".".join(map(str, version[:2])))
    if model is None:
        model_of(case)  # where neither identifier nor name is known, that is what is missing
        return UNKNOWN_MODEL
    return _hardware(case, model, version[0])


def _model(case: Case) -> Model | None:
    try:
        return model_of(case)
    except MissingFact:
        return None


def _hardware(case: Case, model: Model, installed: int) -> Verdict:
    newest, before = case.catalog.newest_majors(case.now.date())
    last = max(model.max_major, installed)
    if last >= before:
        return CLEAR
    return Found(
        Severity.LOW,
        f"This model ends at version {last}, and the current ones are {newest} and {before}: no update helps, it wants "
        "replacing.",
        {"last_major": last, "current_majors": [str(newest), str(before)], "catalog_date": case.catalog.date},
    )


def _below_minimum(version: str) -> Found:
    return Found(
        Severity.CRITICAL,
        f"Version {version} is below {BACKUP_NEEDS}, the oldest that iCloud Backup works with.",
        {"installed": version, "minimum": str(BACKUP_NEEDS)},
    )


CHECK = Check(
    id="os-unsupported",
    title="Apple no longer supports this system or hardware",
    rule=(
        "Found (critical) when the system is older than iOS 9, the minimum of iCloud Backup; found (low) "
        "when the model's last major is no longer one of the two newest."
    ),
    clears=(
        "It ends when the device reports a system of iOS 9 or later; hardware that Apple has left"
        " behind keeps it."
    ),
    basis=Basis.OBSERVED,
    reads=frozenset({"model_identifier", "model_name", "os_version", "platform"}),
    fixes=("replace-hardware",),
    judge=judge,
    source="MacRumors, iCloud Backup needs iOS 9 from 2024-12-18, third-party report, read 2026-11-22",
    assumes={"model_identifier": "that the model is the one its name says"},
)
