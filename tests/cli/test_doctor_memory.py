"""What `doctor` says of a limit on memory."""

from __future__ import annotations

import resource
from typing import TYPE_CHECKING

import pytest

from fleet.cli.examine.line import Level
from fleet.cli.examine.memory import memory

if TYPE_CHECKING:
    from pathlib import Path

    from tests.command import Office

MB = 10**6


@pytest.mark.parametrize(
    ("said", "lines"),
    [
        ("max", []),
        ("", []),
        (f"{1024 * MB}", [(Level.OK, "this process may take 1,024 MB")]),
        (f"{200 * MB}", [(Level.WARNING, "this process may take 200 MB; a night needs 256 MB")]),
    ],
    ids=["no limit", "an empty file", "plenty", "too little"],
)
def test_the_limit_of_a_container(tmp_path: Path, said: str, lines: list[tuple[Level, str]]) -> None:
    """A container's limit is told, and one that a night would run into is a warning; without one there is no line."""
    if resource.getrlimit(resource.RLIMIT_AS)[0] != resource.RLIM_INFINITY:
        pytest.skip("this process has a limit of its own")
    (tmp_path / "memory.max").write_text(f"{said}\n", "ascii")
    found = list(memory(tmp_path))
    assert [(line.level, line.what) for line in found] == [(level, "memory") for level, _ in lines]
    for line, (_, begins) in zip(found, lines, strict=True):
        assert line.said.startswith(begins)
    assert list(memory(tmp_path / "nowhere")) == []


def test_the_limit_of_a_process(office: Office) -> None:
    """A limit on addresses (`ulimit -v`) is one, too, and the line says what to raise."""
    office.configure('[[source]]\nname = "made-up"\nkind = "demo"\ndevices = 5\n')
    ended = office.begun("doctor", limits={"AS": 250 * MB}).wait()
    assert "this process may take 250 MB; a night needs 256 MB" in ended.out
    assert "systemd's MemoryMax" in ended.out
