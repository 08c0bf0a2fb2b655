"""Lists of Microsoft Graph and the permissions behind them (Microsoft Graph reference, read 2026-11-22)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from connectors import _rows
from connectors._pages import by_link
from fleet.errors import BadAnswer, NotFound, PermissionMissing, ServerTrouble

if TYPE_CHECKING:
    from collections.abc import Iterator

    from connectors._http import Answer, Api

CONSOLE = (
    "Microsoft Entra admin center > App registrations > your app > API permissions > Add > Microsoft Graph > "
    'Application permissions, then "Grant admin consent"'
)
READ_DEVICES = "DeviceManagementManagedDevices.Read.All"
READ_POLICIES = "DeviceManagementConfiguration.Read.All"
SIDE_FAILURES = (PermissionMissing, NotFound, ServerTrouble, BadAnswer)
"""What may befall side data without ending the source."""


def pages(api: Api, first: str, permission: str) -> Iterator[list[object]]:
    """The rows of every page from `first` on; Graph names the next page itself, and the last one names none."""
    fetch = partial(api.get, decode=_page, permission=permission)
    for rows, _ in by_link(fetch, lambda page: page[1], first=first, rows=lambda page: page[0]):
        yield rows


def _page(answer: Answer) -> tuple[list[object], str | None]:
    said = _rows.anything(answer.body)
    following = _rows.field(said, "@odata.nextLink")
    if following is not None and not isinstance(following, str):
        raise ValueError("a next page that is no link")
    return _rows.rows(_rows.field(said, "value")), following
