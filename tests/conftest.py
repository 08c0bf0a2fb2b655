"""Fixtures that more than one folder of tests asks for, and how hard property tests search."""

import os

import pytest
from hypothesis import settings

from tests.browser.chromium import browser, page
from tests.databases import (
    cluster,
    database,
    place,
    postgresql,
    sqlite,
    sqlite_database,
    sqlite_pattern,
    usual_database,
    usual_place,
)

__all__ = [
    "browser",
    "cluster",
    "database",
    "page",
    "place",
    "postgresql",
    "sqlite",
    "sqlite_database",
    "sqlite_pattern",
    "usual_database",
    "usual_place",
]

pytest.register_assert_rewrite("tests.faults")  # what a row of theirs asserts is shown in full when it fails
# A machine's load is no fault of the code; and one Python searches in depth, the others look whether it works there.
settings.register_profile("full", deadline=None)
settings.register_profile("few", deadline=None, max_examples=10)
settings.load_profile("few" if "FLEETKEEP_FEW_EXAMPLES" in os.environ else "full")
