"""Validation by the published schemas, through a library that shares nothing with ours."""

from __future__ import annotations

from typing import Any, cast

import jsonschema

Json = dict[str, Any]
DRAFT: Any = jsonschema.Draft202012Validator  # partly untyped


def require(schema: Json, value: object) -> None:
    """Fail, and say where, unless `value` fits; a date has to be one."""
    DRAFT(schema, format_checker=DRAFT.FORMAT_CHECKER).validate(value)


def fits(schema: Json, value: object) -> bool:
    """Whether `value` fits."""
    return bool(DRAFT(schema, format_checker=DRAFT.FORMAT_CHECKER).is_valid(value))


def strict(schema: Json) -> Json:
    """The schema with every key that it does not name forbidden: so a key that it leaves out shows."""
    return cast("Json", _strict(schema))


def _strict(node: object) -> object:
    if isinstance(node, list):
        return [_strict(each) for each in cast("list[object]", node)]
    if not isinstance(node, dict):
        return node
    known = {key: _strict(value) for key, value in cast("Json", node).items()}
    closed = "properties" in known and "additionalProperties" not in known and known.get("type") == "object"
    return {**known, "additionalProperties": False} if closed else known
