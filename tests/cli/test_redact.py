"""`report --redact`, as an admin types it."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from tests.test_redaction import unpacked

if TYPE_CHECKING:
    from pathlib import Path

    from tests.command import Office

NIGHT = "2026-03-02T04:30:00Z"
PERSONAL = ("key", "serial", "name", "user_name", "user_email", "department", "site", "groups")


def personal(devices: Path) -> set[str]:
    """Everything in the full table that a redacted one may not have."""
    with devices.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    values = {value for row in rows for name in PERSONAL for value in row[name].split("; ") if value}
    return values - {"iPad", "iPhone"}  # what Apple calls a device that nobody named


def test_a_redacted_report(office: Office) -> None:
    """It stands in a folder of its own, has no value of the full one, and is the same when it is made again."""
    office.configure('[[source]]\nname = "made-up"\nkind = "demo"\ndevices = 40\n')
    assert office("run", "--as-of", NIGHT).code == 0
    before = office.files()
    made = office("report", "--redact")
    assert made.code == 0, made.err
    folder = office.reports / "redacted" / "2026-03-02T043000Z"
    assert str(folder.relative_to(office.folder)) in made.out
    after = office.files()
    assert {name: after[name] for name in before if "reports-out" in name} == {
        name: content for name, content in before.items() if "reports-out" in name
    }
    originals = personal(office.reports / "latest" / "devices.csv")
    assert len(originals) > 100
    for name, text in unpacked(folder).items():
        assert [value for value in originals if value in text] == [], name

    again = office("report", "--redact", "--out", "elsewhere")
    assert again.code == 0, again.err
    names = [path.name for path in (office.folder / "elsewhere").iterdir()]
    assert names == [folder.name]
    for path in folder.iterdir():
        assert (office.folder / "elsewhere" / folder.name / path.name).read_bytes() == path.read_bytes()

    tokens = personal(folder / "devices.csv")
    for profile in ("jira", "snipe-it"):
        shown = office("export", "--profile", profile, "--redact")
        assert shown.code == 0, shown.err
        assert [value for value in originals if value in shown.out] == [], profile
    rows = list(csv.DictReader(io.StringIO(office("export", "--profile", "generic", "--redact").out)))
    assert rows
    assert {row["serial"] for row in rows if row["serial"]} <= tokens
    assert {row["report_url"].partition("#")[0] for row in rows} == {"index.html"}
