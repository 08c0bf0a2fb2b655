"""What every check promises: honest verdicts, true words about what it reads, a place in the registry."""

from __future__ import annotations

import importlib
import string
from dataclasses import dataclass, fields, replace
from itertools import product
from pathlib import Path

import pytest

import fleet.checks
from fleet import guide
from fleet.checks import CHECKS, FLEET_CHECKS, installed
from fleet.checks._check import Check, run
from fleet.errors import SettingsError
from fleet.model.device import (
    FLAG_SIGNALS,
    LIST_SIGNALS,
    SIGNALS,
    TIME_SIGNALS,
    Enrollment,
    Ownership,
    Platform,
)
from fleet.model.fact import ABSENT, NEVER, NOT_REPORTED
from fleet.model.finding import Clear, Found, Severity, Undetermined, Verdict
from fleet.model.policy import Policy
from tests.fleet_of import GB, Value, a_case, a_device, a_history, ago

PUBLISHED = [
    "backup-restricted",
    "backup-disabled",
    "backup-never",
    "backup-expiring",
    "backup-stale",
    "storage-full",
    "storage-filling",
    "icloud-quota",
    "os-outdated",
    "os-unsupported",
    "account-inactive",
    "vpn-configured",
    "power-low",
    "silent-device",
]
VALUES: dict[str, tuple[Value, ...]] = {
    **dict.fromkeys(SIGNALS, ("X",)),
    **dict.fromkeys(FLAG_SIGNALS, (True, False)),
    **dict.fromkeys(TIME_SIGNALS, (ago(1),)),
    **dict.fromkeys(LIST_SIGNALS, (("X",),)),
    "enrollment": tuple(Enrollment),
    "ownership": tuple(Ownership),
    "last_cloud_backup_at": (NEVER, ago(1), ago(7.25), ago(20), ago(151), ago(181)),
    "enrolled_at": (ago(1), ago(400)),
    "capacity_bytes": (GB, 16 * GB, 128 * GB, 1000 * GB),
    "available_bytes": (0, GB // 2, 2 * GB - 1, 2 * GB, 6 * GB, 12 * GB, 80 * GB),
    "model_identifier": ("iPhone12,1", "iPhone11,2", "iPhone3,1", "RealityDevice14,1"),
    "model_name": ("iPhone 11", "iPhone 4", "iPad", "Apple Vision Pro"),
    "os_version": ("27.0.1", "26.6.1", "18.7.8", "8.4.1", "2.1", "newest", "30.0"),
    "os_build": ("24A446", "24B5054e"),
    "platform": (Platform.IOS, Platform.VISIONOS),
    "battery_percent": (0, 19, 20, 100),
    "inventory_at": (ago(0.25), ago(8), ago(31)),
    "checkin_at": (ago(0.25), ago(8), ago(31)),
}
"""Of each signal what makes a difference, or could."""
BESIDE = Found(Severity.HIGH, "a backup problem, for the checks that only matter beside one")
by_check = pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)


def verdict_on(check: Check, **signals: Value) -> Verdict:
    """The check's verdict on a healthy device with these signals, beside a backup problem."""
    history = a_history([40 - day for day in range(28)], battery=5)
    case = a_case(readings=history, **signals)
    return run(check, case, backup=BESIDE)


def gist(verdict: Verdict) -> object:
    """What a verdict says, without its words."""
    return verdict.severity if isinstance(verdict, Found) else type(verdict)


@by_check
def test_a_verdict_reached_without_a_fact_holds_whatever_the_fact_is(check: Check) -> None:
    """Filling in a missing fact never turns a verdict into another: only what is declared may be assumed."""
    signals = sorted(check.reads)
    verdicts = {
        values: verdict_on(check, **dict(zip(signals, values, strict=True)))
        for values in product(*((*VALUES[signal], ABSENT) for signal in signals))
    }
    for values, verdict in verdicts.items():
        if isinstance(verdict, Undetermined):
            continue
        for other, filled in verdicts.items():
            if not isinstance(filled, Undetermined) and _fills(check, signals, values, other):
                assert gist(filled) == gist(verdict), (values, other)


def _fills(check: Check, signals: list[str], gappy: tuple[object, ...], full: tuple[object, ...]) -> bool:
    return gappy != full and all(
        ours == theirs or (ours is ABSENT and signal not in check.assumes)
        for signal, ours, theirs in zip(signals, gappy, full, strict=True)
    )


