"""The HTML report: one file that opens anywhere, asks nobody for anything, and holds the whole fleet.

The first page is plain HTML. The devices behind it are columns, compressed, which the page's own script unfolds into
a list that only ever draws the rows in sight.
"""

from __future__ import annotations

import os
import tempfile
from functools import cache
from typing import TYPE_CHECKING

from markupsafe import Markup

from fleet.model.device import SIGNALS, SIZE_SIGNALS, TIME_SIGNALS
from reports._brand import style_of
from reports._format import Format, ReportContext, Written
from reports._guide import Guide, bundled_guide
from reports._page import digest, resource, templates
from reports.directory import writing
from reports.html import incidents, words
from reports.html.advice import Advice
from reports.html.bands import EVERY
from reports.html.devices import DAY_SIGNALS, Devices
from reports.html.moments import minutes
from reports.html.payload import payload
from reports.html.sizes import SIZE_STEP
from reports.html.tally import Tally
from reports.html.view import view

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from jinja2 import Template

    from fleet.model.brand import Brand
    from fleet.model.device_report import DeviceReport
    from fleet.model.run import RunReport

NAME = "index.html"
_SCRIPTS = (
    *("fingerprint.js", "columns.js", "fleet.js", "facets.js", "filter.js"),
    *("element.js", "table.js", "list.js", "panels.js", "export.js"),
    *("verdict.js", "plan.js", "evidence.js", "past.js", "detail.js", "report.js"),
)
_STYLES = ("base.css", "first.css", "list.css", "detail.css", "print.css")


class HtmlReport:
    """Writes `index.html`; see `reports._format.Writer`."""

    def __init__(self, directory: Path, context: ReportContext, guide: Guide) -> None:
        self._path = directory / NAME
        self._checks = context.checks
        self._brand = context.brand
        self._fixes = guide.fixes
        self._advice = Advice(guide)
        self._devices = Devices(self._advice.handling, minutes(context.as_of))
        self._tally = Tally()

    def device(self, report: DeviceReport) -> None:
        """Take one device."""
        self._devices.add(report)
        self._tally.add(report)

    def finish(self, run: RunReport) -> list[Written]:
        """Write the page. Raises OutputError where the file cannot be written."""
        tables = self._devices.tables()  # before the head, which tells of what the last devices brought
        told = view(run, self._tally, self._devices.spread(minutes(run.as_of)), self._checks, self._fixes)
        with writing(self._path), tempfile.TemporaryFile(dir=self._path.parent) as spool:
            data = payload(self._head(run), tables, spool)
            page = _template().stream(**told, **_assets(self._brand), data=data)
            # For the owner alone: names and serial numbers stand in it.
            with os.fdopen(os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                page.dump(file, encoding="utf-8", errors="replace")
        return [Written(NAME, self._tally.devices)]

    def _head(self, run: RunReport) -> Mapping[str, object]:
        return {
            "rows": self._tally.devices,
            "asOf": minutes(run.as_of),
            "address": f"{run.base_url}{NAME}" if run.base_url else "",
            "sizeStep": SIZE_STEP,
            "signals": [[name, words.SIGNALS.get(name, name), _kind(name)] for name in SIGNALS],
            "checks": {
                text.id: {"title": text.title, "rule": text.rule, "basis": text.basis, "clears": text.clears}
                for text in self._checks.values()
            },
            "steps": self._devices.steps,
            "incidents": incidents.heads(run),
            "bands": {name: {"edges": each.edges, "names": each.names} for name, each in EVERY.items()},
            "words": _vocabulary(),
            **self._advice.texts(),
        }


def _vocabulary() -> dict[str, object]:
    return {
        "statuses": words.STATUSES,
        "severities": words.SEVERITIES,
        "states": words.STATES,
        "bases": words.BASES,
        "audiences": words.AUDIENCES,
        "standings": words.STANDINGS,
        "strengths": words.STRENGTHS,
        "reasons": words.REASONS,
        "verdicts": words.VERDICTS,
        "unexplained": words.UNEXPLAINED,
        "catalogue": words.CATALOGUE,
        "evidence": words.EVIDENCE,
        "evidence_values": words.EVIDENCE_VALUES,
    }


def _kind(signal: str) -> str:
    if signal in DAY_SIGNALS:
        return "day"
    if signal in TIME_SIGNALS:
        return "time"
    if signal in SIZE_SIGNALS:
        return "size"
    return {"battery_percent": "percent", "groups": "list"}.get(signal, "text")


def _assets(brand: Brand) -> dict[str, object]:
    """The page's own style and script, and the hashes that let nothing else run."""
    style = style_of(brand, "".join(resource(__name__, f"style/{name}") for name in _STYLES))
    # One module from several files: each keeps its names to the others, none to the page.
    script = "\n".join(resource(__name__, f"script/{name}") for name in _SCRIPTS)
    return {
        "brand": brand,
        "style": Markup(style),  # noqa: S704 - our own file, no outside text in it
        "script": Markup(script),  # noqa: S704 - likewise
        "policy_header": (
            f"default-src 'none'; script-src '{digest(script)}'; style-src '{digest(style)}'; "
            "img-src data:; base-uri 'none'; form-action 'none'"
        ),
    }


@cache
def _template() -> Template:
    return templates(__name__, "page/").get_template("page.html.j2")


def _open(directory: Path, context: ReportContext) -> HtmlReport:
    return HtmlReport(directory, context, bundled_guide())


FORMAT = Format(name="html", files=(NAME,), open=_open)
