"""The `file` connector: files and cells as consoles, spreadsheets and accidents write them."""

from __future__ import annotations

import csv
import io
import json
import os
import tracemalloc
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NoReturn

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from connectors._connector import Page, Surroundings
from connectors._wire import clean
from connectors.file import CONNECTOR, FileSettings
from fleet.errors import BadAnswer, SourceError, Unreachable
from fleet.model.device import SIGNALS, DeviceRecord, Enrollment, Ownership, Platform, Rejected
from fleet.model.fact import ABSENT, NEVER, NOT_REPORTED, UNREADABLE, Gap, Reason
from tests.examples import examples

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "Ottilie-Wolkenstein"


def never_called(*_: float) -> NoReturn:
    """Stands where a file connector has no business."""
    raise AssertionError


AROUND = Surroundings(
    collected_at=datetime(2026, 11, 22, 2, tzinfo=UTC), now=never_called, sleep=never_called
)


def source(path: Path | str, columns: dict[str, str], **keys: object) -> FileSettings:
    """Settings of a source `hq` that reads `path`."""
    return FileSettings.model_validate(
        {"name": "hq", "kind": "file", "path": str(path), "columns": columns, **keys}
    )


def pages(path: Path | str, columns: dict[str, str], **keys: object) -> list[Page]:
    """The pages of one walk."""
    return list(CONNECTOR.walk(source(path, columns, **keys), AROUND))


def everything(path: Path | str, columns: dict[str, str], **keys: object) -> list[DeviceRecord | Rejected]:
    """The rows of one walk."""
    return [row for page in pages(path, columns, **keys) for row in page.rows]


def records(path: Path | str, columns: dict[str, str], **keys: object) -> list[DeviceRecord]:
    """The rows of one walk, none of which may be rejected."""
    rows = everything(path, columns, **keys)
    found = [row for row in rows if isinstance(row, DeviceRecord)]
    assert found == rows
    return found


def only(tmp_path: Path, cells: dict[str, object], **keys: object) -> DeviceRecord:
    """The record of one device in a JSON file whose columns are called like our signals."""
    path = tmp_path / "one.json"
    path.write_text(json.dumps([{"serial": "C1", **cells}]), encoding="utf-8")
    (record,) = records(path, {signal: signal for signal in ("serial", *cells)}, **keys)
    return record


def cell(tmp_path: Path, signal: str, value: object, **keys: object) -> object:
    """What one cell reads as."""
    return getattr(only(tmp_path, {signal: value}, **keys), signal)


def failure(path: Path | str, columns: dict[str, str], **keys: object) -> SourceError:
    """The error that ends a walk; it is one line and quotes no cell."""
    with pytest.raises(SourceError) as caught:
        pages(path, columns, **keys)
    assert "\n" not in str(caught.value)
    assert SECRET not in str(caught.value)
    return caught.value


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        *((word, True) for word in ("true", "TRUE", "Yes", "1", "enabled", "On", True, 1)),
        *((word, False) for word in ("false", "no", "0", "Disabled", "OFF", False, 0)),
        *((word, UNREADABLE) for word in ("maybe", "2", "ja", "not enabled", 1.0, 2, ["true"])),
        *((word, ABSENT) for word in ("", "  ", None)),
    ],
)
def test_words_for_true_and_false(tmp_path: Path, value: object, expected: object) -> None:
    """A pair of words that nobody taught us is unreadable, never false."""
    assert cell(tmp_path, "backup_enabled", value) == expected


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        ("113.26 GB", None, 113_260_000_000),
        ("113,26 GB", "MB", 113_260_000_000),
        ("113.26\u00a0GB", None, 113_260_000_000),
        ("64GiB", None, 64 * 2**30),
        ("512 kib", None, 512 * 2**10),
        ("1 TB", "MB", 10**12),
        ("19.907", "GB", 19_907_000_000),
        ("128000", "MB", 128_000_000_000),
        ("128000", None, 128_000),
        (64, "GB", 64_000_000_000),
        (38.1573, "GB", 38_157_300_000),
        ("1,234.5", "MB", 1_234_500_000),
        ("1.234,5", "MB", 1_234_500_000),
        ("1,234,567", "KB", 1_234_567_000),
        ("1.234.567", "KB", 1_234_567_000),
        ("1\u202f234,5", "MB", 1_234_500_000),
        ("0,234", "GB", 234_000_000),
        ("1234,567", "GB", 1_234_567_000_000),
        ("1,234 MB", None, UNREADABLE),
        ("1,234", "MB", UNREADABLE),
        ("1,23,456", "MB", UNREADABLE),
        ("1,234,5", "MB", UNREADABLE),
        ("-5", "GB", UNREADABLE),
        (-5, "GB", UNREADABLE),
        ("64 parsecs", None, UNREADABLE),
        ("64 GB free", None, UNREADABLE),
        ("GB", None, UNREADABLE),
        ("nan", None, UNREADABLE),
        (float("nan"), None, UNREADABLE),
        (float("inf"), None, UNREADABLE),
        (10**400, None, UNREADABLE),
        ("9" * 30, "GB", UNREADABLE),
        (True, None, UNREADABLE),
        ("", None, ABSENT),
        (None, None, ABSENT),
        ("0", "GB", ABSENT),
        ("0.0 GB", None, ABSENT),
    ],
)
def test_sizes(tmp_path: Path, value: object, unit: str | None, expected: object) -> None:
    """Sizes are bytes whatever they were written in; a number that could be two numbers is unreadable."""
    units = {"capacity_bytes": unit} if unit else {}
    assert cell(tmp_path, "capacity_bytes", value, units=units) == expected


