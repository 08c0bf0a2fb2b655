"""Every fault of the table, made for real, with what has to come of it.

`python -m tests.faults` prints what was seen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.command import ROOT, Office
from tests.faults.rows import ROWS
from tests.faults.table import Fault, Scene, Unavailable

if TYPE_CHECKING:
    from pathlib import Path

    from tests.databases import Cluster


@pytest.mark.parametrize("fault", ROWS, ids=[f"{one.number:02}-{one.drive.__name__}" for one in ROWS])
def test_fault(fault: Fault, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """A fault has the outcome, the exit code and the words that its row promises, and is never a traceback."""

    def postgresql() -> Cluster:
        running: Cluster = request.getfixturevalue("postgresql")
        return running

    try:
        fault.judged(Scene(Office(tmp_path), postgresql))
    except Unavailable as why:
        pytest.skip(str(why))


def test_every_row_is_there() -> None:
    """Thirty faults, each once and in order; what is shown elsewhere is really there."""
    assert [one.number for one in ROWS] == list(range(1, 31))
    for test in (test for one in ROWS for test in one.also):
        path, _, name = test.partition("::")
        assert f"def {name}(" in (ROOT / path).read_text(encoding="utf-8"), test
