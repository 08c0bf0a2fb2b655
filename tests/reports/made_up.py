"""A made-up fleet of finished verdicts: what the report's tests, in and out of a browser, write their pages from."""

from __future__ import annotations

import hashlib
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from fleet import guide
from fleet.apple.catalog import bundled
from fleet.guide.fix import Cost, Fix, Management
from fleet.model.device import Device, DeviceRecord, Platform, Sighting, Standing
from fleet.model.device_report import (
    Cause,
    DeviceReport,
    Handling,
    Observation,
    Past,
    PlanStep,
    RuledOut,
    Strength,
)
from fleet.model.fact import ABSENT, NEVER, NOT_REPORTED, UNREADABLE
from fleet.model.finding import Action, Basis, Finding, Severity, State, Status
from fleet.model.fingerprint import fingerprint as identity_of
from fleet.model.policy import Policy
from fleet.model.run import Outcome, RunReport, SourceReport, Totals, TrendPoint, Trouble
from reports._format import CheckText, ReportContext
from reports._guide import Guide
from reports.html import HtmlReport

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

AS_OF = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
HOSTILE = '</script><img src=x onerror="alert(1)"> \u202egnp.exe {{ 7*7 }}'

CHECKS = {
    "backup-disabled": CheckText(
        id="backup-disabled",
        title="iCloud Backup is switched off",
        rule="Found when it is off.",
        basis=Basis.OBSERVED,
    ),
    "backup-stale": CheckText(
        id="backup-stale",
        title="The last backup is old",
        rule="Found after 7 days.",
        basis=Basis.OBSERVED,
        clears="It ends with a backup.",
    ),
    "storage-full": CheckText(
        id="storage-full", title="Device storage is full", rule="Found under 10 % free.", basis=Basis.INFERRED
    ),
}


def _fix(name: str, title: str, minutes: int) -> Fix:
    return Fix(
        id=name,
        title=title,
        audience="user",
        why="A backup that is off never runs.",
        unseen="",
        verify="The backup screen names today.",
        risk=0,
        cost=Cost(minutes=minutes, data_at_risk="", passwords=()),
        needs=(),
        steps=(),
        mdm=Management(ways=(), note=""),
        sources=(),
    )


def _steps(fix: str, handling: Handling) -> list[str]:
    return [f"Take the {handling.device_class} in hand.", f"Do what {fix} asks for."]


GUIDE = Guide(
    fixes={
        "enable-backup": _fix("enable-backup", "Switch iCloud Backup on", 2),
        "wifi-and-power": _fix("wifi-and-power", "Leave it on Wi-Fi and power overnight", 1),
    },
    steps=_steps,
)


def fingerprint(*parts: object) -> str:
    """32 hex digits that stand for `parts`."""
    return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()[:32]


def key_of(number: int) -> str:
    """The key of `phone(number)`: most follow from the serial number, every fourth was given otherwise."""
    return identity_of("serial", serial_of(number)) if number % 4 else fingerprint("device", number)


def serial_of(number: int) -> str:
    """The serial number of `phone(number)`."""
    return f"FK{number:08d}"


def id_of(key: str, check: str) -> str:
    """The external id of a device's finding."""
    return identity_of("finding", key, _problem(check))


def _problem(check: str) -> str:
    return "backup" if check.startswith("backup") else check


def finding(key: str, check: str, severity: Severity, state: State = State.OPEN, days: int = 12) -> Finding:
    """A finding of the device `key`, first seen `days` ago."""
    began = AS_OF - timedelta(days=days)
    return Finding(
        external_id=id_of(key, check),
        problem=_problem(check),
        check=check,
        basis=Basis.OBSERVED,
        severity=severity,
        state=state,
        action=Action.NONE,
        first_seen=began,
        last_seen=AS_OF,
        opened_at=began,
        summary=f"It has been so for {days} days.",
        evidence={
            "last_cloud_backup_at": f"{began:%Y-%m-%dT%H:%M:%SZ}",
            "days": days,
            "also": ["storage-full"],
        },
        fixes=("wifi-and-power",),
        sources=("hq",),
        observed_at=AS_OF - timedelta(hours=3),
    )


