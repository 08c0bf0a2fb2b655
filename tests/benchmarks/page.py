"""What the page costs: its size, its opening, its filter and its memory, beside the least page that could do.

    python -m tests.benchmarks.page 1000 10000 100000 1000000

Both pages show the same made-up devices and are measured one after the other in the same Chromium: opening until the
list can be used, then the slowest of a few words typed into the search, then the heap after a collection.
"""

from __future__ import annotations

import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import sync_playwright

from tests.benchmarks import minimal_page
from tests.browser.chromium import launched
from tests.reports import made_up
from tests.reports.made_up import believable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from playwright.sync_api import Browser

WORDS = ("a", "phone", "user12", "berlin", "zzz")


@dataclass(frozen=True, slots=True)
class Cost:
    """One page measured; bytes, milliseconds, megabytes."""

    size: int
    opened: float
    filtered: float
    heap: float


def measure(browser: Browser, path: Path) -> Cost:
    """Open `path`, use it, and say what that took."""
    with browser.new_context(viewport={"width": 1360, "height": 900}) as context:
        page = context.new_page()
        page.set_default_timeout(180_000)
        page.goto(path.as_uri())
        # Asked again and again from outside: the page's own policy forbids to evaluate a function within it.
        while not page.evaluate("performance.getEntriesByName('usable').length"):
            page.wait_for_timeout(50)
        opened = page.evaluate("performance.getEntriesByName('usable')[0].startTime")
        filtered = max(page.evaluate(_TYPE, word) for word in WORDS)
        page.request_gc()
        heap = page.evaluate("performance.memory.usedJSHeapSize") / 1e6
        return Cost(path.stat().st_size, opened, filtered, heap)


_TYPE = """(word) => {
  const box = document.querySelector("[role=searchbox]");
  const start = performance.now();
  box.value = word;
  box.dispatchEvent(new Event("input"));
  document.body.offsetHeight;
  return performance.now() - start;
}"""


def compare(browser: Browser, folder: Path, devices: int) -> list[str]:
    """Two lines: our page and the minimal one, for a fleet of this size."""
    minimal_page.write(folder / "minimal.html", believable(devices))
    ours, seconds = _write_ours(folder, devices)
    costs = (("report", measure(browser, ours)), ("minimal", measure(browser, folder / "minimal.html")))
    return [
        f"{devices:>9,}  {name:<8} {cost.size / 1e6:>8.2f} MB {cost.opened:>8,.0f} ms {cost.filtered:>8,.0f} ms "
        f"{cost.heap:>8,.1f} MB" + (f" {1e6 * seconds / devices:>8.1f} µs" if name == "report" else "")
        for name, cost in costs
    ]


def _write_ours(folder: Path, devices: int) -> tuple[Path, float]:
    """The report's page, and the CPU seconds that writing it took (making the devices up is not counted)."""
    spent = 0.0
    writer = made_up.writer(folder)
    totals = made_up.Totals()
    for report in believable(devices):  # in no order, so that a million need no memory here
        totals.add(report)
        start = time.process_time()
        writer.device(report)
        spent += time.process_time() - start
    start = time.process_time()
    [written] = writer.finish(made_up.run_of([], totals=totals))
    return folder / written.name, spent + time.process_time() - start


HEAD = (
    f"{'devices':>9}  {'page':<8} {'size':>11} {'opens':>11} {'filters':>11} {'heap':>11} {'written':>11}\n"
)


def main(sizes: Sequence[int]) -> None:
    """Print a table, a size at a time."""
    sys.stdout.write(HEAD)
    with sync_playwright() as playwright, launched(playwright) as browser:
        for size in sizes:
            with tempfile.TemporaryDirectory() as folder:
                sys.stdout.write("\n".join(compare(browser, Path(folder), size)) + "\n")
                sys.stdout.flush()


if __name__ == "__main__":
    main([int(size) for size in sys.argv[1:]] or [1000, 10_000, 100_000])
