"""Some two hundred devices as an admin would meet them, each judged by hand: `hand_judged.txt` beside this file."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from fleet.checks.assess import assess
from fleet.checks.plan import plan_for
from fleet.model.device import Enrollment, Platform
from fleet.model.fact import ABSENT, GAPS, NEVER
from fleet.model.finding import Undetermined
from fleet.model.policy import Policy
from tests.checks.standing import status
from tests.fleet_of import GB, NOW, Value, a_case, a_history

if TYPE_CHECKING:
    from fleet.checks._check import Case

REPORTED = timedelta(hours=6)
WORDS: dict[str, Value] = {
    "?": ABSENT,
    "never": NEVER,
    "yes": True,
    "no": False,
    "off": False,
    **{str(reason): gap for reason, gap in GAPS.items()},
}
SIGNALS = {
    "os": "os_version",
    "build": "os_build",
    "model": "model_identifier",
    "name": "model_name",
    "backup": "last_cloud_backup_at",
    "on": "backup_enabled",
    "restricted": "backup_restricted",
    "enrolled": "enrolled_at",
    "of": "capacity_bytes",
    "free": "available_bytes",
    "account": "account_active",
    "battery": "battery_percent",
    "shared": "shared_ipad",
    "vpn": "vpn_configured",
}
FLAGS: dict[str, dict[str, Value]] = {
    "off": {"backup_enabled": False},
    "restricted": {"backup_restricted": True},
    "vpn": {"vpn_configured": True},
    "shared": {"shared_ipad": True},
    "lost": {"lost_mode": True},
    "roaming": {"roaming": True},
}


class Judged(NamedTuple):
    """One line of the table."""

    signals: str
    status: str
    checks: str
    cause: str
    fix: str


def table() -> list[Judged]:
    lines = Path(__file__).with_name("hand_judged.txt").read_text("utf-8").splitlines()
    rows = [line for line in lines if line and not line.startswith("#")]
    return [Judged(*(cell.strip() for cell in row.split("|"))) for row in rows]


def age(text: str) -> timedelta:
    """`7d+1s`, `-1h`."""
    units = {"d": "days", "h": "hours", "s": "seconds"}
    return sum((timedelta(**{units[part[-1]]: int(part[:-1])}) for part in text.split("+")), timedelta())


def case_of(text: str) -> Case:
    """The device that a line of the table describes."""
    parts = (word.partition("=") for word in text.split() if word != "-")
    words = {name: value for name, _, value in parts}
    seen = words.pop("seen", "6h")
    observed = NOW if seen == "?" else NOW - age(seen)
    nights, pace = words.pop("nights", "90"), float(words.pop("pace", "0"))
    plan, seen_tonight = words.pop("plan", None), words.pop("uncollected", None) is None
    signals: dict[str, Value] = {
        "inventory_at": ABSENT if seen == "?" else observed,
        "checkin_at": ABSENT if seen == "?" else observed,
        "last_cloud_backup_at": observed - timedelta(days=1),
        "enrolled_at": observed - timedelta(days=400),
        "available_bytes": 124 * GB,
    }
    for name, value in words.items():
        signals |= signal(name, value, observed)
    free = signals["available_bytes"]
    start = free / GB if isinstance(free, int) else 0.0
    history = [start + pace * day for day in reversed(range(30))]
    case = a_case(
        readings=a_history(history, battery=None if nights == "?" else int(nights)),
        policy=replace(Policy(), icloud_plan_gb=float(plan)) if plan else None,
        seen=seen_tonight,
        **signals,
    )
    return replace(case, plan_known=plan is not None)


def signal(name: str, value: str, observed: Value) -> dict[str, Value]:
    """One word of a line as the signals that it stands for."""
    if not value:
        return FLAGS[name]
    key = SIGNALS.get(name, name)
    if value in WORDS:
        return {key: WORDS[value]}
    if key in ("last_cloud_backup_at", "enrolled_at"):
        return {key: observed - age(value)}
    if key in ("capacity_bytes", "available_bytes"):
        return {key: round(float(value) * GB)}
    kinds: dict[str, Value] = {"platform": Platform, "enrollment": Enrollment, "battery_percent": int}
    return {key: kinds.get(key, str)(value)}


@pytest.mark.parametrize("judged", table(), ids=lambda judged: judged.signals)
def test_hand_judged(judged: Judged) -> None:
    """Each device is what an admin would say it is, for the reasons that he would name, with his first step."""
    case = case_of(judged.signals)
    assessment = assess(case)
    plan = plan_for(case, assessment)
    said, reason = status(case)
    checks = " ".join(f"{problem.check}:{problem.severity}" for problem in assessment.problems)
    fix = plan.steps[0].fix if plan.steps else "-"
    found = Judged(
        signals=judged.signals,
        status=f"{said} ({reason})" if reason else str(said),
        checks=checks or "-",
        cause=plan.cause or "-",
        fix=fix,
    )
    assert found == judged


def test_the_table_is_as_long_as_it_claims() -> None:
    """At least 150 devices, none of them twice."""
    signals = [frozenset(judged.signals.split()) for judged in table()]
    assert len(signals) >= 150
    assert len(set(signals)) == len(signals)


@pytest.mark.parametrize(
    ("signals", "check", "missing"),
    [
        ("model=iPhone33,1", "os-outdated", ("model_identifier", "unknown_model")),
        ("model=RealityDevice14,1", "os-outdated", ("model_identifier", "unknown_model")),
        ("os=latest", "os-outdated", ("os_version", "unreadable")),
        ("os=?", "os-unsupported", ("os_version", "absent")),
        ("backup=not_permitted", "backup-stale", ("last_cloud_backup_at", "not_permitted")),
        ("off vpn_configured=not_reported", "vpn-configured", ("vpn_configured", "not_reported")),
        ("free=129", "storage-full", ("available_bytes", "unreadable")),
        ("free=0 of=0", "storage-full", ("capacity_bytes", "unreadable")),
        ("free=129 off", "icloud-quota", ("available_bytes", "unreadable")),
        ("free=0 of=0 off", "icloud-quota", ("capacity_bytes", "unreadable")),
    ],
)
def test_what_cannot_be_said_is_named(signals: str, check: str, missing: tuple[str, str]) -> None:
    """A check that cannot judge says which fact it lacks and why."""
    verdict = assess(case_of(signals)).verdicts[check]
    assert isinstance(verdict, Undetermined)
    assert missing in verdict.missing
