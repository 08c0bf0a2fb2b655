from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from fleet.errors import OutputError
from fleet.model.fact import ABSENT
from fleet.model.run import Increment
from reports._format import ReportContext
from reports.registry import ready
from tests.reports.a_run import an_incident
from tests.reports.made_up import AS_OF, CHECKS, HOSTILE, at_risk, protected, run_of, source, unknown

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from fleet.model.device_report import DeviceReport
    from fleet.model.run import SourceReport

CONTEXT = ReportContext(as_of=AS_OF, base_url="https://reports.example/", checks=CHECKS)
FLEET = [
    at_risk(1, site="Graz", name="Ward 1", groups=("Field", "Sales")),
    protected(2, site="Graz", name="Ward 2", groups=("Field",)),
    at_risk(3, site="Leipzig", name="Desk 3", check="storage-full", groups=()),
    protected(4, site="Leipzig", name="Desk 4", groups=ABSENT),
    unknown(5, site=ABSENT, name="Lost 5", groups=("Sales",)),
]


def sliced(
    directory: Path, split_by: str, reports: Sequence[DeviceReport], formats: Sequence[str] = ("json",)
) -> None:
    """Write the slices of a fleet, as a night does."""
    writer = ready(formats, split_by)[-1].open(directory, CONTEXT)
    for report in sorted(reports, key=lambda one: one.device.key):
        writer.device(report)
    run = replace(
        run_of(
            reports,
            sources=(partly_read(105), source("schools", devices=7)),
            before=4,
            notes=("All of 412.",),
        ),
        incidents=(an_incident(),),
    )
    *_, last = writer.finish(run)
    assert last.name == "slices/index.html"


def partly_read(read: int | None) -> SourceReport:
    """The source on a night on which only so many had reported."""
    day = timedelta(days=1)
    return replace(source(), increment=Increment(since=AS_OF - day, read=read, full_at=AS_OF - 3 * day))


def told(directory: Path, start: str) -> dict[str, Any]:
    """What the slice whose folder starts so holds, as machines read it."""
    [folder] = [path for path in (directory / "slices").iterdir() if path.name.startswith(start)]
    return json.loads((folder / "findings.json").read_text(encoding="utf-8"))


def test_a_slice_holds_nothing_of_the_others(tmp_path: Path) -> None:
    """Each site's report has its devices, its totals and its sources, and of the whole fleet not even a number."""
    sliced(tmp_path, "site", FLEET, ["html", "csv", "json"])
    graz = told(tmp_path, "graz-")
    assert sorted(one["name"] for one in graz["devices"]) == ["Ward 1", "Ward 2"]
    assert graz["totals"]["devices"] == 2
    assert [(one["name"], one["devices"], one["expected"]) for one in graz["sources"]] == [("hq", 2, None)]
    assert graz["sources"][0]["incremental"]["read"] is None
    assert graz["incidents"] == []
    [folder] = (tmp_path / "slices").glob("graz-*")
    for path in folder.iterdir():
        text = path.read_text(encoding="utf-8")
        for stranger in ("Desk", "Leipzig", "Lost 5", "schools", "412"):
            assert stranger not in text, (path.name, stranger)
    assert (
        f"https://reports.example/slices/{folder.name}/index.html#d=" in (folder / "findings.csv").read_text()
    )
    assert "Contoso backups: Graz" in (folder / "index.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("split_by", "expected"),
    [
        ("site", {"graz": 2, "leipzig": 2, "no-site": 1}),
        ("group", {"field": 2, "sales": 2, "no-group": 2}),
        ("source", {"hq": 5}),
    ],
)
def test_by_what_a_fleet_is_split(tmp_path: Path, split_by: str, expected: dict[str, int]) -> None:
    """By site, by group (a device can be in several) or by source; what has none is a slice too."""
    sliced(tmp_path, split_by, FLEET)
    folders = [path.name for path in (tmp_path / "slices").iterdir() if path.is_dir()]
    assert {
        name.rpartition("-")[0]: told(tmp_path, name)["totals"]["devices"] for name in folders
    } == expected


def test_the_portfolio_leads_to_all_slices(tmp_path: Path) -> None:
    """One page over all of them, those with the largest share at risk first, with their own counts."""
    sliced(tmp_path, "site", [*FLEET, at_risk(6, site=HOSTILE)], ["html"])
    page = (tmp_path / "slices" / "index.html").read_text(encoding="utf-8")
    places = [page.index(name) for name in ("{{ 7*7 }}", "Graz", "Leipzig", "no site")]
    assert places == sorted(places)
    assert "<img src=x" not in page
    for folder in (path.name for path in (tmp_path / "slices").iterdir() if path.is_dir()):
        assert f'href="{folder}/index.html"' in page


def test_a_slice_is_the_report_of_its_devices(tmp_path: Path) -> None:
    """Its page is the one that its devices alone would have, save for what the whole fleet knows."""
    sliced(tmp_path, "source", FLEET, ["html"])
    [folder] = (tmp_path / "slices").glob("hq-*")
    alone = tmp_path / "alone"
    alone.mkdir()
    run = run_of(FLEET, sources=(replace(partly_read(None), devices=5, expected=None, unreadable=0),))
    base_url = f"https://reports.example/slices/{folder.name}/"
    run = replace(
        run, title=f"{run.title}: hq", base_url=base_url, previous_at=run_of([], before=4).previous_at
    )
    ours = (folder / "index.html").read_text(encoding="utf-8")
    page = ready(["html"])[0].open(alone, CONTEXT)
    for report in sorted(FLEET, key=lambda one: one.device.key):
        page.device(report)
    page.finish(run)
    other = (alone / "index.html").read_text(encoding="utf-8")
    assert (
        ours.partition("<main>")[2].partition("</main>")[0]
        == other.partition("<main>")[2].partition("</main>")[0]
    )


def test_a_slice_does_not_take_itself_for_the_first_run(tmp_path: Path) -> None:
    """It has no trend of its own, but knows since when its changes count."""
    run = run_of(FLEET, before=1)
    writer = ready(["html"], "site")[-1].open(tmp_path, CONTEXT)
    for report in FLEET:
        writer.device(report)
    writer.finish(run)
    [folder] = (tmp_path / "slices").glob("graz-*")
    page = (folder / "index.html").read_text(encoding="utf-8")
    assert "What changed since 2026-11-21 02:00 UTC" in page
    assert "The trend stands in the report of the whole fleet." in page
    assert "first run" not in page


def test_an_empty_fleet_has_an_empty_portfolio(tmp_path: Path) -> None:
    """Nothing to split is said, not left out."""
    sliced(tmp_path, "site", [])
    assert "No device is known yet." in (tmp_path / "slices" / "index.html").read_text(encoding="utf-8")


def test_a_directory_that_is_not_there(tmp_path: Path) -> None:
    """What cannot be written ends in one line."""
    with pytest.raises(OutputError, match="cannot write"):
        ready(["json"], "site")[-1].open(tmp_path / "gone", CONTEXT)
