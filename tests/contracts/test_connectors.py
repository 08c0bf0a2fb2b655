"""Every connector keeps its word: what it says it can report, what it never does, and where it is registered."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import connectors
from connectors import registry
from connectors._connector import Connector, SourceSettings, Surroundings
from fleet.model.device import SIGNALS, DeviceRecord
from fleet.model.fact import NOT_REPORTED, Gap
from tests.servers.jamf import JamfServer, jamf_record

if TYPE_CHECKING:
    import httpx

COLLECTED_AT = datetime(2026, 11, 22, 2, tzinfo=UTC)


@dataclass(frozen=True)
class Sample:
    """A source of one kind whose pages show everything that the kind can report."""

    values: dict[str, Any]
    transport: httpx.BaseTransport | None = None


def jamf_pro(_folder: Path) -> Sample:
    records = [jamf_record(i) for i in range(30)]
    records[3]["general"]["lastBackupDate"] = "2026-02-01T08:00:00Z"
    records[4]["general"]["siteId"] = "1"
    secret = {"client_id": "c", "client_secret": JamfServer.client_secret}
    return Sample({"url": "https://jamf.example", **secret}, JamfServer(devices=records).transport)


def file(folder: Path) -> Sample:
    """A table with a column for every signal."""
    row = dict.fromkeys(SIGNALS, "yes") | {
        signal: "2026-11-20T01:00:00Z" for signal in SIGNALS if signal.endswith("_at")
    }
    row |= {
        "platform": "iOS",
        "enrollment": "dep",
        "ownership": "personal",
        "os_version": "27.0.1",
        "pending_os_version": "27.1",
    }
    row |= {"capacity_bytes": "64 GB", "available_bytes": "9 GB", "battery_percent": "80"}
    with (folder / "all.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, SIGNALS)
        writer.writeheader()
        writer.writerow(row)
    return Sample({"path": str(folder / "all.csv"), "columns": {signal: signal for signal in SIGNALS}})


def demo(_folder: Path) -> Sample:
    return Sample({"devices": 250, "nights": 30})


SAMPLES = {"jamf_pro": jamf_pro, "file": file, "demo": demo}


def opened(kind: str, folder: Path) -> tuple[Connector[Any], SourceSettings, list[DeviceRecord]]:
    connector, sample = registry.connector(kind), SAMPLES[kind](folder)
    settings = connector.settings.model_validate({"name": "sample", "kind": kind, **sample.values})
    around = Surroundings(
        collected_at=COLLECTED_AT, now=lambda: 0.0, sleep=lambda _: None, transport=sample.transport
    )
    rows = [row for page in connector.walk(settings, around) for row in page.rows]
    return connector, settings, [row for row in rows if isinstance(row, DeviceRecord)]


@pytest.mark.parametrize("kind", registry.OWN_KINDS)
def test_a_connector_keeps_its_word(kind: str, tmp_path: Path) -> None:
    """The signals that never come are exactly those it does not promise, and each promised one is known once."""
    connector, settings, records = opened(kind, tmp_path)
    promised = connector.reported(settings)
    silent = {s for s in SIGNALS if all(getattr(record, s) == NOT_REPORTED for record in records)}
    known = {s for s in SIGNALS if any(not isinstance(getattr(record, s), Gap) for record in records)}
    assert silent == set(SIGNALS) - promised
    assert known == promised
    assert promised <= connector.provides


@pytest.mark.parametrize("kind", registry.OWN_KINDS)
def test_native_ids_tell_records_apart(kind: str, tmp_path: Path) -> None:
    """One record, one id: what the store keeps apart by."""
    _, _, records = opened(kind, tmp_path)
    assert len({record.native_id for record in records}) == len(records) > 0


@pytest.mark.parametrize("kind", registry.OWN_KINDS)
def test_a_connector_names_itself_as_it_is_registered(kind: str) -> None:
    """The word in the settings is the connector's own, and it tells how its facts were confirmed."""
    connector = registry.connector(kind)
    assert connector.kind == kind
    assert connector.confirmed
    assert connector.example


def test_every_file_in_the_folder_is_registered() -> None:
    """A connector that nobody can name in the settings is a mistake; the failure says which line to add."""
    folder = Path(connectors.__file__).parent
    found = {
        path.stem for path in folder.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    kinds = {name for name in found if not name.startswith("_")} - {"registry"}
    assert kinds == set(registry.OWN_KINDS), "add the new kind to OWN_KINDS in connectors/registry.py"
