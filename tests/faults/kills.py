"""SIGKILL at random moments of a night: `python -m tests.faults.kills 200` tells what came of two hundred.

After each the database has to be whole, the report that everybody looks at as well, and the next night has to go
through. What it then says is what a database says that was never disturbed.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from fleet.store.database import damage, open_database
from tests.command import Office, jamf_source
from tests.servers.jamf import JamfServer

if TYPE_CHECKING:
    from tests.kept_warm import Ended

NIGHT = "2026-03-02T04:30:00Z"
MOMENTS = int(os.environ.get("FLEETKEEP_KILLS", "5"))
DEVICES = 30
ANY_CHANGE = "[policy]\nmass_change_percent = 100"
"""The brake against mass changes is not what this is about."""


@dataclass(slots=True)
class Survived:
    """What came of the kills.

    Attributes:
        last: the last night that was let live.
        stages: how far the killed nights had come.
    """

    last: Ended
    usual_seconds: float
    stages: Counter[str] = field(default_factory=Counter[str])

    def told(self) -> tuple[str, ...]:
        """In a few words each."""
        stages = ", ".join(f"{count} {stage}" for stage, count in sorted(self.stages.items()))
        return (
            f"{self.stages.total()} kills ({stages})",
            "each time db check: ok, latest whole by its manifest, the next run complete",
            "at the end the same devices.csv as undisturbed",
        )


def survive(office: Office, moments: int, *, seed: int) -> Survived:
    """Kill that many nights, each at a moment of its own; raises AssertionError where something is broken."""
    chance = random.Random(seed)
    with JamfServer(devices=DEVICES) as server:
        office.configure(jamf_source(server, page_size=10), head=ANY_CHANGE)
        assert office("run", "--as-of", NIGHT).code == 0
        began = time.monotonic()
        survived = Survived(office("run", "--as-of", NIGHT), time.monotonic() - began)
        for number in range(1, moments + 1):
            change(server, number)
            kill(office, chance.uniform(0, survived.usual_seconds), survived)
            assert_whole(office)
            survived.last = office("run", "--as-of", NIGHT)
            assert survived.last.code == 0, survived.last.err
        assert office("run", "--as-of", NIGHT).code == 0  # what was resolved is told of once
        undisturbed = undisturbed_night(office, server)
        assert office("db", "check").code == 0
    assert (office.reports / "latest" / "devices.csv").read_bytes() == undisturbed
    return survived


def change(server: JamfServer, number: int) -> None:
    """Give every device something to be stored, and every third a finding that ends with the next change."""
    for place, record in enumerate(server.records):
        record["general"] |= {
            "displayName": f"Tablet {place} of {number}",
            "itunesStoreAccountActive": (place + number) % 3 != 0,
        }
        record["hardware"] |= {"batteryLevel": 30 + number % 70}
    server.forget_encoded()


def kill(office: Office, after: float, survived: Survived) -> None:
    """Begin a night and kill it; one that was quicker than the kill counts as well."""
    reports = len(list(office.reports.iterdir()))
    run = office.begun("run", "--as-of", NIGHT)
    time.sleep(after)
    run.send(signal.SIGKILL)
    ended = run.wait()
    if ended.code == 0:
        survived.stages["after its end"] += 1
    elif len(list(office.reports.iterdir())) > reports:
        survived.stages["while publishing"] += 1
    else:
        survived.stages["while judging" if ": complete, " in ended.out else "while collecting"] += 1


def assert_whole(office: Office) -> None:
    """The database says that it is, and the report has every file that its manifest lists, to the byte."""
    with closing(open_database(f"sqlite:///{office.database}", upgrade=False)) as database:
        assert damage(database) == []  # that is what `db check` asks
    latest = office.reports / "latest"
    manifest = json.loads((latest / "manifest.json").read_text("utf-8"))
    assert len(manifest["files"]) == 5
    for entry in manifest["files"]:
        content = (latest / entry["name"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == entry["sha256"], entry["name"]


def undisturbed_night(office: Office, server: JamfServer) -> bytes:
    """The table of devices from an office in which nobody was ever killed."""
    with tempfile.TemporaryDirectory() as folder:
        other = Office(Path(folder), office.env)
        other.configure(jamf_source(server, page_size=10), head=ANY_CHANGE)
        assert other("run", "--as-of", NIGHT).code == 0
        return (other.reports / "latest" / "devices.csv").read_bytes()


def main() -> None:
    """Kill as many as the command line says, else 200, and tell."""
    moments = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    with tempfile.TemporaryDirectory() as folder:
        survived = survive(Office(Path(folder)), moments, seed=int(time.time()))
    print("\n".join(survived.told()))  # noqa: T201 - that is what it is for


if __name__ == "__main__":
    main()
