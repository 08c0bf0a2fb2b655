"""What another source may change of what is known to be wrong with a device: nothing without a fact of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from fleet.checks import BY_ID, CHECKS
from fleet.checks.assess import assess
from fleet.merge import merge
from fleet.model.device import Device, Enrollment, Platform, Sighting, Standing
from fleet.model.fact import GAPS, NEVER, Gap
from tests.fleet_of import GB, NOW, Value, a_case, a_record, ago

if TYPE_CHECKING:
    from fleet.model.finding import Problem

APPLIES = frozenset({"platform", "enrollment", "shared_ipad", "managed"})
"""The signals that say whether a device is ours to judge at all."""
OF_BACKUPS = frozenset[str]().union(*(check.reads for check in CHECKS if check.problem == "backup"))
"""What the checks read that matter only beside a backup problem."""
ANY_GAP = st.sampled_from(list(GAPS.values()))
VALUES: dict[str, list[Value]] = {
    "backup_enabled": [True, False],
    "backup_restricted": [True, False],
    "last_cloud_backup_at": [NEVER, ago(1), ago(10), ago(40), ago(170), ago(200)],
    "enrolled_at": [ago(3), ago(400)],
    "available_bytes": [GB // 4, GB, 5 * GB, 80 * GB],
    "capacity_bytes": [32 * GB, 128 * GB],
    "os_version": ["8.4", "17.6", "26.4", "27.0.1"],
    "model_identifier": ["iPhone14,5", "iPhone11,8", "iPad7,5"],
    "account_active": [True, False],
    "vpn_configured": [True, False],
    "battery_percent": [5, 90],
    "platform": [Platform.IOS, Platform.IPADOS, Platform.TVOS],
    "enrollment": [Enrollment.AUTOMATED, Enrollment.USER],
    "shared_ipad": [True, False],
    "managed": [True, False],
}


@st.composite
def a_sighting(draw: st.DrawFn, source: str) -> Sighting:
    """What a source says of the device, of what it was told up to twelve days ago."""
    said: dict[str, Value] = {
        name: draw(st.sampled_from(values) | ANY_GAP) for name, values in VALUES.items()
    }
    heard = ago(draw(st.integers(0, 12)))
    record = a_record(native_id=source, inventory_at=heard, checkin_at=heard, **said)
    return Sighting(source=source, record=record, observed_at=heard, last_seen_at=NOW, standing=Standing.READ)


@given(a_sighting("hq"), a_sighting("lab"))
def test_another_source_proves_nothing_by_being_there(ours: Sighting, theirs: Sighting) -> None:
    """A problem that one source shows goes away beside another only by a fact that is fresher, or was not known."""
    alone, together = merge("0" * 32, [ours]), merge("0" * 32, [ours, theirs])
    before, after = assess(a_case(alone)), assess(a_case(together))
    standing = {problem.problem for problem in after.problems}
    for problem in before.problems:
        if problem.problem not in standing:
            signals = APPLIES if after.not_applicable else behind(problem)
            assert changed(alone, together, signals), problem


def behind(problem: Problem) -> frozenset[str]:
    """The signals that carry a problem."""
    held = [BY_ID[check] for check in problem.held]
    beside = OF_BACKUPS if any(check.beside_backup for check in held) else frozenset[str]()
    return beside.union(*(check.reads for check in held))


def changed(alone: Device, together: Device, signals: frozenset[str]) -> list[str]:
    """The signals whose value is another now, and for which the other source has a fresher fact, or the only one."""
    return [
        signal
        for signal in signals
        if getattr(alone, signal) != getattr(together, signal)
        and (
            isinstance(getattr(alone, signal), Gap)
            or together.sighting_of(signal).observed_at >= alone.sighting_of(signal).observed_at
        )
    ]
