"""What each audience is told of a run, and when."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from fleet.model.finding import Severity, State
from fleet.model.run import Outcome, Trouble
from reports.notify._channel import AudienceSettings
from reports.notify._message import Message, plain, told
from reports.notify.news import HELD, MOST, Desk, beat
from tests.notify.messages import HOSTILE
from tests.reports.a_run import NOW, a_device, a_finding, a_report, a_run, a_sighting, a_source, an_incident

if TYPE_CHECKING:
    from pathlib import Path

    from fleet.model.device_report import DeviceReport
    from fleet.model.finding import Finding
    from fleet.model.run import RunReport
    from tests.fleet_of import Value

TITLES = {"backup-stale": "Backup is too old"}
COMPLETE, PARTIAL, FAILED = Outcome.COMPLETE, Outcome.PARTIAL, Outcome.FAILED


def a_desk(base_url: str | None = None, **keys: Value) -> Desk:
    """An audience that hears of everything unless told otherwise."""
    return Desk(AudienceSettings(name="ops", kind="made_up", **keys), TITLES, base_url)


def hear(desk: Desk, *reports: DeviceReport, run: RunReport | None = None, **more: Value) -> Message | None:
    """What the desk says of a run over those devices."""
    for report in reports:
        desk.device(report)
    given: dict[str, Value] = {"outcomes": {}, "missed": None, "page": None, **more}
    return desk.message(run or a_run(*reports), **given)


def moved(state: State, number: int = 0, **changes: Value) -> Finding:
    """A finding in that state."""
    return a_finding(state=state, external_id=f"{number:032x}", **changes)


def somewhere(*findings: Finding, site: str = "HQ", source: str = "hq", name: str = "iPad") -> DeviceReport:
    """A device at that site, known by that source."""
    return a_report(*findings, device=a_device(a_sighting(source, site=site, name=name, serial="FK1")))


NIGHT = (
    somewhere(moved(State.NEW, 1, severity=Severity.CRITICAL)),
    somewhere(moved(State.REOPENED, 2)),
    somewhere(moved(State.OPEN, 3, severity=Severity.HIGH, severity_before=Severity.MEDIUM)),
    somewhere(moved(State.OPEN, 4, severity=Severity.MEDIUM, severity_before=Severity.HIGH)),
    somewhere(moved(State.RESOLVED, 5)),
    somewhere(moved(State.RESOLVED, 6, reason="device_gone")),
    somewhere(moved(State.WAIVED, 7), moved(State.GONE, 8), moved(State.NEW, 9, severity=Severity.LOW)),
)


def test_what_moved_is_counted_and_the_worst_of_it_listed() -> None:
    """New, back and worse are listed with the worst in front; fixed is what a device did, closed what others did."""
    message = hear(a_desk("https://r.example/"), *NIGHT)
    assert message is not None
    assert message.headline == "1 new, 1 reopened, 1 worse, 1 fixed, 1 closed"
    assert [(entry.change, entry.severity) for entry in message.entries] == [
        ("new", "critical"),
        ("reopened", "high"),
        ("worse", "high"),
    ]
    first = message.entries[0]
    assert (first.title, first.where) == ("Backup is too old", ("iPad", "FK1", "HQ"))
    assert first.url == f"https://r.example/index.html#d={1:032x}"
    assert message.omitted == 0


def test_never_a_flood() -> None:
    """Of a thousand new findings ten are listed, the worst, in an order that does not depend on the devices'."""
    severities = [Severity.MEDIUM, Severity.HIGH, Severity.CRITICAL]
    reports = [somewhere(moved(State.NEW, n, severity=severities[n % 3])) for n in range(1000)]
    messages = [hear(a_desk(), *some) for some in (reports, reports[::-1])]
    assert messages[0] is not None
    assert messages[0] == messages[1]
    assert (len(messages[0].entries), messages[0].omitted) == (MOST, 990)
    assert {entry.severity for entry in messages[0].entries} == {Severity.CRITICAL}
    assert len("\n".join(told(messages[0]))) < 3000


def test_starting_over_forgets() -> None:
    """A pass that starts over, as on a held night, counts nothing twice."""
    desk = a_desk()
    for report in NIGHT:
        desk.device(report)
    desk.again()
    message = hear(desk, *NIGHT)
    assert message is not None
    assert message.counts["new"] == 1


QUIET = (somewhere(moved(State.OPEN, 1)), somewhere(moved(State.WAIVED, 2)))
WORSE = (somewhere(moved(State.NEW, 1)),)
BETTER = (somewhere(moved(State.RESOLVED, 1)),)
BROKEN = (a_source("hq", PARTIAL),)


@pytest.mark.parametrize(
    ("reports", "run", "more", "spoken"),
    [
        (QUIET, {}, {}, "always"),
        (WORSE, {}, {}, "always changes problems"),
        (BETTER, {}, {}, "always changes"),
        (QUIET, {"sources": BROKEN}, {}, "always changes problems"),
        (QUIET, {"sources": BROKEN}, {"outcomes": {"hq": FAILED}}, "always problems"),
        (QUIET, {}, {"outcomes": {"hq": FAILED}}, "always changes"),
        (QUIET, {"hold": True}, {}, "always problems"),
        (QUIET, {}, {"missed": NOW}, "always changes problems"),
        (
            QUIET,
            {"incidents": (replace(an_incident(), finding=moved(State.NEW)),)},
            {},
            "always changes problems",
        ),
    ],
    ids=["quiet", "worse", "better", "breaks", "still broken", "whole again", "held", "missed", "outage"],
)
def test_when_it_speaks(
    reports: tuple[DeviceReport, ...], run: dict[str, Value], more: dict[str, Value], spoken: str
) -> None:
    """An audience hears of nights on which something moved, or got worse, or of every night, as it asked."""
    said = [
        when
        for when in ("always", "changes", "problems")
        if hear(a_desk(when=when), *reports, run=a_run(*reports, **run), **more)
    ]
    assert " ".join(said) == spoken