@pytest.mark.parametrize(
    ("cells", "capacity", "available"),
    [
        ({"capacity_bytes": "64", "available_bytes": "0"}, 64, 0),
        ({"capacity_bytes": "0", "available_bytes": "0"}, ABSENT, ABSENT),
        ({"capacity_bytes": "0", "available_bytes": "5"}, ABSENT, ABSENT),
        ({"capacity_bytes": "", "available_bytes": "0"}, ABSENT, ABSENT),
        ({"capacity_bytes": "", "available_bytes": "5"}, ABSENT, 5),
        ({"capacity_bytes": "much", "available_bytes": "0"}, UNREADABLE, ABSENT),
        ({"available_bytes": "0.0"}, NOT_REPORTED, ABSENT),
        ({"available_bytes": "5"}, NOT_REPORTED, 5),
    ],
)
def test_a_zero_is_a_full_disk_only_beside_a_capacity(
    tmp_path: Path, cells: dict[str, object], capacity: object, available: object
) -> None:
    """No room is believed where the capacity is known, and nowhere else."""
    record = only(tmp_path, cells)
    assert (record.capacity_bytes, record.available_bytes) == (capacity, available)


NOON = datetime(2026, 4, 15, 12, 0, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "date_format", "timezone", "expected"),
    [
        ("2026-04-15T12:00:05Z", "iso", "Europe/Berlin", NOON),
        ("2026-04-15 14:00:05", "iso", "Europe/Berlin", NOON),
        ("2026-04-15T12:00:05.987", "iso", "UTC", NOON),
        ("2026-04-15", "iso", "UTC", NOON.replace(hour=0, second=0)),
        ("20260415T120005Z", "iso", "UTC", NOON),
        ("1776254405", "epoch", "Europe/Berlin", NOON),
        ("1776254405000", "epoch", "UTC", NOON),
        (1776254405, "epoch", "UTC", NOON),
        (1776254405.5, "epoch", "UTC", NOON),
        (1776254405000, "epoch", "UTC", NOON),
        ("15.04.2026 14:00:05", "%d.%m.%Y %H:%M:%S", "Europe/Berlin", NOON),
        ("04/15/26 12:00:05 PM +0000", "%m/%d/%y %I:%M:%S %p %z", "Asia/Tokyo", NOON),
        ("1776254405", "iso", "UTC", UNREADABLE),
        (1776254405, "iso", "UTC", UNREADABLE),
        ("15.04.2026", "iso", "UTC", UNREADABLE),
        ("2026-04-15", "%d.%m.%Y", "UTC", UNREADABLE),
        ("2026-02-30", "iso", "UTC", UNREADABLE),
        ("yesterday", "epoch", "UTC", UNREADABLE),
        (True, "epoch", "UTC", UNREADABLE),
        ({"date": "2026-04-15"}, "iso", "UTC", UNREADABLE),
        ("9999-12-31T23:59:59-23:00", "iso", "UTC", UNREADABLE),
        *((word, "iso", "UTC", ABSENT) for word in ("", "  ", None, "never", "Never", "NONE")),
        *(
            (old, "iso", "UTC", ABSENT)
            for old in ("1970-01-01 00:00:00", "1970-01-02", "0001-01-01T00:00:00")
        ),
        ("0000-00-00 00:00:00", "iso", "UTC", ABSENT),
        ("0001-01-01T00:00:00", "iso", "Europe/Berlin", ABSENT),
        *((zero, "epoch", "UTC", ABSENT) for zero in (0, "0", "-62135596800", -62135596800000)),
        ("01.01.1970", "%d.%m.%Y", "America/New_York", ABSENT),
    ],
)
def test_dates(tmp_path: Path, value: object, date_format: str, timezone: str, expected: object) -> None:
    """Dates are UTC; where an unknown backup stays unknown, an empty or ancient one means never."""
    keys = {"date_format": date_format, "timezone": timezone}
    record = only(tmp_path, {"checkin_at": value, "last_cloud_backup_at": value}, **keys)
    assert record.checkin_at == expected
    assert record.last_cloud_backup_at == (NEVER if expected == ABSENT else expected)


