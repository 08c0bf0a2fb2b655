from __future__ import annotations

import json
import tracemalloc
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from fleet.errors import OutputError
from fleet.model.finding import State
from reports import schemas
from reports._format import Written
from reports.findings_json import FORMAT as WHOLE
from reports.ndjson import FORMAT
from tests.reports.a_run import CONTEXT, a_device, a_finding, a_report, a_sighting, an_incident, push
from tests.reports.json_schema import fits, require
from tests.reports.made_up import believable

if TYPE_CHECKING:
    from pathlib import Path

    from fleet.model.device_report import DeviceReport

Line = dict[str, Any]


def lines(directory: Path, name: str, *reports: DeviceReport, **changes: object) -> list[Line]:
    push(FORMAT.open(directory, CONTEXT), reports, **changes)
    return [json.loads(line) for line in (directory / f"{name}.ndjson").read_bytes().splitlines()]


def test_a_device_line_is_the_device_of_findings_json(tmp_path: Path) -> None:
    """Each line names its schema and the night, and then says what the whole report says of that device."""
    fleet = list(believable(50))
    whole = push(WHOLE.open(tmp_path, CONTEXT), fleet)
    assert whole[0].rows == 50
    devices = json.loads((tmp_path / "findings.json").read_bytes())["devices"]
    head = {"schema": "fleetkeep.device/1", "as_of": "2026-11-22T02:00:00Z"}
    assert lines(tmp_path, "devices", *fleet) == [head | device for device in devices]


def test_a_finding_line_says_whose_it_is(tmp_path: Path) -> None:
    """A finding stands for itself: device, serial, name, sources and times; an incident has no device."""
    device = a_device(a_sighting(serial="FK0001", name="Ward 3 iPad", site="Clinic"))
    until = datetime(2027, 1, 31, 23, 59, 59, tzinfo=UTC)
    finding = a_finding(state=State.WAIVED, waiver_until=until, reason="waived")
    first, second = lines(tmp_path, "findings", a_report(finding, device=device), incidents=(an_incident(),))
    whose = {
        key: first[key] for key in ("device", "serial", "name", "site", "sources", "waiver_until", "reason")
    }
    assert whose == {
        "device": "d" * 32,
        "serial": "FK0001",
        "name": "Ward 3 iPad",
        "site": "Clinic",
        "sources": ["hq"],
        "waiver_until": "2027-01-31T23:59:59Z",
        "reason": "waived",
    }
    assert (first["schema"], first["key"], first["opened_at"]) == (
        "fleetkeep.finding/1",
        "e" * 32,
        "2026-11-18T21:00:00Z",
    )
    assert (second["check"], second["device"], second["serial"]) == ("icloud-outage", None, None)


@pytest.mark.parametrize("name", ["device", "finding"])
def test_every_line_fits_its_published_schema(tmp_path: Path, name: str) -> None:
    """What `fleetkeep schema device` and `finding` print is what the lines are."""
    found = lines(tmp_path, f"{name}s", *believable(80), incidents=(an_incident(),))
    assert len(found) > 10
    for line in found:
        require(schemas.schema(name), line)
    broken = {key: value for key, value in found[0].items() if key != "as_of"}
    assert not fits(schemas.schema(name), broken)


def test_hostile_names_are_one_line_each(tmp_path: Path) -> None:
    """Line breaks, quotes and half characters in a name do not break the line that they stand in."""
    names = ['a\nb"c', "\u2028", "bad \ud800 half", "\x00"]
    reports = [a_report(device=a_device(a_sighting(name=name))) for name in names]
    assert [line["name"] for line in lines(tmp_path, "devices", *reports)] == [
        *names[:2],
        "bad ? half",
        names[3],
    ]


def test_counts_and_memory(tmp_path: Path) -> None:
    """Both files say how many lines they have, and none is held back in memory."""
    writer = FORMAT.open(tmp_path, CONTEXT)
    report = a_report(a_finding(), a_finding(external_id="f" * 32))
    tracemalloc.start()
    files = push(writer, [report] * 2_000)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert files == [Written("devices.ndjson", 2_000), Written("findings.ndjson", 4_000)]
    assert peak < 600_000


def test_a_full_disk_is_one_clear_line(tmp_path: Path) -> None:
    """When the disk is full, the message names the file and what to do."""
    (tmp_path / "findings.ndjson").symlink_to("/dev/full")
    with pytest.raises(OutputError, match=r"findings\.ndjson: there is no space left; free some"):
        push(FORMAT.open(tmp_path, CONTEXT), [a_report(a_finding())])
