"""An office for each test, empty."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.command import Office

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def office(tmp_path: Path) -> Office:
    """A folder of its own, without settings yet."""
    return Office(tmp_path)
