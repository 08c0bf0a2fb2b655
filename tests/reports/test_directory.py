from __future__ import annotations

import errno
import hashlib
import json
import os
import threading
from datetime import datetime
from typing import TYPE_CHECKING

import pytest

from fleet.errors import BadAnswer, OutputError
from reports._format import Written
from reports.directory import RunDirectory, writing
from reports.exchange import exchanged
from tests.reports.a_run import NOW, names_in

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RUN = "2026-11-22T020000Z"


def publish(root: Path, text: str = "one", as_of: datetime = NOW, *, as_latest: bool = True) -> Path:
    with RunDirectory(root, as_of) as directory:
        (directory.path / "findings.csv").write_text(text)
        return directory.publish(12, [Written("findings.csv", 3)], as_latest=as_latest)


def text_of(directory: Path) -> str:
    return (directory / "findings.csv").read_text()


def break_off(path: Path) -> None:
    path.write_text("half")
    raise BadAnswer


@pytest.fixture(params=[0o000, 0o022, 0o277])
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    former = os.umask(request.param)
    yield
    os.umask(former)


def test_a_first_run_makes_everything(tmp_path: Path) -> None:
    """Where there was no report directory, there is one with the run and its copy, and nothing else."""
    root = tmp_path / "deep" / "reports-out"
    assert publish(root) == root / RUN
    assert names_in(root) == [RUN, "latest"]
    for directory in (root / RUN, root / "latest"):
        assert names_in(directory) == ["findings.csv", "manifest.json"]
        assert text_of(directory) == "one"
    assert not (root / "latest").is_symlink()
    assert (root / "latest/findings.csv").stat().st_ino != (root / RUN / "findings.csv").stat().st_ino


def test_the_manifest_proves_the_files(tmp_path: Path) -> None:
    """An importer can refuse a cut file: the manifest has the rows, size and hash of each, by name."""
    with RunDirectory(tmp_path, NOW) as directory:
        (directory.path / "metrics.prom").write_bytes(b"up 1\n")
        (directory.path / "devices.csv").write_bytes(b"key\r\n")
        final = directory.publish(7, [Written("metrics.prom", 1), Written("devices.csv", 0)])
    devices = hashlib.sha256(b"key\r\n").hexdigest()
    metrics = hashlib.sha256(b"up 1\n").hexdigest()
    assert json.loads((final / "manifest.json").read_bytes()) == {
        "schema": "fleetkeep.manifest/1",
        "run": 7,
        "files": [
            {"name": "devices.csv", "rows": 0, "bytes": 5, "sha256": devices},
            {"name": "metrics.prom", "rows": 1, "bytes": 5, "sha256": metrics},
        ],
    }


def test_everything_is_private_whatever_the_umask(tmp_path: Path, umask: None) -> None:
    """Reports name people, so only their owner may read them, and may do so, under any umask."""
    root = tmp_path / "reports-out"
    root.mkdir(mode=0o700)
    root.chmod(0o700)
    publish(root)
    for directory in (root / RUN, root / "latest"):
        assert directory.stat().st_mode & 0o777 == 0o700
        assert {path.stat().st_mode & 0o777 for path in directory.iterdir()} == {0o600}


def test_a_run_is_private_while_it_is_written(tmp_path: Path) -> None:
    """Nobody else can look into the half-written run either."""
    root = tmp_path / "reports-out"
    with RunDirectory(root, NOW) as directory:
        for path in (root, directory.path.parent, directory.path):
            assert path.stat().st_mode & 0o777 == 0o700
        assert not (root / RUN).exists()


@pytest.mark.parametrize(
    ("moment", "name"),
    [
        ("2026-11-22T02:00:00+00:00", "2026-11-22T020000Z"),
        ("2026-11-22T02:00:00.999+01:00", "2026-11-22T010000Z"),
    ],
)
def test_a_run_is_named_by_its_clock_in_utc(tmp_path: Path, moment: str, name: str) -> None:
    """The directory's name sorts by time and has no character that a file system refuses."""
    assert publish(tmp_path, as_of=datetime.fromisoformat(moment)).name == name


def test_runs_of_the_same_moment_stand_side_by_side(tmp_path: Path) -> None:
    """A second and third run of one moment take the next free number, and `latest` is the last of them."""
    finals = [publish(tmp_path, text) for text in ("one", "two", "three")]
    assert [final.name for final in finals] == [RUN, f"{RUN}-2", f"{RUN}-3"]
    assert [text_of(final) for final in finals] == ["one", "two", "three"]
    assert text_of(tmp_path / "latest") == "three"


def test_latest_is_swapped_in_whole(tmp_path: Path) -> None:
    """A file that the new run does not have is gone from `latest`, and stays with its own run."""
    publish(tmp_path)
    with RunDirectory(tmp_path, NOW) as directory:
        (directory.path / "metrics.prom").write_text("up 1\n")
        directory.publish(13, [Written("metrics.prom", 1)])
    assert names_in(tmp_path / "latest") == ["manifest.json", "metrics.prom"]
    assert names_in(tmp_path) == [RUN, f"{RUN}-2", "latest"]