def phone(number: int = 1, **facts: object) -> Device:
    """A healthy phone of the source `hq`, save for `facts`."""
    observed = AS_OF - timedelta(hours=3)
    known: dict[str, object] = {
        "serial": serial_of(number),
        "name": f"Phone {number}",
        "model_name": "iPhone 14",
        "platform": Platform.IOS,
        "os_version": "26.7.1",
        "managed": True,
        "capacity_bytes": 128_000_000_000,
        "available_bytes": 64_340_000_000,
        "backup_enabled": True,
        "last_cloud_backup_at": AS_OF - timedelta(days=1),
        "inventory_at": observed,
        "battery_percent": 80,
        "user_name": f"user{number}",
        "site": ABSENT,
        "asset_tag": UNREADABLE,
        "lost_mode": NOT_REPORTED,
        "groups": ("Field", "Sales"),
        **facts,
    }
    record = DeviceRecord(native_id=str(number), **known)  # type: ignore[arg-type]
    sighting = Sighting(
        source="hq", record=record, observed_at=observed, last_seen_at=AS_OF, standing=Standing.READ
    )
    return Device(key=key_of(number), sightings=(sighting,), **known)  # type: ignore[arg-type]


def protected(number: int = 1, **facts: object) -> DeviceReport:
    """A device with nothing to say about it."""
    device = phone(number, **facts)
    return DeviceReport(
        device=device, status=Status.PROTECTED, reason=None, severity=None, cause=None, findings=(), plan=()
    )


def at_risk(
    number: int = 1, check: str = "backup-stale", severity: Severity = Severity.HIGH, **facts: object
) -> DeviceReport:
    """A device with one standing finding and a plan of two steps."""
    device = phone(number, **facts)
    return DeviceReport(
        device=device,
        status=Status.AT_RISK,
        reason=None,
        severity=severity,
        cause="unexplained" if check == "backup-stale" else check,
        findings=(finding(device.key, check, severity),),
        plan=(
            PlanStep(fix="enable-backup", audience="admin", why="It is off."),
            PlanStep(fix="wifi-and-power", audience="user", why="It was last charged at noon."),
        ),
        handling=guide.handling_of(device, bundled()),
    )


def storied(number: int = 1) -> DeviceReport:
    """A device at risk of which everything is told: causes, what is ruled out, the past, and a second opinion."""
    report = at_risk(number)
    first = report.device.sightings[0]
    earlier = first.observed_at - timedelta(hours=2)
    other = replace(
        first,
        source="schools",
        observed_at=earlier,
        record=replace(first.record, site="Graz", battery_percent=40),
    )
    return replace(
        report,
        device=replace(report.device, sightings=(first, other)),
        cause="storage-full",
        causes=(
            Cause(
                cause="storage-full",
                strength=Strength.LIKELY,
                evidence_for=("only 3 GB of storage are free",),
                evidence_against=("a backup was still made on 2026-11-20",),
            ),
            Cause(cause="wifi-and-power", strength=Strength.UNSEEN),
        ),
        ruled_out=(RuledOut(cause="backup-disabled", because="iCloud Backup is switched on"),),
        past=(
            Past(
                check="backup-disabled",
                severity=Severity.HIGH,
                first_seen=AS_OF - timedelta(days=90),
                last_seen=AS_OF - timedelta(days=60),
                reason=None,
            ),
        ),
        history=tuple(
            Observation(
                AS_OF - timedelta(days=ago), (10 + ago) * 1_000_000_000, AS_OF - timedelta(days=max(ago, 12))
            )
            for ago in (30, 20, 10, 0)
        ),
    )


def unknown(number: int = 1, reason: str = "stale_data", **facts: object) -> DeviceReport:
    """A device that cannot be judged."""
    device = phone(number, **facts)
    return DeviceReport(
        device=device, status=Status.UNKNOWN, reason=reason, severity=None, cause=None, findings=(), plan=()
    )


def source(name: str = "hq", outcome: Outcome = Outcome.COMPLETE, *, devices: int = 105) -> SourceReport:
    """A source's line; one that is not complete has a problem to tell of."""
    troubles = (
        ()
        if outcome is Outcome.COMPLETE
        else (Trouble("server_error", f"{name}: page 3 answered HTTP 503; try again", 4),)
    )
    return SourceReport(
        name=name,
        kind="jamf_pro",
        outcome=outcome,
        devices=devices,
        expected=105,
        unreadable=1,
        collected_at=AS_OF,
        facts_at=AS_OF if outcome is Outcome.COMPLETE else AS_OF - timedelta(days=9),
        reported=("serial",),
        never=("last_local_backup_at", "roaming"),
        problems=troubles,
    )


