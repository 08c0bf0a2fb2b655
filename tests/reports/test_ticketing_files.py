from __future__ import annotations

import io
import tracemalloc
from typing import TYPE_CHECKING

import pytest

from fleet.errors import OutputError
from fleet.model.finding import Action, State
from reports.ticketing._file import Stream
from reports.ticketing.registry import PROFILES
from tests.reports import rfc4180
from tests.reports.a_run import a_device, a_finding, a_report, a_sighting, names_in
from tests.reports.exporting import a_night, exported, header_of, listening

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from fleet.model.device_report import DeviceReport
    from tests.fleet_of import Value

JIRA, GENERIC, HALO = PROFILES["jira"], PROFILES["generic"], PROFILES["halo"]


def new_tickets(count: int, **signals: Value) -> Iterator[DeviceReport]:
    for number in range(count):
        finding = a_finding(external_id=f"{number:032x}", action=Action.CREATE, state=State.NEW)
        device = a_device(a_sighting(serial=f"FK{number:06}", **signals), key=f"{number:032x}")
        yield a_report(finding, device=device)


def test_files_are_split_at_the_limit_of_the_product(tmp_path: Path) -> None:
    """What the product does not take from one file goes into numbered neighbours, each with a header of its own."""
    written = exported(tmp_path / "tickets.csv", JIRA, new_tickets(501))
    assert [path.name for path in written.files] == ["tickets.csv", "tickets-2.csv", "tickets-3.csv"]
    assert names_in(tmp_path) == ["tickets-2.csv", "tickets-3.csv", "tickets.csv"]
    parts = [rfc4180.table(path) for path in written.files]
    assert [len(rows) for _, rows in parts] == [250, 250, 1]
    assert {tuple(header) for header, _ in parts} == {tuple(header_of(JIRA))}
    place = header_of(JIRA).index("External ID")
    assert [row[place] for _, rows in parts for row in rows] == [f"{number:032x}" for number in range(501)]


def test_a_full_file_needs_no_empty_neighbour(tmp_path: Path) -> None:
    """Exactly as many rows as the product takes are one file."""
    assert len(exported(tmp_path / "tickets.csv", JIRA, new_tickets(250)).files) == 1


def test_numbered_files_of_an_earlier_export_do_not_stay(tmp_path: Path) -> None:
    """An importer that takes every numbered file never meets last week's rows; files of others are left alone."""
    exported(tmp_path / "tickets.csv", JIRA, new_tickets(1001))
    (tmp_path / "tickets-3.csv").write_text("not ours\r\n")
    (tmp_path / "tickets-5.csv").write_bytes((tmp_path / "tickets-4.csv").read_bytes())
    exported(tmp_path / "tickets.csv", JIRA, new_tickets(3))
    assert names_in(tmp_path) == ["tickets-3.csv", "tickets-4.csv", "tickets-5.csv", "tickets.csv"]
    (tmp_path / "tickets-3.csv").unlink()
    exported(tmp_path / "tickets.csv", JIRA, new_tickets(501))
    exported(tmp_path / "tickets.csv", JIRA, new_tickets(3))
    assert names_in(tmp_path) == ["tickets.csv"]


def breaking(reports: Iterable[DeviceReport]) -> Iterator[DeviceReport]:
    yield from reports
    raise ZeroDivisionError


def test_a_broken_export_leaves_what_was_there(tmp_path: Path) -> None:
    """A judging pass that breaks leaves yesterday's file whole and nothing half beside it."""
    path = tmp_path / "tickets.csv"
    exported(path, GENERIC, new_tickets(2))
    before = path.read_bytes()
    with pytest.raises(ZeroDivisionError):
        exported(path, GENERIC, breaking(new_tickets(3)))
    assert path.read_bytes() == before
    assert names_in(tmp_path) == ["tickets.csv"]


def test_only_the_owner_may_read_the_file(tmp_path: Path) -> None:
    """Names and mail addresses are in it: mode 0600, whatever the umask says."""
    exported(tmp_path / "tickets.csv", GENERIC, new_tickets(1))
    assert (tmp_path / "tickets.csv").stat().st_mode & 0o777 == 0o600


def test_a_place_that_cannot_be_written_is_one_clear_line(tmp_path: Path) -> None:
    """The message names the file and the way out."""
    with pytest.raises(OutputError, match=r"cannot write .*tickets\.csv: .*name another place with --out"):
        exported(tmp_path / "nowhere" / "tickets.csv", GENERIC, [])


def test_standard_output_has_the_same_bytes_and_no_limit(tmp_path: Path) -> None:
    """Without a file all rows go to one stream, which stays open for whoever owns it."""
    stream = io.BytesIO()
    night = a_night()
    listener = listening(JIRA, Stream(stream, header_of(JIRA), mark=False), night)
    for report in new_tickets(251):
        listener.device(report)
    assert listener.finish(night.run).files == []
    exported(tmp_path / "tickets.csv", JIRA, new_tickets(251))
    first, second = ((tmp_path / name).read_bytes() for name in ("tickets.csv", "tickets-2.csv"))
    assert stream.getvalue() == first + second.split(b"\r\n", 1)[1]


def test_a_file_for_a_spreadsheet_keeps_numbers_of_digits(tmp_path: Path) -> None:
    """Opened in a spreadsheet, a serial of digits, a tag with zeros and a name like a date stay what they are."""
    path = tmp_path / "tickets.csv"
    signals = {
        "asset_tag": "000123",
        "name": "3-4",
        "os_version": "26.7.1",
        "site": "MAR1",
        "user_name": "Ada",
    }
    exported(path, GENERIC, new_tickets(1, **signals), spreadsheet=True)
    (row,) = rfc4180.dicts(path, marked=True)
    columns = (
        "asset_tag",
        "device_name",
        "os_version",
        "site",
        "user_name",
        "first_seen",
        "days_open",
        "run_id",
    )
    assert [row[column] for column in columns] == [
        *("'000123", "'3-4", "'26.7.1", "'MAR1", "Ada"),
        *("2026-10-13T02:00:00Z", "3", "12"),
    ]
    exported(path, GENERIC, new_tickets(1, **signals))
    (row,) = rfc4180.dicts(path)
    assert [row[column] for column in columns[:4]] == ["000123", "3-4", "26.7.1", "MAR1"]


@pytest.mark.no_cover
def test_memory_does_not_grow_with_the_fleet(tmp_path: Path) -> None:
    """Two thousand tickets take no more memory than ten: each is written when its device is known."""
    peaks: list[int] = []
    for count in (10, 2_000):
        tracemalloc.start()
        exported(tmp_path / "tickets.csv", GENERIC, new_tickets(count))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 200_000
