"""The lock of a run: one run at a time writes to a database, and whoever is turned away learns who does.

PostgreSQL has locks of its own, see `advisory`. An SQLite database has a file beside it, `….db.lock`, that the
operating system locks for as long as the process lives, however that ends: on one machine a dead run never holds
anything, what its process number means today and whether the machine was started anew in between. In the file stands
who holds it.

A disk that several machines share may not carry the lock from one to the other. There the file's own age counts:
whoever holds it touches it every minute, and what was not touched for five counts as dead.
"""

from __future__ import annotations

import errno
import json
import os
import platform
import threading
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from fleet.errors import LockedError, StoreError
from fleet.store import advisory
from fleet.toml_table import plain

if TYPE_CHECKING:
    from collections.abc import Generator

    from fleet.store.database import Database

TOUCHED_EVERY = timedelta(minutes=1)
DEAD_AFTER = timedelta(minutes=5)


@contextmanager
def lock(database: Database, at: datetime) -> Generator[None]:
    """Hold the database for one run; the operating system lets go of it with the process, however that ends.

    Args:
        at: the wall clock.

    Raises:
        LockedError: another run holds it.
        StoreError: the lock cannot be had here at all; or the database failed while it was held.
    """
    with _file_lock(database.path, at) if database.path else advisory.alone(database.engine):
        yield


@dataclass(frozen=True, slots=True)
class Holder:
    """A process that holds a lock.

    Attributes:
        boot: what tells this start of the machine from any other, and the machine from all others; "" where the
            system does not say.
        since: when it took the lock, UTC.
    """

    host: str
    boot: str
    pid: int
    since: str

    @property
    def here(self) -> bool:
        """It is, or was, a process of this machine, whose own lock tells then whether it lives."""
        return self.host == platform.node() or (self.boot != "" and self.boot == _boot())

    def __str__(self) -> str:
        where = "on this machine" if self.here else f"on the machine {self.host}"
        return f"process {self.pid} {where}, since {self.since}"


def _boot() -> str:
    """Linux names each start of a machine; containers of one machine share its kernel, its locks and this name."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except (OSError, ValueError):
        return ""


@contextmanager
def _file_lock(path: Path, at: datetime) -> Generator[None]:
    place = path.with_name(path.name + ".lock")
    try:
        handle = os.open(place, os.O_CREAT | os.O_RDWR, 0o600)
    except OSError as error:
        raise StoreError(f"cannot lock {place}: {error.strerror}; mend that") from error
    try:
        _take(handle, place, at)
        try:
            with _touched(place):
                yield
        finally:
            with suppress(OSError):  # so that nobody has to ask whether this one is alive
                os.ftruncate(handle, 0)
    finally:
        os.close(handle)


def _take(handle: int, place: Path, at: datetime) -> None:
    free = _grabbed(handle, place)
    holder = _read(handle)
    if not free:
        raise LockedError(_refusal(place, holder))
    quiet = abs(at - datetime.fromtimestamp(os.fstat(handle).st_mtime, UTC))  # either clock may be wrong
    if holder is not None and not holder.here and quiet < DEAD_AFTER:
        raise LockedError(_refusal(place, holder, quiet))
    _write(handle, place, Holder(platform.node(), _boot(), os.getpid(), f"{at:%Y-%m-%dT%H:%M:%SZ}"))


def _refusal(place: Path, holder: Holder | None, quiet: timedelta | None = None) -> str:
    said = f"another run holds {place}" + (f": {holder}" if holder else "")
    if holder is None or holder.here:
        return f"{said}; wait for it to end"
    if quiet is not None:
        seconds, minutes = round(quiet.total_seconds()), DEAD_AFTER // timedelta(minutes=1)
        said += f" (last sign of life {seconds} s ago; after {minutes} minutes without one it counts as dead)"
    return f"{said}; wait for it to end, and let machines share a PostgreSQL database rather than a file"


def _grabbed(handle: int, place: Path) -> bool:
    try:
        if os.name == "nt":  # pragma: no cover - the other half is what CI runs
            import msvcrt  # noqa: PLC0415 - exists on Windows only

            # Behind all that stands in the file: what is locked there cannot be read by others.
            os.lseek(handle, 1 << 20, os.SEEK_SET)
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
        else:
            import fcntl  # noqa: PLC0415 - does not exist on Windows

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in {errno.EAGAIN, errno.EACCES, errno.EDEADLK}:
            return False
        raise StoreError(
            f"the file system of {place} has no locks ({error.strerror}); put the database on a local disk"
        ) from error
    return True


def _read(handle: int) -> Holder | None:
    """Who stands in the file; None if nobody that can be made out."""
    os.lseek(handle, 0, os.SEEK_SET)
    try:
        said = cast("dict[str, Any]", json.loads(os.read(handle, 1000)))
        return Holder(
            plain(str(said["host"])), str(said["boot"]), int(said["pid"]), plain(str(said["since"]))
        )
    except (ValueError, TypeError, KeyError):
        return None


def _write(handle: int, place: Path, holder: Holder) -> None:
    try:
        os.ftruncate(handle, 0)
        os.lseek(handle, 0, os.SEEK_SET)
        os.write(handle, f"{json.dumps(asdict(holder))}\n".encode())
    except OSError as error:
        raise StoreError(f"cannot write {place}: {error.strerror}; mend that") from error


@contextmanager
def _touched(place: Path, every: timedelta = TOUCHED_EVERY) -> Generator[None]:
    """A sign of life now and then, for machines to which the system's own lock does not reach."""
    over = threading.Event()

    def touch() -> None:
        while not over.wait(every.total_seconds()):
            with suppress(OSError):
                os.utime(place)

    threading.Thread(target=touch, daemon=True).start()
    try:
        yield
    finally:
        over.set()
