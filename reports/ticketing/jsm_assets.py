"""`jsm-assets`: objects for Assets in Jira Service Management, told apart by `Fleetkeep Key`.

Source: "Prepare your data for importing into Assets" (support.atlassian.com, read 2026-11-25): UTF-8, dates as
MM/dd/yyyy, several values with `||` between them, addresses with their scheme.
"""

from __future__ import annotations

from reports._plain import model_of
from reports.ticketing import _asset
from reports.ticketing._kind import fingerprint, line, link, moment
from reports.ticketing._profile import AssetProfile, Column

_DAY = moment("%m/%d/%Y", "11/22/2026")

PROFILE = AssetProfile(
    name="jsm-assets",
    product="Assets in Jira Service Management",
    unique="Fleetkeep Key",
    lacks=_asset.lacks_nothing,
    columns=(
        Column("Fleetkeep Key", fingerprint(), lambda asset: asset.report.device.key, required=True),
        Column("Name", line(), _asset.name, required=True),
        _asset.fact("Serial Number", "serial"),
        _asset.fact("Asset Tag", "asset_tag"),
        Column("Model", line(), lambda asset: model_of(asset.report.device)),
        _asset.fact("System", "os_version"),
        _asset.fact("User Email", "user_email"),
        _asset.fact("Department", "department"),
        _asset.fact("Site", "site"),
        Column("Groups", line(2000), lambda asset: _asset.groups(asset, "||")),
        Column("Backup Status", _asset.STATUS, lambda asset: asset.report.status, required=True),
        Column("Backup Severity", _asset.SEVERITY, _asset.severity, required=True),
        Column("Backup Cause", line(), _asset.cause, required=True),
        Column("Backup Findings", line(1000), _asset.findings, required=True),
        Column("Next Fix", line(), _asset.next_fix, required=True),
        Column("Last iCloud Backup", _DAY, _asset.last_backup),
        Column("Last Heard Of", _DAY, lambda asset: asset.report.device.observed_at, required=True),
        Column("Judged On", _DAY, lambda asset: asset.run.as_of, required=True),
        Column("Report", link(absolute=True), _asset.link_to),
    ),
)
