"""Sheets for people: what somebody has to do about their own devices, in plain words, to print or to mail.

A sheet holds the devices of one person, or, for devices that nobody is named for, those of one site; nothing of
anybody else stands in it. `index.html` beside them tells the administrator whose sheet is which.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from markupsafe import Markup

from fleet.model.fact import Never, known
from fleet.model.finding import Status
from reports._brand import style_of
from reports._format import Format, ReportContext, Written
from reports._guide import Guide, bundled_guide
from reports._page import digest, resource, templates
from reports._plain import file_name, model_of
from reports.directory import writing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from jinja2 import Environment

    from fleet.model.device_report import DeviceReport, Handling
    from fleet.model.run import RunReport

FOLDER = "user-sheets"
STEPS = 4
"""More is for a talk, not for a sheet."""
_BACKUP = "backup"


class _Owner(NamedTuple):
    """Whose sheet it is.

    Attributes:
        kind: `person`, or `site` for devices that nobody is named for.
        identity: tells owners of one name apart.
    """

    kind: str
    name: str
    identity: str


class _Entry(NamedTuple):
    """One device on a sheet: small, because the sheets of a whole fleet are held until the end."""

    name: str
    model: str
    serial: str
    without_backup: bool
    backup: str
    fixes: tuple[str, ...]
    handling: Handling


class UserSheets:
    """Collects the affected devices by owner and writes a sheet for each; see `reports._format.Writer`."""

    def __init__(self, directory: Path, context: ReportContext, guide: Guide) -> None:
        self._directory = directory / FOLDER
        self._context = context
        self._guide = guide
        self._sheets: dict[_Owner, list[_Entry]] = {}

    def device(self, report: DeviceReport) -> None:
        """Take one device; only one at risk with something for its person to do gets onto a sheet."""
        if report.status is not Status.AT_RISK:
            return
        fixes = tuple(self._safe_steps(report))
        if fixes:
            self._sheets.setdefault(_owner(report), []).append(_entry(report, fixes))

    def finish(self, run: RunReport) -> list[Written]:
        """Write the sheets and their index. Raises OutputError where they cannot be written."""
        with writing(self._directory):
            self._directory.mkdir(mode=0o700)
        owners = sorted(self._sheets)
        names = {owner: f"{file_name(owner.name, '/'.join(owner), owner.kind)}.html" for owner in owners}
        for owner in owners:
            self._write(names[owner], "sheet.html.j2", run, owner=owner, devices=list(self._told(owner)))
        rows = [(owner, names[owner], len(self._sheets[owner])) for owner in owners]
        self._write("index.html", "index.html.j2", run, rows=rows)
        sheets = [Written(f"{FOLDER}/{names[owner]}", len(self._sheets[owner])) for owner in owners]
        return [*sheets, Written(f"{FOLDER}/index.html", len(owners))]

    def _safe_steps(self, report: DeviceReport) -> Iterator[str]:
        """The first steps of the person's own that put no data at risk."""
        taken = 0
        for step in report.plan:
            fix = self._guide.fixes.get(step.fix)
            if step.audience != "user" or fix is None:
                continue
            if fix.cost.data_at_risk or taken == STEPS:
                return
            taken += 1
            yield step.fix

    def _told(self, owner: _Owner) -> Iterator[dict[str, object]]:
        for entry in sorted(self._sheets[owner]):
            steps = [
                {"fix": self._guide.fixes[fix], "lines": self._guide.steps(fix, entry.handling)}
                for fix in entry.fixes
            ]
            yield {**entry._asdict(), "steps": steps}

    def _write(self, name: str, template: str, run: RunReport, **values: object) -> None:
        brand = self._context.brand
        style = style_of(brand, resource(__name__, "sheet.css"))
        text = (
            _templates()
            .get_template(template)
            .render(
                title=run.title,
                as_of=f"{run.as_of:%Y-%m-%d}",
                brand=brand,
                style=Markup(style),  # noqa: S704 - our own file, and a checked colour
                policy_header=f"default-src 'none'; style-src '{digest(style)}'; img-src data:; base-uri 'none'",
                **values,
            )
        )
        with writing(self._directory / name):
            (self._directory / name).write_text(text, encoding="utf-8", errors="replace", newline="\n")


def _owner(report: DeviceReport) -> _Owner:
    device = report.device
    email, name = known(device.user_email), known(device.user_name)
    if email or name:
        return _Owner("person", name or email or "", (email or name or "").casefold())
    site = known(device.site)
    return _Owner("site", site or "", (site or "").casefold())


def _entry(report: DeviceReport, fixes: tuple[str, ...]) -> _Entry:
    device = report.device
    last = known(device.last_cloud_backup_at)
    return _Entry(
        name=known(device.name) or "",
        model=model_of(device) or "",
        serial=known(device.serial) or "",
        without_backup=any(one.problem == _BACKUP and one.state.standing for one in report.findings),
        backup="" if last is None or isinstance(last, Never) else f"{last:%Y-%m-%d}",
        fixes=fixes,
        handling=report.handling,
    )


@cache
def _templates() -> Environment:
    return templates(__name__)


def _open(directory: Path, context: ReportContext) -> UserSheets:
    return UserSheets(directory, context, bundled_guide())


FORMAT = Format(name="user-sheets", files=(f"{FOLDER}/index.html",), open=_open)
