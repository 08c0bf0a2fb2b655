from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fleet.errors import SettingsError
from fleet.model.finding import Action, State
from reports.ticketing._validate import Validator
from reports.ticketing.registry import PROFILES
from tests.reports.a_run import a_device, a_finding, a_report, a_sighting
from tests.reports.exporting import exported

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from reports.ticketing._profile import AnyProfile


def a_file(path: Path, profile: AnyProfile, count: int = 3) -> Path:
    """A right file; its texts run over several lines."""
    reports = [
        a_report(
            a_finding(external_id=f"{number:032x}", action=Action.CREATE, state=State.NEW),
            device=a_device(
                a_sighting(serial=f"FK{number:06}", asset_tag=f"T{number}"), key=f"{number:032x}"
            ),
        )
        for number in range(count)
    ]
    exported(path, profile, reports)
    return path


def said(path: Path, profile: AnyProfile, *, spreadsheet: bool = False) -> list[str]:
    return [str(complaint) for complaint in Validator(profile, spreadsheet=spreadsheet).complaints(path)]


@pytest.mark.parametrize(
    ("name", "change", "column", "allowed"),
    [
        ("generic", (",create,", ",close,"), "action", "one of: create, update, none, resolve, reopen"),
        ("generic", (",high,", ",High,"), "severity", "one of: critical, high, medium, low, info"),
        (
            "generic",
            ("2026-10-13T02:00:00Z", "2026-10-13 02:00"),
            "first_seen",
            "written as 2026-11-22T02:00:00Z",
        ),
        ("generic", ("2026-10-13T02:00:00Z", "2026-02-30T02:00:00Z"), "first_seen", "a time in UTC"),
        ("generic", ("0" * 31 + "1", "0" * 31 + "X"), "external_id", "32 hexadecimal digits in lower case"),
        ("generic", ("FK000001", "=FK000001"), "serial", "no spreadsheet takes for a formula"),
        ("servicenow", ("2026-11-18 21:00:00", "18/11/2026"), "opened_at", "2026-11-22 02:00:00"),
        ("servicenow", (",hardware,", f",{'h' * 41},"), "category", "at most 40 bytes"),
        ("jira", (",Task,", ",Bug,"), "Issue Type", "one of: Task"),
        ("jira", ("18/Nov/26 09:00 PM", "18/Nov/26 9:00 PM"), "Date Created", "22/Nov/26 02:00 AM"),
        ("zendesk", (",new,", ",closed,"), "status", "one of: new, open, solved"),
        ("snipe-it", ("T1,", ","), "Asset Tag", "may not be empty"),
        ("jsm-assets", ("11/21/2026", "21/11/2026"), "Last Heard Of", "11/22/2026"),
        ("freshservice", ("2026-11-21", "21.11.2026"), "Last Heard Of", "2026-11-22"),
    ],
)
def test_a_wrong_cell_is_named(
    tmp_path: Path, name: str, change: tuple[str, str], column: str, allowed: str
) -> None:
    """Line, column and what is allowed there are told; what stands there is not, for it may be a person's name."""
    right, wrong = change
    profile = PROFILES[name]
    path = a_file(tmp_path / "out.csv", profile)
    text = path.read_bytes().decode()
    second = text.split("\r\n")[2]
    assert right in second
    changed = text.replace(second, second.replace(right, wrong, 1))
    path.write_bytes(changed.encode())
    line = text[: text.index(second)].count("\n") + 1
    (complaint,) = said(path, profile)
    assert complaint.startswith(f"line {line}, {column}: ")
    assert allowed in complaint
    assert not wrong.strip(",") or wrong.strip(",") not in complaint


def lower(text: str) -> str:
    return text.replace("Summary", "summary", 1)


def marked(text: str) -> str:
    return "\ufeff" + text


def with_a_short_line(text: str) -> str:
    return text + "a,b\r\n"


def with_a_row_twice(text: str) -> str:
    return text + text.split("\r\n", 1)[1]


def cut_within_quotes(text: str) -> str:
    return text[: text.rindex('"')]


def emptied(text: str) -> str:
    return text[:0]


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lower, "line 1: the header has to be: Summary,Issue Type,"),
        (marked, "line 1: the file may not begin with a byte order mark"),
        (with_a_short_line, "every line has to have 13 cells; this one has 2"),
        (with_a_row_twice, "External ID: stands in an earlier line already"),
        (cut_within_quotes, "the file has to be RFC 4180 CSV"),
        (emptied, "line 1: the header has to be: "),
    ],
)
def test_a_wrong_file_is_named(tmp_path: Path, change: Callable[[str], str], complaint: str) -> None:
    """A header, mark, length, repetition or end that the importer would trip over is told with its line."""
    path = a_file(tmp_path / "out.csv", PROFILES["jira"], count=1)
    path.write_bytes(change(path.read_bytes().decode()).encode())
    assert complaint in said(path, PROFILES["jira"])[0]


def test_too_many_rows_are_told_once(tmp_path: Path) -> None:
    """A file longer than the product takes names the first row too many."""
    path = a_file(tmp_path / "out.csv", PROFILES["jira"], count=1)
    header, row = path.read_bytes().decode().split("\r\n", 1)
    rows = [row.replace("0" * 32, f"{number:032x}") for number in range(300)]
    path.write_bytes("\r\n".join([header, "".join(rows)]).encode())
    (complaint,) = said(path, PROFILES["jira"])
    assert complaint.endswith("Jira takes at most 250 rows from one file")


def test_a_file_that_is_no_utf8_is_told(tmp_path: Path) -> None:
    """An umlaut of another encoding is a complaint, never a crash."""
    path = a_file(tmp_path / "out.csv", PROFILES["jira"], count=1)
    path.write_bytes(path.read_bytes() + b"\xfc")
    assert said(path, PROFILES["jira"])[-1].endswith("the file has to be UTF-8 to its end")


def test_a_file_for_a_spreadsheet_has_to_be_one(tmp_path: Path) -> None:
    """Without its mark, or with digits that would lose their zeros, it is not what people can open."""
    path = a_file(tmp_path / "out.csv", PROFILES["generic"], count=1)
    text = path.read_text("utf-8").replace("FK000000", "000123")
    path.write_text(text, "utf-8", newline="")
    complaints = said(path, PROFILES["generic"], spreadsheet=True)
    assert complaints[0] == "line 1: the file has to begin with a byte order mark, for the spreadsheet"
    assert any(one.startswith("line 2, serial: would become a number or a date") for one in complaints)


def test_a_file_that_is_not_there_is_one_clear_line(tmp_path: Path) -> None:
    """The message names the file."""
    with pytest.raises(SettingsError, match=r"cannot read .*nowhere\.csv: No such file"):
        said(tmp_path / "nowhere.csv", PROFILES["jira"])
