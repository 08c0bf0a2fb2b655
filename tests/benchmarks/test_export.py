from __future__ import annotations

from tests.benchmarks.export import measure


def test_the_benchmark_of_the_export_runs() -> None:
    """Small, so that it stays in order: rows, files, megabytes, seconds and memory of one profile."""
    assert measure("jira", 300).split(" | ")[:3] == ["| jira", "300", "2"]