def test_a_backup_date_that_an_object_lacks_is_not_never(tmp_path: Path) -> None:
    """A key left out of a JSON object says nothing; only an empty one says never."""
    path = tmp_path / "devices.json"
    path.write_text('[{"s": "S1", "b": null}, {"s": "S2"}]')
    found = records(path, {"serial": "s", "last_cloud_backup_at": "b"})
    assert [record.last_cloud_backup_at for record in found] == [NEVER, ABSENT]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        *(("67", 67), ("67%", 67), ("67 %", 67), ("0.67", 67), ("0,67", 67), ("1.0", 100), ("100", 100)),
        *((67, 67), (0.67, 67), (1.0, 100), ("1", 1), ("0", 0), ("0.5%", 0), ("99.6", 100)),
        *(("-1", ABSENT), (-1, ABSENT), (-1.0, ABSENT), ("", ABSENT), (None, ABSENT)),
        *(
            ("101", UNREADABLE),
            (400, UNREADABLE),
            ("full", UNREADABLE),
            (True, UNREADABLE),
            ("%", UNREADABLE),
        ),
    ],
)
def test_battery(tmp_path: Path, value: object, expected: object) -> None:
    """A charge is whole percent, from percent or a fraction; minus one is no reading."""
    assert cell(tmp_path, "battery_percent", value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        *(("iOS 26.4", "26.4"), ("iPadOS 26.4.1", "26.4.1"), ("MACOS 26.2", "26.2"), ("26.4.0", "26.4.0")),
        *(("iOS ", ABSENT), ("iOS", ABSENT), ("", ABSENT), (None, ABSENT), (26, "26")),
        *(("latest", UNREADABLE), (26.1, UNREADABLE), ({"version": "26.4"}, UNREADABLE)),
    ],
)
def test_versions(tmp_path: Path, value: object, expected: object) -> None:
    """The system's name before a version goes; a JSON number is unread, for 26.10 would be 26.1."""
    assert cell(tmp_path, "os_version", value) == expected


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ({"platform": "iPadOS"}, Platform.IPADOS),
        ({"platform": "IPHONE"}, Platform.IOS),
        ({"platform": "Mac OS X"}, Platform.MACOS),
        ({"platform": "Apple TV"}, Platform.TVOS),
        ({"platform": "Windows"}, Platform.OTHER),
        ({"platform": "Toaster"}, UNREADABLE),
        ({"platform": "Toaster", "model_name": "iPad Air"}, UNREADABLE),
        ({"platform": "iOS", "model_name": "iPad Air"}, Platform.IPADOS),
        ({"platform": "Android", "model_name": "iPad Air"}, Platform.ANDROID),
        ({"platform": "", "model_identifier": "iPhone15,4"}, Platform.IOS),
        ({"platform": "", "os_version": "visionOS 26.1"}, Platform.VISIONOS),
        ({"os_version": "iOS 26.4"}, Platform.IOS),
        ({"os_version": "iOS 26.4", "model_name": "iPad Air (5th generation)"}, Platform.IPADOS),
        ({"os_version": "iOS 26.4", "model_name": "Something new"}, Platform.IOS),
        ({"os_version": "iOS 26.4", "model_identifier": "iPad11,6", "model_name": "iPhone"}, Platform.IPADOS),
        ({"os_version": "iOS "}, Platform.IOS),
        ({"os_version": "macOS 26.2"}, Platform.MACOS),
        ({"os_version": "26.4"}, ABSENT),
        ({"name": "iPad of nobody"}, NOT_REPORTED),
    ],
)
def test_platforms(tmp_path: Path, cells: dict[str, object], expected: object) -> None:
    """A platform is what is said, else what the model is, else the name before the version."""
    assert only(tmp_path, cells).platform == expected


