"""Intune's own count of iPhones and iPads, beside its list of them (Microsoft Graph reference, read 2026-11-22)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors import _rows
from connectors._intune_graph import READ_DEVICES, SIDE_FAILURES
from fleet.model.run import Trouble

if TYPE_CHECKING:
    from collections.abc import Iterator

    from connectors._http import Answer, Api

_OVERVIEW = "/v1.0/deviceManagement/managedDeviceOverview"


def counted(api: Api) -> int | None:
    """How many iPhones and iPads Intune's overview has; None where it cannot be had."""
    try:
        return api.get(_OVERVIEW, _overview, permission=READ_DEVICES)
    except SIDE_FAILURES:
        return None


def shortfall(count: int | None, listed: int) -> Iterator[Trouble]:
    """A list shorter than Intune's own overview; the overview may lag, so it is told and not concluded from."""
    if count is not None and count > listed:
        yield Trouble(
            "list_short",
            f"Intune's overview counts {count} iOS devices and its list gave {listed}: look for missing ones in "
            "Intune admin center > Devices > iOS/iPadOS",
            count - listed,
        )


def _overview(answer: Answer) -> int | None:
    summary = _rows.field(_rows.anything(answer.body), "deviceOperatingSystemSummary")
    return _rows.total(_rows.field(summary, "iosCount"))
