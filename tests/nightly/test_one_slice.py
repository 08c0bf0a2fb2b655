"""The report of one slice alone, and the slices that a whole report writes: the same, for less work."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from fleet.errors import SettingsError
from fleet.model.fact import ABSENT
from fleet.model.waiver import Waiver
from fleet.nightly.judge import judge_again
from fleet.nightly.one_slice import judge_slice
from fleet.nightly.past import run_of
from fleet.nightly.publish import Publication, context_of
from reports.registry import ready
from reports.slices import folder_of
from tests.nightly.a_night import POLICY, Ears, Office, a_phone, a_source, ill, night

if TYPE_CHECKING:
    from pathlib import Path

    from fleet.store.database import Database

FORMATS = ("html", "csv", "json")
FIELD = 'The "field", ünd more'
WAIVER = Waiver(
    checks=("backup-disabled",),
    sites=("Leipzig",),
    reason="Kiosk",
    owner="it@example.org",
    expires=night(60).date(),
)


@pytest.fixture
def office(database: Database) -> Office:
    """Two nights of two sources that do not agree about where a device is."""
    office = Office(database)
    office.with_terms(waivers=(WAIVER,))
    for at in (1, 2):
        hq = [
            ill(1, at, site="Graz", groups=(FIELD, "Sales")),
            a_phone(2, at, site="Graz", groups=("Field",)),
            ill(3, at, site="Leipzig", groups=()),
            a_phone(4, at, site=ABSENT, groups=("Sales",)),
        ]
        later = night(at)
        schools = [
            replace(a_phone(2, at, site="Leipzig"), inventory_at=later, native_id="s2"),
            ill(5, at, site="Graz", native_id="s5"),
        ]
        office.night(at, a_source(hq), a_source(schools, name="schools"))
    return office


def whole(office: Office, folder: Path, split_by: str) -> Path:
    """The folder of a whole report with all slices by that."""
    with Publication(
        folder, night(2), ready(FORMATS, split_by), context_of(POLICY, "", night(2))
    ) as publication:
        return publication.publish(judge_again(office.database, None, publication, history=True))


def alone(office: Office, folder: Path, split_by: str, name: str) -> Path:
    """The folder of the report of that slice alone."""
    with Publication(folder, night(2), ready(FORMATS), context_of(POLICY, "", night(2))) as publication:
        return publication.publish(judge_slice(office.database, None, split_by, name, publication))


@pytest.mark.parametrize(
    ("split_by", "names"),
    [("site", ["Graz", "Leipzig"]), ("group", [FIELD, "Field", "Sales"]), ("source", ["hq", "schools"])],
)
def test_a_slice_alone_is_the_slice_of_the_whole(
    office: Office, tmp_path: Path, split_by: str, names: list[str]
) -> None:
    """Byte for byte, whatever several sources say of a device, and however the slice is called."""
    slices = whole(office, tmp_path / "whole", split_by) / "slices"
    for number, name in enumerate(names):
        made = alone(office, tmp_path / f"alone-{number}", split_by, name)
        for path in (slices / folder_of(split_by, name)).iterdir():
            assert (made / path.name).read_bytes() == path.read_bytes(), path.name


def test_only_devices_of_the_slice_are_read(office: Office) -> None:
    """What no record puts into the slice is not even looked at."""
    with run_of(office.database, None) as (_, run, _):
        assert len(run.members("site", "Graz")) == 3
        assert len(run.members("group", "Field")) == 1
        assert len(run.members("source", "schools")) == 2
        assert run.members("site", "Gra%") == []


def test_a_slice_without_devices(office: Office) -> None:
    """A slip of the pen is said in place of an empty report; so is a run that never was."""
    for run_id, name, said in (
        (None, "Grax", 'no device of site "Grax" in run 2'),
        (9, "Graz", "there is no run 9"),
    ):
        with pytest.raises(SettingsError, match=said):
            judge_slice(office.database, run_id, "site", name, Ears())
