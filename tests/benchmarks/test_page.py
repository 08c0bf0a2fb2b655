from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.benchmarks.page import compare, measure
from tests.reports.made_up import believable, write

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser

pytestmark = [pytest.mark.browser, pytest.mark.no_cover]


def test_the_benchmark_of_the_page_runs(browser: Browser, tmp_path: Path) -> None:
    """Small, so that it stays in order: two lines, ours and the minimal page's, with all that is measured."""
    ours, minimal = compare(browser, tmp_path, 300)
    assert ours.split()[:2] == ["300", "report"]
    assert minimal.split()[:2] == ["300", "minimal"]
    assert ours.split()[3::2] == ["MB", "ms", "ms", "MB", "µs"]


def test_what_one_more_device_costs(browser: Browser, tmp_path: Path) -> None:
    """A thousand devices more, no two alike, add less than 60 bytes each: the rest of the page does not grow."""
    few, many = ((tmp_path / name) for name in ("few", "many"))
    few.mkdir()
    many.mkdir()
    sizes = [
        write(few, list(believable(500))).stat().st_size,
        write(many, list(believable(1500))).stat().st_size,
    ]
    assert sizes[1] - sizes[0] < 1000 * 60
    assert measure(browser, many / "index.html").heap < 30
