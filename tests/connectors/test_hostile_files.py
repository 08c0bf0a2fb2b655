"""Exports that were cut, mixed up, encoded in any way or nested without end: no traceback, and no other device lost."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fleet.errors import SourceError
from fleet.model.device import DeviceRecord, Rejected
from tests.connectors.test_file import pages
from tests.examples import examples

if TYPE_CHECKING:
    from pathlib import Path

ROWS = 12
NAMED = {"serial": "Serial", "name": "Name", "user_name": "User", "last_cloud_backup_at": "Backup"}
SUFFIXES = (".csv", ".json", ".ndjson")
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "cp1252", "utf-16-be", "utf-32", "cp037", "shift_jis")
few = settings(
    max_examples=examples(120), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def objects() -> list[dict[str, str]]:
    """Devices whose names have letters of many scripts, quotes and line breaks."""
    return [
        {
            "Serial": serial(number),
            "Name": f'Zoë "{number}"; née\nØ',
            "User": f"User, {number}",
            "Backup": f"2026-11-{number + 1:02}T03:00:00Z",
        }
        for number in range(ROWS)
    ]


def serial(number: int) -> str:
    return f"FKHOSTILE{number:04}"


def export(suffix: str) -> str:
    """Those devices in one of the forms."""
    if suffix == ".json":
        return json.dumps(objects(), indent=1, ensure_ascii=False)
    if suffix == ".ndjson":
        return "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in objects())
    written = io.StringIO()
    writer = csv.DictWriter(written, list(NAMED.values()))
    writer.writeheader()
    writer.writerows(objects())
    return written.getvalue()


def read(folder: Path, suffix: str, content: bytes) -> tuple[set[str], int, SourceError | None]:
    """Serial numbers that were read, rows that were not, and the error that ended it."""
    path = folder / f"devices{suffix}"
    path.write_bytes(content)
    serials: set[str] = set()
    rejected = 0
    ended: SourceError | None = None
    try:
        for page in pages(path, NAMED):
            for row in page.rows:
                assert isinstance(row, DeviceRecord | Rejected)
                if isinstance(row, DeviceRecord):
                    json.dumps([str(row.name), str(row.serial)]).encode()
                    serials.add(str(row.serial))
                else:
                    rejected += 1
    except SourceError as error:
        ended = error
    assert str(ended).isprintable()
    assert "née" not in str(ended)
    return serials, rejected, ended


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_whole_file(tmp_path: Path, suffix: str) -> None:
    """What the others harm is whole."""
    assert read(tmp_path, suffix, export(suffix).encode()) == ({serial(n) for n in range(ROWS)}, 0, None)


@few
@given(suffix=st.sampled_from(SUFFIXES), share=st.floats(0, 1))
def test_a_cut_file(tmp_path: Path, suffix: str, share: float) -> None:
    """A file that was cut anywhere is an error or has a row that could not be read, and makes no device up."""
    whole = export(suffix).encode()
    cut = whole[: int(len(whole) * share)]
    serials, rejected, error = read(tmp_path, suffix, cut)
    assert {one for one in serials if one not in {serial(n) for n in range(ROWS)}} == set()
    complete = cut.count(b"T03:00:00Z")
    assert error is not None or rejected or len(serials) == complete or suffix == ".csv"


@few
@given(suffix=st.sampled_from([".csv", ".ndjson"]), data=st.data())
def test_a_bad_line_costs_no_other_device(tmp_path: Path, suffix: str, data: st.DataObject) -> None:
    """Whatever stands on one line, as long as it opens no quotes and ends no file, all other devices come."""
    plain = [{**one, "Name": f"Name {number}"} for number, one in enumerate(objects())]
    if suffix == ".csv":
        lines = [
            "Serial,Name,User,Backup",
            *(",".join(f'"{cell}"' for cell in one.values()) for one in plain),
        ]
    else:
        lines = [json.dumps(one) for one in plain]
    junk = data.draw(
        st.text(
            st.characters(blacklist_characters='"\r\n\0', blacklist_categories=["Cs", "Zl", "Zp"]),
            max_size=60,
        )
        | st.sampled_from(["[" * 3000, '{"Serial": ' * 900, "1e999", "null", "[]", ",,,,,,,,", "-", "NaN"])
    )
    number = data.draw(st.integers(1, len(lines) - 1))
    lines[number] = junk
    serials, _, error = read(tmp_path, suffix, "\n".join([*lines, ""]).encode())
    lost = number - 1 if suffix == ".csv" else number
    assert error is None
    assert {serial(other) for other in range(ROWS) if other != lost} <= serials


@few
@given(suffix=st.sampled_from(SUFFIXES), data=st.data())
def test_bytes_in_any_place(tmp_path: Path, suffix: str, data: st.DataObject) -> None:
    """Other bytes in the middle of a file make an error or cost rows; nothing is a traceback."""
    whole = export(suffix).encode()
    place = data.draw(st.integers(0, len(whole)))
    gap = data.draw(st.integers(0, 40))
    read(tmp_path, suffix, whole[:place] + data.draw(st.binary(max_size=8)) + whole[place + gap :])


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_any_encoding(tmp_path: Path, suffix: str, encoding: str) -> None:
    """A file is read as what it is, or refused; it never gives devices that nobody has."""
    serials, _, error = read(tmp_path, suffix, export(suffix).encode(encoding, "replace"))
    assert serials <= {serial(number) for number in range(ROWS)}
    assert len(serials) == ROWS or error is not None


@pytest.mark.parametrize("depth", [100, 100_000])
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_nested_without_end(tmp_path: Path, suffix: str, depth: int) -> None:
    """Brackets in brackets end no program."""
    for start, end in (("[", "]"), ('{"a":', "}")):
        serials, rejected, error = read(tmp_path, suffix, f"{start * depth}1{end * depth}\n".encode())
        assert serials == set()
        assert error is not None or rejected
