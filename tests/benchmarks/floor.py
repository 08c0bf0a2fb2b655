"""The floor: the least program that could honestly do the night, as far as bytes and rows go.

    python -m tests.benchmarks.floor URL SECRET FOLDER AS_OF

It fetches the pages, decodes the fields that a report needs, writes them to SQLite where they changed, judges by three
rules (old, full, off) in SQL, and leaves a CSV and a page that can be searched. It keeps no history, knows no unknown,
tells no cause, opens no ticket, survives no bad answer. What fleetkeep costs beyond it is the price of all that.
"""

from __future__ import annotations

import base64
import csv
import gzip
import json
import os
import sqlite3
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path
from threading import local
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

import msgspec

from tests.benchmarks.minimal_page import PAGE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CONNECTIONS = 5
PAGE_SIZE = 1000
Text = str | None
Number = int | None
Flag = bool | None


class General(msgspec.Struct, rename="camel"):
    """What is kept of this section; in words of Jamf's."""

    udid: Text = None
    display_name: Text = None
    asset_tag: Text = None
    site_id: Text = None
    last_inventory_update_date: Text = None
    last_contact_date: Text = None
    os_version: Text = None
    os_build: Text = None
    managed: Flag = None
    supervised: Flag = None
    device_ownership_type: Text = None
    last_enrolled_date: Text = None
    shared_ipad: Flag = None
    last_backup_date: Text = None
    cloud_backup_enabled: Flag = None
    last_cloud_backup_date: Text = None
    itunes_store_account_active: Flag = None


class Hardware(msgspec.Struct, rename="camel"):
    """What is kept of this section."""

    capacity_mb: Number = None
    available_space_mb: Number = None
    battery_level: Number = None
    serial_number: Text = None
    model: Text = None
    model_identifier: Text = None


class User(msgspec.Struct, rename="camel"):
    """What is kept of this section."""

    username: Text = None
    real_name: Text = None
    email_address: Text = None
    department: Text = None


class Security(msgspec.Struct, rename="camel"):
    """What is kept of this section."""

    lost_mode_enabled: Flag = None


class Network(msgspec.Struct, rename="camel"):
    """What is kept of this section."""

    roaming: Flag = None


class Group(msgspec.Struct, rename="camel"):
    """What is kept of a group."""

    group_name: str


class Device(msgspec.Struct, rename="camel"):
    """One device."""

    mobile_device_id: str
    device_type: str
    general: General
    hardware: Hardware
    user_and_location: User
    security: Security
    network: Network
    groups: list[Group]


class Page(msgspec.Struct, rename="camel"):
    """One page of the list."""

    total_count: int
    results: list[Device]


_DECODER = msgspec.json.Decoder(Page)
_FAST = ("inventory", "contact", "backup", "local_backup", "free", "battery")
_SLOW = (
    "udid", "name", "asset_tag", "site", "os", "build", "managed", "supervised", "ownership", "enrolled", "shared",
    "backup_on", "account", "capacity", "serial", "model", "identifier", "username", "person", "mail", "department",
    "lost", "roaming", "kind", "groups",
)  # fmt: skip
_TABLE = f"""CREATE TABLE IF NOT EXISTS device (id TEXT PRIMARY KEY, digest INTEGER, {", ".join(_SLOW + _FAST)})
WITHOUT ROWID"""
_JUDGED = """SELECT id, serial, name, model, os, person, mail, site, backup, free * 100 / capacity AS percent,
    CASE WHEN backup_on = 0 THEN 'off' WHEN backup IS NULL THEN 'never' WHEN backup < :critical THEN 'critical'
        WHEN backup < :high THEN 'high' WHEN backup < :warn THEN 'medium' END AS stale,
    CASE WHEN free * 100 < 5 * capacity THEN 'high' WHEN free * 100 < 10 * capacity THEN 'medium' END AS full,
    CASE WHEN os < '26.7' THEN 'medium' END AS old
FROM device ORDER BY id"""