@pytest.mark.parametrize(
    ("signal", "value", "expected"),
    [
        *(("enrollment", word, Enrollment.AUTOMATED) for word in ("dep", "depPending", "ADE", "PreStage")),
        *(
            ("enrollment", word, Enrollment.DEVICE)
            for word in ("manual", "ac2Pending", "Configurator", "profile")
        ),
        *(("enrollment", word, Enrollment.USER) for word in ("byod", "User Enrollment", "user-enrollment")),
        ("enrollment", "witchcraft", UNREADABLE),
        *(
            ("ownership", word, Ownership.ORGANISATION)
            for word in ("Institutional", "corporate", "Company-owned")
        ),
        *(("ownership", word, Ownership.PERSONAL) for word in ("personal", "BYOD", "Employee owned", "user")),
        ("ownership", "shared", UNREADABLE),
        ("serial", "  c39xk01 ", "C39XK01"),
        ("name", "Tom &amp; Ada", "Tom &amp; Ada"),
        ("name", "a\u0000b\ud800\u0007c\nd", "abc d"),
        ("name", "x" * 300, "x" * 254 + "…"),
        ("asset_tag", 77, "77"),
        ("asset_tag", ["77"], UNREADABLE),
        ("groups", "Staff; Year 7,Maths", ("Staff", "Year 7", "Maths")),
        ("groups", "[[District] All,Chess [A]]", ("[District] All", "Chess [A]")),
        ("groups", "[District] All,[West]", ("[District] All", "[West]")),
        ("groups", "[[District] All", ("[[District] All",)),
        ("groups", "[]", ()),
        ("groups", "", ABSENT),
        ("groups", ["a;b", "c", None, "c"], ("a;b", "c")),
        ("groups", {"a": 1}, UNREADABLE),
        ("groups", 7, UNREADABLE),
    ],
)
def test_words_and_text(tmp_path: Path, signal: str, value: object, expected: object) -> None:
    """Each vocabulary knows its words in any case and hands on no word that it does not know."""
    assert cell(tmp_path, signal, value) == expected


IDENTITY = {"serial": "Serial", "udid": "UDID"}


@pytest.mark.parametrize(
    ("serial", "udid", "expected"),
    [
        ("c1", "", "C1"),
        ("C1", "0000-11", "0000-11"),
        ("", "0000-11", "0000-11"),
        ("0000000000", "0000-11", "0000-11"),
        ("C1", "00000000-0000000000000000", "C1"),
        ("Unknown", "n/a", None),
        ("none", "-", None),
        ("", "", None),
    ],
)
def test_identity(tmp_path: Path, serial: str, udid: str, expected: str | None) -> None:
    """A row is known by its UDID, else its serial; what exports write for neither is no identity."""
    path = tmp_path / "devices.csv"
    path.write_text(f"Serial,UDID,Name\n{serial},{udid},{SECRET}\n")
    (row,) = everything(path, IDENTITY)
    if expected is None:
        assert row == Rejected("line 2", "no serial and no UDID")
    else:
        assert row.native_id == expected


def test_a_row_that_repeats_another_is_counted_not_read(tmp_path: Path) -> None:
    """Two lines of one UDID are one device; two UDIDs of one serial are re-enrolments, and stay."""
    path = tmp_path / "devices.csv"
    path.write_text("Serial,UDID\nC1,u1\nC1,u2\nC1,u1\nc2,\nC2,\n")
    first, second, third, fourth, fifth = everything(path, IDENTITY)
    assert [first.native_id, second.native_id, fourth.native_id] == ["u1", "u2", "C2"]
    assert third == Rejected("line 4", "repeats the identity of an earlier row")
    assert fifth == Rejected("line 6", "repeats the identity of an earlier row")


