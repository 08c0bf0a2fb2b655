"""The README tells the truth: its tables are those of the code, its examples are read by the program."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from connectors import registry
from fleet.checks import CHECKS
from fleet.cli import EXIT_CODES, nightly
from fleet.cli.app import app
from fleet.errors import LockedError, OutputError, SettingsError, StoreError
from fleet.settings import load
from reports.notify.registry import CHANNELS
from reports.registry import OWN_FORMATS

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")


def test_every_command_is_in_the_readme() -> None:
    """No command is a secret."""
    table = README.split("## Commands", 1)[1].split("`--as-of TIME`", 1)[0]
    for command in app.registered_commands:
        assert f"`{command.name}`" in table or f"`{command.name} " in table, command.name


def test_every_exit_code_of_the_program_is_explained() -> None:
    """A scheduler's author finds each code that the program can end with."""
    explained = {int(code) for code in re.findall(r"^\| (\d) \| ", README, re.MULTILINE)}
    assert explained == {
        0,
        nightly.FOUND,
        nightly.INCOMPLETE,
        nightly.NOTHING_COLLECTED,
        *EXIT_CODES.values(),
    }
    assert {SettingsError: 2, LockedError: 5, StoreError: 6, OutputError: 7} == EXIT_CODES


@pytest.mark.parametrize("block", re.findall(r"```toml\n(.*?)```", README, re.DOTALL))
def test_the_examples_are_settings_that_the_program_reads(block: str, tmp_path: Path) -> None:
    """What a visitor copies from the README works."""
    path = tmp_path / "fleetkeep.toml"
    path.write_text(block, "utf-8")
    loaded = load(
        path,
        registry.SettingsModels(),
        known_checks=[check.id for check in CHECKS],
        known_formats=list(OWN_FORMATS),
        channels={kind: channel.settings for kind, channel in CHANNELS.items()},
    )
    assert len(loaded.sources) == 1


def test_the_two_lines_of_set_up_are_there() -> None:
    """One line shows the product, one runs the tests; CI types the second as it stands."""
    lines = re.findall(r"^python3 -m venv .*$", README, re.MULTILINE)
    assert [line.rsplit(" && ", 1)[1] for line in lines] == [
        ".venv/bin/fleetkeep demo",
        ".venv/bin/python -m pytest",
    ]


def test_local_links_lead_somewhere() -> None:
    """A picture or page that the README names is in the repository."""
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", README):
        assert (ROOT / target).exists(), target
