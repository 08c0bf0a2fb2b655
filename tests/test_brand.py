from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.cli.logo import LARGEST, data_address
from fleet.errors import SettingsError
from fleet.model.brand import DARK, READABLE, WHITE, contrast, fault_of, readable

COLOURS = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [("#000000", "#ffffff", 21.0), ("#777777", "#ffffff", 4.48), ("#0b5cad", "#ffffff", 6.66)],
)
def test_contrast(one: str, other: str, expected: float) -> None:
    """It is the contrast ratio that the guidelines define, whichever colour comes first."""
    assert contrast(one, other) == contrast(other, one) == pytest.approx(expected, abs=0.01)


@given(COLOURS, st.sampled_from([WHITE, DARK]))
def test_any_colour_becomes_readable(colour: str, ground: str) -> None:
    """Whatever colour is wished for, one close to it can be read; a readable one stays as it is."""
    found = readable(colour, ground)
    assert contrast(found, ground) >= READABLE
    assert found == colour or contrast(colour, ground) < READABLE


@given(COLOURS)
def test_a_fault_names_a_colour_that_would_do(colour: str) -> None:
    """An accent that cannot be read is refused with one that can."""
    fault = fault_of(colour)
    if fault:
        assert fault_of(fault.split("; ")[1].split()[0]) is None


def test_what_is_no_colour() -> None:
    """Names and short forms are no colours here."""
    for text in ("red", "#fff", "#0b5cad; } * { color: red", "#GGGGGG"):
        assert fault_of(text) == "should be a colour like #0b5cad"


def test_a_logo_is_a_small_picture(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A picture becomes an address within the page; what is none, too large or missing is told with its remedy."""
    path = tmp_path_factory.mktemp("logo") / "logo"
    path.write_bytes(b"\x89PNG\r\n\x1a\nrest")
    assert data_address(path) == "data:image/png;base64,iVBORw0KGgpyZXN0"
    path.write_bytes(b"<svg></svg>")
    assert data_address(path).startswith("data:image/svg+xml;base64,")
    for content, told in (
        (b"<html>", "should be a PNG, JPEG, WebP or SVG picture"),
        (b"\x89PNG\r\n\x1a\n" + bytes(LARGEST), "is larger than 64 KB"),
    ):
        path.write_bytes(content)
        with pytest.raises(SettingsError, match=told):
            data_address(path)
    with pytest.raises(SettingsError, match="cannot be read"):
        data_address(path.with_name("gone"))
