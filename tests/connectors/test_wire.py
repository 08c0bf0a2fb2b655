"""Readers of values whose rule several vendors share; the others are shown at each vendor's fields."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest

from connectors import _wire
from connectors._enrollment import enrolled, personal
from fleet.model.device import DeviceRecord, Enrollment
from fleet.model.fact import ABSENT, NEVER, NOT_PERMITTED, NOT_REPORTED, UNREADABLE, Fact

if TYPE_CHECKING:
    from datetime import tzinfo


@pytest.mark.parametrize(
    ("capacity", "free", "facts"),
    [
        (64, 9.5, (64_000_000_000, 9_500_000_000)),
        (64, 64, (64_000_000_000, 64_000_000_000)),
        (64, 0, (64_000_000_000, 0)),
        (64, None, (64_000_000_000, ABSENT)),
        (64, 65, (64_000_000_000, UNREADABLE)),
        (64, -1, (64_000_000_000, UNREADABLE)),
        (64, False, (64_000_000_000, UNREADABLE)),
        (0, 0, (ABSENT, ABSENT)),
        (0, 5, (ABSENT, ABSENT)),
        (None, 5, (ABSENT, ABSENT)),
        (None, None, (ABSENT, ABSENT)),
        ("64", 5, (UNREADABLE, 5_000_000_000)),
        ("64", 0, (UNREADABLE, ABSENT)),
        (-1, 5, (UNREADABLE, 5_000_000_000)),
        (2**80, "5", (UNREADABLE, UNREADABLE)),
    ],
)
def test_storage(capacity: object, free: object, facts: tuple[object, object]) -> None:
    """Nothing of nothing is not full, a full device has a capacity, and nobody has more free than there is."""
    assert _wire.storage(capacity, free, unit=_wire.GB) == facts


@pytest.mark.parametrize(
    ("facts", "known"),
    [
        (("a", "b"), "a"),
        ((ABSENT, "b"), "b"),
        ((UNREADABLE, "b"), "b"),
        ((ABSENT, UNREADABLE), UNREADABLE),
        ((NOT_PERMITTED, ABSENT), NOT_PERMITTED),
    ],
)
def test_the_first_that_is_known(facts: tuple[Fact[str], ...], known: Fact[str]) -> None:
    """A second place fills in for the first, and what stands there unread is not passed off as missing."""
    assert _wire.first_known(*facts) == known


@pytest.mark.parametrize(
    ("by_user", "automated", "way"),
    [
        (True, False, Enrollment.USER),
        (True, UNREADABLE, Enrollment.USER),
        (False, True, Enrollment.AUTOMATED),
        (ABSENT, True, Enrollment.AUTOMATED),
        (False, False, Enrollment.DEVICE),
        (ABSENT, False, ABSENT),
        (False, ABSENT, ABSENT),
        (ABSENT, UNREADABLE, UNREADABLE),
        (UNREADABLE, False, UNREADABLE),
    ],
)
def test_how_a_device_was_enrolled(by_user: Fact[bool], automated: Fact[bool], way: Fact[Enrollment]) -> None:
    """A yes settles it; a device is plainly enrolled only where both questions were answered with no."""
    assert enrolled(by_user=by_user, automated=automated) == way


USER = {"enrollment": Enrollment.USER}


@pytest.mark.parametrize(
    ("said", "seen"),
    [
        # What came all the same is a fact; what Apple keeps back is not permitted, whatever stands in its place.
        ({"serial": "S1", "udid": ABSENT}, {"serial": "S1", "udid": NOT_PERMITTED}),
        ({"serial": UNREADABLE, "udid": NOT_PERMITTED}, {"serial": UNREADABLE, "udid": NOT_PERMITTED}),
        (
            {"backup_enabled": False, "last_cloud_backup_at": NEVER, "lost_mode": ABSENT},
            dict.fromkeys(("backup_enabled", "last_cloud_backup_at", "lost_mode"), NOT_PERMITTED),
        ),
        ({"account_active": NOT_REPORTED, "capacity_bytes": 5}, {"account_active": NOT_REPORTED, "capacity_bytes": 5}),
    ],
)  # fmt: skip
def test_what_user_enrolment_hides(said: dict[str, Any], seen: dict[str, Any]) -> None:
    """Apple hides a personal device's backup and identifiers; of any other device nothing is changed."""
    assert personal(DeviceRecord(native_id="1", **USER, **said)) == DeviceRecord(
        native_id="1", **USER, **seen
    )
    for enrollment in (Enrollment.DEVICE, Enrollment.AUTOMATED, ABSENT):
        other = DeviceRecord(native_id="1", enrollment=enrollment, **said)
        assert personal(other) is other