NAMED = {"serial": "Serial", "name": "Name"}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_dialect_of_csv(tmp_path: Path, encoding: str, delimiter: str, end: str) -> None:
    """Encoding, delimiter and line ends are told by the file, and names keep their letters."""
    lines = [["Serial", '"a,b;c|d"', " Name "], ["C1", "", "Zoë\u2019s iPad"], [], ["C2", "", '"two\nlines"']]
    path = tmp_path / "devices.csv"
    path.write_bytes("".join(delimiter.join(line) + end for line in lines).encode(encoding))
    assert [record.name for record in records(path, NAMED)] == ["Zoë\u2019s iPad", "two lines"]


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("a.json", '[{"s": "C1", "os": {"v": "26.4"}}, {"s": "C2", "os": null}]'),
        (
            "a.json",
            '{"total": 2, "tags": ["x"], "devices": [{"s": "C1", "os.v": "26.4"}, {"s": "C2", "os.v": ""}]}',
        ),
        ("a.json", '{\n "devices": [\n{"s": "C1", "os": {"v": "26.4"}},\n{"s": "C2"}]}'),
        ("a.json", '{"s": "C1", "os": {"v": "26.4"}}\n\n{"s": "C2"}\n'),
        ("a.jsonl", '{"s": "C2"}\r\n{"s": "C1", "os": {"v": "26.4"}}'),
        ("export", ' [{"s": "C1", "os": {"v": "26.4"}}, {"s": "C2"}]'),
        ("export", "\n s ,os.v\nC1,26.4\nC2,\n"),
        ("a.txt", "s\tos.v\nC1\t26.4\nC2\t\n"),
    ],
)
def test_every_shape_of_file(tmp_path: Path, file: str, text: str) -> None:
    """A JSON array, an object around one, NDJSON and CSV say the same thing under whatever name."""
    (tmp_path / file).write_text(text, newline="")
    found = records(tmp_path / file, {"serial": "s", "os_version": "os.v"})
    assert {record.serial: record.os_version for record in found} == {"C1": "26.4", "C2": ABSENT}


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("a.csv", "Serial,Name\r\n"),
        ("a.csv", "Serial,Name"),
        ("a.json", "[]"),
        ("a.json", '{"devices": [], "n": 0}'),
    ],
)
def test_no_devices_is_an_empty_fleet(tmp_path: Path, file: str, text: str) -> None:
    """A whole file without devices is an answer, not an error."""
    (tmp_path / file).write_text(text)
    assert pages(tmp_path / file, NAMED) == [Page(rows=[], expected=0)]


@pytest.mark.parametrize(
    ("file", "content", "words"),
    [
        ("a.csv", b"", ["is empty"]),
        ("a.csv", b"\xef\xbb\xbf \r\n", ["is empty"]),
        ("a.ndjson", b"\n\n", ["is empty"]),
        ("a.csv", b"Serial,Name\nC1,J\xf6rg Ottilie-Wolkenstein\n", ["byte 16", "save it as UTF-8"]),
        ("a.csv", b"Serial,Name\n" + b"C1,x\n" * 4000 + b"\xe9\n", ["byte 20012"]),
        ("a.csv", b"\xff\xfeS\x00e\x00r", ["is not UTF-8 at byte 6"]),
        ("a.csv", "Serial,Name\n".encode("utf-16-le"), ["NUL byte in line 1", "UTF-8"]),
        ("a.csv", b"Serial,Name\nC1,a\nC2,b\x00\n", ["NUL byte in line 3"]),
        ("a.csv", b'Serial,Name\nC1,"Ottilie-Wolkenstein\nC2,b\n', ["quotation mark", "line 3"]),
        ("a.csv", b'Serial,Name\nC1,"Ottilie"-Wolkenstein\n', ["quotation mark", "line 2"]),
        ("a.csv", b"Serial,Name,Name\nC1,a,b\n", ['more than one column "Name"']),
        ("a.csv", b"Serial," + b"1" * 120_000 + b"x\nC1,a\n", ['no column "Name"']),
        ("a.csv", b"C1,Ottilie-Wolkenstein,true\nC2,b,true\n", ["begins with a line of data"]),
        ("a.csv", b"Serial,Name\nC1,a\nC2", ["ends in the middle of line 3"]),
        ("a.json", b'[{"Serial": "C1", "Name": "Ottilie-Wolkenstein"},', ["no whole JSON array"]),
        ("a.json", b'{"a": [{"Serial": "C1"}], "b": [{"Serial": "C1"}]}', ["one array of objects"]),
        ("a.json", b"[" * 100_000, ["no whole JSON array"]),
        ("a.json", b"<html>Ottilie-Wolkenstein</html>", ["is not JSON"]),
        ("a.json", b'[{"Serial": "C1", "n": {"Name": "x"}}]', ['no column "Name"', "Serial, n.Name", "name"]),
        ("a.ndjson", b"Ottilie-Wolkenstein\n", ["no columns", "columns found: none"]),
        ("a.ndjson", b'{"Serial": "C1", "Name": "x"}\n{"Serial": "C2", "Na', ["middle of line 2"]),
        ("a.json", b'[{"Serial": "C1", "Name": "' + b"x" * 10_000 + b'"}]', ["max_body_mb", "NDJSON or CSV"]),
        ("a.csv", b'Serial,Name\nC1,"' + b"x" * 200_000 + b'"\n', ["line 2"]),
    ],
)
def test_files_that_cannot_be_read(tmp_path: Path, file: str, content: bytes, words: list[str]) -> None:
    """A file that cannot be read is one line naming source, file, place and remedy, and quotes no cell."""
    (tmp_path / file).write_bytes(content)
    error = failure(tmp_path / file, NAMED, max_body_mb=0.2 if len(content) == 100_000 else 0.01)
    assert isinstance(error, BadAnswer)
    assert str(error).startswith(f"hq: {file} ")
    assert [word for word in words if word not in str(error)] == []


