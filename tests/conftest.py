"""Fixtures that more than one folder of tests asks for, how hard property tests search, and what coverage follows."""

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

_ROWS_FOLLOWED = 4


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Have coverage follow the first rows of each table: it costs a test as much again, and a few tell."""
    if config.pluginmanager.hasplugin("_cov"):
        for item in items:
            if max(_row_of(item), default=0) >= _ROWS_FOLLOWED:
                item.add_marker("no_cover")


def _row_of(item: pytest.Item) -> list[int]:
    """Its number in each of the tables that it has its parameters from."""
    if isinstance(item, pytest.Function) and hasattr(item, "callspec"):
        return list(item.callspec.indices.values())
    return []
