"""What a real spreadsheet makes of our files, where LibreOffice is installed."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from fleet.model.finding import Action, State
from reports.ticketing.registry import PROFILES
from tests.reports.a_run import a_device, a_finding, a_report, a_sighting
from tests.reports.exporting import exported, header_of

if TYPE_CHECKING:
    from pathlib import Path

SOFFICE = shutil.which("soffice") or shutil.which("libreoffice")
UTF8_COMMAS_AND_QUOTES = "CSV:44,34,76,1"
OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
HOSTILE = (
    '=HYPERLINK("http://evil.example","x")',
    "+1+1",
    "-1+1",
    "@SUM(1+1)",
    "\t=1+1",
    " =1+1",
    "\u200b=1+1",
)

pytestmark = pytest.mark.skipif(SOFFICE is None, reason="LibreOffice is not installed")


def opened(path: Path) -> list[list[tuple[str, str, str]]]:
    """The rows of the file as the spreadsheet holds them: type, formula and shown text of each cell."""
    assert SOFFICE is not None
    profile = path.with_suffix(".profile")
    subprocess.run(
        [
            *(SOFFICE, f"-env:UserInstallation={profile.as_uri()}", "--headless"),
            *(f"--infilter={UTF8_COMMAS_AND_QUOTES}", "--convert-to", "fods"),
            *("--outdir", str(path.parent), str(path)),
        ],
        check=True,
        capture_output=True,
        timeout=180,
    )
    tree = ET.parse(path.with_suffix(".fods"))  # noqa: S314 - LibreOffice wrote it
    return [
        [cell for each in row.iter(f"{TABLE}table-cell") for cell in _cells(each)]
        for row in tree.iter(f"{TABLE}table-row")
        if any(True for _ in row.iter(f"{TEXT}p"))
    ]


def _cells(cell: ET.Element) -> list[tuple[str, str, str]]:
    shown = "\n".join("".join(line.itertext()) for line in cell.iter(f"{TEXT}p"))
    one = (cell.get(f"{OFFICE}value-type", ""), cell.get(f"{TABLE}formula", ""), shown)
    return [one] * min(int(cell.get(f"{TABLE}number-columns-repeated", "1")), 100)


@pytest.mark.parametrize("name", PROFILES)
def test_no_cell_is_a_formula(name: str, tmp_path: Path) -> None:
    """Hostile names in every column arrive as text in a spreadsheet that runs whatever it takes for a formula."""
    reports = [
        a_report(
            a_finding(external_id=f"{number:032x}", action=Action.CREATE, state=State.NEW, summary=text),
            device=a_device(
                a_sighting(serial=text, name=text, asset_tag=text, user_name=text, site=text),
                key=f"{number:032x}",
            ),
        )
        for number, text in enumerate(HOSTILE)
    ]
    exported(tmp_path / "out.csv", PROFILES[name], reports)
    header, *rows = opened(tmp_path / "out.csv")
    assert [shown.removeprefix("\ufeff") for _, _, shown in header][
        : len(header_of(PROFILES[name]))
    ] == header_of(PROFILES[name])
    assert len(rows) == len(HOSTILE)
    assert {formula for row in rows for _, formula, _ in row} == {""}


def test_digits_stay_digits(tmp_path: Path) -> None:
    """In the file that is written for people a tag with zeros and a serial of digits are text."""
    device = a_device(a_sighting(serial="353912101234567", asset_tag="000123", name="3-4", site="MAR1"))
    finding = a_finding(action=Action.CREATE, state=State.NEW)
    exported(tmp_path / "out.csv", PROFILES["generic"], [a_report(finding, device=device)], spreadsheet=True)
    _, row = opened(tmp_path / "out.csv")
    told = dict(zip(header_of(PROFILES["generic"]), row, strict=False))
    for column, digits in {
        "serial": "353912101234567",
        "asset_tag": "000123",
        "device_name": "3-4",
        "site": "MAR1",
    }.items():
        kind, _, shown = told[column]
        assert (kind, shown.removeprefix("'")) == ("string", digits), column