def run_of(
    reports: Sequence[DeviceReport],
    *,
    title: str = "Contoso backups",
    sources: tuple[SourceReport, ...] = (source(), source("schools", Outcome.FAILED, devices=0)),
    hold: bool = False,
    before: int | None = None,
    notes: tuple[str, ...] = (),
    totals: Totals | None = None,
) -> RunReport:
    """The ledger entry of a night with these devices; `before` is how many were at risk the night before."""
    totals = totals or Totals()
    for report in reports:
        totals.add(report)
    return RunReport(
        id=12,
        as_of=AS_OF,
        generated_at=AS_OF,
        started_at=AS_OF,
        finished_at=AS_OF + timedelta(minutes=4),
        outcome=Outcome.PARTIAL,
        version="0.1.0",
        title=title,
        base_url=None,
        policy=Policy(),
        policy_hash="0f3c",
        catalog_date="2026-10-05",
        hold=hold,
        sources=sources,
        totals=totals,
        trend=() if before is None else (_point(before),),
        previous_at=None if before is None else AS_OF - timedelta(days=1),
        notes=notes,
    )


def _point(at_risk_before: int) -> TrendPoint:
    return TrendPoint(
        run_id=11,
        as_of=AS_OF - timedelta(days=1),
        outcome=Outcome.COMPLETE,
        statuses={Status.AT_RISK: at_risk_before},
        findings={},
    )


def write(directory: Path, reports: Sequence[DeviceReport], run: RunReport | None = None) -> Path:
    """The page of these devices, in the order of their keys, as a run would write it."""
    page = writer(directory)
    for report in sorted(reports, key=lambda each: each.device.key):
        page.device(report)
    [written] = page.finish(run or run_of(reports))
    return directory / written.name


def writer(directory: Path) -> HtmlReport:
    """The writer of the page, with the made-up checks and guide."""
    return HtmlReport(directory, ReportContext(as_of=AS_OF, checks=CHECKS), GUIDE)


def believable(count: int, seed: int = 7) -> Iterator[DeviceReport]:
    """A fleet of all sorts: about a fifth at risk, some unknown, and facts that differ from device to device."""
    dice = random.Random(seed)
    for number in range(count):
        yield _any_device(number, dice)


def _any_device(number: int, dice: random.Random) -> DeviceReport:
    owner = dice.choice(["Ward", "Desk", "Amara", "Jürgen", "محمد"])
    facts: dict[str, object] = {
        "serial": "FK" + "".join(dice.choices("0123456789ABCDEFGHJKLMNPQRSTUVWXYZ", k=8)),
        "udid": f"00008{dice.randrange(300):03d}-{dice.getrandbits(64):016X}",
        "name": f"{owner} {dice.choice(['iPad', 'iPhone'])} {number}",
        "model_name": dice.choice(
            ["iPhone 14", "iPhone 16", "iPad (9th generation)", "iPhone SE (3rd generation)"]
        ),
        "os_version": dice.choice(["26.7.1", "27.0.1", "18.7.10", "26.5"]),
        "available_bytes": dice.randrange(10**9, 120 * 10**9),
        "last_cloud_backup_at": AS_OF - timedelta(minutes=dice.randrange(180, 5000)),
        "enrolled_at": AS_OF - timedelta(minutes=dice.randrange(10**6)),
        "checkin_at": AS_OF - timedelta(minutes=dice.randrange(180)),
        "battery_percent": dice.randrange(5, 101),
        "user_name": f"user{dice.randrange(10**5)}",
        "user_email": f"user{dice.randrange(10**5)}@contoso.example",
        "site": dice.choice(["Berlin", "Leipzig", "Graz"]),
    }
    kind = dice.random()
    if kind < 0.7:
        return protected(number, **facts)
    if kind < 0.78:
        return unknown(number, dice.choice(["stale_data", "not_reported"]), **facts)
    if kind < 0.82:
        facts |= {"last_cloud_backup_at": NEVER, "backup_enabled": False}
    check = dice.choice(list(CHECKS))
    return at_risk(number, check, dice.choice([Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM]), **facts)
