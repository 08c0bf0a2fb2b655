"""Redacted reports: nothing that people typed is in any of their bytes, and what was one stays one."""

from __future__ import annotations

import base64
import gzip
import io
import re
import tempfile
from dataclasses import replace
from datetime import date
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fleet.model.device import Signals
from fleet.model.device_report import Cause, PlanStep, RuledOut, Strength
from fleet.model.finding import Action
from fleet.model.fingerprint import fingerprint
from fleet.model.run import Incident, RunReport, Trouble
from fleet.model.waiver import Waiver, use_of
from fleet.nightly.publish import Publication
from fleet.nightly.redacted import Redacted
from fleet.redaction import NOTE, TYPED_BY_PEOPLE, Redactor
from reports._guide import bundled_guide
from reports.registry import OWN_FORMATS
from reports.ticketing._file import Stream
from reports.ticketing._grouping import Grouping
from reports.ticketing._night import Night
from reports.ticketing._text import Texts
from reports.ticketing.registry import PROFILES
from tests.examples import examples
from tests.reports.a_run import (
    CONTEXT,
    NOW,
    SEEN,
    a_device,
    a_finding,
    a_report,
    a_run,
    a_sighting,
    a_source,
    an_incident,
)
from tests.reports.exporting import header_of, listening

if TYPE_CHECKING:
    from fleet.model.device_report import DeviceReport
    from reports.ticketing._profile import AnyProfile

REDACTOR = Redactor(b"a key of thirty-two bytes, for us")
OTHER = Redactor(b"another key of thirty-two bytes!!")

PLAIN = ("{}", "{} Schmidt", "iPad of {}", "{}'s iPhone", "{}@contoso.example", "Class {}")
HOSTILE = (
    '</script><img src=x onerror="{}">',
    "=HYPERLINK({})",
    "\u202e{}\u202c",
    '{}"",\r\n;',
    "[{}](.*)+?\\",
    "\U0001f4f1{}\ud800",
    "STRASSE ß {}",
    "{{{{ {} }}}}",
    "  {}\t",
)
cores = st.text(alphabet="ABCDEFGHKLMNPQRSTUVWXYZaeiou0123456789", min_size=7, max_size=12).map("Qz{}".format)
values = st.builds(str.format, st.sampled_from(PLAIN + HOSTILE), cores)
people = st.fixed_dictionaries(
    {name: st.tuples(values, values) if name == "groups" else values for name in TYPED_BY_PEOPLE}
)


def told_everywhere(said: dict[str, Any], also: dict[str, Any]) -> DeviceReport:
    """A device of two sources, whose check repeats all that it knows in every text that it may write."""
    device = a_device(
        a_sighting(**said),
        a_sighting("schools", **{**also, "serial": said["serial"].lower()}),
        key=key_of(said),
    )
    device = replace(device, superseded=(a_sighting("old", **also),), model_name=f"iPad {said['asset_tag']}")
    words = [word for fact in (*said.values(), *also.values()) for word in each(fact)]
    everything = " and ".join([*words, *(word.upper() for word in words)])
    finding = a_finding(
        external_id=fingerprint("finding", device.key, "backup"),
        summary=f"Found on {everything}.",
        evidence={"conflict": words, "who": everything, "days": 20, "none": None},
    )
    return a_report(
        finding,
        device=device,
        plan=(PlanStep(fix="wifi-and-power", audience="user", why=f"Ask {everything}."),),
        causes=(Cause(cause="storage-full", strength=Strength.LIKELY, evidence_for=(everything,)),),
        ruled_out=(RuledOut(cause="os-outdated", because=everything),),
    )


def key_of(said: dict[str, Any]) -> str:
    """The key that follows from the serial number; a store would have cleaned that."""
    return fingerprint("serial", said["serial"].encode("utf-8", "replace").decode())


def each(fact: str | tuple[str, ...]) -> tuple[str, ...]:
    return fact if isinstance(fact, tuple) else (fact,)


