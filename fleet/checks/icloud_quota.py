"""More is stored on the device than the assumed iCloud plan can hold."""

from __future__ import annotations

from fleet.checks import storage_full
from fleet.checks._check import Case, Check
from fleet.model.fact import need
from fleet.model.finding import CLEAR, Basis, Found, Severity, Verdict


def judge(case: Case) -> Verdict:
    """Found where more is used than the plan holds: a proxy, for no protocol reports the iCloud quota."""
    capacity, free = need(case.device.capacity_bytes), need(case.device.available_bytes)
    if storage_full.contradictory(free, capacity):
        return storage_full.CONTRADICTION
    used, plan = (capacity - free) / storage_full.GB, case.policy.icloud_plan_gb
    if used <= plan:
        return CLEAR
    plan_is = (
        f"the iCloud plan of {plan:g} GB" if case.plan_known else f"an assumed iCloud plan of {plan:g} GB"
    )
    return Found(
        Severity.LOW,
        f"{used:.1f} GB are in use on the device, more than {plan_is} may hold.",
        {"used_gb": round(used, 3), "icloud_plan_gb": plan, "icloud_plan_known": case.plan_known},
    )


CHECK = Check(
    id="icloud-quota",
    title="The iCloud plan may be too small",
    rule=(
        "Found (low) on a device with a backup problem when more than {icloud_plan_gb} GB of its storage are"
        " in use: the iCloud storage itself is visible to no management system. Where the source names no plan"
        " of its own, the plan is assumed and the finding a mere hint."
    ),
    clears="It ends with the backup problem, or when at most {icloud_plan_gb} GB of the storage are in use.",
    basis=Basis.INFERRED,
    reads=frozenset({"capacity_bytes", "available_bytes"}),
    fixes=("free-icloud-storage",),
    judge=judge,
    source="Apple Business User Guide, iCloud storage for Managed Apple Accounts, read 2026-11-22",
    beside_backup=True,
)
