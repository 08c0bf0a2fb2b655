"""What the story of a device says in words, told from made-up nights."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fleet.cli import nights, story
from fleet.cli.spoken import ago, plain
from fleet.model.device import Enrollment
from fleet.model.fact import ABSENT, NOT_PERMITTED
from fleet.nightly.past import devices_by
from tests.fleet_of import NOW, days
from tests.nightly.a_night import Office, a_phone, a_source, ill, night, serial

if TYPE_CHECKING:
    from fleet.store.database import Database


@pytest.fixture
def office(sqlite_database: Database) -> Office:
    """An office without a past."""
    return Office(sqlite_database)


def story_of(office: Office, name: str) -> str:
    judgement, (seen,) = devices_by(office.database, name)
    return story.told(seen, judgement.as_of)


@pytest.mark.parametrize(
    ("gap", "why"),
    [
        (NOT_PERMITTED, "Its enrolment hides serial number and UDID"),
        (ABSENT, "names neither a serial number nor"),
    ],
)
def test_a_record_that_stands_alone_says_why(office: Office, gap: object, why: str) -> None:
    """A record that cannot be joined with other sources is told by its key, and says why it stands alone."""
    alone = a_phone(1, 1, serial=gap, udid=gap, enrollment=Enrollment.USER)
    heard = office.night(1, a_source([alone]), a_source([a_phone(1, 1)], name="lab"))
    assert len(heard.devices) == 2
    (key,) = (report.device.key for name, report in heard.devices.items() if name != serial(1))
    told = story_of(office, key)
    assert why in told
    assert "not applicable (user_enrollment)" in told
    assert why not in story_of(office, serial(1))


def test_superseded_twin(office: Office) -> None:
    """Of a device that was wiped and enrolled again the older record is named, and that it does not count."""
    old = ill(1, 1, native_id="old", enrolled_at=night(-99))
    office.night(1, a_source([old, a_phone(1, 1, native_id="new", enrolled_at=night(0))]))
    told = story_of(office, serial(1))
    assert (
        f"hq, observed 6 hours ago: superseded by a newer enrolment (that of {night(-99):%Y-%m-%d})" in told
    )
    assert "backup-disabled" not in told.partition("Ruled out")[0]


def test_ticket_of_a_device_that_turned_out_to_be_this_one(office: Office) -> None:
    """A ticket that ended because two devices are one is shown once, with the reason."""
    office.names = ["hq", "lab"]
    office.collect(1, a_source([ill(1, 1, udid=ABSENT)]))
    office.night(1, a_source([ill(1, 1, serial=ABSENT)], name="lab"))
    office.night(2, a_source([ill(1, 2)]))
    assert "backup-disabled · resolved (superseded)" in story_of(office, serial(1))


def test_history_in_words(office: Office) -> None:
    """The history tells what became of a finding: found, worse, waited, back, resolved."""
    old = night(1) - days(8)
    office.night(1, a_source([a_phone(1, 1, last_cloud_backup_at=old), a_phone(2, 1)]))
    office.night(9, a_source([a_phone(1, 9, last_cloud_backup_at=old), a_phone(2, 9)]))
    office.night(10, a_source([a_phone(2, 10)]))
    office.night(11, a_source([a_phone(1, 11, last_cloud_backup_at=old), a_phone(2, 11)]))
    office.night(12, a_source([a_phone(1, 12), a_phone(2, 12)]))
    office.night(13, a_source([ill(1, 13), a_phone(2, 13)]))
    _, (seen,) = devices_by(office.database, serial(1))
    told = [
        line.split("finding  ")[1] for line in nights.told(seen, None).splitlines() if "  finding  " in line
    ]
    assert told == [
        (
            "medium · backup-stale: The last iCloud backup was more than 7 days old when the device reported "
            "[ticket opened]"
        ),
        "backup is now high · backup-stale: The last iCloud backup was more than 15 days old when the device reported",
        "backup waits: no source lists the device",
        "stands: high · backup-stale: The last iCloud backup was more than 17 days old when the device reported",
        "backup is resolved [ticket closed]",
        "again, high · backup-disabled: iCloud Backup is switched off [ticket opened again]",
    ]


@pytest.mark.parametrize(
    ("age", "words"),
    [
        (0.01, "less than an hour ago"),
        (0.05, "1 hour ago"),
        (1.9, "45 hours ago"),
        (2, "2 days ago"),
        (400, "400 days ago"),
    ],
)
def test_ages(age: float, words: str) -> None:
    """Ages read as people say them."""
    assert ago(NOW - days(age), NOW) == words


@pytest.mark.parametrize(
    ("typed", "shown"),
    [("Ana's iPad", "Ana's iPad"), ("a\x1b[2Jb\u202ec\u2028d", "a [2Jb c d"), ("👩\u200d🔧", "👩\u200d🔧")],
)
def test_names_do_not_play_with_the_terminal(typed: str, shown: str) -> None:
    """Control characters and marks that turn the line are blanks; letters and emoji stay."""
    assert plain(typed) == shown
