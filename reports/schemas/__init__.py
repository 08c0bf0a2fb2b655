"""The published JSON Schemas of the files for other programs (draft 2020-12): a promise, so text and not derived.

A line of NDJSON holds what `findings.json` holds of a device or a finding, and its schema is put together likewise.
"""

from __future__ import annotations

import json
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

Schema = dict[str, Any]
_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_MOMENT = {"$ref": "#/$defs/moment"}
_TEXT_OR_NULL = {"type": ["string", "null"]}


def schema(name: str) -> Schema:
    """The schema of that name.

    Raises:
        KeyError: there is none.
    """
    return SCHEMAS[name]()


def _report() -> Schema:
    return _published("report")


def _manifest() -> Schema:
    return _published("manifest")


def _device_line() -> Schema:
    return _line("device", {})


def _finding_line() -> Schema:
    whose = dict.fromkeys(("serial", "name", "user_email", "site"), _TEXT_OR_NULL)
    return _line(
        "finding",
        {
            "device": {"anyOf": [{"$ref": "#/$defs/fingerprint"}, {"type": "null"}]},
            **whose,
            "sources": {"type": "array", "items": {"type": "string"}},
            "observed_at": _MOMENT,
            "opened_at": _MOMENT,
            "waiver_until": {"anyOf": [_MOMENT, {"type": "null"}]},
        },
    )


def _line(kind: str, more: Schema) -> Schema:
    properties = {
        "schema": {"const": f"fleetkeep.{kind}/1"},
        "as_of": _MOMENT,
        **more,
    }
    definitions = _report()["$defs"]
    held = definitions[kind]
    return {
        "$schema": _DRAFT,
        "$id": f"urn:fleetkeep:{kind}:1",
        "title": f"One line of {kind}s.ndjson of fleetkeep, schema fleetkeep.{kind}/1",
        "type": "object",
        "required": [*properties, *held["required"]],
        "properties": {**properties, **held["properties"]},
        "$defs": definitions,
    }


def _published(name: str) -> Schema:
    text = (files("reports.schemas") / f"{name}.json").read_text("utf-8")
    loaded: Schema = json.loads(text)
    return loaded


SCHEMAS: dict[str, Callable[[], Schema]] = {
    "report": _report,
    "manifest": _manifest,
    "device": _device_line,
    "finding": _finding_line,
}
