"""What a row asserts is shown in full when it fails."""

import pytest

for name in ("hostile", "kills", "machine", "network", "processes", "table", "trouble"):
    pytest.register_assert_rewrite(f"tests.faults.{name}")