def test_a_line_without_end_is_not_loaded(tmp_path: Path) -> None:
    """A file that is one endless line costs an error, not the memory."""
    path = tmp_path / "a.csv"
    with path.open("wb") as file:
        file.write(b"Serial,Name\n")
        for _ in range(40):
            file.write(b"x" * 2**20)
    tracemalloc.start()
    error = failure(path, NAMED)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert "no end to line 2" in str(error)
    assert peak < 30 * 2**20


def test_a_missing_column_is_named_with_those_found(tmp_path: Path) -> None:
    """The error for a wrong mapping says which column, which there are, and which key to mend."""
    path = tmp_path / "devices.csv"
    path.write_text(f"Serial Number;Device Name\nC1;{SECRET}\n")
    assert str(failure(path, {"serial": "Serial"})) == (
        'hq: devices.csv has no column "Serial"; columns found: Serial Number, Device Name; '
        "mend [source.columns] serial"
    )


def test_what_was_read_before_the_fault_is_kept(tmp_path: Path) -> None:
    """A file that breaks off still yields the devices before the break."""
    path = tmp_path / "devices.csv"
    path.write_text('Serial,Name\nC1,a\nC2,"b\n')
    walk = CONNECTOR.walk(source(path, NAMED), AROUND)
    assert [row.native_id for row in next(walk).rows] == ["C1"]
    with pytest.raises(BadAnswer):
        next(walk)


def test_bad_rows_cost_no_other(tmp_path: Path) -> None:
    """A row with too few or too many cells is rejected by its line; the rest is read, and all are counted."""
    path = tmp_path / "devices.csv"
    path.write_text(f'Serial,Name\nC1,"a\nb"\n{SECRET}\n,,\n\nC2,b,{SECRET}\nC3,c\n')
    (page,) = pages(path, NAMED)
    assert [row if isinstance(row, Rejected) else row.native_id for row in page.rows] == [
        "C1",
        Rejected("line 4", "1 cells where the header has 2"),
        Rejected("line 7", "3 cells where the header has 2"),
        "C3",
    ]
    assert page.expected == 4


@pytest.mark.parametrize(
    ("file", "text", "where"),
    [
        ("a.ndjson", '{"Serial": "C1"}\nnonsense\n[1]\n', ["line 2", "line 3"]),
        ("a.json", '[{"Serial": "C1"}, 7, null]', ["object 2", "object 3"]),
    ],
)
def test_bad_objects_cost_no_other(tmp_path: Path, file: str, text: str, where: list[str]) -> None:
    """What is no object among objects is rejected by its place."""
    (tmp_path / file).write_text(text)
    first, *rest = everything(tmp_path / file, {"serial": "Serial"})
    assert first.native_id == "C1"
    assert rest == [Rejected(place, "not a JSON object") for place in where]


def test_pages_of_a_thousand(tmp_path: Path) -> None:
    """Rows come a thousand at a time, and only the last page states the total."""
    path = tmp_path / "devices.csv"
    path.write_text("Serial\n" + "".join(f"C{number}\n" for number in range(2000)))
    found = pages(path, {"serial": "Serial"})
    assert [(len(page.rows), page.expected) for page in found] == [(1000, None), (1000, 2000)]


@pytest.mark.parametrize("name", ["devices.csv", "devices.ndjson"])
@pytest.mark.no_cover
def test_a_large_file_is_streamed(tmp_path: Path, name: str) -> None:
    """A CSV or NDJSON file may be larger than `max_body_mb` and is never held whole."""
    path = tmp_path / name
    notes = "x" * 2000
    with path.open("w") as file:
        file.write("Serial,Notes\n" if path.suffix == ".csv" else "")
        for number in range(5000):
            row = {"Serial": f"C{number}", "Notes": notes}
            file.write(f"C{number},{notes}\n" if path.suffix == ".csv" else json.dumps(row) + "\n")
    tracemalloc.start()
    seen = sum(
        len(page.rows) for page in CONNECTOR.walk(source(path, {"serial": "Serial"}, max_body_mb=1), AROUND)
    )
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert seen == 5000
    assert peak < path.stat().st_size / 2


