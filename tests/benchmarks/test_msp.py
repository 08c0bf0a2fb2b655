"""The benchmark of many tenants, small: it stays in order, and its shards come to one report."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING

import pytest

from tests.benchmarks.msp import main

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.no_cover


@pytest.mark.skipif(sys.platform != "linux" or not os.path.exists("/proc/net/dev"), reason="counts by /proc")  # noqa: PTH110
def test_the_benchmark_of_tenants_runs(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Six tenants in two shards: one row for the night, what it comes to for 2 and 20 million, and all devices."""
    sizes = ["--tenants", "6", "--devices", "90", "--shards", "2", "--nights", "1"]
    main([*sizes, "--formats", "json", "--folder", str(tmp_path)])
    lines = capsys.readouterr().out.splitlines()
    head, night = lines[4], lines[6]
    told = dict(zip(head.split("|"), night.split("|"), strict=True))
    assert float(told[" PostgreSQL, CPU s "]) > 0
    assert float(told[" all shards, CPU s "]) > 0
    assert [line.split("|")[1].strip() for line in lines[-3:]] == ["90", "2,000,000", "20,000,000"]
    report = json.loads((tmp_path / "reports-out" / "latest" / "findings.json").read_text("utf-8"))
    assert report["totals"]["devices"] == 90
    assert len(report["sources"]) == 6
