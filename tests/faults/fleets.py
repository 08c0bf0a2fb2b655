"""Fleets of any size behind a made-up Jamf Pro; large ones by a server in a process of its own."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.benchmarks import jamf_server
from tests.command import jamf_source
from tests.servers.jamf import JamfServer

if TYPE_CHECKING:
    from collections.abc import Generator

    from tests.command import Office

_MANY = 5000


@contextmanager
def a_fleet(office: Office, count: int, name: str = "hq", page_size: int = 2000) -> Generator[str]:
    """The `[[source]]` of a fleet of so many devices, which can be read until the end of the block."""
    with JamfServer(devices=min(count, _MANY)) as server:
        source = jamf_source(server, name, page_size=page_size)
        if count <= _MANY:
            yield source
            return
        office.env["JAMF_SECRET"] = jamf_server.SECRET
        with jamf_server.serving(count) as served:
            yield source.replace(server.url, served.url)


def rows_of_devices(office: Office) -> int:
    """How many devices the latest report tells of, by its manifest."""
    manifest = json.loads((office.reports / "latest" / "manifest.json").read_text("utf-8"))
    (rows,) = (file["rows"] for file in manifest["files"] if file["name"] == "devices.csv")
    return rows
