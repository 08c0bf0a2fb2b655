"""Every format of the report, by the word that `[report] formats` and `--format` use for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fleet import plugin
from fleet.errors import SettingsError
from reports import findings_json, metrics, ndjson, parquet, tables
from reports._format import Format, ReportContext, Writer

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


def _open_html(directory: Path, context: ReportContext) -> Writer:
    from reports import html  # noqa: PLC0415 - its template engine is for those who ask for the page

    return html.FORMAT.open(directory, context)


def _open_sheets(directory: Path, context: ReportContext) -> Writer:
    from reports import user_sheets  # noqa: PLC0415 - likewise

    return user_sheets.FORMAT.open(directory, context)


_HTML = Format(name="html", files=("index.html",), open=_open_html)
_SHEETS = Format(name="user-sheets", files=("user-sheets/index.html",), open=_open_sheets)

GROUP = "fleetkeep.reports"
OWN_FORMATS = {
    entry.name: entry
    for entry in (
        *(_HTML, tables.FORMAT, findings_json.FORMAT, metrics.FORMAT),
        *(ndjson.FORMAT, parquet.FORMAT, _SHEETS),
    )
}


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


def ready(names: Iterable[str], split_by: str | None = None) -> list[Format]:
    """The formats by name, each of which can be written here; with `split_by`, all of them once more for each slice.

    Raises:
        SettingsError: there is no such format, or what it needs is not installed.
    """
    known = formats()
    for name in names:
        if name not in known:
            raise SettingsError(f'no report format "{name}"; there are: {", ".join(known)}')
        lacking = known[name].lacks()
        if lacking:
            raise SettingsError(f'report format "{name}" needs more than is installed; install it: {lacking}')
    chosen = [known[name] for name in dict.fromkeys(names)]
    if split_by is None:
        return chosen
    from reports import slices  # noqa: PLC0415 - its template engine is for those who split

    return [*chosen, slices.format_of(split_by, chosen)]