@by_check
def test_reads_is_the_whole_truth(check: Check) -> None:
    """No signal that a check does not declare can change its verdict."""
    for chosen in product(*(VALUES[signal][:3] for signal in sorted(check.reads))):
        device = a_device(**dict(zip(sorted(check.reads), chosen, strict=True)))
        history = a_history([40 - day for day in range(28)], battery=5)
        case = a_case(device, readings=history)
        expected = run(check, case, backup=BESIDE)
        for signal in sorted(set(SIGNALS) - check.reads):
            for value in (*VALUES[signal], ABSENT, NOT_REPORTED):
                changed = replace(case, device=replace(device, **{signal: value}))
                assert run(check, changed, backup=BESIDE) == expected, signal


@by_check
def test_a_gap_in_everything_is_named(check: Check) -> None:
    """Where nothing is known nothing is said, and every missing fact is named with its reason."""
    verdict = verdict_on(check, **dict.fromkeys(check.reads, ABSENT))
    assert isinstance(verdict, Undetermined)
    assert set(verdict.missing) == {(signal, "absent") for signal in check.reads}


@by_check
def test_a_check_finds_and_clears(check: Check) -> None:
    """Each check can find its problem and can clear a device of it."""
    verdicts = [
        verdict_on(check, **dict(zip(sorted(check.reads), values, strict=True)))
        for values in product(*(VALUES[signal] for signal in sorted(check.reads)))
    ]
    assert any(isinstance(verdict, Found) for verdict in verdicts)
    assert any(isinstance(verdict, Clear) for verdict in verdicts)


def test_the_catalogue_stands_in_its_published_order() -> None:
    """The ids and their order are what other people's scripts rely on."""
    assert [check.id for check in CHECKS] == PUBLISHED


def test_every_file_is_registered() -> None:
    """A check that was written but not registered fails here, with the line to add."""
    folder = Path(fleet.checks.__file__).parent
    names = {path.stem for path in folder.glob("*.py")} - {"assess", "plan"}
    for name in sorted(name for name in names if not name.startswith("_")):
        module = importlib.import_module(f"fleet.checks.{name}")
        check = getattr(module, "CHECK", None)
        if check is not None:
            assert check in (*CHECKS, *FLEET_CHECKS), f"add it in fleet/checks/__init__.py: {name}.CHECK,"
            assert check.id == name.replace("_", "-")


@by_check
def test_a_check_speaks_of_known_things(check: Check) -> None:
    """Signals, thresholds and fixes that a check names exist, and its rule says where it comes from."""
    assert check.reads <= set(SIGNALS)
    assert set(check.assumes) <= check.reads
    assert set(check.fixes) <= set(guide.load())
    thresholds = {name for _, name, _, _ in string.Formatter().parse(check.rule) if name}
    assert thresholds <= {field.name for field in fields(Policy)}
    assert check.source


def test_health_is_not_believed_on_old_facts() -> None:
    """Stale healthy facts prove nothing: what would be clear is called stale."""
    stale = a_case(inventory_at=ago(8), checkin_at=ago(8), last_cloud_backup_at=ago(9))
    for check in CHECKS:
        verdict = run(check, stale)
        if check.id == "silent-device":
            assert isinstance(verdict, Found)
        elif check.id == "backup-expiring":
            assert isinstance(verdict, Clear)
        elif not check.beside_backup:
            assert isinstance(verdict, Undetermined), check.id
            assert {reason for _, reason in verdict.missing} == {"stale_data"}


def test_checks_of_other_packages_come_after_ours() -> None:
    """Other packages add checks behind ours; what is no check, or takes a taken id, is refused by name."""

    @dataclass
    class Entry:
        name: str
        found: object
        value: str = "acme.checks:CHECK"

        def load(self) -> object:
            return self.found

    acme = replace(CHECKS[0], id="acme")
    assert installed([Entry("acme", acme)]) == (*CHECKS, acme)
    assert installed([]) == CHECKS
    with pytest.raises(
        SettingsError, match=r"entry point bad of fleetkeep\.checks: acme\.checks:CHECK must be"
    ):
        installed([Entry("bad", "a check")])
    with pytest.raises(SettingsError, match=r'fleetkeep\.checks: "backup-restricted" is taken'):
        installed([Entry("bad", CHECKS[0])])
