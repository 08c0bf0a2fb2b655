from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.model.fact import GAPS, Fact
from fleet.model.identity import LONGEST, identity


@pytest.mark.parametrize(
    ("said", "compared"),
    [
        ("C39XTEST0001", "C39XTEST0001"),
        ("c39xtest0001", "C39XTEST0001"),
        (" C39X TEST 0001\N{NO-BREAK SPACE}", "C39XTEST0001"),
        ("C39X\N{ZERO WIDTH SPACE}TEST0001", "C39XTEST0001"),
        ("00008110-000A1B2C3D4E5F60", "00008110000A1B2C3D4E5F60"),
        ("00008020-000000000000001E", "00008020000000000000001E"),
        ("827be1c5aec05c378c61c44103e9d3fcb2ec354d", "827BE1C5AEC05C378C61C44103E9D3FCB2EC354D"),
    ],
)
def test_spellings(said: str, compared: str) -> None:
    """Case, blanks and hyphens are spelling: the same number of two sources compares equal."""
    assert identity(said) == compared


@pytest.mark.parametrize(
    "said",
    [
        *[
            "",
            " ",
            "0",
            "-1",
            "000000000000",
            "00000000-0000-0000-0000-000000000000",
            "--",
            "—",
            "?",
            "XXXXXXXX",
        ],
        *["n/a", "N/A", "NA", "None", "null", "(null)", "nil", "<null>", "undefined", "Unknown", "UNKNOWN"],
        *["Not Available", "not available", "Not applicable", "not set", "Not Specified", "unspecified"],
        *["No serial number", "Serial number", "string", "unassigned", "TBD", "Redacted"],
        *["To Be Filled By O.E.M.", "System Serial Number", "Default string", "0123456789"],
        *["9" * (LONGEST + 1), "ß" * 100, *GAPS.values()],
    ],
    ids=str,
)
def test_placeholders(said: Fact[str]) -> None:
    """What systems write where there is no number identifies no device; nor does a text too long to be one."""
    assert identity(said) is None


@given(st.text(max_size=300))
def test_fits_its_column_and_stays(said: str) -> None:
    """Any text at all makes an identity that the database can hold and that compares as itself, or none."""
    compared = identity(said)
    if compared is not None:
        assert 0 < len(compared) <= LONGEST
        assert compared == identity(compared)
