from __future__ import annotations

import json
from typing import TYPE_CHECKING

from reports import schemas
from tests.reports.json_schema import require, strict

if TYPE_CHECKING:
    from tests.command import Office


def test_the_demo_fits_what_the_command_prints(office: Office) -> None:
    """The schemas that the command prints are true of the report and the manifest that the demo leaves."""
    office("demo", "--devices", "80", "--nights", "4", "--out", "out", "--as-of", "2026-11-22T02:00:00Z")
    latest = office.folder / "out" / "latest"
    for name, file in [("report", "findings.json"), ("manifest", "manifest.json")]:
        printed = json.loads(office("schema", name).out)
        assert printed == schemas.schema(name)
        require(strict(printed), json.loads((latest / file).read_bytes()))


def test_an_unknown_schema_is_one_line(office: Office) -> None:
    """Without a name the report's is printed; a wrong one says which there are."""
    assert json.loads(office("schema").out)["$id"] == "urn:fleetkeep:report:1"
    ended = office("schema", "csv")
    assert (ended.code, ended.err) == (
        2,
        'fleetkeep: no schema "csv"; there are: report, manifest, device, finding\n',
    )
