from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.benchmarks.__main__ import main
from tests.benchmarks.contenders import peers
from tests.benchmarks.growth import year
from tests.benchmarks.jamf_fleet import rows

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.no_cover


def test_the_benchmark_of_nights_runs(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Small, so that it stays in order: a server of its own, the installed command and the floor, a row for each."""
    page = tmp_path / "page.md"
    page.write_text("# Here\n\n<!-- nights -->\nold\n<!-- /nights -->\n\nThe end.\n")
    main(
        [
            "--devices",
            "300",
            "--nights",
            "1",
            "--latency",
            "5",
            "--peers-up-to",
            "0",
            "--folder",
            str(tmp_path),
            "--write",
            str(page),
        ]
    )
    machine, _, head, rule, floor, ours, _, waiting, *_ = capsys.readouterr().out.splitlines()
    assert "cores" in machine
    names = [cell.strip() for cell in head.split("|")]
    told = [dict(zip(names, map(str.strip, line.split("|")), strict=True)) for line in (floor, ours)]
    assert [row["what"] for row in told] == ["floor", "fleetkeep"]
    assert {row["devices"] for row in told} == {"300"}
    assert rule.startswith("|---")
    assert float(told[1]["CPU by the floor's"]) > 1
    assert all(f"{stage} " in told[1]["stages, CPU s"] for stage in ("start", "collect", "judge", "publish"))
    assert all(float(row["database MB"]) > 0 and float(row["report MB"]) > 0 for row in told)
    assert waiting.startswith("300 devices at 5 ms a page: five connections allow 0.0 s")
    written = page.read_text()
    assert f"<!-- nights -->\n\n{machine}\n\n{head}\n" in written
    assert written.endswith("<!-- /nights -->\n\nThe end.\n")
    assert "old" not in written
    assert (tmp_path / "300" / "fleetkeep-5" / "reports-out" / "latest" / "index.html").exists()


def test_the_benchmark_of_growth_runs(tmp_path: Path) -> None:
    """Small, so that it stays in order: a night at either end, and what each device added."""
    told = year(40, 2, tmp_path)
    assert told.early > 0
    assert told.late > 0
    assert str(told).startswith("40 devices over 2 nights: a night took ")


def test_a_peer_that_cannot_be_installed_says_so(tmp_path: Path) -> None:
    """It is left out with a sentence that names what was asked for; the rest of the table stands."""
    (tmp_path / "peers").write_text("no folder can be made here")
    told = [peer.install() for peer in peers("http://127.0.0.1:9", tmp_path / "peers")]
    assert told == [
        "jamf-pro-sdk to CSV could not be installed: pip install jamf-pro-sdk>=0.9a1 failed",
        "dlt to DuckDB could not be installed: pip install dlt[duckdb]>=1 failed",
    ]


@pytest.mark.parametrize("night", [1, 2, 365])
def test_the_fleet_of_the_benchmark(night: int) -> None:
    """Records of 3.3 KB, believable on any night: most backed up, and one in fifty renamed since the night before."""
    tonight, before = list(rows(2000, night)), list(rows(2000, night - 1))
    assert 3250 < sum(map(len, tonight)) / 2000 < 3400

    def name(row: bytes) -> bytes:
        return row.partition(b'"displayName":')[2].partition(b",")[0]

    assert sum(name(a) != name(b) for a, b in zip(tonight, before, strict=True)) == 40
