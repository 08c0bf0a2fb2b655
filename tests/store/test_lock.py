"""The lock: one run at a time, told by name, and never one that is dead."""

from __future__ import annotations

import json
import os
import platform
import signal
import subprocess
import sys
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from fleet.errors import LockedError
from fleet.store.lock import _touched, lock  # pyright: ignore[reportPrivateUsage]
from tests.databases import opened
from tests.fleet_of import NOW

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from fleet.store.database import Database
    from tests.databases import Place

HOLDER = """
import sys
from datetime import UTC, datetime
from fleet.store.database import open_database
from fleet.store.lock import _touched, lock  # pyright: ignore[reportPrivateUsage]
with lock(open_database(sys.argv[1]), datetime(2026, 3, 2, 4, 30, tzinfo=UTC)):
    print("held", flush=True)
    sys.stdin.read()
"""
BOOT = "0b0e-another-start-of-a-machine"


@contextmanager
def another_process(url: str) -> Generator[subprocess.Popen[str]]:
    """One that holds the lock until it is killed or told to end."""
    command = [sys.executable, "-c", HOLDER, url]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        yield holder


def test_second_holder_is_refused(place: Place) -> None:
    """Of two runs on one database the second is refused, until the first has ended."""
    url = place.ready()
    with opened(url) as ours, opened(url) as theirs:
        with lock(ours, NOW), pytest.raises(LockedError, match="another run holds"), lock(theirs, NOW):
            pytest.fail("both hold it")
        with lock(theirs, NOW), pytest.raises(LockedError), lock(ours, NOW):
            pytest.fail("both hold it")


def test_lock_is_each_databases_own(place: Place) -> None:
    """Runs on two databases do not wait for each other."""
    with opened(place.ready()) as ours, opened(place.ready()) as theirs, lock(ours, NOW), lock(theirs, NOW):
        assert ours.place != theirs.place


def test_killed_holder_does_not_block(place: Place) -> None:
    """Who is refused learns which process holds it since when; once that was killed, it holds nothing any more."""
    url = place.ready()
    with another_process(url) as holder, opened(url) as ours:
        with pytest.raises(LockedError) as refused, lock(ours, NOW):
            pytest.fail("both hold it")
        assert f"process {holder.pid} on th" in str(refused.value)
        assert "since 20" in str(refused.value)
        assert str(refused.value).endswith("wait for it to end")
        os.kill(holder.pid, signal.SIGKILL)
        holder.wait()
        until_free(ours)
        with lock(ours, NOW):
            pass


def until_free(database: Database) -> None:
    """The server notices that its client died a moment after the client did; wait for its session to end."""
    if database.path is None:
        others = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid <> pg_backend_pid()"
        with database.engine.connect() as connection:
            while connection.exec_driver_sql(others).scalar():
                connection.rollback()


def left_behind(database: Database, *, host: str, boot: str, pid: int, quiet: timedelta) -> Path:
    """The lock's file as a run leaves it that never came to its end."""
    assert database.path is not None
    place = database.path.with_name(database.path.name + ".lock")
    place.write_text(json.dumps({"host": host, "boot": boot, "pid": pid, "since": "2026-03-01T02:00:00Z"}))
    touched = (NOW - quiet).timestamp()
    os.utime(place, (touched, touched))
    return place


DEAD = {
    "a process that is no more": (platform.node(), BOOT, 2**22 + 1),
    "a number that another process has by now": (platform.node(), BOOT, os.getppid()),
    "a machine that was started anew": (platform.node(), "0000", 1),
}


@pytest.mark.parametrize(("host", "boot", "pid"), DEAD.values(), ids=DEAD)
def test_stale_lock_of_this_machine(sqlite_database: Database, host: str, boot: str, pid: int) -> None:
    """What a dead run of this machine left behind does not count, however fresh it is, and a good end leaves none."""
    place = left_behind(sqlite_database, host=host, boot=boot, pid=pid, quiet=timedelta())
    with lock(sqlite_database, NOW):
        assert json.loads(place.read_text())["pid"] == os.getpid()
    assert place.read_text() == ""


def test_lock_of_another_machine(sqlite_database: Database) -> None:
    """On a shared disk a machine's lock counts while it gives signs of life, and the refusal names a better way."""
    place = left_behind(sqlite_database, host="lab2", boot=BOOT, pid=77, quiet=timedelta(seconds=40))
    before = place.read_text()
    with pytest.raises(LockedError) as refused, lock(sqlite_database, NOW):
        pytest.fail("both hold it")
    for said in ("process 77 on the machine lab2, since 2026-03-01T02:00:00Z", "40 s ago", "PostgreSQL"):
        assert said in str(refused.value)
    assert place.read_text() == before
    left_behind(sqlite_database, host="lab2", boot=BOOT, pid=77, quiet=timedelta(minutes=6))
    with lock(sqlite_database, NOW):
        pass


def test_clock_that_is_wrong(sqlite_database: Database) -> None:
    """Of a machine whose clock fell back by years another's old lock is no younger for that."""
    left_behind(sqlite_database, host="lab2", boot=BOOT, pid=77, quiet=timedelta(days=-20000))
    with lock(sqlite_database, NOW):
        pass


@pytest.mark.parametrize(
    "text", ["", "process 12\n", "{}", "[1]", "\0\xff", '{"host": 1, "boot": 2, "pid": "x"}']
)
def test_file_that_says_nothing(sqlite_database: Database, text: str) -> None:
    """A lock's file with anything else in it is free when the system says so."""
    place = left_behind(sqlite_database, host="", boot="", pid=0, quiet=timedelta())
    place.write_text(text, encoding="latin-1")
    with lock(sqlite_database, NOW):
        pass


def test_sign_of_life(tmp_path: Path) -> None:
    """While it is held the file is touched again and again, and a file that was deleted meanwhile breaks nothing."""
    place = tmp_path / "lock"
    place.touch()
    with _touched(place, every=timedelta(milliseconds=5)):
        for _ in range(2):
            os.utime(place, (0, 0))
            while place.stat().st_mtime == 0:
                pass
        place.unlink()
