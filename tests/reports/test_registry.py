from __future__ import annotations

import subprocess
import sys

from reports.registry import OWN_FORMATS


def test_every_format_goes_by_its_own_name() -> None:
    """The words of `[report] formats` are these four, in the order in which they are listed to people."""
    assert list(OWN_FORMATS) == ["html", "csv", "json", "metrics"]
    assert [entry.name for entry in OWN_FORMATS.values()] == list(OWN_FORMATS)


def test_formats_write_different_files() -> None:
    """No format overwrites another's file, and together they fill the run's directory."""
    files = [name for entry in OWN_FORMATS.values() for name in entry.files]
    assert sorted(files) == ["devices.csv", "findings.csv", "findings.json", "index.html", "metrics.prom"]


def test_naming_the_formats_loads_no_template_engine() -> None:
    """`--help` may list the formats at once: what renders the page is loaded by those who want the page."""
    script = "import sys, reports.registry; sys.exit('jinja2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