def test_sources_are_told() -> None:
    """A source that breaks is named with its first problem, and one that is whole again is counted."""
    trouble = (Trouble("server_error", "page 5 is <b>HTML</b>\x1b[31m"), Trouble("other", "and more"))
    sources = (replace(a_source("school", PARTIAL), problems=trouble), a_source("hq"), a_source("lab"))
    message = hear(a_desk(), run=a_run(sources=sources), outcomes={"hq": FAILED, "lab": COMPLETE})
    assert message is not None
    assert message.headline == "1 source incomplete, 1 source complete again"
    assert [source.line for source in message.incomplete] == ["school: partial. page 5 is <b>HTML</b> [31m"]


def test_minimum_severity() -> None:
    """What is less than asked for is neither counted nor listed, and a finding is news once it is that bad."""
    message = hear(a_desk(minimum_severity=Severity.CRITICAL), *NIGHT)
    assert message is not None
    assert message.headline == "1 new"
    grown = somewhere(moved(State.OPEN, severity=Severity.CRITICAL, severity_before=Severity.HIGH))
    message = hear(a_desk(minimum_severity=Severity.CRITICAL), grown)
    assert message is not None
    assert message.headline == "1 worse"


@pytest.mark.parametrize(
    "scope", [{"sites": ("Lab",)}, {"sources": ("lab",)}, {"sites": ("Lab", "Attic"), "sources": ("lab",)}]
)
def test_an_audience_of_a_site_learns_of_it_alone(tmp_path: Path, scope: dict[str, Value]) -> None:
    """Its devices, its sources, its totals: no name, number, note, link or page of anybody else."""
    ours = somewhere(moved(State.NEW, 1), site="Lab", source="lab", name="Ours")
    theirs = [
        somewhere(moved(State.NEW, n, severity=Severity.CRITICAL), site="HQ-canary", name="canary")
        for n in range(2, 9)
    ]
    run = a_run(
        ours,
        *theirs,
        sources=(a_source("lab", PARTIAL), a_source("canary", FAILED)),
        notes=("canary note",),
        incidents=(an_incident(),),
        hold=True,
    )
    desk = a_desk("https://r.example/", when="always", **scope)
    message = hear(desk, *theirs[:3], ours, *theirs[3:], run=run, page=tmp_path / "index.html")
    assert message is not None
    assert message.headline == "1 new, 1 source incomplete"
    assert [entry.where[0] for entry in message.entries] == ["Ours"]
    assert message.fleet.startswith("1 device: 0 protected, 1 at risk")
    assert (message.report, message.report_url, message.entries[0].url) == (None, None, None)
    assert "canary" not in repr(replace(message, title=""))
    assert HELD not in message.remarks


@pytest.mark.parametrize(
    ("scope", "site", "source", "heard"),
    [
        ({"sites": ("HQ",)}, "hq", "hq", False),
        ({"sites": ("HQ",)}, "HQ", "hq", True),
        ({"sources": ("lab",)}, "HQ", "hq", False),
        ({"sites": ("HQ",), "sources": ("lab",)}, "HQ", "hq", False),
        ({"sites": ("HQ",), "sources": ("lab", "hq")}, "HQ", "hq", True),
    ],
)
def test_whose_devices_an_audience_hears_of(
    scope: dict[str, Value], site: str, source: str, *, heard: bool
) -> None:
    """A device has to be at one of the sites and known by one of the sources that were asked for."""
    message = hear(a_desk(**scope), somewhere(moved(State.NEW), site=site, source=source))
    assert (message is not None) is heard


def test_held_nights_and_notes_are_told() -> None:
    """That tickets are on hold stands in front, then what the last message missed and the run's notes."""
    run = a_run(*NIGHT, hold=True, notes=("The catalogue is behind.",))
    message = hear(a_desk(), *NIGHT, run=run, missed=NOW)
    assert message is not None
    assert message.remarks == (
        "The message about the run of 2026-11-22 02:00 UTC did not get through.",
        HELD,
        "The catalogue is behind.",
    )


def test_names_are_made_plain() -> None:
    """A device's name is one short line without control, format or direction marks and without a whole address."""
    name = f"Anna\u202e\u200b\r\nBcc: x \x1b[0m{HOSTILE}" + "x" * 300
    message = hear(a_desk(), somewhere(moved(State.NEW, summary=name), name=name))
    assert message is not None
    (entry,) = message.entries
    assert entry.where[0].startswith("Anna Bcc: x [0m=Evil*")
    assert len(entry.where[0]) == 80
    assert len(entry.summary) == 240
    for text in (entry.where[0], entry.summary):
        assert text.isprintable()
        assert "http://" not in text
    assert "Evil" not in message.subject


@pytest.mark.parametrize(
    ("text", "expected"),
    [("", ""), ("\ud800", ""), ("a\x00b", "a b"), ("é ñ 中", "é ñ 中"), (" a  b ", "a b")],
)
def test_plain(text: str, expected: str) -> None:
    """Letters of any script stay; what cannot be seen goes."""
    assert plain(text) == expected


def test_a_monitor_hears_counts() -> None:
    """A ping's words hold the run, how whole it is, and counts."""
    message = beat(a_run(*NIGHT, outcome=PARTIAL))
    assert (message.headline, message.ok) == ("run 12 partial: 2 new, 1 reopened, 2 resolved, 1 gone", True)
    assert beat(a_run(outcome=FAILED)).ok is False
