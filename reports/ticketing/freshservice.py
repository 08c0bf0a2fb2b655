"""`freshservice`: assets for Freshservice's CSV import, one file for one asset type.

Sources: the import pages for requesters (support.freshservice.com 210050: dates as YYYY-MM-DD, checkboxes true or
false, addresses with their scheme) and for assets (a partner's copy: only Display Name is needed, one asset type per
file, choices have to exist), read 2026-11-25.
"""

from __future__ import annotations

from reports._plain import model_of
from reports.ticketing import _asset
from reports.ticketing._kind import fingerprint, line, link, moment
from reports.ticketing._profile import AssetProfile, Column

_DAY = moment("%Y-%m-%d", "2026-11-22")

PROFILE = AssetProfile(
    name="freshservice",
    product="Freshservice",
    unique="Fleetkeep Key",
    lacks=_asset.lacks_nothing,
    columns=(
        Column("Display Name", line(), _asset.name, required=True),
        _asset.fact("Asset Tag", "asset_tag"),
        _asset.fact("Serial Number", "serial"),
        Column("Product", line(), lambda asset: model_of(asset.report.device)),
        _asset.fact("Used By", "user_email"),
        _asset.fact("Department", "department"),
        _asset.fact("Location", "site"),
        _asset.fact("OS Version", "os_version"),
        Column("Backup Status", _asset.STATUS, lambda asset: asset.report.status, required=True),
        Column("Backup Severity", _asset.SEVERITY, _asset.severity, required=True),
        Column("Backup Cause", line(), _asset.cause, required=True),
        Column("Backup Findings", line(1000), _asset.findings, required=True),
        Column("Next Fix", line(), _asset.next_fix, required=True),
        Column("Last iCloud Backup", _DAY, _asset.last_backup),
        Column("Last Heard Of", _DAY, lambda asset: asset.report.device.observed_at, required=True),
        Column("Judged On", _DAY, lambda asset: asset.run.as_of, required=True),
        Column("Backup Report", link(absolute=True), _asset.link_to),
        Column("Fleetkeep Key", fingerprint(), lambda asset: asset.report.device.key, required=True),
    ),
)
