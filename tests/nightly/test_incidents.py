"""Fleet-wide findings over whole nights: Apple's outages, waves, and what devices show meanwhile."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from fleet.model.outage import Outage, SystemStatus
from fleet.store import ledger
from tests.nightly.a_night import Office, a_phone, a_source, night

if TYPE_CHECKING:
    from fleet.store.database import Database


@pytest.fixture
def office(database: Database) -> Office:
    """An office without a past, on each kind of database."""
    return Office(database)


def test_what_apple_said_is_kept_with_the_run(office: Office) -> None:
    """A run remembers Apple's status as it was judged by; one without an answer remembers that there was none."""
    ended = Outage(
        service="iCloud Backup", kind="Outage", began_at=night(1), ended_at=night(1) + timedelta(hours=5)
    )
    status = SystemStatus(
        checked_at=night(2), outages=(ended, Outage(service="iCloud Backup", kind="Issue", began_at=night(2)))
    )
    office.night(1, a_source([a_phone(1, 1)]))
    office.night(2, a_source([a_phone(1, 2)]), status=status)
    kept = [row.status for run in (1, 2) if (row := ledger.load_run(office.database, run))]
    assert kept == [None, status]
