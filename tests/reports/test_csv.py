from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports._csv import guard


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