def test_a_glob_takes_the_newest(tmp_path: Path) -> None:
    """Of several exports the last written counts; of two written at once the last by name; no folder."""
    for name, age in (("devices-3.csv", 10), ("devices-1.csv", 20), ("devices-2.csv", 20)):
        (tmp_path / name).write_text(f"Serial\n{name[8]}X\n")
        os.utime(tmp_path / name, (age, age))
    (tmp_path / "devices-9.csv").mkdir()
    assert [record.serial for record in records(tmp_path / "devices-*.csv", {"serial": "Serial"})] == ["2X"]


def test_a_name_with_brackets_is_a_name(tmp_path: Path) -> None:
    """A file whose own name looks like a glob is found by it."""
    (tmp_path / "all [1].csv").write_text("Serial\nC1\n")
    assert len(records(tmp_path / "all [1].csv", {"serial": "Serial"})) == 1


@pytest.mark.parametrize("name", ["missing.csv", "missing-*.csv", "folder", "pipe"])
def test_a_file_that_is_not_there(tmp_path: Path, name: str) -> None:
    """A missing file, a glob without a match, a folder and a pipe are unreachable, named by their path."""
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    error = failure(tmp_path / name, NAMED)
    assert isinstance(error, Unreachable)
    assert str(tmp_path / name) in str(error)


def test_probe_finds_the_file_and_its_columns(tmp_path: Path) -> None:
    """The doctor's two steps pass on a file that fits, and the failing one says why on one that does not."""
    path = tmp_path / "devices.csv"
    missing = list(CONNECTOR.probe(source(tmp_path / "d*.csv", NAMED), AROUND))
    path.write_text("Serial,Name\n")
    good = list(CONNECTOR.probe(source(path, NAMED), AROUND))
    wrong = list(CONNECTOR.probe(source(path, {"udid": "UDID"}), AROUND))
    assert [(step, error is None) for step, error in missing] == [("find the file", False)]
    assert [error for _, error in good] == [None, None]
    assert 'no column "UDID"' in str(wrong[1][1])


WHOLE = {"name": "hq", "kind": "file", "path": "x.csv", "columns": {"serial": "S"}}


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        (
            {"columns": {"serial": "S", "os_versoin": "V"}},
            'no signal is named "os_versoin"; the nearest is "os_version"',
        ),
        ({"columns": {"name": "N"}}, "map serial or udid"),
        ({"columns": {"serial": " "}}, "columns.serial"),
        ({"units": {"capacity_bytes": "furlong"}}, "B, KB, MB, GB, KiB, MiB, GiB"),
        ({"units": {"battery_percent": "B"}}, "only capacity_bytes and available_bytes"),
        ({"timezone": "Mars/Olympus"}, "IANA time zone"),
        ({"timezone": "../../etc/passwd"}, "IANA time zone"),
        ({"timezone": "Europe"}, "IANA time zone"),
        *(
            ({"date_format": bad}, "strptime pattern")
            for bad in ("ISO", "", "%d.%m.", "%Q", "%Y %Y %m %d", "%")
        ),
        ({"pth": "x"}, "pth"),
    ],
)
def test_settings_that_are_refused(keys: dict[str, object], words: str) -> None:
    """A wrong key says what is allowed before anything is read."""
    with pytest.raises(ValidationError) as caught:
        FileSettings.model_validate({**WHOLE, **keys})
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("columns", "follows"),
    [
        ({"serial": "S"}, set[str]()),
        ({"udid": "U", "os_version": "V"}, {"platform"}),
        ({"serial": "S", "platform": "P"}, set[str]()),
    ],
)
def test_a_file_reports_what_is_mapped(columns: dict[str, str], follows: set[str]) -> None:
    """The signals of a file source are those of its mapping, and a platform where that follows."""
    assert CONNECTOR.reported(source("x.csv", columns)) == columns.keys() | follows


def test_unmapped_signals_are_not_reported(tmp_path: Path) -> None:
    """A signal without a column reads as one that this source never reports."""
    record = only(tmp_path, {"name": "iPad"})
    gaps = {signal for signal in SIGNALS if getattr(record, signal) == Gap(Reason.NOT_REPORTED)}
    assert gaps == set(SIGNALS) - {"serial", "name"}


SCHOOL = """\
AssetTag;AvailableCapacity;BackupEnabled;DeviceUDID;EnrollType;IsManaged;LastConnected;MemberOf;Model;Name;OsVersion;SerialNumber;
"";12.0625;true;00008101-A;dep;true;2026-11-21T07:24:34Z;"[[North] All,Chess]";iPad 9;Ada;"iOS 26.4.0";"GGX1";
"T7";0.0;false;"00008110-000B";manual;false;"2026-11-20T10:00:00Z";"";"";"Loan, spare";"iOS ";"";
"T8";3.5;maybe;"";depPending;true;"";"[North]";"iPhone 15";"Phone";"iOS 18.6";"ggx3";
"""


