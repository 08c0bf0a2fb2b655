"""An office for each test, empty."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.command import Office
from tests.databases import Cluster

if TYPE_CHECKING:
    from pathlib import Path

    from tests.databases import Place


@pytest.fixture
def office(tmp_path: Path, usual_place: Place) -> Office:
    """A folder of its own, without settings yet, and with a database of the usual kind."""
    if isinstance(usual_place, Cluster):
        return Office(tmp_path, url=usual_place.empty())
    return Office(tmp_path)
