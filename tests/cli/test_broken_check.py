"""A check of somebody else's package that breaks: said, and no night lost for it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.command import ROOT, Office, by_serial

if TYPE_CHECKING:
    from pathlib import Path

CHECK = """
import os
from fleet.checks.kit import CLEAR, Basis, Case, Check, Found, Severity, Verdict, need

def judge(case: Case) -> Verdict:
    if os.environ.get("ACME_IS_BROKEN") and need(case.device.serial) == "FKACME0001":
        raise KeyError(need(case.device.name))
    return Found(Severity.LOW, "The device is roaming.", {}) if need(case.device.roaming) else CLEAR

CHECK = Check(id="acme-roaming", title="It roams", rule="Found (low) while it roams.", basis=Basis.OBSERVED,
    reads=frozenset({"roaming"}), fixes=("wifi-and-power",), judge=judge, source="our own, 2026")
"""
SOURCE = """
[[source]]
name = "sheet"
kind = "file"
path = "devices.csv"
[source.columns]
serial = "serial"
name = "name"
model_name = "model"
platform = "platform"
inventory_at = "seen"
roaming = "roaming"
"""


@pytest.fixture
def plugged(office: Office) -> Office:
    """An office with the package of a check, as pip would have left it."""
    site = office.folder / "site"
    about = site / "acme_roaming-1.dist-info"
    about.mkdir(parents=True)
    (site / "acme_roaming.py").write_text(CHECK, encoding="utf-8")
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-roaming\nVersion: 1\n")
    (about / "entry_points.txt").write_text("[fleetkeep.checks]\nacme-roaming = acme_roaming:CHECK\n")
    office.env["PYTHONPATH"] = os.pathsep.join([str(site), str(ROOT)])
    office.configure(SOURCE)
    return office


def listed(folder: Path, day: int, *, roaming: bool) -> None:
    """Two iPhones in the export of that day."""
    rows = [
        f"FKACME000{number},Jane's iPhone,iPhone14,iOS,2026-11-{day}T01:00:00Z,{str(roaming).lower()}"
        for number in (1, 2)
    ]
    head = "serial,name,model,platform,seen,roaming"
    (folder / "devices.csv").write_text("\n".join([head, *rows]), encoding="utf-8")


def states(office: Office) -> dict[str, tuple[str, str]]:
    """Of each device, what became of the finding of that check."""
    return {
        serial: (finding["state"], finding["action"])
        for serial, device in by_serial(office.report()).items()
        for finding in device["findings"]
        if finding["check"] == "acme-roaming"
    }


def test_a_check_that_breaks_is_one_more_unknown(plugged: Office) -> None:
    """Where it broke nothing opens or closes; elsewhere it goes on; report, log and exit code say so, without names."""
    listed(plugged.folder, 20, roaming=True)
    assert plugged("run", "--as-of", "2026-11-20T02:00:00Z").code == 0
    listed(plugged.folder, 21, roaming=False)
    ended = plugged("run", "--as-of", "2026-11-21T02:00:00Z", ACME_IS_BROKEN="1")
    assert ended.code == 3, ended.err
    assert states(plugged) == {"FKACME0001": ("open", "none"), "FKACME0002": ("resolved", "resolve")}
    assert plugged.report()["run"]["outcome"] == "partial"
    page = (plugged.reports / "latest" / "index.html").read_text("utf-8")
    assert "The check acme-roaming broke on 1 device (KeyError)" in page
    assert "check_broke check=acme-roaming" in ended.err
    assert "acme_roaming.py" in ended.err
    assert "Jane" not in ended.err