AT = datetime(2026, 9, 19, 22, 9, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("said", "zone", "fact"),
    [
        ("2026-09-19T22:09:12Z", None, AT),
        (" 2026-09-19 22:09:12.999999+00:00 ", None, AT),
        ("2026-09-20T00:09:12+0200", UTC, AT),
        ("2026-09-19T22:09:12", UTC, AT),
        ("2026-09-19T22:09:12", timezone(timedelta(hours=-2)), AT + timedelta(hours=2)),
        ("2026-09-19T22:09:12", None, UNREADABLE),
        *((none, UTC, ABSENT) for none in ("", "  ", None, "1970-01-01T00:00:00Z", "1970-01-02 23:59:59")),
        *((none, None, ABSENT) for none in ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00+02:00")),
        ("9999-12-31T23:59:59-02:00", None, UNREADABLE),
        ("0000-00-00 00:00:00", UTC, UNREADABLE),
        ("yesterday", UTC, UNREADABLE),
        (1789855752, UTC, UNREADABLE),
    ],
)
def test_a_moment_in_text(said: object, zone: tzinfo | None, fact: object) -> None:
    """Times are UTC; one without a zone needs to be told which, and what lies before 1970-01-03 is none."""
    assert _wire.instant(said, zone=zone) == fact


@pytest.mark.parametrize(
    ("count", "per_second", "fact"),
    [
        (1789855752, 1, AT),
        (1789855752999, 1000, AT),
        *((none, 1, ABSENT) for none in (0, -1, -1.0, -62135596800, -(10**15), None, 86400)),
        *((odd, 1, UNREADABLE) for odd in (10**15, True, "1789855752", float("nan"), float("inf"), 2**80)),
    ],
)
def test_a_moment_counted_since_1970(count: object, per_second: int, fact: object) -> None:
    """Nothing, and what lies before it, is how systems write no date."""
    assert _wire.epoch(count, per_second=per_second) == fact


@pytest.mark.parametrize(
    ("said", "number"),
    [
        ("82", 82.0), (" -1 ", -1.0), ("26.5", 26.5), ("", None), ("  ", None), (7, 7), (None, None), ([1], [1]),
        ("1_000", "1_000"), ("1e5", "1e5"), ("nan", "nan"), ("5 GB", "5 GB"), ("9" * 21, "9" * 21), ("٣", "٣"),
    ],
)  # fmt: skip
def test_numbers_that_stand_as_text(said: object, number: object) -> None:
    """Plain decimal digits are a number; anything else stays what it is, for its reader to refuse."""
    assert _wire.numeric(said) == number


@pytest.mark.parametrize(
    ("values", "names"),
    [
        (["b", " a ", "b", "", None], ("b", "a")),
        ([], ()),
        (None, ABSENT),
        (["a", 5], UNREADABLE),
        (["a", ["b"]], UNREADABLE),
        ("ab", UNREADABLE),
        ({"a": 1}, UNREADABLE),
        (5, UNREADABLE),
    ],
)
def test_a_list_of_names(values: object, names: object) -> None:
    """A list with something else among its names is not passed off as a shorter one."""
    assert _wire.names(values) == names


@pytest.mark.parametrize(
    ("value", "number", "any_id"),
    [
        (7, "7", "7"),
        ("7", None, "7"),
        (" a-b ", None, "a-b"),
        (2**63 - 1, str(2**63 - 1), str(2**63 - 1)),
        *((odd, None, None) for odd in (0, -1, True, 2.0, 2**63, "", " ", "\x00", None, [7], {"id": 7})),
    ],
)
def test_ids(value: object, number: str | None, any_id: str | None) -> None:
    """What could be anybody's is nobody's id."""
    assert (_wire.number_id(value), _wire.any_id(value)) == (number, any_id)
