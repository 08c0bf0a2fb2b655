from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports._csv import guard, kept_as_text, row_writer
from tests.reports import rfc4180


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("+49 30", "'+49 30"),
        ("-5", "'-5"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("  =1", "'  =1"),
        ("\u00a0=1", "'\u00a0=1"),
        ("\x00=1", "'\x00=1"),
        ("\u200b=1", "'\u200b=1"),
        ("\t1", "'\t1"),
        ("\r1", "'\r1"),
        ("\x00a", "'\x00a"),
        ("＝1", "'＝1"),  # noqa: RUF001 - the full-width form is what is tested
        ("＋1", "'＋1"),  # noqa: RUF001
        ("－1", "'－1"),  # noqa: RUF001
        ("＠1", "'＠1"),  # noqa: RUF001
        ("", ""),
        ("0123", "0123"),
        ("14.6", "14.6"),
        ("Amara's iPhone", "Amara's iPhone"),
        ("'quoted", "'quoted"),
        ("a=1", "a=1"),
        (" iPad", " iPad"),
        ("(=1", "(=1"),
        ("愛", "愛"),
    ],
)
def test_guard(text: str, cell: str) -> None:
    """Only text that a spreadsheet would run gets an apostrophe; numbers in text and plain names do not."""
    assert guard(text) == cell


@given(st.lists(st.text(), min_size=1, max_size=8))
def test_any_text_survives_the_table(texts: list[str]) -> None:
    """Whatever people name their devices, a reader gets it back, and no spreadsheet runs it."""
    file = io.StringIO(newline="")
    csv.writer(file, lineterminator="\r\n").writerow(guard(text) for text in texts)
    (cells,) = csv.reader(io.StringIO(file.getvalue(), newline=""), strict=True)
    for text, cell in zip(texts, cells, strict=True):
        assert cell in (text, f"'{text}")
        assert not cell.strip().startswith(("=", "+", "-", "@", "＝", "＋", "－", "＠"))  # noqa: RUF001


@pytest.mark.parametrize(
    "text",
    [
        *("0123", "353912101234567", "14.6", "1,5", "1E5", "1.5e-3", "26.7.1", "50 %", "(5)", "$5", "007"),
        *(
            "3-4",
            "1/2",
            "2026-11-22",
            "12:30",
            "MAR1",
            "1-Sep-26",
            "3 May",
            "Sept 2026",
            "1 AM",
            "9:30 pm",
        ),
        *("TRUE", "false"),
    ],
)
def test_what_a_spreadsheet_would_change_is_kept_as_text(text: str) -> None:
    """A serial of digits, a tag with zeros, a version and a name like a date stay what they are."""
    assert kept_as_text(text) == f"'{text}"


@pytest.mark.parametrize(
    "text",
    [
        *(
            "FK0001",
            "iPad 3",
            "Ward 3-4",
            "A1E5",
            "C39XQ1",
            "3 iPads",
            "Mayer",
            "Marta",
            "Augustin",
            "May",
            "Truex",
        ),
        *("", "a", "愛", "'0123", "e5", "-", "v26.7", "amara@example.com", "Room 12:30"),
    ],
)
def test_what_is_plainly_text_stays_as_it_is(text: str) -> None:
    """Names, models and addresses get no apostrophe; nor does what has one already."""
    assert kept_as_text(text) == text


WORDS = st.text(alphabet=st.characters(exclude_categories=["Cs"]))


@given(st.lists(st.lists(WORDS, min_size=2, max_size=5), min_size=1, max_size=5))
def test_another_reader_reads_what_was_written(rows: list[list[str]]) -> None:
    """A reader written from RFC 4180 itself gets every cell back, line breaks, quotes and separators included."""
    file = io.StringIO(newline="")
    write = row_writer(file)
    for row in rows:
        write(row)
    assert rfc4180.records(file.getvalue()) == rows
