"""Our own connectors pass the contract, and none of them is forgotten."""

from __future__ import annotations

import csv
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import connectors
from connectors import registry
from connectors.contract import ConnectorContract, Sample
from fleet.model.device import SIGNALS
from tests.servers.jamf import JamfServer, classic_profile, installed, jamf_record

if TYPE_CHECKING:
    from connectors._connector import Connector


def jamf_pro(_folder: Path) -> Sample:
    """Thirty devices, among them one with a local backup, one of a site, and one with a profile that restricts it."""
    records = [jamf_record(i) for i in range(30)]
    records[3]["general"]["lastBackupDate"] = "2026-02-01T08:00:00Z"
    records[4]["general"]["siteId"] = "1"
    records[5]["profiles"] = [installed("A-PROFILE")]
    restricted = {"PayloadType": "com.apple.applicationaccess", "allowCloudBackup": False}
    vpn = {"PayloadType": "com.apple.vpn.managed", "VPNType": "IKEv2", "IKEv2": {"OnDemandEnabled": 1}}
    profiles = {1: classic_profile("A-PROFILE", restricted, vpn)}
    secret = {"client_id": "c", "client_secret": JamfServer.client_secret}
    server = JamfServer(devices=records, profiles=profiles)
    return Sample({"url": "https://jamf.example", **secret}, server.transport)


def file(folder: Path) -> Sample:
    """A table with a column for every signal."""
    row = dict.fromkeys(SIGNALS, "yes") | {
        signal: "2026-11-20T01:00:00Z" for signal in SIGNALS if signal.endswith("_at")
    }
    row |= {"platform": "iOS", "enrollment": "dep", "ownership": "personal"}
    row |= {"os_version": "27.0.1", "pending_os_version": "27.1"}
    row |= {"capacity_bytes": "64 GB", "available_bytes": "9 GB", "battery_percent": "80"}
    with (folder / "all.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, SIGNALS)
        writer.writeheader()
        writer.writerow(row)
    return Sample({"path": str(folder / "all.csv"), "columns": {signal: signal for signal in SIGNALS}})


def demo(_folder: Path) -> Sample:
    """The fleet that `fleetkeep demo` shows."""
    return Sample({"devices": 250, "nights": 30})


SAMPLES = {"jamf_pro": jamf_pro, "file": file, "demo": demo}


def sample_of(kind: str, folder: Path) -> Sample:
    """The sample of a kind; those of vendors stand beside their made-up servers."""
    if kind in SAMPLES:
        return SAMPLES[kind](folder)
    values, transport = import_module(f"tests.servers.{kind}").sample(folder)
    return Sample(values, transport)


@pytest.mark.parametrize(
    "connector", [registry.connector(kind) for kind in registry.OWN_KINDS], ids=lambda c: c.kind
)
class TestOurs(ConnectorContract):
    @pytest.fixture(autouse=True)
    def chosen(self, connector: Connector[Any]) -> None:
        type(self).connector = connector

    def sample(self, folder: Path) -> Sample:
        return sample_of(self.connector.kind, folder)

    def test_it_goes_by_the_name_it_is_registered_with(self) -> None:
        """The word in the settings is the connector's own."""
        assert registry.connector(self.connector.kind) is self.connector


def test_every_file_in_the_folder_is_registered() -> None:
    """A connector that nobody can name in the settings is a mistake; the failure says which line to add."""
    folder = Path(connectors.__file__).parent
    found = {
        path.stem for path in folder.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    kinds = {name for name in found if not name.startswith("_")} - {"registry", "contract", "kit"}
    assert kinds == set(registry.OWN_KINDS), "add the new kind to OWN_KINDS in connectors/registry.py"


def test_no_file_of_a_connector_is_longer_than_a_reader_holds() -> None:
    """A file past 250 lines holds two things; the failure says which."""
    folder = Path(connectors.__file__).parent
    lengths = {path.name: len(path.read_text().splitlines()) for path in folder.rglob("*.py")}
    assert not {name: length for name, length in lengths.items() if length > 250}
