"""`doctor`: what it looks at, and what it says is to be done."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.command import SECRET, jamf_source
from tests.servers.jamf import JamfServer

if TYPE_CHECKING:
    from tests.command import Office


@pytest.mark.sqlite_file
def test_all_is_well(office: Office) -> None:
    """Before the first run and after it, every line is ok and the exit code is 0."""
    with JamfServer() as server:
        office.configure(jamf_source(server))
        before = office("doctor")
        assert office("run").code == 0
        after = office("doctor")
    for ended in (before, after):
        assert ended.code == 0, ended.out
        # The catalogue ages while this test stands still.
        others = [line for line in ended.out.splitlines() if "catalogue:" not in line]
        assert {line.split()[0] for line in others} == {"ok"}
        assert "source hq: Read Mobile Devices" in ended.out
    assert "1 source to examine" in before.out
    assert "will be made by the first run" in before.out
    assert "schema 0001" in after.out


def test_a_refused_credential(office: Office) -> None:
    """The login is named, nothing behind it is tried, and the secret is nowhere."""
    with JamfServer(client_secret="another") as server:
        office.configure(jamf_source(server))
        ended = office("doctor")
    assert ended.code == 2
    assert "error    source hq: login:" in ended.out
    assert "refused the credential" in ended.out
    assert "Read Mobile Devices" not in ended.out
    assert SECRET not in ended.out + ended.err


def test_a_missing_optional_permission(office: Office) -> None:
    """What the source can do without is a warning that says what it is for."""
    with JamfServer(sites=None) as server:
        office.configure(jamf_source(server))
        ended = office("doctor")
    assert ended.code == 0
    assert "warning  source hq: Read Sites (optional, for site names)" in ended.out


@pytest.mark.sqlite_file
@pytest.mark.parametrize(
    ("break_it", "said"),
    [
        ("unset", "error    source hq: client_secret: variable NOT_SET is not set"),
        ("settings", "error    settings:"),
        ("database", "is damaged"),
        ("folder", "error    database: the folder"),
        ("reports", "cannot be written to"),
    ],
)
def test_what_is_broken_is_named(office: Office, break_it: str, said: str) -> None:
    """Each thing that a nightly run needs has a line of its own, with the remedy."""
    with JamfServer() as server:
        source = jamf_source(server)
        if break_it == "unset":
            source = source.replace("JAMF_SECRET", "NOT_SET")
        if break_it == "folder":
            office.url = "sqlite:///nowhere/fleetkeep.db"
        if break_it == "settings":
            source += "\nno_such_key = 1\n"
        office.configure(source)
        if break_it == "database":
            (office.folder / "fleetkeep.db").write_text("no database at all, but longer than a header" * 9)
        if break_it == "reports":
            (office.folder / "reports-out").write_text("a file in the way")
        ended = office("doctor")
    assert ended.code == 2
    assert said in ended.out


def test_a_source_that_is_not_there(office: Office) -> None:
    """A name that is not in the settings lists those that are."""
    with JamfServer() as server:
        office.configure(jamf_source(server))
        ended = office("doctor", "--source", "nobody")
    assert ended.code == 2
    assert 'no source "nobody"' in ended.out
