"""Sheets for people and reports for sites, as an admin asks for them: what lies there is read, file by file."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import pytest

from tests.command import Office
from tests.test_redaction import unpacked

if TYPE_CHECKING:
    from pathlib import Path

NIGHT = "2026-03-02T04:30:00Z"
MADE_UP = '[[source]]\nname = "made-up"\nkind = "demo"\ndevices = 120\n'


def devices(folder: Path) -> list[dict[str, str]]:
    """The rows of `devices.csv`."""
    with (folder / "devices.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def marks(rows: list[dict[str, str]]) -> set[str]:
    """What tells these devices and their people from others."""
    return {row[name] for row in rows for name in ("serial", "user_name", "user_email") if row[name]}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Office:
    """A night that is split by site."""
    office = Office(tmp_path_factory.mktemp("office"))
    office.configure('[report]\nsplit_by = "site"', MADE_UP)
    done = office("run", "--as-of", NIGHT)
    assert done.code == 0, done.err
    return office


def test_a_sheet_for_each_person_with_something_to_do(run: Office) -> None:
    """`report --format user-sheets` writes each one's own devices with steps, and not a word of anybody else's."""
    made = run("report", "--format", "user-sheets", "--out", "sheets")
    assert made.code == 0, made.err
    folder = run.folder / "sheets" / "latest" / "user-sheets"
    sheets = {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()}
    index = sheets.pop("index.html")
    rows = [row for row in devices(run.reports / "latest") if row["status"] == "at_risk"]
    told = {row["serial"]: [name for name, text in sheets.items() if row["serial"] in text] for row in rows}
    assert {len(names) for names in told.values()} <= {0, 1}  # an administrator's work is nobody's sheet
    assert len(sheets) == len({names[0] for names in told.values() if names}) > 5
    for name, text in sheets.items():
        own = [row for row in rows if told[row["serial"]] == [name]]
        others = marks(devices(run.reports / "latest")) - marks(own)
        assert [other for other in others if other in text] == []
        assert len({row["user_email"] or row["site"] for row in own}) == 1
        assert "<ol" in text
        assert f'href="{name}"' in index


def test_a_report_for_each_site(run: Office) -> None:
    """`split_by` writes each site's report whole, and no byte of it, unpacked, knows another site's devices."""
    slices = run.reports / "latest" / "slices"
    folders = [path for path in slices.iterdir() if path.is_dir()]
    everything = devices(run.reports / "latest")
    assert len(folders) == len({row["site"] for row in everything}) > 2
    portfolio = (slices / "index.html").read_text(encoding="utf-8")
    seen: list[str] = []
    for folder in folders:
        own = devices(folder)
        assert len({row["site"] for row in own}) == 1
        seen += [row["key"] for row in own]
        others = marks(everything) - marks(own)
        for name, text in unpacked(folder).items():
            assert [other for other in others if other in text] == [], (folder.name, name)
        assert f'href="{folder.name}/index.html"' in portfolio
    assert sorted(seen) == sorted(row["key"] for row in everything)
    assert marks(everything).isdisjoint(portfolio.split('"'))
