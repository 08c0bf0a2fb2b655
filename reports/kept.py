"""Reports that past runs left in the report directory: which there are, by what their manifests say."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

from reports.directory import writing

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path


def reports_of(root: Path, runs: Collection[int]) -> list[Path]:
    """The directories below `root` that hold a report of one of those runs, `latest` among them."""
    return [one.parent for one in sorted(root.glob("*/manifest.json")) if _run_of(one) in runs]


def delete(directory: Path) -> None:
    """Delete one report.

    Raises:
        OutputError: it could not be deleted.
    """
    with writing(directory):
        shutil.rmtree(directory)


def _run_of(manifest: Path) -> object:
    """The run's number; None where the file is none of ours."""
    try:
        return json.loads(manifest.read_text(encoding="utf-8")).get("run")
    except (OSError, ValueError, AttributeError):
        return None