def pages(url: str, secret: str) -> Iterator[Page]:
    """Every page, five requests at once."""
    ask = _asking(url, secret)
    first = _DECODER.decode(ask(0))
    yield first
    with ThreadPoolExecutor(CONNECTIONS) as threads:
        numbers = range(1, -(-first.total_count // PAGE_SIZE))
        for start in range(0, len(numbers), CONNECTIONS):
            for body in threads.map(ask, numbers[start : start + CONNECTIONS]):
                yield _DECODER.decode(body)


def _asking(url: str, secret: str) -> Callable[[int], bytes]:
    """A function of a page's number; each thread has a connection of its own."""
    host = urlsplit(url).netloc
    kept = local()
    form = urlencode({"grant_type": "client_credentials", "client_id": "x", "client_secret": secret})
    login = HTTPConnection(host)
    login.request("POST", "/api/v1/oauth/token", form)
    token: str = json.loads(login.getresponse().read())["access_token"]
    login.close()
    sections = "&".join(f"section={name}" for name in ("GENERAL", "HARDWARE", "USER_AND_LOCATION"))

    def ask(number: int) -> bytes:
        if not hasattr(kept, "connection"):
            kept.connection = HTTPConnection(host)
        path = f"/api/v2/mobile-devices/detail?{sections}&page={number}&page-size={PAGE_SIZE}"
        kept.connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
        body: bytes = kept.connection.getresponse().read()
        return body

    return ask


def _slow(device: Device) -> tuple[object, ...]:
    g, h, u = device.general, device.hardware, device.user_and_location
    return (
        g.udid, g.display_name, g.asset_tag, g.site_id, g.os_version, g.os_build, g.managed, g.supervised,
        g.device_ownership_type, g.last_enrolled_date, g.shared_ipad, g.cloud_backup_enabled,
        g.itunes_store_account_active, h.capacity_mb, h.serial_number, h.model, h.model_identifier,
        u.username, u.real_name, u.email_address, u.department,
        device.security.lost_mode_enabled, device.network.roaming, device.device_type,
        ",".join([group.group_name for group in device.groups]),
    )  # fmt: skip


def _fast(device: Device) -> tuple[object, ...]:
    g, h = device.general, device.hardware
    return (
        g.last_inventory_update_date,
        g.last_contact_date,
        g.last_cloud_backup_date,
        g.last_backup_date,
        h.available_space_mb,
        h.battery_level,
    )


def store(database: sqlite3.Connection, devices: list[Device]) -> None:
    """Write one page: whole rows where something slow changed, else what changes every night."""
    marks = ",".join("?" * len(devices))
    ids = [device.mobile_device_id for device in devices]
    known = dict(database.execute(f"SELECT id, digest FROM device WHERE id IN ({marks})", ids))  # noqa: S608
    whole: list[tuple[object, ...]] = []
    narrow: list[tuple[object, ...]] = []
    for device in devices:
        slow, fast = _slow(device), _fast(device)
        digest = hash(slow)
        if known.get(device.mobile_device_id) == digest:
            narrow.append((*fast, device.mobile_device_id))
        else:
            whole.append((device.mobile_device_id, digest, *slow, *fast))
    slots = ",".join("?" * (2 + len(_SLOW) + len(_FAST)))
    database.executemany(f"INSERT OR REPLACE INTO device VALUES ({slots})", whole)  # noqa: S608
    kept = ", ".join(f"{name} = ?" for name in _FAST)
    database.executemany(f"UPDATE device SET {kept} WHERE id = ?", narrow)  # noqa: S608
    database.commit()


def report(database: sqlite3.Connection, folder: Path, as_of: datetime) -> None:
    """Judge, and write what an admin would open."""
    limits = {name: f"{as_of - timedelta(days=days):%Y-%m-%dT%H:%M:%S}" for name, days in _DAYS.items()}
    rows = database.execute(_JUDGED, limits)
    shown: list[list[object]] = []
    with (folder / "devices.csv").open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow([column[0] for column in rows.description])
        for row in rows:
            out.writerow(row)
            shown.append(list(row[1:]))
    packed = gzip.compress(json.dumps(shown, separators=(",", ":")).encode(), 6, mtime=0)
    (folder / "index.html").write_text(PAGE % base64.b64encode(packed).decode(), encoding="utf-8")


_DAYS = {"warn": 7, "high": 14, "critical": 30}


def main(url: str, secret: str, folder: Path, as_of: datetime) -> None:
    """One night."""
    database = sqlite3.connect(folder / "floor.db")
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = NORMAL")
    database.execute(_TABLE)
    for page in pages(url, secret):
        store(database, page.results)
    report(database, folder, as_of)
    database.close()


if __name__ == "__main__":
    if os.environ.get("PYTHONHASHSEED") != "0":  # digests have to be the same on the next night
        sys.exit("start it with PYTHONHASHSEED=0")
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), datetime.fromisoformat(sys.argv[4]).astimezone(UTC))
