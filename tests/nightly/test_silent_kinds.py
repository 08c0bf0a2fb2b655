"""Kinds that cannot report backups: the source says so, and its devices are unknown, never protected."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from connectors import registry
from fleet.cli.compose import source_over
from fleet.model.finding import Status
from tests.contracts.test_connectors import sample_of
from tests.nightly.a_night import Office

if TYPE_CHECKING:
    from pathlib import Path

    from fleet.store.database import Database

TONIGHT = 60


@pytest.mark.parametrize(
    ("kind", "keys", "judged"),
    [
        ("intune", {}, "the system, storage, silence, restrictions"),
        ("iru", {}, "the system, storage, silence, restrictions"),
        ("meraki", {"profiles": False}, "the system, storage, silence"),
        ("hexnode", {}, "the system, storage, silence"),
        ("hexnode", {"detail": False}, "the system, silence"),
        ("apple_business", {}, "the system, storage, silence"),
        ("fleet", {"detail": False}, "the system, storage, silence"),
        ("manageengine", {"detail": False}, "the system"),
    ],
)
def test_no_device_of_a_silent_kind_is_protected(
    kind: str, keys: dict[str, bool], judged: str, usual_database: Database, tmp_path: Path
) -> None:
    """The report says at the source what it cannot know and what is judged all the same; nobody is protected."""
    sample = sample_of(kind, tmp_path)
    connector = registry.connector(kind)
    values = connector.settings.model_validate({"name": "hq", "kind": kind, **sample.values, **keys})
    office = Office(usual_database)
    heard = office.night(TONIGHT, source_over(values, sample.transport))
    [told] = [one for one in office.ledger(TONIGHT).problems if one.code == "backups_not_reported"]
    assert told.message == (
        f"{kind}, as it is set up, cannot report iCloud backups: devices that no other source reports count as "
        f"unknown; what is judged is {judged}"
    )
    assert told.count == len(heard.devices) >= 25
    statuses = {device.status for device in heard.devices.values()}
    assert statuses & {Status.UNKNOWN, Status.AT_RISK}
    assert Status.PROTECTED not in statuses