def test_the_export_of_a_school(tmp_path: Path) -> None:
    """A console's semicolon export with brackets, half a version and no capacity reads without a guess."""
    path = tmp_path / "devices.csv"
    path.write_text(SCHOOL)
    columns = {
        "serial": "SerialNumber",
        "udid": "DeviceUDID",
        "model_name": "Model",
        "os_version": "OsVersion",
        "backup_enabled": "BackupEnabled",
        "available_bytes": "AvailableCapacity",
        "checkin_at": "LastConnected",
        "enrollment": "EnrollType",
        "groups": "MemberOf",
    }
    ada, loan, phone = records(path, columns, units={"available_bytes": "GB"})
    assert ada == DeviceRecord(
        native_id="00008101-A",
        serial="GGX1",
        udid="00008101-A",
        model_name="iPad 9",
        platform=Platform.IPADOS,
        os_version="26.4.0",
        backup_enabled=True,
        available_bytes=12_062_500_000,
        checkin_at=datetime(2026, 11, 21, 7, 24, 34, tzinfo=UTC),
        enrollment=Enrollment.AUTOMATED,
        groups=("[North] All", "Chess"),
    )
    assert (loan.serial, loan.platform, loan.os_version) == (ABSENT, Platform.IOS, ABSENT)
    assert (loan.available_bytes, loan.backup_enabled, loan.groups) == (ABSENT, False, ABSENT)
    assert (phone.native_id, phone.backup_enabled, phone.checkin_at) == ("GGX3", UNREADABLE, ABSENT)
    assert phone.enrollment == Enrollment.AUTOMATED


ANYTHING = st.text(max_size=40) | st.text(st.sampled_from('",;\t|\r\n \ufeff\x85\u2028aé'), max_size=8)


@settings(
    max_examples=examples(120), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@example(names=['a "b"', "\r\n", ";;;"], delimiter=",", encoding="utf-8")
@given(
    names=st.lists(ANYTHING, max_size=5),
    delimiter=st.sampled_from(",;\t|"),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_text_survives_the_way_through_a_csv(
    tmp_path: Path, names: list[str], delimiter: str, encoding: str
) -> None:
    """Whatever a CSV writer wrote comes back cleaned; only a NUL ends the file, no error repeats a cell."""
    written = io.StringIO()
    writer = csv.writer(written, delimiter=delimiter)
    writer.writerow(["Serial", "Name"])
    writer.writerows([f"C{number}", f"{SECRET}{name}"] for number, name in enumerate(names))
    path = tmp_path / "devices.csv"
    path.write_bytes(written.getvalue().encode(encoding))
    if any("\0" in name for name in names):
        assert "NUL" in str(failure(path, NAMED))
    else:
        assert [record.name for record in records(path, NAMED)] == [clean(SECRET + name) for name in names]


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12) | st.just(10**400),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


@settings(
    max_examples=examples(150), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    cells=st.fixed_dictionaries(dict.fromkeys(SIGNALS, JUNK)),
    date_format=st.sampled_from(["iso", "epoch", "%d.%m.%Y"]),
)
def test_no_cell_breaks_the_walk(tmp_path: Path, cells: dict[str, object], date_format: str) -> None:
    """Junk of any type in any cell costs at most its own row."""
    path = tmp_path / "devices.json"
    path.write_text(json.dumps([cells]), encoding="utf-8")
    (row,) = everything(path, {signal: signal for signal in SIGNALS}, date_format=date_format)
    if isinstance(row, DeviceRecord):
        json.dumps([str(getattr(row, signal)) for signal in SIGNALS]).encode()


@settings(
    max_examples=examples(150), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(content=st.binary(max_size=60), suffix=st.sampled_from([".csv", ".json", ".ndjson", ""]))
def test_no_file_breaks_the_program(tmp_path: Path, content: bytes, suffix: str) -> None:
    """Bytes of any kind are read or refused in one clear error, never a traceback."""
    path = tmp_path / f"devices{suffix}"
    path.write_bytes(b"Serial,Name\n" + content if suffix == ".csv" else content)
    try:
        rows = everything(path, NAMED)
    except SourceError as error:
        assert str(error).startswith(f"hq: devices{suffix} ")  # noqa: PT017 - either way is fine, a third is not
    else:
        assert all(isinstance(row, DeviceRecord | Rejected) for row in rows)
