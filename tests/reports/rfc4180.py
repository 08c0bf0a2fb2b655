"""A strict reader of RFC 4180, written from its grammar and sharing nothing with the writer under test."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def records(text: str) -> list[list[str]]:
    """The records of `text`; ValueError where it is not what the RFC allows."""
    found: list[list[str]] = [[]]
    place = 0
    while place < len(text):
        cell, place = _quoted(text, place + 1) if text[place] == '"' else _plain(text, place)
        found[-1].append(cell)
        if text.startswith("\r\n", place):
            found.append([])
            place += 2
        elif text.startswith(",", place):
            place += 1
            if place == len(text) or text.startswith("\r\n", place):
                found[-1].append("")
                if text.startswith("\r\n", place):
                    found.append([])
                    place += 2
        elif place < len(text):
            raise ValueError(f"character {place} stands where a separator is due")
    return [record for record in found if record]


def _quoted(text: str, place: int) -> tuple[str, int]:
    parts: list[str] = []
    while True:
        end = text.index('"', place)
        parts.append(text[place:end])
        if not text.startswith('""', end):
            return "".join(parts), end + 1
        parts.append('"')
        place = end + 2


def _plain(text: str, place: int) -> tuple[str, int]:
    end = place
    while end < len(text) and text[end] not in ',\r\n"':
        end += 1
    if end < len(text) and text[end] in '\n"':
        raise ValueError(f"character {end} has to be within quotes")
    return text[place:end], end


def table(path: Path, *, marked: bool = False) -> tuple[list[str], list[list[str]]]:
    """Header and rows of a UTF-8 file, of which every row is as long as the header."""
    text = path.read_bytes().decode("utf-8")
    assert text.startswith("\ufeff") is marked
    header, *rows = records(text.removeprefix("\ufeff"))
    assert {len(row) for row in rows} <= {len(header)}
    return header, rows


def dicts(path: Path, *, marked: bool = False) -> list[dict[str, str]]:
    """The rows by header; of a header that stands several times, the last."""
    header, rows = table(path, marked=marked)
    return [dict(zip(header, row, strict=True)) for row in rows]
