"""A vendor changes the type of a field: the signal behind it is unreadable, and the report names the field."""

from __future__ import annotations

import base64
import json
import plistlib
from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast

import httpx
import pytest

from connectors import registry
from connectors._connector import Surroundings
from connectors.contract import COLLECTED_AT
from fleet.model.device import SIGNALS, DeviceRecord
from fleet.model.fact import UNREADABLE
from tests.contracts.test_connectors import sample_of
from tests.servers.nanomdm import life

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from connectors.contract import Sample

CHANGED = [[7]]
"""What stands in the place of the field; no reader takes it."""
OTHERS = {"platform": ("platform", "model_identifier", "model_name")}
"""Signals that follow from other fields too: all of them have to change."""
CONNECTORS = {kind: registry.connector(kind) for kind in registry.OWN_KINDS if kind not in {"file", "demo"}}
NAMED = [(kind, signal) for kind, connector in CONNECTORS.items() for signal in connector.fields]


def changed(value: Any, path: tuple[str, ...], at: tuple[str, ...] = ()) -> Any:  # noqa: ANN401 - any JSON value
    """`value` with another type wherever its keys lead along `path` at last; property lists in it are looked into."""
    if at[-len(path) :] == path:
        return CHANGED
    if isinstance(value, dict):
        return {key: changed(one, path, (*at, key)) for key, one in cast("dict[str, Any]", value).items()}
    if isinstance(value, list):
        return [changed(one, path, at) for one in cast("list[Any]", value)]
    if isinstance(value, str) and len(value) > 100:
        with suppress(ValueError, plistlib.InvalidFileException):
            plist = plistlib.loads(base64.b64decode(value, validate=True))
            form = plistlib.FMT_XML if b"<plist" in base64.b64decode(value) else plistlib.FMT_BINARY
            return base64.b64encode(plistlib.dumps(changed(plist, path), fmt=form)).decode()
    return value


class Changing(httpx.BaseTransport):
    """A transport whose answers write some fields in another way."""

    def __init__(self, honest: httpx.BaseTransport, paths: list[tuple[str, ...]]) -> None:
        self._honest = honest
        self._paths = paths

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = self._honest.handle_request(request)
        body = answer.content
        with suppress(ValueError):
            value = json.loads(body)
            for path in self._paths:
                value = changed(value, path)
            body = json.dumps(value).encode()
        headers = {name: text for name, text in answer.headers.items() if name.lower() != "content-length"}
        return httpx.Response(answer.status_code, headers=headers, content=body)


def records(kind: str, sample: Sample, paths: list[tuple[str, ...]], folder: Path) -> Iterator[DeviceRecord]:
    """What a kind reads of its sample, with some fields changed in whatever it is told by."""
    values = dict(sample.values)
    if "events" in values:
        value: Any = [event for number in range(10) for event in life(number)]
        for path in paths:
            value = changed(json.loads(json.dumps(value)), path)
        (folder / "all.json").write_text(json.dumps(value))
        values["events"] = str(folder)
    connector = CONNECTORS[kind]
    around = Surroundings(
        collected_at=COLLECTED_AT,
        now=lambda: 0.0,
        sleep=lambda _: None,
        transport=None if sample.transport is None else Changing(sample.transport, paths),
    )
    settings = connector.settings.model_validate({"name": "sample", "kind": kind, **values})
    for page in connector.walk(settings, around):
        yield from (row for row in page.rows if isinstance(row, DeviceRecord))


@pytest.mark.parametrize(("kind", "signal"), NAMED, ids=[f"{kind}-{signal}" for kind, signal in NAMED])
def test_a_field_that_changed_is_named(kind: str, signal: str, tmp_path: Path) -> None:
    """The field behind each signal is the one that the connector names: changed, it makes that signal unreadable."""
    fields = CONNECTORS[kind].fields
    named = [fields[one] for one in OTHERS.get(signal, (signal,)) if one in fields]
    paths = [tuple(name.split(".")) for names in named for name in names.split(", ")]
    found = records(kind, sample_of(kind, tmp_path), paths, tmp_path)
    assert any(getattr(record, signal) == UNREADABLE for record in found), paths


@pytest.mark.parametrize("kind", CONNECTORS)
def test_nothing_is_unreadable_in_a_sound_sample(kind: str, tmp_path: Path) -> None:
    """Else the drift would not be seen."""
    unread = {
        signal
        for record in records(kind, sample_of(kind, tmp_path), [], tmp_path)
        for signal in SIGNALS
        if getattr(record, signal) == UNREADABLE
    }
    assert not unread
