"""Every format of the report, by the word that `[report] formats` and `--format` use for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fleet import plugin
from reports import findings_json, metrics, tables
from reports._format import Format, ReportContext, Writer

if TYPE_CHECKING:
    from pathlib import Path


def _open_html(directory: Path, context: ReportContext) -> Writer:
    from reports import html  # noqa: PLC0415 - its template engine is for those who ask for the page

    return html.FORMAT.open(directory, context)


_HTML = Format(name="html", files=("index.html",), open=_open_html)

GROUP = "fleetkeep.reports"
OWN_FORMATS = {entry.name: entry for entry in (_HTML, tables.FORMAT, findings_json.FORMAT, metrics.FORMAT)}


def formats() -> dict[str, Format]:
    """Our formats, and those that other packages register under `fleetkeep.reports`.

    Raises:
        SettingsError: one of them is not a `Format`, or takes a name that is taken.
    """
    known = dict(OWN_FORMATS)
    for one in plugin.loaded(GROUP, Format):
        if one.name in known:
            raise plugin.taken(one.name, GROUP)
        known[one.name] = one
    return known
