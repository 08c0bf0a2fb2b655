"""Fixtures that more than one folder of tests asks for, and how hard property tests search."""

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
from tests.examples import examples

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
# A machine's load is no fault of the code.
settings.register_profile("fleetkeep", deadline=None, max_examples=examples(100))
settings.load_profile("fleetkeep")
