from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from fleet.model.device_report import Handling, PlanStep
from fleet.model.finding import Action, Severity, State
from reports.ticketing._grouping import Grouping
from reports.ticketing._kind import CUT, cut, flat, line, prose
from reports.ticketing.registry import PROFILES
from tests.reports import rfc4180
from tests.reports.a_run import NOW, a_device, a_finding, a_report, a_sighting, an_incident
from tests.reports.exporting import exported

if TYPE_CHECKING:
    from pathlib import Path

    from fleet.model.device_report import DeviceReport
    from tests.fleet_of import Value

USER = PlanStep(fix="wifi-and-power", audience="user", why="It backs up on Wi-Fi and power.")
ADMIN = PlanStep(fix="lift-restriction", audience="admin", why="A profile forbids it.")
NAMED: dict[str, Value] = {
    "serial": "FK0001",
    "asset_tag": "T1",
    "name": "Ward 3 iPad",
    "model_name": "iPad (9th generation)",
    "os_version": "26.7.1",
    "user_email": "amara@example.com",
    "site": "Clinic",
}


def a_new_ticket(*plan: PlanStep, signals: dict[str, Value] | None = None, **changes: object) -> DeviceReport:
    """A named device with a backup that is too old."""
    told = {"action": Action.CREATE, "state": State.NEW, **changes}
    return a_report(
        a_finding(**told),
        device=a_device(a_sighting(**(NAMED if signals is None else signals))),
        plan=plan,
        handling=Handling("ipad", 26, None),
    )


def the_row(path: Path, name: str, report: DeviceReport, **more: Value) -> dict[str, str]:
    exported(path / "out.csv", PROFILES[name], [report], **more)
    (row,) = rfc4180.dicts(path / "out.csv")
    return row


def test_the_person_reads_plain_steps(tmp_path: Path) -> None:
    """Their text names the device, the problem, what is at stake and only the steps that are theirs, numbered."""
    row = the_row(tmp_path, "zendesk", a_new_ticket(USER, ADMIN))
    lines = row["description"].split("\n")
    assert lines[0] == (
        "This is about the device “Ward 3 iPad” (iPad (9th generation), serial number FK0001)."
    )
    assert lines[2].startswith("The last backup is 20 days old. If the device were lost or broken today, ")
    assert lines[4] == "Go through this in order, and stop as soon as it has helped."
    assert lines[5].startswith("1. ")
    assert not any(line.startswith("2. ") for line in lines)
    assert "Done when" in row["description"]
    assert "By management" not in row["description"]
    assert row["requester_email"] == "amara@example.com"


def test_a_ticket_alone_tells_nobody_to_risk_data(tmp_path: Path) -> None:
    """What can lose data is for the desk to propose: the person's text ends before it, and says who goes on."""
    risky = PlanStep(fix="reset-settings", audience="user", why="Nothing gentler has helped.")
    row = the_row(tmp_path, "zendesk", a_new_ticket(USER, risky))
    assert row["description"].endswith("tell your IT department: they go on from here.")
    assert "Reset" not in row["description"]
    assert "Reset all settings" in row["internal_note"]


def test_an_administrator_reads_values_and_the_rule(tmp_path: Path) -> None:
    """Their text has facts, evidence with age and source, the rule, the cause, and the steps of management."""
    text = the_row(tmp_path, "zendesk", a_new_ticket(USER, ADMIN))["internal_note"]
    for piece in (
        "Device: Ward 3 iPad; serial number FK0001; asset tag T1; model iPad (9th generation); system 26.7.1;",
        "Backup is too old (backup-stale, high, observed)",
        "Evidence: Age days: 20; Last backup at: 2026-11-02T02:00:00Z",
        "Reported 2026-11-21 18:30 UTC, told by hq.",
        "Rule: Older than 7 days.",
        "Most probable cause: nothing that can be observed explains it",
        "For an administrator:\n1. ",
        "By management: ",
        "For the person at the device: 1. ",
        "Report: https://reports.example/ipads/index.html#d=" + "e" * 32,
    ):
        assert piece in text


