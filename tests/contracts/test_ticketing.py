"""What every ticketing profile promises: the documented columns, cells that the product reads, and no formula."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import reports.ticketing
from fleet.model.device_report import PlanStep
from fleet.model.fact import ABSENT, NEVER
from fleet.model.finding import Action, Severity, State, Status
from reports.ticketing._profile import AssetProfile
from reports.ticketing._validate import Validator
from reports.ticketing.registry import PROFILES
from tests.reports import rfc4180
from tests.reports.a_run import NOW, a_device, a_finding, a_report, a_sighting, an_incident
from tests.reports.exporting import exported, header_of

if TYPE_CHECKING:
    from fleet.model.device_report import DeviceReport
    from reports.ticketing._profile import AnyProfile

ROOT = Path(__file__).parent.parent.parent
SIGNALS_OF_TEXT = (
    *("serial", "name", "asset_tag", "model_name", "os_version"),
    *("user_name", "user_email", "department", "site"),
)
FINGERPRINT = r"[0-9a-f]{32}"
ISO = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"
DAY = r"\d{4}-\d\d-\d\d"
ONE_DIGIT = r"[1-4]"
STATUS = "protected|at_risk|unknown|not_applicable"
SEVERITY = "critical|high|medium|low|info"
# What each product reads, written from its documentation and not from the profiles.
FORMATS = {
    "generic": {
        "schema_version": "1",
        "generated_at": ISO,
        "external_id": FINGERPRINT,
        "action": "create|update|none|resolve|reopen",
        "state": "new|open|reopened|resolved|waived|gone",
        "severity": SEVERITY,
        "confidence": "observed|inferred",
        "first_seen": ISO,
        "last_seen": ISO,
        "observed_at": ISO,
        "days_open": r"\d+",
        "waiver_until": f"({ISO})?",
        "report_url": r"https://\S+",
    },
    "servicenow": {
        "correlation_id": FINGERPRINT,
        "short_description": r".{1,160}",
        "impact": "[123]",
        "urgency": "[123]",
        "state": "[126]?",
        "opened_at": r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d",
    },
    "jira": {
        "Summary": r"[^\n]{1,255}",
        "Issue Type": "Task",
        "Priority": "Highest|High|Medium|Low|Lowest",
        "Labels": r"[^\s]+",
        "Date Created": r"\d\d/[A-Z][a-z]{2}/\d\d \d\d:\d\d [AP]M",
    },
    "jsm-assets": {
        "Fleetkeep Key": FINGERPRINT,
        "Backup Status": STATUS,
        "Backup Severity": f"{SEVERITY}|none",
        "Last iCloud Backup": r"(\d\d/\d\d/\d{4})?",
        "Last Heard Of": r"\d\d/\d\d/\d{4}",
        "Report": r"https://\S+",
    },
    "zendesk": {
        "external_id": FINGERPRINT,
        "priority": "low|normal|high|urgent",
        "status": "(new|open|solved)?",
        "type": "incident|problem",
        "tags": r"[^\s]+( [^\s]+)*",
    },
    "freshservice": {
        "Display Name": r"[^\n]+",
        "Last iCloud Backup": f"({DAY})?",
        "Last Heard Of": DAY,
        "Backup Status": STATUS,
        "Backup Report": r"https://\S+",
    },
    "halo": {"summary": r"[^\n]{1,255}", "priority_id": ONE_DIGIT},
    "snipe-it": {
        "Asset Tag": r"[^\n]+",
        "Backup Status": STATUS,
        "Backup Severity": f"{SEVERITY}|none",
        "Last iCloud Backup": f"{DAY}|never|unknown",
        "Last Heard Of": DAY,
        "Backup Report": r"\S+",
    },
}
EVERY = pytest.mark.parametrize("profile", PROFILES.values(), ids=list(PROFILES))


def a_ticket(number: int, action: Action, state: State = State.OPEN, **changes: object) -> DeviceReport:
    """A device with one finding that asks for `action`."""
    told = None if action in (Action.CREATE, Action.REOPEN) else "backup-stale"
    finding = a_finding(
        external_id=f"{number:032x}", action=action, state=state, ticket_check=told, **changes
    )
    named = a_sighting(
        serial=f"FK{number:04}",
        asset_tag=f"000{number}",
        name=f"Ward {number} iPad",
        model_name="iPad (9th generation)",
        os_version="26.7.1",
        user_name="Jürgen Weiß",
        user_email="juergen@example.com",
        site="Clinic",
        groups=("Wards", "Loan"),
        last_cloud_backup_at=NOW - timedelta(days=20) if number % 2 else NEVER,
    )
    plan = (
        PlanStep(fix="wifi-and-power", audience="user", why="It backs up on Wi-Fi and power."),
        PlanStep(fix="lift-restriction", audience="admin", why="A profile forbids it."),
    )
    device = a_device(named, key=f"{number:032x}")
    return a_report(finding, device=device, plan=plan if state.standing else ())


def all_sorts() -> list[DeviceReport]:
    """Tickets of every action, devices without any, and devices of which little is known."""
    return [
        a_ticket(1, Action.CREATE, State.NEW),
        a_ticket(2, Action.CREATE, State.NEW, severity=Severity.CRITICAL),
        a_ticket(3, Action.UPDATE),
        a_ticket(4, Action.NONE),
        a_ticket(5, Action.REOPEN, State.REOPENED, severity=Severity.INFO, reason="waiver_expired"),
        a_ticket(6, Action.RESOLVE, State.RESOLVED),
        a_ticket(7, Action.NONE, State.WAIVED, waiver_until=datetime(2027, 1, 31, 23, 59, 59, tzinfo=UTC)),
        a_report(device=a_device(a_sighting(asset_tag="A8"), key="8" * 32)),
        a_report(
            device=a_device(
                a_sighting(serial="FK9", asset_tag="A9", last_cloud_backup_at=ABSENT), key="9" * 32
            ),
            status=Status.UNKNOWN,
            reason="not_reported",
        ),
    ]


def documented(name: str) -> list[str]:
    """The columns that the product's page lists, in its order."""
    page = (ROOT / "docs" / "ticketing" / f"{name}.md").read_text("utf-8")
    section = page.split("## Columns", 1)[1].split("\n## ", 1)[0]
    return re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE)


