"""The demo, and with it the files of every report: present, private, whole and in agreement with one another."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tests.command import FILES, Json, fleetkeep

if TYPE_CHECKING:
    from pathlib import Path

RUN = ["demo", "--devices", "60", "--nights", "10", "--as-of", "2026-11-22T02:00:00Z"]
STAMPS = re.compile(
    rb'"(generated_at|started_at|finished_at)":"[^"]*"'
    rb"|fleetkeep_run_(duration_seconds|finished_timestamp_seconds) [\d.e+]+"
)


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the demo leaves behind in a folder of its own."""
    folder = tmp_path_factory.mktemp("demo")
    ended = fleetkeep(*RUN, cwd=folder)
    assert ended.code == 0, ended.err
    assert ended.err == ""
    assert f"report: {folder / 'demo-out' / 'latest' / 'index.html'}" in ended.out
    return folder / "demo-out"


def table(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"), newline="")))


def loaded(path: Path) -> Json:
    content: Json = json.loads(path.read_text(encoding="utf-8"))
    return content


def test_every_file_is_there_and_private(shown: Path) -> None:
    """The run's directory and its copy `latest` hold the six files, readable by their owner alone."""
    assert {path.name for path in shown.iterdir()} == {"latest", "2026-11-22T020000Z"}
    for directory in shown.iterdir():
        assert directory.stat().st_mode & 0o777 == 0o700
        assert {path.name for path in directory.iterdir()} == FILES
        assert {path.stat().st_mode & 0o777 for path in directory.iterdir()} == {0o600}
    for name in FILES:
        assert (shown / "latest" / name).read_bytes() == (shown / "2026-11-22T020000Z" / name).read_bytes()


def test_the_manifest_is_right(shown: Path) -> None:
    """The manifest names every other file with its true size, hash and number of rows."""
    manifest = loaded(shown / "latest" / "manifest.json")
    entries = {entry["name"]: entry for entry in manifest["files"]}
    assert entries.keys() == FILES - {"manifest.json"}
    for name, entry in entries.items():
        content = (shown / "latest" / name).read_bytes()
        assert entry["bytes"] == len(content)
        assert entry["sha256"] == hashlib.sha256(content).hexdigest()
    rows = {name: len(table(shown / "latest" / name)) for name in ("devices.csv", "findings.csv")}
    assert {name: entries[name]["rows"] for name in rows} == rows


def test_all_files_count_alike(shown: Path) -> None:
    """JSON, both tables, the metrics and the page give the same numbers."""
    report = loaded(shown / "latest" / "findings.json")
    devices = table(shown / "latest" / "devices.csv")
    findings = table(shown / "latest" / "findings.csv")
    totals = report["totals"]
    statuses = Counter(device["status"] for device in report["devices"])
    assert totals["devices"] == sum(statuses.values()) == len(devices)
    assert all(
        totals[status] == statuses[status] for status in ("protected", "at_risk", "unknown", "not_applicable")
    )
    assert Counter(row["status"] for row in devices) == statuses
    standing = [row["severity"] for row in findings if row["state"] in {"new", "open", "reopened"}]
    assert Counter(standing) == Counter({name: count for name, count in totals["findings"].items() if count})
    in_json = [
        (f["key"], f["action"], f["state"]) for device in report["devices"] for f in device["findings"]
    ]
    assert sorted((r["external_id"], r["action"], r["state"]) for r in findings) == sorted(in_json)
    metrics = (shown / "latest" / "metrics.prom").read_text()
    for status, count in statuses.items():
        assert f'fleetkeep_devices{{status="{status}"}} {count}\n' in metrics
    counted = re.findall(r"^fleetkeep_findings\{.*\} (\d+)$", metrics, re.MULTILINE)
    assert sum(map(int, counted)) == len(standing)


def test_the_demo_shows_something(shown: Path) -> None:
    """The made-up fleet has protected devices, ones at risk with a plan, and devices of more than one source."""
    report = loaded(shown / "latest" / "findings.json")
    assert all(report["totals"][status] for status in ("protected", "at_risk", "not_applicable"))
    ill = [device for device in report["devices"] if device["status"] == "at_risk"]
    assert all(device["plan"] for device in ill)
    assert any(len(device["sources"]) > 1 for device in report["devices"])
    assert {source["outcome"] for source in report["sources"]} == {"complete"}


def test_the_same_fleet_comes_again(shown: Path, tmp_path: Path) -> None:
    """The same clock and seed give the same bytes, apart from when the run itself took place; another seed does not."""
    assert fleetkeep(*RUN, "--out", "again", cwd=tmp_path).code == 0
    for name in FILES - {"manifest.json", "index.html"}:
        first, second = ((place / "latest" / name).read_bytes() for place in (shown, tmp_path / "again"))
        assert STAMPS.sub(b"", first) == STAMPS.sub(b"", second), name
    assert fleetkeep(*RUN, "--out", "other", "--seed", "8", cwd=tmp_path).code == 0
    other = (tmp_path / "other" / "latest" / "devices.csv").read_bytes()
    assert other != (shown / "latest" / "devices.csv").read_bytes()


def test_a_quiet_demo_says_nothing(tmp_path: Path) -> None:
    """With `-q` the demo writes its report and says nothing."""
    ended = fleetkeep("demo", "--devices", "5", "--nights", "2", "-q", cwd=tmp_path)
    assert (ended.code, ended.out, ended.err) == (0, "", "")
    assert (tmp_path / "demo-out" / "latest" / "index.html").exists()
