from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest

from fleet.errors import SettingsError
from reports.registry import OWN_FORMATS, ready


def test_every_format_goes_by_its_own_name() -> None:
    """The words of `[report] formats` are these, in the order in which they are listed to people."""
    assert list(OWN_FORMATS) == ["html", "csv", "json", "metrics", "ndjson", "parquet", "user-sheets"]
    assert [entry.name for entry in OWN_FORMATS.values()] == list(OWN_FORMATS)


def test_formats_write_different_files() -> None:
    """No format overwrites another's file, and together they fill the run's directory."""
    files = [name for entry in OWN_FORMATS.values() for name in entry.files]
    assert sorted(files) == sorted(
        [
            *("devices.csv", "findings.csv", "findings.json", "index.html", "metrics.prom"),
            *("devices.ndjson", "findings.ndjson"),
            *("devices.parquet", "findings.parquet", "readings.parquet"),
            "user-sheets/index.html",
        ]
    )


def test_what_cannot_be_written_here_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """A format whose library is missing is refused before the night, with the line to type."""
    lacking = replace(OWN_FORMATS["parquet"], lacks=lambda: 'pip install "fleetkeep[parquet]"')
    monkeypatch.setitem(OWN_FORMATS, "parquet", lacking)
    with pytest.raises(SettingsError, match=r'"parquet" needs more .* pip install "fleetkeep\[parquet\]"'):
        ready(["html", "parquet"])
    assert [one.name for one in ready(["json", "html", "json"])] == ["json", "html"]
    with pytest.raises(SettingsError, match='no report format "xlsx"; there are: html, csv,'):
        ready(["xlsx"])


def test_only_those_who_want_parquet_load_its_library() -> None:
    """Nobody waits for pyarrow who does not write its files."""
    script = "import sys, reports.registry; sys.exit('pyarrow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_naming_the_formats_loads_no_template_engine() -> None:
    """`--help` may list the formats at once: what renders the page is loaded by those who want the page."""
    script = "import sys, reports.registry; sys.exit('jinja2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
