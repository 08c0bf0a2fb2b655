"""The directory of one run: written out of sight, checked in with a manifest, and put in place as a whole.

    reports-out/
        latest/                  a copy of the newest run
        2026-11-22T020000Z/      one directory per run, named by its clock
        .unfinished-x7k2/        only while a run is at work
            run/                 where formats write
            latest/              the copy that is about to become `latest`
            before/              the former `latest`, where the two cannot change places at one instant

Whatever a crash leaves behind lies in `.unfinished-*`; the next run takes a stranded `latest` back out of it
and removes the rest. One run at a time may use a report directory.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import tempfile
from datetime import UTC, datetime
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING, Self

from fleet.errors import OutputError
from reports.exchange import exchanged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import TracebackType

    from reports._format import Written

_UNFINISHED = ".unfinished-"
_PRIVATE_FILE = 0o600
_PRIVATE_DIRECTORY = 0o700
_ELSEWHERE = "or name another place ([report] directory, or --out)"
_FULL = "there is no space left; free some"
_FORBIDDEN = "this user may not write there; grant it"
_IN_THE_WAY = "a file stands where a directory is due; move it away"
_REMEDIES = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EACCES: _FORBIDDEN,
    errno.EPERM: _FORBIDDEN,
    errno.EROFS: _FORBIDDEN,
    errno.ENOTDIR: _IN_THE_WAY,
    errno.EEXIST: _IN_THE_WAY,
}


class RunDirectory:
    """A run's files on their way into `root`; leaving the `with` block unpublished removes them.

    Attributes:
        path: an empty, private directory into which formats write.

    Args:
        root: the report directory.
        as_of: the run's clock.
        exchange: makes two directories change places, or answers that it cannot.

    Raises:
        OutputError: `root` cannot be made or written to; nothing in it was changed.
    """

    def __init__(
        self, root: Path, as_of: datetime, *, exchange: Callable[[Path, Path], bool] = exchanged
    ) -> None:
        self._root = root
        self._exchange = exchange
        self._name = f"{as_of.astimezone(UTC):%Y-%m-%dT%H%M%SZ}"
        with writing(root):
            root.mkdir(mode=_PRIVATE_DIRECTORY, parents=True, exist_ok=True)
            for leftover in root.glob(f"{_UNFINISHED}*"):
                _clear_away(root, leftover)
            _refuse_what_is_no_directory(root / "latest")
            self._unfinished = Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=root))
            self._unfinished.chmod(_PRIVATE_DIRECTORY)
            self.path = _private(self._unfinished / "run")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with writing(self._root):
            _clear_away(self._root, self._unfinished)

    def publish(self, run: int, files: Iterable[Written], *, as_latest: bool = True) -> Path:
        """Put the files in place, under the run's own name and as `latest`, and say where they are now.

        Args:
            run: the run's id, for the manifest.
            files: what the formats wrote; it is all that the manifest lists.
            as_latest: False for a past run's report that is made again.

        Raises:
            OutputError: it could not be done; `latest` is still the former one, whole.
        """
        with writing(self._root):
            _write_manifest(self.path, run, files)
            _settle(self.path)
            twin = self._twin() if as_latest else None
            final = self._take_place()
            if twin:
                self._swap_latest(twin)
            _flush_directory(self._root)
        return final

    def _twin(self) -> Path:
        # The copy is made before anything is renamed: when the disk is full, nothing has happened yet.
        twin = self._unfinished / "latest"
        shutil.copytree(self.path, twin, copy_function=shutil.copyfile)
        _settle(twin)
        return twin

    def _take_place(self) -> Path:
        names = chain([self._name], (f"{self._name}-{number}" for number in count(2)))
        free = next(name for name in names if not os.path.lexists(self._root / name))
        return self.path.rename(self._root / free)

    def _swap_latest(self, twin: Path) -> None:
        latest = self._root / "latest"
        if latest.exists():
            if self._exchange(twin, latest):
                return
            latest.rename(self._unfinished / "before")
        twin.rename(latest)


class writing:  # noqa: N801 - said like the functions of contextlib; a generator would cost four times as much a row
    """Turn the system's errors about an output into one line that names `path` and what to do.

    Args:
        path: what is being written.
        elsewhere: how to name another place, as the end of the sentence.

    Raises:
        OutputError: in place of any `OSError` of the block.
    """

    __slots__ = ("_elsewhere", "_path")

    def __init__(self, path: Path, elsewhere: str = _ELSEWHERE) -> None:
        self._path = path
        self._elsewhere = elsewhere

    def __enter__(self) -> None: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, OSError):
            why = _REMEDIES.get(error.errno or 0, f"{os.strerror(error.errno or errno.EIO)}; mend that")
            raise OutputError(f"cannot write {self._path}: {why}, {self._elsewhere}") from error


def _clear_away(root: Path, unfinished: Path) -> None:
    before, latest = unfinished / "before", root / "latest"
    if before.exists() and not latest.exists():  # it ended between the two renames
        before.rename(latest)
    shutil.rmtree(unfinished, ignore_errors=True)


def _refuse_what_is_no_directory(latest: Path) -> None:
    # A link is refused as well: swapping it would cut whatever the admin tied to it.
    if os.path.lexists(latest) and (latest.is_symlink() or not latest.is_dir()):
        with writing(latest):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))


def _private(directory: Path) -> Path:
    directory.mkdir(mode=_PRIVATE_DIRECTORY)
    directory.chmod(_PRIVATE_DIRECTORY)  # an umask may have taken more than others' rights
    return directory


def _write_manifest(directory: Path, run: int, files: Iterable[Written]) -> None:
    entries = [_entry(directory, file) for file in sorted(files, key=lambda file: file.name)]
    manifest = {"schema": "fleetkeep.manifest/1", "run": run, "files": entries}
    text = json.dumps(manifest, indent=2, ensure_ascii=False) + "\n"
    (directory / "manifest.json").write_text(text, encoding="utf-8", newline="\n")


def _entry(directory: Path, file: Written) -> dict[str, str | int]:
    path = directory / file.name
    with path.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    return {"name": file.name, "rows": file.rows, "bytes": path.stat().st_size, "sha256": digest}


def _settle(directory: Path) -> None:
    """Make all files below a directory private and durable, whatever the umask was when they were written."""
    directory.chmod(_PRIVATE_DIRECTORY)
    for path in directory.iterdir():
        if path.is_dir():
            _settle(path)
            continue
        path.chmod(_PRIVATE_FILE)
        with path.open("rb+") as file:
            os.fsync(file.fileno())
    _flush_directory(directory)


def _flush_directory(directory: Path) -> None:
    if os.name != "posix":  # Windows cannot open a directory and keeps its entries in order by itself
        return
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
