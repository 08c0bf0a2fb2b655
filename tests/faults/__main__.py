"""The fault table with what was seen, as Markdown: `python -m tests.faults [NUMBER …]`.

With `FLEETKEEP_FAULTS_IN_FULL=1` every fault has the size that its row tells of, and `FLEETKEEP_KILLS=200` kills two
hundred nights.
"""

from __future__ import annotations

import sys
import tempfile
from contextlib import ExitStack
from functools import cache
from pathlib import Path

from fleet.store.database import open_database
from tests.command import Office
from tests.databases import Cluster, running_cluster
from tests.faults.rows import ROWS
from tests.faults.table import Fault, Scene, Unavailable

HEAD = (
    "| # | fault | what has to come of it | exit | what was seen | what it said |\n|---|---|---|---|---|---|"
)


def main() -> None:
    """Drive the rows that are asked for, else all."""
    numbers = {int(word) for word in sys.argv[1:]} or {one.number for one in ROWS}
    print(HEAD)  # noqa: T201 - that is what it is for
    with ExitStack() as stack:

        @cache
        def postgresql() -> Cluster:
            running = stack.enter_context(running_cluster())
            running.say("CREATE DATABASE pattern")
            open_database(running.url("pattern")).close()
            return running

        for fault in ROWS:
            if fault.number in numbers:
                with tempfile.TemporaryDirectory() as folder:
                    print(line(fault, Scene(Office(Path(folder)), postgresql)), flush=True)  # noqa: T201


def line(fault: Fault, scene: Scene) -> str:
    """One row of the table."""
    try:
        seen = fault.judged(scene)
    except Unavailable as why:
        cells = [f"{fault.code}", f"not on this machine: {why}", ""]
    except AssertionError as error:
        cells = ["**no**", f"**broken**: {error}"[:500], ""]
    else:
        cells = [str(seen.ended.code), "; ".join(seen.proven), seen.line]
    cells = [str(fault.number), fault.fault, fault.outcome, *cells]
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


if __name__ == "__main__":
    main()