def is_formula(cell: str) -> bool:
    """Whether a spreadsheet would run it: judged here by what it shows, not by the guard's own rule."""
    shown = "".join(char for char in cell if unicodedata.category(char)[0] != "Z" and not _is_control(char))
    return shown[:1] in {*"=+-@＝＋－＠"} or cell[:1] in {"\t", "\r", "\n"}  # noqa: RUF001


def _is_control(char: str) -> bool:
    return unicodedata.category(char) in {"Cc", "Cf"}


def test_every_file_of_the_folder_is_a_registered_profile() -> None:
    """A product whose file was added and not registered fails here, with the line to add in the registry."""
    folder = Path(reports.ticketing.__file__).parent
    files = {path.stem.replace("_", "-") for path in folder.glob("[!_]*.py")} - {"registry"}
    assert files == set(PROFILES) == set(FORMATS)


@EVERY
def test_a_file_has_the_documented_columns(profile: AnyProfile, tmp_path: Path) -> None:
    """A product's page lists the columns of its file, in their order; another program reads them there."""
    path = tmp_path / "out.csv"
    written = exported(path, profile, all_sorts(), incidents=(an_incident(),), only=list(Action))
    header, rows = rfc4180.table(path, marked=profile.spreadsheet)
    assert header == documented(profile.name)
    expected = 9 if isinstance(profile, AssetProfile) else 8
    assert len(rows) == written.rows == expected
    assert path.read_bytes().count(b"\r\n") >= expected + 1


@EVERY
def test_typed_cells_are_as_the_product_reads_them(profile: AnyProfile, tmp_path: Path) -> None:
    """Dates, numbers, words and addresses have the product's own forms, in every row."""
    path = tmp_path / "out.csv"
    exported(path, profile, all_sorts(), only=list(Action))
    for row in rfc4180.dicts(path, marked=profile.spreadsheet):
        for column, pattern in FORMATS[profile.name].items():
            assert re.fullmatch(pattern, row[column]), (column, row[column])


@EVERY
def test_what_we_write_passes_our_own_check(profile: AnyProfile, tmp_path: Path) -> None:
    """The file that was just written is right by `--check`."""
    path = tmp_path / "out.csv"
    written = exported(path, profile, all_sorts(), incidents=(an_incident(),))
    validator = Validator(profile, spreadsheet=profile.spreadsheet)
    assert list(validator.complaints(path)) == []
    assert validator.rows == written.rows > 0


HOSTILE = st.one_of(
    st.text(alphabet="=+-@\t\r\n ,\";'|a\x00\u200b\u202e＝愛"),  # noqa: RUF001
    st.text(max_size=400),
    st.sampled_from(
        ['=HYPERLINK("http://evil.example","x")', "@SUM(1+1)*cmd|' /C calc'!A0", "[x|http://evil]"]
    ),
)


@EVERY
@given(text=HOSTILE)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_cell_is_a_formula_and_every_file_is_right(profile: AnyProfile, text: str, tmp_path: Path) -> None:
    """Whatever people call their devices, no spreadsheet runs it, no parser stumbles, and the check agrees."""
    path = tmp_path / "out.csv"
    signals: dict[str, Any] = dict.fromkeys(SIGNALS_OF_TEXT, text or ABSENT)
    device = a_device(a_sighting(**signals, groups=(text, "b")))
    finding = a_finding(action=Action.CREATE, summary=text, evidence={text: text}, sources=(text,))
    exported(path, profile, [a_report(finding, device=device)])
    _, rows = rfc4180.table(path, marked=profile.spreadsheet)
    assert not [cell for row in rows for cell in row if is_formula(cell)]
    assert list(Validator(profile, spreadsheet=profile.spreadsheet).complaints(path)) == []


@EVERY
def test_nothing_to_tell_is_a_header_alone(profile: AnyProfile, tmp_path: Path) -> None:
    """A night without a row leaves a file that an importer can read."""
    path = tmp_path / "out.csv"
    assert exported(path, profile, []).rows == 0
    assert rfc4180.table(path, marked=profile.spreadsheet) == (header_of(profile), [])


@EVERY
def test_a_night_on_hold_asks_for_nothing(profile: AnyProfile, tmp_path: Path) -> None:
    """While actions are held every one of them is none, so no product is told to do anything."""
    path = tmp_path / "out.csv"
    held = [a_ticket(number, Action.NONE, State.NEW) for number in range(3)]
    exported(path, profile, held, hold=True)
    rows = rfc4180.dicts(path, marked=profile.spreadsheet)
    assert isinstance(profile, AssetProfile) or all(row.get("action") == "none" for row in rows)
    assert profile.name == "generic" or isinstance(profile, AssetProfile) or rows == []
