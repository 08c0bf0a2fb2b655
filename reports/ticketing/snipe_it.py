"""`snipe-it`: assets for Snipe-IT's importer, which knows an asset by its tag alone.

Source: `app/Importer` of snipe/snipe-it (read 2026-11-25). Two things follow from it. An empty cell of a custom field
leaves the old value, so ours are never empty. And a column with a user's name or mail makes users and checks assets out
to them, so there is none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fleet.model.fact import known
from reports._plain import model_of
from reports.ticketing import _asset
from reports.ticketing._kind import flat, line, matching
from reports.ticketing._profile import AssetProfile, Column

if TYPE_CHECKING:
    from fleet.model.device_report import DeviceReport

_DAY = matching(r"\d{4}-\d{2}-\d{2}", "a day written as 2026-11-22")


def _lacks_a_tag(report: DeviceReport) -> str | None:
    return None if flat(known(report.device.asset_tag) or "") else "without an asset tag"


PROFILE = AssetProfile(
    name="snipe-it",
    product="Snipe-IT",
    unique="Asset Tag",
    lacks=_lacks_a_tag,
    columns=(
        Column("Asset Tag", line(191), lambda asset: known(asset.report.device.asset_tag), required=True),
        Column("Serial Number", line(191), lambda asset: known(asset.report.device.serial)),
        Column("Item Name", line(191), _asset.name, required=True),
        Column("Model Name", line(191), lambda asset: model_of(asset.report.device)),
        Column("Manufacturer", line(191), lambda _: "Apple", required=True),
        Column("Backup Status", _asset.STATUS, lambda asset: asset.report.status, required=True),
        Column("Backup Severity", _asset.SEVERITY, _asset.severity, required=True),
        Column("Backup Cause", line(191), _asset.cause, required=True),
        Column("Backup Findings", line(191), _asset.findings, required=True),
        Column("Next Fix", line(191), _asset.next_fix, required=True),
        Column(
            "Last iCloud Backup",
            matching(r"\d{4}-\d{2}-\d{2}|never|unknown", "a day written as 2026-11-22, never, or unknown"),
            _asset.last_backup_told,
            required=True,
        ),
        Column(
            "Last Heard Of", _DAY, lambda asset: f"{asset.report.device.observed_at:%Y-%m-%d}", required=True
        ),
        Column("Judged On", _DAY, lambda asset: f"{asset.run.as_of:%Y-%m-%d}", required=True),
        Column("Backup Report", line(191), lambda asset: _asset.link_to(asset) or _asset.NONE, required=True),
    ),
)