def a_night(said: dict[str, Any]) -> RunReport:
    """A run whose sentences name a site, a group, a serial number and an owner."""
    (group, other), site = said["groups"], said["site"]
    waiver = Waiver(
        checks=("*",),
        serials=(said["serial"],),
        sites=(site,),
        groups=(group,),
        reason=f"{said['user_name']} is away",
        owner=said["user_email"],
        expires=date(2027, 1, 1),
    )
    summary = (
        f"9 of 10 devices at site {site} stopped. They share: site {site}, group {group}, group {other}."
    )
    shared = [f"group {group}", f"group {other}"]
    day = {"since": "2026-11-17T00:00:00Z", "until": "2026-11-18T00:00:00Z"}
    evidence = {"factor": "site", "value": site, "shared": shared, **day}
    plain = an_incident()
    wave = a_finding(check="backup-wave", problem=f"backup-wave:{site}", summary=summary, evidence=evidence)
    incident: Incident = replace(plain, check="backup-wave", summary=summary, finding=wave)
    source = replace(a_source(), problems=(Trouble("no_column", f"columns found: {', '.join(said)} {said}"),))
    return a_run(
        sources=(source,),
        incidents=(incident,),
        waivers=(use_of(waiver, 1, NOW),),
        notes=(f"Waivers that end: 1. {waiver.label}, by {waiver.owner}: {waiver.reason}.",),
        base_url="https://reports.example/",
    )


def published(folder: Path, run: RunReport, *reports: DeviceReport) -> Path:
    """The redacted report of these devices, in every format that there is."""
    with (
        Publication(folder, NOW, list(OWN_FORMATS.values()), replace(CONTEXT, base_url="")) as publication,
        Redacted(REDACTOR) as spool,
    ):
        for report in reports:
            spool.device(report)
        for report in spool.devices():
            publication.device(report)
        return publication.publish(REDACTOR.run(run))


def unpacked(folder: Path) -> dict[str, str]:
    """All that a reader can get out of each file, packed parts unpacked."""
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): _unpacked(path) for path in paths}


def _unpacked(path: Path) -> str:
    if path.suffix == ".parquet":
        reader: Any = import_module("pyarrow.parquet")
        return str(reader.read_table(path).to_pylist())
    text = path.read_bytes().decode("utf-8", "replace")
    packed = [base64.b64decode(one) for one in re.findall(r"[A-Za-z0-9+/]{60,}={0,2}", text)]
    return text + "".join(
        gzip.decompress(one).decode("utf-8", "replace") for one in packed if one.startswith(b"\x1f\x8b")
    )


