"""What an export costs: rows, seconds of CPU and memory, for every profile that takes tickets or devices.

    python -m tests.benchmarks.export 1000 100000

Each device has one finding that asks for a new ticket, so every row carries both texts. Sizes come in growing order
and the process only ever notes its highest memory, so a figure that stays is a constant one.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from fleet.model.finding import Action, Severity, State
from reports.ticketing.registry import PROFILES
from tests.reports.exporting import exported
from tests.reports.made_up import at_risk

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from fleet.model.device_report import DeviceReport


def new_tickets(count: int) -> Iterator[DeviceReport]:
    """Devices at risk, made as they are asked for."""
    for number in range(count):
        report = at_risk(
            number, "backup-stale", Severity.HIGH, asset_tag=f"T{number}", user_email="a@b.example"
        )
        told = replace(report.findings[0], action=Action.CREATE, state=State.NEW)
        yield replace(report, findings=(told,))


def measure(name: str, count: int) -> str:
    """One profile's line of the table."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.process_time()
        for _ in new_tickets(count):
            pass
        made = time.process_time()
        written = exported(Path(folder) / "out.csv", PROFILES[name], new_tickets(count))
        cpu = (time.process_time() - made) - (made - began)
        size = sum(path.stat().st_size for path in written.files) / 1e6
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    return f"| {name} | {written.rows:,} | {len(written.files):,} | {size:,.1f} | {cpu:.2f} | {peak:,.0f} |"


def main(sizes: Sequence[int]) -> None:
    """Print the table."""
    print("| profile | rows | files | MB | CPU s | highest memory so far, MB |\n|---|---|---|---|---|---|")  # noqa: T201
    for size in sorted(sizes):
        for name in PROFILES:
            print(measure(name, size), flush=True)  # noqa: T201


if __name__ == "__main__":
    main([int(argument) for argument in sys.argv[1:]] or [1_000, 100_000])
