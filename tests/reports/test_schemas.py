"""The published schemas say what the files are: all of it, and nothing that is not there."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from fleet.model.device import SIGNALS, Enrollment, Ownership, Platform
from fleet.model.finding import Action, Basis, Severity, State, Status
from fleet.model.run import Increment, Outcome
from reports import schemas
from reports.directory import RunDirectory
from reports.findings_json import FORMAT
from tests.reports.a_run import CONTEXT, NOW, a_run, a_source, an_incident, push
from tests.reports.json_schema import DRAFT, fits, require, strict
from tests.reports.made_up import believable

if TYPE_CHECKING:
    from pathlib import Path

# The keys that other people's programs came to rely on, level by level.
AGREED = {
    "": "schema generated_at as_of run sources totals incidents devices",
    "run": "id started_at finished_at outcome version policy_hash catalog_date hold",
    "source": "name kind outcome devices expected unreadable signals problems",
    "totals": "devices protected at_risk unknown not_applicable waived findings",
    "incident": "check severity summary devices since",
    "device": (
        "key serial name model os_version user_email site groups sources status reason cause severity signals"
        " unknown findings plan"
    ),
    "finding": "key problem check basis severity state action first_seen last_seen summary evidence fixes",
}
WORDS: dict[str, list[str]] = {
    "signal": list(SIGNALS),
    "severity": list(Severity),
    "status": list(Status),
    "outcome": list(Outcome),
}


@pytest.mark.parametrize("name", schemas.SCHEMAS)
def test_a_schema_is_a_schema(name: str) -> None:
    """Each is valid by the draft that it names, so every tool can load it."""
    DRAFT.check_schema(schemas.schema(name))
    assert schemas.schema(name)["$schema"] == "https://json-schema.org/draft/2020-12/schema"


@pytest.mark.parametrize("where", AGREED)
def test_the_agreed_keys_are_required(where: str) -> None:
    """What the outside was promised is in the schema, required, and in that order."""
    report = schemas.schema("report")
    described = report["$defs"][where] if where else report
    assert described["required"] == AGREED[where].split()


@pytest.mark.parametrize("name", WORDS)
def test_closed_sets_are_those_of_the_program(name: str) -> None:
    """A word that the program can write is allowed, and no other."""
    assert sorted(schemas.schema("report")["$defs"][name]["enum"]) == sorted(WORDS[name])


def test_words_of_findings_and_signals_are_those_of_the_program() -> None:
    """States, actions, bases and the words of signals are the program's own."""
    definitions = schemas.schema("report")["$defs"]
    finding, values = definitions["finding"]["properties"], definitions["values"]["properties"]
    assert list(values) == list(SIGNALS)
    for described, words in [
        (finding["state"], State),
        (finding["action"], Action),
        (finding["basis"], Basis),
        (values["platform"], Platform),
        (values["enrollment"], Enrollment),
        (values["ownership"], Ownership),
    ]:
        assert sorted(described["enum"]) == sorted(words)


def test_a_made_up_report_fits_and_nothing_in_it_is_undescribed(tmp_path: Path) -> None:
    """Every key that the report writes is in the published schema; a key that is new has to be added there."""
    increment = Increment(since=NOW - timedelta(days=1), read=40, full_at=NOW - timedelta(days=3))
    sources = (a_source(), replace(a_source("schools"), increment=increment))
    push(FORMAT.open(tmp_path, CONTEXT), list(believable(120)), incidents=(an_incident(),), sources=sources)
    report = json.loads((tmp_path / "findings.json").read_bytes())
    assert report["sources"][1]["incremental"] == {
        "since": "2026-11-21T02:00:00Z",
        "read": 40,
        "full_at": "2026-11-19T02:00:00Z",
    }
    require(strict(schemas.schema("report")), report)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("schema",), "fleetkeep.report/2"),
        (("as_of",), "2026-11-22 02:00"),
        (("run", "outcome"), "fine"),
        (("run", "id"), "12"),
        (("totals", "devices"), -1),
        (("devices", 0, "status"), "ok"),
        (("devices", 0, "key"), "short"),
        (("devices", 0, "signals", "hq", "values", "backup_enabled"), "yes"),
        (("devices", 0, "signals", "hq", "values", "shoe_size"), 44),
        (("devices", 0, "unknown", "asset_tag"), "because"),
        (("sources", 0, "signals", "never"), ["shoe_size"]),
    ],
)
def test_what_is_wrong_does_not_fit(tmp_path: Path, path: tuple[str | int, ...], value: object) -> None:
    """The schema is no formality: a wrong word, type, time or signal is refused."""
    push(FORMAT.open(tmp_path, CONTEXT), list(believable(3)))
    report = json.loads((tmp_path / "findings.json").read_bytes())
    require(schemas.schema("report"), report)
    *way, last = path
    place: Any = report
    for step in way:
        place = place[step]
    place[last] = value
    assert not fits(schemas.schema("report"), report)


def test_a_manifest_fits(tmp_path: Path) -> None:
    """The manifest of any run is as published."""
    with RunDirectory(tmp_path, NOW) as directory:
        files = push(FORMAT.open(directory.path, CONTEXT), [])
        place = directory.publish(a_run().id, files)
    require(strict(schemas.schema("manifest")), json.loads((place / "manifest.json").read_bytes()))
