"""One report per slice of the fleet (a site, a group, a source) with nothing of the others inside, and a portfolio.

Slices are written one after the other from a spool on disk, so that neither memory nor open files grow with their
number. A device that belongs to several (groups, sources) stands in each, as it is known to all.
"""

from __future__ import annotations

import pickle
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import IO, TYPE_CHECKING, TypeAlias

from markupsafe import Markup

from fleet.model.fact import known
from fleet.model.finding import Status
from fleet.model.run import Totals
from reports._brand import style_of
from reports._format import Format, Written
from reports._page import digest, resource, templates
from reports._plain import file_name
from reports.directory import writing
from reports.html import words

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from fleet.model.device_report import DeviceReport
    from fleet.model.run import RunReport
    from reports._format import ReportContext

FOLDER = "slices"
Names: TypeAlias = Callable[["DeviceReport"], Sequence[str]]
_NOWHERE = ("",)
_BACKUP = "backup"


@dataclass(slots=True)
class Slice:
    """One slice while the fleet streams by.

    Attributes:
        places: where its devices start in the spool.
        sources: how many of its devices each source knows.
    """

    places: list[int] = field(default_factory=list[int])
    totals: Totals = field(default_factory=Totals)
    sources: dict[str, int] = field(default_factory=dict[str, int])
    without_backup: int = 0

    def add(self, report: DeviceReport, place: int) -> None:
        """Count one device in."""
        self.places.append(place)
        self.totals.add(report)
        self.without_backup += any(one.problem == _BACKUP and one.state.standing for one in report.findings)
        for source in {sighting.source for sighting in report.device.sightings}:
            self.sources[source] = self.sources.get(source, 0) + 1


class Slices:
    """Spools the fleet and writes `formats` for each slice; see `reports._format.Writer`."""

    def __init__(
        self, directory: Path, context: ReportContext, formats: Sequence[Format], split_by: str
    ) -> None:
        self._directory = directory / FOLDER
        self._context = context
        self._formats = formats
        self._split_by = split_by
        self._names = SPLITS[split_by]
        self._slices: dict[str, Slice] = {}
        with writing(directory):
            self._spool: IO[bytes] = tempfile.TemporaryFile(dir=directory)  # noqa: SIM115 - closed at the end

    def device(self, report: DeviceReport) -> None:
        """Take one device."""
        with writing(self._directory):
            place = self._spool.tell()
            pickle.dump(report, self._spool, pickle.HIGHEST_PROTOCOL)
        for name in dict.fromkeys(self._names(report)):
            self._slices.setdefault(name, Slice()).add(report, place)

    def finish(self, run: RunReport) -> list[Written]:
        """Write every slice and the portfolio. Raises OutputError where they cannot be written."""
        written: list[Written] = []
        with writing(self._directory), self._spool:
            self._directory.mkdir(mode=0o700)
            folders = {name: folder_of(self._split_by, name) for name in sorted(self._slices)}
            for name, folder in folders.items():
                written += self._write_slice(name, folder, run)
            self._write_portfolio(folders, run)
        return [*written, Written(f"{FOLDER}/index.html", len(folders))]

    def _write_slice(self, name: str, folder: str, run: RunReport) -> Iterator[Written]:
        own = self._slices[name]
        directory = self._directory / folder
        directory.mkdir(mode=0o700)
        base_url = f"{self._context.base_url}{FOLDER}/{folder}/" if self._context.base_url else ""
        context = replace(self._context, base_url=base_url)
        writers = [one.open(directory, context) for one in self._formats]
        for place in own.places:
            self._spool.seek(place)
            report: DeviceReport = pickle.load(self._spool)  # noqa: S301 - what `device` wrote, in a file without a name
            for writer in writers:
                writer.device(report)
        for writer in writers:
            for file in writer.finish(run_of(run, own, name or self._nameless(), base_url)):
                yield Written(f"{FOLDER}/{folder}/{file.name}", file.rows)

    def _nameless(self) -> str:
        return f"no {self._split_by}"

    def _write_portfolio(self, folders: Mapping[str, str], run: RunReport) -> None:
        style = style_of(self._context.brand, resource(__name__, "portfolio.css"))
        text = (
            templates(__name__)
            .get_template("portfolio.html.j2")
            .render(
                title=run.title,
                as_of=f"{run.as_of:%Y-%m-%d %H:%M} UTC",
                split_by=self._split_by,
                brand=self._context.brand,
                style=Markup(style),  # noqa: S704 - our own file, and a checked colour
                policy_header=f"default-src 'none'; style-src '{digest(style)}'; img-src data:; base-uri 'none'",
                words=words.STATUSES,
                rows=sorted(self._rows(folders), key=_worst_first),
                opens="index.html" if any(one.name == "html" for one in self._formats) else "",
            )
        )
        (self._directory / "index.html").write_text(text, encoding="utf-8", errors="replace", newline="\n")

    def _rows(self, folders: Mapping[str, str]) -> Iterator[dict[str, object]]:
        for name, folder in folders.items():
            own = self._slices[name]
            devices = own.totals.devices
            at_risk = own.totals.statuses[Status.AT_RISK]
            yield {
                "name": name or self._nameless(),
                "folder": folder,
                "devices": devices,
                "statuses": {str(status): count for status, count in own.totals.statuses.items()},
                "without_backup": own.without_backup,
                "share": 100 * at_risk / devices,
            }


def folder_of(split_by: str, name: str) -> str:
    """The name of the slice's folder."""
    return file_name(name, f"{split_by}/{name}", f"no-{split_by}")


def _worst_first(row: Mapping[str, object]) -> tuple[float, str]:
    share = row["share"]
    return (-share if isinstance(share, float) else 0.0, str(row["name"]))


def run_of(run: RunReport, own: Slice, name: str, base_url: str) -> RunReport:
    """The run as the slice may know it: its own counts, and of the whole fleet neither trend nor incidents."""
    sources = tuple(
        replace(
            source,
            devices=own.sources[source.name],
            expected=None,
            unreadable=0,
            increment=replace(source.increment, read=None) if source.increment else None,
        )
        for source in run.sources
        if source.name in own.sources
    )
    return replace(
        run,
        title=f"{run.title}: {name}",
        base_url=base_url or None,
        totals=own.totals,
        sources=sources,
        incidents=(),
        trend=(),
        notes=(),
    )


def _sites(report: DeviceReport) -> Sequence[str]:
    return (known(report.device.site) or "",)


def _groups(report: DeviceReport) -> Sequence[str]:
    return known(report.device.groups) or _NOWHERE


def _sources(report: DeviceReport) -> Sequence[str]:
    return [sighting.source for sighting in report.device.sightings]


def format_of(split_by: str, formats: Sequence[Format]) -> Format:
    """The format that writes all the others once more for each slice."""
    return Format(
        name="slices",
        files=(f"{FOLDER}/index.html",),
        open=lambda directory, context: Slices(directory, context, formats, split_by),
    )


SPLITS: Mapping[str, Names] = {"site": _sites, "group": _groups, "source": _sources}
