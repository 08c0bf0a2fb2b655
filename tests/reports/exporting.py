"""Made-up nights on their way into a ticketing file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reports._guide import bundled_guide
from reports.ticketing._export import AssetExport, TicketExport
from reports.ticketing._file import Files
from reports.ticketing._grouping import Grouping
from reports.ticketing._night import Night
from reports.ticketing._profile import AssetProfile
from reports.ticketing._text import Texts
from tests.reports.a_run import CONTEXT, a_run

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from pathlib import Path

    from fleet.model.device_report import DeviceReport
    from fleet.model.finding import Action
    from reports.ticketing._export import Exported
    from reports.ticketing._file import Sink
    from reports.ticketing._profile import AnyProfile

BASE_URL = CONTEXT.base_url


def a_night(base_url: str = BASE_URL, **run: object) -> Night:
    """What all tickets of a made-up run share."""
    return Night(run=a_run(**run), texts=Texts(bundled_guide(), CONTEXT.checks), base_url=base_url)


def header_of(profile: AnyProfile) -> list[str]:
    """The names of its columns."""
    return [column.name for column in profile.columns]


def listening(
    profile: AnyProfile,
    sink: Sink,
    night: Night,
    *,
    grouping: Grouping = Grouping.FINDING,
    only: Collection[Action] | None = None,
    spreadsheet: bool = False,
) -> AssetExport | TicketExport:
    """The export of that profile, at its beginning."""
    if isinstance(profile, AssetProfile):
        return AssetExport(profile, sink, night, spreadsheet=spreadsheet)
    return TicketExport(profile, sink, night, grouping=grouping, only=only, spreadsheet=spreadsheet)


def exported(
    path: Path,
    profile: AnyProfile,
    reports: Iterable[DeviceReport],
    *,
    base_url: str = BASE_URL,
    grouping: Grouping = Grouping.FINDING,
    only: Collection[Action] | None = None,
    spreadsheet: bool | None = None,
    **run: object,
) -> Exported:
    """Export these devices to `path`, as the command does."""
    for_people = profile.spreadsheet if spreadsheet is None else spreadsheet
    night = a_night(base_url, **run)
    with Files(path, header_of(profile), mark=for_people, limit=profile.row_limit) as files:
        listener = listening(profile, files, night, grouping=grouping, only=only, spreadsheet=for_people)
        for report in reports:
            listener.device(report)
        return listener.finish(night.run)
