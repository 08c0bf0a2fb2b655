from __future__ import annotations

import stat
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from fleet.errors import OutputError
from fleet.model.brand import Brand
from fleet.model.fact import ABSENT, NEVER
from fleet.model.finding import Severity
from reports._format import ReportContext
from reports.directory import RunDirectory
from reports.registry import formats
from reports.user_sheets import UserSheets
from tests.reports.made_up import AS_OF, CHECKS, GUIDE, HOSTILE, at_risk, protected, run_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from fleet.model.device_report import DeviceReport

CONTEXT = ReportContext(as_of=AS_OF, checks=CHECKS, brand=Brand(footer="Ask it@contoso.example"))


def sheets(directory: Path, reports: Sequence[DeviceReport]) -> dict[str, str]:
    """Every sheet by its name without the ending, as its file is read."""
    writer = UserSheets(directory, CONTEXT, GUIDE)
    for report in reports:
        writer.device(report)
    written = writer.finish(run_of(reports))
    assert written[-1].name == "user-sheets/index.html"
    return {one.name.split("/")[1]: (directory / one.name).read_text(encoding="utf-8") for one in written}


def theirs(found: dict[str, str], start: str) -> str:
    """The one sheet whose name starts so."""
    [text] = [text for name, text in found.items() if name.startswith(start)]
    return text


def test_a_person_gets_their_own_devices_and_nobody_elses(tmp_path: Path) -> None:
    """Both devices of one person stand on one sheet, with the steps that are theirs; nothing of another is in it."""
    found = sheets(
        tmp_path,
        [
            at_risk(1, user_name="Amara Okafor", user_email="amara@x.example", name="Amara's iPhone"),
            at_risk(2, user_name="Amara Okafor", user_email="amara@x.example", last_cloud_backup_at=NEVER),
            at_risk(3, user_name="Jürgen Maß", user_email="juergen@x.example", name="Jürgen's iPad"),
            protected(4, user_name="Well Kept"),
        ],
    )
    amara = theirs(found, "amara-okafor-")
    for told in (
        "For <bdi>Amara Okafor</bdi>",
        "Amara&#39;s iPhone",
        "iPhone 14 · FK00000001",
        "The last iCloud backup is from 2026-11-21.",
        "It makes no iCloud backups.",
        "Leave it on Wi-Fi and power overnight",
        "Do what wifi-and-power asks for.",
        "It worked when: The backup screen names today.",
        "Ask it@contoso.example",
    ):
        assert told in amara
    assert "Switch iCloud Backup on" not in amara  # that is for the administrator
    assert "Jürgen" not in amara
    assert "FK00000003" not in amara
    assert theirs(found, "jurgen-ma-").count("<h2>") == 1
    assert len(found) == 3
    assert ">Amara Okafor</bdi></a></th><td>2</td>" in found["index.html"]
    assert "Well Kept" not in "".join(found.values())


def test_devices_without_a_person_go_by_their_site(tmp_path: Path) -> None:
    """A trolley's devices are one sheet for their site; those of no site are one sheet as well."""
    found = sheets(
        tmp_path,
        [
            at_risk(1, user_name=ABSENT, site="Graz"),
            at_risk(2, user_name=ABSENT, site="Graz"),
            at_risk(3, user_name=ABSENT),
        ],
    )
    assert "For whoever looks after the devices of <bdi>Graz</bdi>" in theirs(found, "graz-")
    assert theirs(found, "graz-").count("<h2>") == 2
    assert "that nobody is named for" in theirs(found, "site-")


def test_two_people_of_one_name_are_two(tmp_path: Path) -> None:
    """Who shares a name and not an address gets a sheet of their own."""
    found = sheets(
        tmp_path,
        [at_risk(n, user_name="Kim Lee", user_email=f"kim{n}@x.example") for n in (1, 2)],
    )
    assert len([name for name in found if name.startswith("kim-lee-")]) == 2


def test_what_puts_data_at_risk_stands_on_no_sheet(tmp_path: Path) -> None:
    """From the first step that could lose something on, a person needs somebody to talk to."""
    wifi = GUIDE.fixes["wifi-and-power"]
    risky = replace(GUIDE.fixes["enable-backup"], cost=replace(wifi.cost, data_at_risk="Everything."))
    guide = replace(GUIDE, fixes={"enable-backup": risky, "wifi-and-power": wifi})
    report = at_risk(1)
    report = replace(report, plan=tuple(replace(step, audience="user") for step in report.plan))
    writer = UserSheets(tmp_path, CONTEXT, guide)
    writer.device(report)
    [index] = writer.finish(run_of([report]))
    assert (index.name, index.rows) == ("user-sheets/index.html", 0)
    assert "Nobody has anything to do" in (tmp_path / index.name).read_text(encoding="utf-8")


def test_hostile_names_stay_names(tmp_path: Path) -> None:
    """Markup in a name is text on the sheet, and no path in the name of its file."""
    found = sheets(
        tmp_path, [at_risk(1, name=HOSTILE, user_name=f"../../{HOSTILE}", severity=Severity.CRITICAL)]
    )
    assert all(name.replace("-", "").replace(".html", "").isalnum() for name in found)
    assert "<img" not in "".join(found.values())


def test_they_are_put_in_place_with_the_rest(tmp_path: Path) -> None:
    """A run's directory and `latest` hold the folder, private like everything else, and the manifest lists it."""
    with RunDirectory(tmp_path / "out", AS_OF) as directory:
        writer = formats()["user-sheets"].open(directory.path, CONTEXT)
        writer.device(at_risk(1))
        final = directory.publish(12, writer.finish(run_of([at_risk(1)])))
    for place in (final, tmp_path / "out" / "latest"):
        folder = place / "user-sheets"
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
        assert '"name": "user-sheets/index.html"' in (place / "manifest.json").read_text(encoding="utf-8")


def test_a_directory_that_is_not_there(tmp_path: Path) -> None:
    """What cannot be written ends in one line."""
    writer = UserSheets(tmp_path / "gone", CONTEXT, GUIDE)
    with pytest.raises(OutputError, match="cannot write"):
        writer.finish(run_of([]))
