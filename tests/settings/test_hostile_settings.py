"""Settings files of any kind: understood, or refused in lines that name the file, never a traceback."""

from __future__ import annotations

import copy
import tomllib
from typing import TYPE_CHECKING, Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors import registry
from fleet.checks import installed
from fleet.cli import template
from fleet.errors import SettingsError
from fleet.settings import load
from reports.notify.registry import CHANNELS
from reports.registry import formats
from tests.examples import examples

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CANARY = "canary-4711-do-not-print"
TEMPLATE = template.settings_text(registry.OWN_KINDS)
EVERYTHING = """
[database]
url = "postgresql+psycopg://fleet@db.example/fleet"
password = { env = "DB" }
[report]
directory = "out"
formats = ["html", "csv"]
base_url = "https://reports.example/"
accent = "#0b5cad"
[policy]
backup_warn_days = 5
storage_high_gb_free = 1.5
[privacy]
omit = ["user_name"]
keep_days = 30
[run]
deadline_minutes = 60
[catalog]
feeds = ["sofa"]
verify = true
[[source]]
name = "hq"
kind = "jamf_pro"
url = "https://mdm.example"
client_id = "x"
client_secret = { file = "secret" }
deadline_minutes = 3.5
[[source]]
name = "sheet"
kind = "file"
path = "devices*.csv"
columns = { serial = "Serial", name = "Name" }
units = { available_bytes = "MB" }
[[notify]]
name = "desk"
kind = "webhook"
url = { env = "HOOK" }
secret = { env = "KEY" }
sites = ["HQ"]
[[waiver]]
checks = ["backup-disabled"]
serials = ["C39X"]
reason = "why"
owner = "it@example.com"
expires = 2027-01-31
"""
HOSTILE = (
    *('""', '" "', f'"{CANARY}"', '"\\u0000"', '"\\U0010ffff"', '"https://u:p@[::1"', '"http://evil.example"'),
    *("0", "-1", "9223372036854775807", "1" + "0" * 400, "1e308", "-0.0", "inf", "nan", "true", "false", "0x7f"),
    *("[]", "[[]]", '[""]', "[1, 2]", "{}", '{ env = "" }', "{ command = [] }", '{ env = "A", file = "b" }'),
    *("1979-05-27", "07:32:00", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-23:59", "[" * 60 + "]" * 60),
)  # fmt: skip
"""TOML values that a reader may stumble over."""
few = settings(
    max_examples=examples(120), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def read(folder: Path, content: bytes) -> list[str]:
    """What is said about a file of those bytes; nothing if it is understood."""
    path = folder / "fleetkeep.toml"
    path.write_bytes(content)
    kinds, checks = registry.SettingsModels(), [check.id for check in installed()]
    channels = {kind: channel.settings for kind, channel in CHANNELS.items()}
    try:
        load(path, kinds, known_checks=checks, known_formats=list(formats()), channels=channels)
    except SettingsError as error:
        said = str(error).splitlines()
        assert said
        assert all(line.startswith(f"{path}: ") and line.isprintable() for line in said), said
        return said
    return []


def places(value: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The path of every value of a document."""
    if path:
        yield path
    if isinstance(value, dict):
        for key, one in cast("dict[str, object]", value).items():
            yield from places(one, (*path, key))
    elif isinstance(value, list):
        for number, one in enumerate(cast("list[object]", value)):
            yield from places(one, (*path, number))


def written(document: dict[str, Any], path: tuple[str | int, ...], text: str) -> str:
    """The document as TOML, every table in its inline form, with `text` in place of what stands at `path`."""
    place: Any = copy.deepcopy(document)
    changed = place
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = Raw(text)
    return "".join(f"{key} = {spelled(value)}\n" for key, value in changed.items())


class Raw(str):
    """Text that stands for itself."""

    __slots__ = ()


def spelled(value: object) -> str:
    """A value in TOML."""
    if isinstance(value, Raw):
        return value
    if isinstance(value, dict):
        rows = cast("dict[str, object]", value).items()
        return "{ " + ", ".join(f"{key} = {spelled(one)}" for key, one in rows) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(spelled, cast("list[object]", value))) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)


DOCUMENT = tomllib.loads(EVERYTHING)
PLACES = list(places(DOCUMENT))


def test_the_documents_are_understood(tmp_path: Path) -> None:
    """What the others change is a sound file, written out in either way."""
    assert read(tmp_path, EVERYTHING.encode()) == []
    assert read(tmp_path, written(DOCUMENT, ("report", "title"), '"Backups"').encode()) == []


@few
@given(path=st.sampled_from(PLACES), text=st.sampled_from(HOSTILE))
def test_any_value_in_any_place(tmp_path: Path, path: tuple[str | int, ...], text: str) -> None:
    """Whatever stands in the place of any value or table, the file is understood or refused, with its lines."""
    said = read(tmp_path, written(DOCUMENT, path, text).encode())
    if {"password", "client_secret", "secret"} & set(path):
        assert not any(CANARY in line for line in said)


@few
@given(data=st.data())
def test_a_file_that_was_cut_or_mixed_up(tmp_path: Path, data: st.DataObject) -> None:
    """Cut anywhere, with a piece of it elsewhere or with other bytes in it, it is understood or refused."""
    whole = data.draw(st.sampled_from([EVERYTHING.encode(), TEMPLATE.encode()]))
    start, end = sorted(data.draw(st.tuples(st.integers(0, len(whole)), st.integers(0, len(whole)))))
    piece = whole[start : start + 200]
    middle = data.draw(st.sampled_from([b"", piece + piece]) | st.binary(max_size=12))
    tail = data.draw(st.sampled_from([b"", whole[end:]]))
    read(tmp_path, whole[:start] + middle + tail)


@few
@given(content=st.binary(max_size=80) | st.text(max_size=60).map(lambda text: text.encode("utf-16")))
def test_any_bytes(tmp_path: Path, content: bytes) -> None:
    """What is no settings file at all is refused like any other."""
    read(tmp_path, content)


@pytest.mark.parametrize("depth", [50, 5000])
def test_nested_without_end(tmp_path: Path, depth: int) -> None:
    """Brackets in brackets end no program."""
    for start, end in (("[", "]"), ("{ a = ", " }")):
        assert read(tmp_path, f"report = {start * depth}1{end * depth}".encode())