def test_without_steps_of_their_own_people_are_told_so(tmp_path: Path) -> None:
    """Who can do nothing is told that someone else looks after it."""
    text = the_row(tmp_path, "zendesk", a_new_ticket(ADMIN))["description"]
    assert text.endswith("There is nothing for you to do: your IT department looks after it.")


def test_a_report_without_an_address_is_not_linked(tmp_path: Path) -> None:
    """Without `base_url` nobody could follow the link, so no text has one; the generic column still says where."""
    row = the_row(tmp_path, "generic", a_new_ticket(USER), base_url="")
    assert "Report:" not in row["admin_text"]
    assert row["report_url"] == f"index.html#d={'e' * 32}"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "Closed: the newest facts show that the problem is gone."),
        ({"reason": "device_gone"}, "Closed: the device is in no source any more."),
        ({"reason": "shared_ipad"}, "Closed: the device is now a Shared iPad"),
        ({"reason": "rule_changed"}, "Closed: thresholds or the catalogue changed"),
        (
            {
                "state": State.WAIVED,
                "reason": "waived",
                "waiver_until": datetime(2027, 1, 31, 23, 59, 59, tzinfo=UTC),
            },
            "Not pursued: the problem is waived until 2027-01-31.",
        ),
    ],
)
def test_a_closed_ticket_says_why(tmp_path: Path, changes: dict[str, Value], said: str) -> None:
    """Proof, disappearance, a new kind of enrolment, changed rules and a waiver are told apart."""
    ended: dict[str, Value] = {"action": Action.RESOLVE, "state": State.RESOLVED, **changes}
    row = the_row(tmp_path, "servicenow", a_new_ticket(**ended))
    assert row["close_notes"].startswith(said)
    assert (row["state"], row["close_code"]) == ("6", "Solution provided")


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (State.RESOLVED, "What had been found: The last backup is 20 days old."),
        (State.WAIVED, "The last backup is 20 days old."),
    ],
)
def test_a_closed_ticket_is_not_read_as_an_open_one(tmp_path: Path, state: State, said: str) -> None:
    """An administrator first reads that and why it is closed, then what it was about."""
    reason = "waived" if state is State.WAIVED else None
    row = the_row(tmp_path, "generic", a_new_ticket(action=Action.RESOLVE, state=state, reason=reason))
    lines = row["admin_text"].splitlines()
    title = lines.index("Backup is too old (backup-stale, high, observed)")
    assert lines[title + 1].startswith(("Closed: ", "Not pursued: "))
    assert lines[title + 2] == said


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("waiver_expired", "Its waiver has ended while the problem stands."),
        ("rule_changed", "Thresholds or the catalogue changed since the night before, not the device."),
    ],
)
def test_a_ticket_that_no_device_moved_says_so(tmp_path: Path, reason: str, said: str) -> None:
    """An end of a waiver and a changed rule are not the device's doing."""
    report = a_new_ticket(USER, action=Action.REOPEN, state=State.REOPENED, reason=reason)
    row = the_row(tmp_path, "generic", report)
    assert said in row["admin_text"]
    assert row["reason"] == reason


def test_a_vanished_device_keeps_its_ticket_open(tmp_path: Path) -> None:
    """While a device is only gone its text says that the ticket waits."""
    report = a_new_ticket(action=Action.NONE, state=State.GONE, reason="device_gone")
    assert "the ticket waits" in the_row(tmp_path, "generic", report)["user_text"]