def test_a_past_report_made_again_is_not_the_latest(tmp_path: Path) -> None:
    """Printing an old run once more does not turn back what everybody looks at."""
    publish(tmp_path, "tonight")
    publish(tmp_path, "last year", NOW.replace(year=2025), as_latest=False)
    assert text_of(tmp_path / "latest") == "tonight"


def test_a_run_that_fails_leaves_everything_as_it_was(tmp_path: Path) -> None:
    """When writing breaks off, the former report stands and no half file is left."""
    publish(tmp_path)
    with pytest.raises(BadAnswer), RunDirectory(tmp_path, NOW) as directory:
        break_off(directory.path / "findings.csv")
    assert names_in(tmp_path) == [RUN, "latest"]
    assert text_of(tmp_path / "latest") == "one"


def test_a_declared_file_that_is_missing_publishes_nothing(tmp_path: Path) -> None:
    """A format that did not write what it says it wrote stops the publication before anything is renamed."""
    publish(tmp_path)
    with RunDirectory(tmp_path, NOW) as directory, pytest.raises(OutputError, match="No such file"):
        directory.publish(13, [Written("devices.csv", 1)])
    assert names_in(tmp_path) == [RUN, "latest"]


@pytest.mark.parametrize("can", [True, False])
def test_latest_is_replaced_as_a_whole(tmp_path: Path, can: bool) -> None:
    """Where two directories can change places there is never a moment without `latest`; elsewhere hardly one."""
    publish(tmp_path, "former")
    missing: list[bool] = []
    over = threading.Event()

    def look() -> None:
        while not over.is_set():
            missing.append(not (tmp_path / "latest" / "manifest.json").exists())

    reader = threading.Thread(target=look)
    reader.start()
    for number in range(20):
        with RunDirectory(tmp_path, NOW, exchange=exchanged if can else never) as directory:
            (directory.path / "findings.csv").write_text(str(number))
            directory.publish(12, [Written("findings.csv", 3)])
        assert text_of(tmp_path / "latest") == str(number)
    over.set()
    reader.join()
    if can and works(tmp_path):
        assert not any(missing)
    assert not list(tmp_path.glob(".unfinished-*"))


def never(_one: Path, _other: Path) -> bool:
    return False


def works(folder: Path) -> bool:
    """Whether directories can change places here."""
    one, other = folder / "one", folder / "other"
    one.mkdir()
    other.mkdir()
    (one / "file").touch()
    done = exchanged(one, other)
    assert (other / "file").exists() == done
    return done


@pytest.mark.parametrize("stranded", ["before", "latest"])
def test_a_crash_in_mid_swap_is_repaired(tmp_path: Path, stranded: str) -> None:
    """A machine that lost power between the two renames gets its former `latest` back at the next start."""
    publish(tmp_path, "former")
    leftover = tmp_path / ".unfinished-crashed"
    (leftover / "run").mkdir(parents=True)
    if stranded == "before":
        (tmp_path / "latest").rename(leftover / "before")
    with RunDirectory(tmp_path, NOW):
        assert text_of(tmp_path / "latest") == "former"
        assert not leftover.exists()
    assert names_in(tmp_path) == [RUN, "latest"]


def test_an_interrupt_in_mid_swap_is_repaired_at_once(tmp_path: Path) -> None:
    """Leaving between the two renames, as by Ctrl-C, does not cost the former `latest`."""
    publish(tmp_path, "former")
    with RunDirectory(tmp_path, NOW) as directory:
        (tmp_path / "latest").rename(directory.path.parent / "before")
    assert text_of(tmp_path / "latest") == "former"
    assert names_in(tmp_path) == [RUN, "latest"]


@pytest.mark.parametrize("place", ["reports-out", "reports-out/latest"])
def test_a_file_in_the_way_is_named(tmp_path: Path, place: str) -> None:
    """A file where a directory is due stops the run before it starts, and is left alone."""
    path = tmp_path / place
    path.parent.mkdir(exist_ok=True)
    path.write_text("mine")
    with pytest.raises(OutputError, match="a file stands where a directory is due; move it away") as caught:
        RunDirectory(tmp_path / "reports-out", NOW)
    assert f"cannot write {path}: " in str(caught.value)
    assert path.read_text() == "mine"


def test_a_link_named_latest_is_left_alone(tmp_path: Path) -> None:
    """A link that an admin made is not replaced silently."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "latest").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OutputError, match=r"latest: .* move it away"):
        RunDirectory(tmp_path, NOW)
    assert (tmp_path / "latest").is_symlink()


@pytest.mark.parametrize(
    ("number", "remedy"),
    [
        (errno.ENOSPC, "there is no space left; free some"),
        (errno.EDQUOT, "there is no space left; free some"),
        (errno.EACCES, "this user may not write there; grant it"),
        (errno.EROFS, "this user may not write there; grant it"),
        (errno.ENOTDIR, "a file stands where a directory is due; move it away"),
        (errno.EIO, "Input/output error; mend that"),
    ],
)
def test_a_system_error_becomes_one_line_with_a_remedy(tmp_path: Path, number: int, remedy: str) -> None:
    """Whatever the system says about an output, the admin reads the place and what to do."""
    with pytest.raises(OutputError) as caught, writing(tmp_path):
        raise OSError(number, "raw words of the system")
    assert (
        str(caught.value)
        == f"cannot write {tmp_path}: {remedy}, or name another place ([report] directory, or --out)"
    )
