"""What is not to be stored is not, and what is old goes, through the real command."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.command import by_serial

if TYPE_CHECKING:
    from tests.command import Office

NIGHTS = [f"2026-03-0{day}T04:30:00Z" for day in range(1, 6)]
SOURCE = """
[[source]]
name = "school"
kind = "file"
path = "devices.csv"

[source.columns]
serial = "Serial"
name = "Name"
user_name = "User"
user_email = "Mail"
groups = "Groups"
backup_enabled = "Backup"
checkin_at = "Seen"
"""
ROWS = [
    "FKCANARY01,Zoe's iPad,Zoe Canary,zoe.canary@contoso.example,Class of Zoe,no",
    "FKCANARY02,Loan iPad,,,Loan,yes",
]
PEOPLE = (b"Zoe", b"zoe.canary")


def write_devices(office: Office, *rows: str, night: str = NIGHTS[0]) -> None:
    """The export of a console, with these rows."""
    head = "Serial,Name,User,Mail,Groups,Backup,Seen"
    text = "\n".join([head, *(f"{row},{night}" for row in rows), ""])
    (office.folder / "devices.csv").write_text(text, encoding="utf-8")


def holding(office: Office, *values: bytes, below: str = "fleetkeep.db") -> list[str]:
    """The files whose bytes hold one of the values."""
    files = {name: content for name, content in office.files().items() if name.startswith(below)}
    assert files
    return [name for name, content in files.items() if any(value in content for value in values)]


@pytest.mark.sqlite_file
def test_what_is_omitted_is_never_stored_and_erased_where_it_was(office: Office) -> None:
    """From the run on that omits them, names are in no byte of the database, in no report, and in no past one."""
    write_devices(office, *ROWS)
    office.configure(SOURCE)
    assert office("run", "--as-of", NIGHTS[0]).code == 0
    assert holding(office, *PEOPLE)
    omit = '[privacy]\nomit = ["name", "user_name", "user_email", "groups"]'
    office.configure(SOURCE, head=omit)
    ended = office("run", "--as-of", NIGHTS[1])
    assert ended.code == 0, ended.err
    assert "erased from 2 stored records" in ended.out
    assert holding(office, *PEOPLE) == []
    assert holding(office, *PEOPLE, below="reports-out/latest") == []
    report = office.report()
    assert {"name", "user_name", "user_email", "groups"} <= set(report["sources"][0]["signals"]["never"])
    assert by_serial(report)["FKCANARY01"]["name"] is None
    assert by_serial(report)["FKCANARY01"]["status"] == "at_risk"
    assert office("report", "--run", "1", "--out", "again").code == 0
    assert holding(office, *PEOPLE, below="again") == []
    quiet = office("run", "--as-of", NIGHTS[2])
    assert "erased" not in quiet.out


def test_who_stores_again_has_it_again(office: Office) -> None:
    """A signal that is no longer omitted comes back with the next run, though nothing changed at the source."""
    write_devices(office, *ROWS)
    office.configure(SOURCE, head='[privacy]\nomit = ["user_email"]')
    assert office("run", "--as-of", NIGHTS[0]).code == 0
    office.configure(SOURCE)
    assert office("run", "--as-of", NIGHTS[1]).code == 0
    assert by_serial(office.report())["FKCANARY01"]["user_email"] == "zoe.canary@contoso.example"


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ('omit = ["serial"]', "one device could not be told from another"),
        ('omit = ["user_mail"]', 'the nearest known is "user_email"'),
        ("omit = true", "found true"),
        ("keep_days = 0", "keep_days"),
        ("keep = 5", "unknown key"),
    ],
)
def test_a_wrong_setting_is_told(office: Office, setting: str, said: str) -> None:
    """What `[privacy]` cannot do is an error with the way out, not a promise that is not kept."""
    office.configure(SOURCE, head=f"[privacy]\n{setting}")
    ended = office("run")
    assert (ended.code, ended.out) == (2, "")
    assert "[privacy]" in ended.err
    assert said in ended.err


def test_each_run_forgets_what_is_older_than_it_may_be(office: Office) -> None:
    """With `keep_days` old nights go by themselves, and the younger ones can still be made again."""
    office.configure(SOURCE, head="[privacy]\nkeep_days = 2")
    for night in NIGHTS:
        write_devices(office, *ROWS, night=night)
        assert office("run", "--as-of", night).code == 0
    past = office("report", "--run", "2", "--out", "again")
    assert past.code == 2
    assert "pruned" in past.err
    young = office("report", "--run", "3", "--out", "again")
    assert young.code == 0, young.err
    assert office("db", "prune").code == 0


@pytest.mark.sqlite_file
def test_forget_a_device(office: Office) -> None:
    """It is gone from the database and, with --reports, from the reports; what lies elsewhere is named."""
    write_devices(office, *ROWS)
    office.configure(SOURCE)
    assert office("run", "--as-of", NIGHTS[0]).code == 0
    ended = office("forget", "fkcanary01")
    assert ended.code == 0, ended.err
    for said in ("nothing left", "1 devices", "reports that may name it: 2", "school", "close them by hand"):
        assert said in ended.out
    assert holding(office, b"FKCANARY01", b"Zoe") == []
    assert holding(office, b"FKCANARY01", below="reports-out") != []
    made = office("report", "--run", "1", "--out", "again", "--format", "json")
    assert made.code == 0, made.err
    assert holding(office, b"FKCANARY01", b"Zoe", below="again") == []

    person = office("forget", "zoe.canary@contoso.example")
    assert (person.code, person.out) == (2, "")
    assert "zoe" not in person.err
    assert office("run", "--as-of", NIGHTS[1]).code == 0
    person = office("forget", "zoe.canary@contoso.example", "--reports", "-vv")
    assert person.code == 0, person.err
    assert "deleted 2 reports" in person.out
    assert not (office.reports / "latest").exists()
    assert holding(office, b"Zoe Canary", b"zoe.canary", b"Zoe's iPad") == []
    assert "zoe" not in (person.out + person.err).casefold()


TALKATIVE = (
    ("run", "--as-of", NIGHTS[0]),
    ("collect", "--as-of", NIGHTS[1]),
    ("evaluate", "--as-of", NIGHTS[1]),
    ("doctor",),
    ("report", "--redact"),
    ("forget", "FKCANARY01"),
)


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_logs_name_nobody(office: Office, log_format: str) -> None:
    """No person and no serial number is in what a night says, at its most talkative, with rows that it refuses."""
    broken = ",Zoe's iPad,Zoe Canary,zoe.canary@contoso.example,Class of Zoe,Zoe"
    write_devices(office, *ROWS, broken, ROWS[0].replace(",no", ",Zoe"))
    office.configure(SOURCE)
    for command in TALKATIVE:
        ended = office(*command, "-vv", "--log-format", log_format)
        assert ended.code in {0, 3}, ended.err
        said = ended.out + ended.err
        assert [word for word in ("Zoe", "zoe.canary", "FKCANARY") if word in said] == [], command