@pytest.mark.parametrize("name", ["generic", "servicenow", "jira", "zendesk", "halo"])
@pytest.mark.parametrize("grouping", list(Grouping))
def test_incidents_are_tickets_of_their_own(tmp_path: Path, name: str, grouping: Grouping) -> None:
    """What befell the whole fleet is one row without a device, however the others are grouped."""
    incident = an_incident()
    told = replace(incident, finding=replace(incident.finding, action=Action.CREATE, state=State.NEW))
    path, profile = tmp_path / "out.csv", PROFILES[name]
    exported(path, profile, [a_new_ticket(USER)], grouping=grouping, incidents=(told,))
    *_, row = rfc4180.dicts(path, marked=profile.spreadsheet)
    text = "\n".join(row.values())
    assert "Apple reports trouble." in text
    assert "Devices: 12, since 2026-11-22 02:00 UTC." in text
    assert "Ward 3" not in text


def test_a_ticket_of_one_check_lists_a_hundred_devices(tmp_path: Path) -> None:
    """The list stays readable however many devices there are; how many are not in it is said."""
    reports = [
        a_new_ticket(USER, signals=NAMED | {"serial": f"FK{number:04}"}, external_id=f"{number:032x}")
        for number in range(120)
    ]
    exported(tmp_path / "out.csv", PROFILES["generic"], reports, grouping=Grouping.CHECK)
    (row,) = rfc4180.dicts(tmp_path / "out.csv")
    assert (row["title"], row["devices"]) == ("Backup is too old: 120 devices", "120")
    assert row["admin_text"].count("- Ward 3 iPad, FK") == 100
    assert "and 20 more; the report lists them all" in row["admin_text"]


def test_nothing_in_jira_becomes_a_link(tmp_path: Path) -> None:
    """A device that calls itself a link, a picture or a macro is shown as it is written."""
    hostile = "[Reset|http://evil.example] !http://evil.example/x.png! {html}"
    row = the_row(tmp_path, "jira", a_new_ticket(USER, signals={**NAMED, "name": hostile}))
    assert "\\[Reset|http://evil.example\\] \\!http://evil.example/x.png\\! \\{html\\}" in row["Description"]


def test_a_row_stays_below_the_limit_of_an_import_set(tmp_path: Path) -> None:
    """ServiceNow skips rows of more than 8,126 bytes; ours are cut before, and say so."""
    plan = [
        PlanStep(fix=fix, audience="user", why="") for fix in ("wifi-and-power", "free-icloud-storage")
    ] * 9
    report = a_new_ticket(
        *plan, ADMIN, summary="愛" * 5000, evidence={"why": "ü" * 5000}, severity=Severity.CRITICAL
    )
    row = the_row(tmp_path, "servicenow", report)
    assert sum(len(cell.encode()) for cell in row.values()) < 8126
    assert row["description"].endswith(CUT)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("  Ward\t3\r\n iPad ", "Ward 3 iPad"),
        ("a\u202egnp.exe", "agnp.exe"),
        ("a\x00b\u2028c", "a b c"),
        ("فاطمة\u200f", "فاطمة\u200f"),
        ("愛 🙂", "愛 🙂"),
    ],
)
def test_names_are_one_line_that_steers_nothing(text: str, shown: str) -> None:
    """Line breaks, control characters and what turns the text around it are gone; scripts and marks stay."""
    assert flat(text) == shown


@pytest.mark.parametrize(
    ("text", "limit", "shown"),
    [
        ("short", 5, "short"),
        ("12345678", 7, f"1{CUT}"),
        ("愛愛愛愛", 11, f"愛{CUT}"),
        ("words and words", 14, f"words an{CUT}"),
    ],
)
def test_what_is_cut_says_so(text: str, limit: int, shown: str) -> None:
    """No character is halved, and the sign that something is missing is part of the limit."""
    assert cut(text, limit) == shown
    assert len(cut(text, limit).encode()) <= limit


def test_limits_hold_with_the_guard() -> None:
    """A guarded cell is no longer than its limit allows."""
    for kind in (line(20), prose(20)):
        assert kind.fits(kind.spell("=" * 50))


def test_a_clock_before_the_opening_counts_no_days(tmp_path: Path) -> None:
    """A ticket that opened tonight has been open for no day."""
    assert the_row(tmp_path, "generic", a_new_ticket(opened_at=NOW))["days_open"] == "0"
