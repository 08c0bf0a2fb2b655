"""An always-on or on-demand VPN stands between a device with a backup problem and Apple."""

from __future__ import annotations

from fleet.checks._check import Case, Check
from fleet.model.fact import need
from fleet.model.finding import CLEAR, Basis, Found, Severity, Verdict


def judge(case: Case) -> Verdict:
    """Found where such a VPN is configured; whether its tunnel was up cannot be seen."""
    if not need(case.device.vpn_configured):
        return CLEAR
    return Found(
        Severity.LOW, "An always-on or on-demand VPN is configured on the device.", {"vpn_configured": True}
    )


CHECK = Check(
    id="vpn-configured",
    title="A VPN may block the backup",
    rule="Found (low) on a device with a backup problem when an always-on or on-demand VPN is configured.",
    clears="It ends with the backup problem, or when no always-on or on-demand VPN is reported any more.",
    basis=Basis.INFERRED,
    reads=frozenset({"vpn_configured"}),
    fixes=("vpn-off", "allow-apple-hosts"),
    judge=judge,
    source="Apple, Use Apple products on enterprise networks (101555), read 2026-11-22",
    beside_backup=True,
)
