"""What the fields of every vendor are tried with: a row per rule, and any JSON value in any place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import strategies as st

from connectors._wire import MAX_TEXT
from fleet.model.device import SIGNALS, DeviceRecord

if TYPE_CHECKING:
    from collections.abc import Iterable

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


def rules(key: str, signal: str, table: Iterable[tuple[object, object]]) -> list[Any]:
    """A case per row of `table`: the value at `key`, and the fact that `signal` then is."""
    return [pytest.param(key, signal, given, fact, id=f"{signal}-{given!r:.30}") for given, fact in table]


def anything_in(data: st.DataObject, whole: dict[str, Any], *sections: str) -> dict[str, Any]:
    """`whole` with any of its values, or of its sections' values, replaced by any JSON value."""
    inner = {key: anything_in(data, whole[key]) for key in sections}
    return {key: data.draw(json_values | st.just(value)) for key, value in (whole | inner).items()}


def assert_storable(record: object) -> None:
    """The texts of a record are short, clean and can be encoded; a rejected row has none."""
    texts = [fact for signal in SIGNALS if isinstance(fact := getattr(record, signal, None), str)]
    assert isinstance(record, DeviceRecord) or not texts
    assert all(len(text) <= MAX_TEXT and "\x00" not in text and text.encode() for text in texts)