@settings(max_examples=examples(15), suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(said=people, also=people)
def test_nothing_that_people_typed_is_in_any_byte(said: dict[str, Any], also: dict[str, Any]) -> None:
    """Whatever a check, a source or a waiver repeats of it, in whichever case of letters: no file of any format."""
    originals = [word for fact in (*said.values(), *also.values()) for word in each(fact)]
    canaries = {core.casefold() for word in originals for core in re.findall(r"Qz[A-Za-z0-9]{7,}", word)} | {
        key_of(said)
    }
    report = told_everywhere(said, also)
    canaries |= {report.findings[0].external_id, report.device.key}
    with tempfile.TemporaryDirectory() as folder:
        files = unpacked(published(Path(folder), a_night(said), report))
    assert set(files) >= {"manifest.json", *(name for one in OWN_FORMATS.values() for name in one.files)}
    for name, text in files.items():
        folded = (name + text).casefold()
        assert [canary for canary in canaries if canary in folded] == [], name
    assert "device-" in files["devices.csv"]


@settings(max_examples=examples(10), suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(said=people, also=people)
def test_nor_is_it_in_any_export(said: dict[str, Any], also: dict[str, Any]) -> None:
    """The same of every profile, whatever one ticket is about; with the tokens that the report has."""
    report, run = told_everywhere(said, also), a_night(said)
    originals = [word for fact in (*said.values(), *also.values()) for word in each(fact)]
    canaries = {core.casefold() for word in originals for core in re.findall(r"Qz[A-Za-z0-9]{7,}", word)}
    canaries |= {key_of(said), report.findings[0].external_id, report.device.key}
    redacted = REDACTOR.device(report)
    for profile in PROFILES.values():
        for grouping in Grouping:
            text = tickets(profile, grouping, REDACTOR.run(run), redacted)
            assert [canary for canary in canaries if canary in text.casefold()] == [], (
                profile.name,
                grouping,
            )
    generic = tickets(PROFILES["generic"], Grouping.FINDING, REDACTOR.run(run), redacted)
    assert str(redacted.device.serial) in generic
    assert redacted.findings[0].external_id in generic


def tickets(profile: AnyProfile, grouping: Grouping, run: RunReport, *reports: DeviceReport) -> str:
    """What a profile makes of a redacted night."""
    written = io.BytesIO()
    night = Night(run=run, texts=Texts(bundled_guide(), CONTEXT.checks), base_url="")
    sink = Stream(written, header_of(profile), mark=False)
    listener = listening(profile, sink, night, grouping=grouping, only=frozenset(Action))
    for one in reports:
        listener.device(one)
    listener.finish(run)
    return written.getvalue().decode("utf-8")


@pytest.mark.parametrize(
    ("signal", "one", "other"),
    [
        ("serial", "C39X-TEST 0001", "c39xtest0001"),
        ("user_email", "Anna@Contoso.example", "anna@contoso.example"),
        ("site", "Berlin", "Berlin"),
    ],
)
def test_one_value_is_one_token(signal: str, one: str, other: str) -> None:
    """A device or a person is the same in all reports made with one key, however a source spells it."""
    word = TYPED_BY_PEOPLE[signal]
    assert REDACTOR.token(word, one) == REDACTOR.token(word, other)
    assert REDACTOR.token(word, one) != OTHER.token(word, one)
    assert re.fullmatch(rf"{word}-[a-z2-7]{{12}}", REDACTOR.token(word, one))


def test_what_a_reader_needs_stays() -> None:
    """Models, systems, sizes, dates, checks and sources are as they were; a gap stays the gap it was."""
    device = a_device(
        a_sighting(
            name="iPad", model_name="iPad (9th generation)", os_version="26.4", serial="X1", asset_tag="12"
        )
    )
    finding = a_finding(summary="Backup is 12 days old; iPad (9th generation) has X1.", evidence={"days": 12})
    redacted = REDACTOR.device(a_report(finding, device=device))
    (shown,) = redacted.findings
    serial = REDACTOR.token("serial", "X1")
    assert shown.summary == f"Backup is 12 days old; iPad (9th generation) has {serial}."
    assert (shown.check, shown.fixes, shown.sources, shown.evidence) == (
        "backup-stale",
        finding.fixes,
        ("hq",),
        {"days": 12},
    )
    assert (redacted.device.model_name, redacted.device.os_version) == ("iPad (9th generation)", "26.4")
    assert (redacted.device.serial, redacted.device.observed_at) == (serial, SEEN)
    assert redacted.device.user_name == device.user_name
    assert redacted.device.sightings[0].record.serial == serial


def test_the_order_tells_nothing() -> None:
    """Who has all serial numbers can sort them by their keys; a redacted report is in another order."""
    keys = [fingerprint("serial", f"SERIAL{number}") for number in range(40)]
    with Redacted(REDACTOR) as spool:
        for key in sorted(keys):
            spool.device(a_report(device=a_device(a_sighting(serial=key[:8]), key=key)))
        came = [report.device.key for report in spool.devices()]
    assert came == sorted(map(REDACTOR.fingerprint, keys))
    assert came != [REDACTOR.fingerprint(key) for key in sorted(keys)]


def test_a_pass_that_starts_over_leaves_nothing_behind() -> None:
    """Where the judgement begins anew, so does the redacted report."""
    with Redacted(REDACTOR) as spool:
        spool.device(a_report(device=a_device(a_sighting(serial="A"), key="a" * 32)))
        spool.again()
        spool.device(a_report(device=a_device(a_sighting(serial="B"), key="b" * 32)))
        assert [report.device.key for report in spool.devices()] == [REDACTOR.fingerprint("b" * 32)]


def test_it_says_that_it_is_redacted() -> None:
    """A reader is told so first, and problems of sources are counted but not quoted."""
    run = REDACTOR.run(a_run(notes=("The catalogue is old.",)))
    assert run.notes == (NOTE, "The catalogue is old.")
    assert [(one.code, one.count) for one in run.sources[0].problems] == [("unreadable", 1)]


def test_every_signal_of_text_is_decided_on() -> None:
    """A signal that is added later is either replaced or named here as one that no person types."""
    of_text = {name for name, kind in Signals.__annotations__.items() if "str" in kind}
    assert of_text - TYPED_BY_PEOPLE.keys() == {
        *("model_identifier", "model_name", "os_version", "os_build", "pending_os_version")
    }
