"""`db backup`, taken while a run writes."""

from __future__ import annotations

import json
import shutil
import threading
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from fleet.store.database import damage, open_database
from tests.command import Office, jamf_source
from tests.servers.jamf import JamfServer

if TYPE_CHECKING:
    from pathlib import Path

    from tests.command import Json

FIRST, SECOND = "2026-03-02T04:30:00Z", "2026-03-03T04:30:00Z"
pytestmark = pytest.mark.sqlite_file
KEYS = ("devices", "totals", "incidents")


def told(path: Path) -> Json:
    """What a report says of a night, apart from where it was written."""
    loaded = json.loads((path / "findings.json").read_text("utf-8"))
    return {key: loaded[key] for key in KEYS}


def restored(office: Office, copy: Path, name: str) -> Office:
    """An office of its own with that copy for its database."""
    other = Office(office.folder / name)
    other.folder.mkdir()
    shutil.copy(office.folder / "fleetkeep.toml", other.folder)
    shutil.copy(copy, other.database)
    return other


def test_a_copy_from_the_middle_of_a_run(office: Office) -> None:
    """It has the last whole night and nothing of the one under way, makes the same report, and can go on from there."""
    asked, answer = threading.Event(), threading.Event()
    copy = office.folder / "copy.db"
    with JamfServer(devices=9) as server:
        office.configure(jamf_source(server, page_size=3, max_concurrency=1, full_walk_days=1))
        assert office("run", "--as-of", FIRST).code == 0

        def hold(rows: list[bytes]) -> bytes:
            if b'"mobileDeviceId":"7"' in b"".join(rows):
                asked.set()
                answer.wait(60)
            return b"[" + b",".join(rows) + b"]"

        server.page_hook = hold
        run = office.begun("run", "--as-of", SECOND)
        assert asked.wait(60)
        ended = office("db", "backup", str(copy))
        assert (ended.code, copy.stat().st_mode & 0o777) == (0, 0o600), ended.err
        answer.set()
        assert run.wait().code == 0
        other = restored(office, copy, "other")
        assert other("db", "check").code == 0
        assert other("report", "--out", "again").code == 0
        first = next(path for path in (other.folder / "again").iterdir() if path.name != "latest")
        assert first.name == "2026-03-02T043000Z"
        assert told(first) == told(office.reports / first.name)
        gone_on = other("run", "--as-of", SECOND)
        assert gone_on.code == 0, gone_on.err
        assert "an earlier run did not end" in gone_on.err
    assert told(other.reports / "latest") == told(office.reports / "latest")


def test_copies_at_any_moment(office: Office) -> None:
    """However far a run is, a copy is whole and opens by itself; a former copy of that name is replaced as a whole."""
    copy = office.folder / "copy.db"
    with JamfServer(devices=120, latency_seconds=0.005) as server:
        office.configure(jamf_source(server, page_size=10))
        assert office("run", "--as-of", FIRST).code == 0
        run = office.begun("run", "--as-of", SECOND)
        for _ in range(4):
            assert office("db", "backup", str(copy)).code == 0
            with closing(open_database(f"sqlite:///{copy}", upgrade=False)) as database:
                assert damage(database) == []
        assert run.wait().code == 0
    assert list(office.folder.glob("*.part")) == []
