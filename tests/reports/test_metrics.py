from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from fleet.model.finding import Severity, State
from fleet.model.run import Outcome
from reports._format import Written
from reports.metrics import FORMAT
from tests.reports.a_run import CONTEXT, NOW, a_finding, a_report, a_source, an_incident, push

if TYPE_CHECKING:
    from pathlib import Path

    from fleet.model.device_report import DeviceReport


def samples(directory: Path, *reports: DeviceReport, **changes: object) -> list[str]:
    push(FORMAT.open(directory, CONTEXT), reports, **changes)
    return (directory / "metrics.prom").read_text("utf-8").splitlines()


def test_the_whole_file(tmp_path: Path) -> None:
    """A scraper gets help, type and samples of each metric, in one group each, with a line end at the end."""
    reports = [a_report(a_finding(), a_finding(check="storage-full", severity=Severity.LOW)), a_report()]
    files = push(
        FORMAT.open(tmp_path, CONTEXT), reports, sources=(a_source(), a_source("schools", Outcome.PARTIAL))
    )
    assert files == [Written("metrics.prom", 15)]
    assert (tmp_path / "metrics.prom").read_bytes().decode() == (
        "# HELP fleetkeep_devices Devices by status.\n"
        "# TYPE fleetkeep_devices gauge\n"
        'fleetkeep_devices{status="protected"} 1\n'
        'fleetkeep_devices{status="at_risk"} 1\n'
        'fleetkeep_devices{status="unknown"} 0\n'
        'fleetkeep_devices{status="not_applicable"} 0\n'
        "# HELP fleetkeep_findings Standing findings by check and severity.\n"
        "# TYPE fleetkeep_findings gauge\n"
        'fleetkeep_findings{check="backup-stale",severity="high"} 1\n'
        'fleetkeep_findings{check="storage-full",severity="low"} 1\n'
        "# HELP fleetkeep_source_complete 1 if the source's latest collection is complete, else 0.\n"
        "# TYPE fleetkeep_source_complete gauge\n"
        'fleetkeep_source_complete{source="hq"} 1\n'
        'fleetkeep_source_complete{source="schools"} 0\n'
        "# HELP fleetkeep_source_devices Devices read in the source's latest collection.\n"
        "# TYPE fleetkeep_source_devices gauge\n"
        'fleetkeep_source_devices{source="hq"} 105\n'
        'fleetkeep_source_devices{source="schools"} 105\n'
        "# HELP fleetkeep_source_facts_timestamp_seconds When the source's newest facts were collected, in seconds"
        " since 1970.\n"
        "# TYPE fleetkeep_source_facts_timestamp_seconds gauge\n"
        'fleetkeep_source_facts_timestamp_seconds{source="hq"} 1795312800\n'
        'fleetkeep_source_facts_timestamp_seconds{source="schools"} 1795312800\n'
        "# HELP fleetkeep_run_held 1 while the night's ticket actions are held back, else 0.\n"
        "# TYPE fleetkeep_run_held gauge\n"
        "fleetkeep_run_held 0\n"
        "# HELP fleetkeep_run_duration_seconds How long the run took.\n"
        "# TYPE fleetkeep_run_duration_seconds gauge\n"
        "fleetkeep_run_duration_seconds 62.5\n"
        "# HELP fleetkeep_run_finished_timestamp_seconds When the run finished, in seconds since 1970.\n"
        "# TYPE fleetkeep_run_finished_timestamp_seconds gauge\n"
        "fleetkeep_run_finished_timestamp_seconds 1795312862\n"
    )


@pytest.mark.parametrize(("state", "counted"), [(state, state.standing) for state in State])
def test_only_standing_findings_count(tmp_path: Path, state: State, counted: bool) -> None:
    """Waived, resolved and vanished findings wake nobody up."""
    incident = an_incident()
    fleet_wide = replace(incident, finding=replace(incident.finding, state=state))
    lines = samples(tmp_path, a_report(a_finding(state=state)), incidents=(fleet_wide,))
    for check in ("backup-stale", "icloud-outage"):
        assert (f'fleetkeep_findings{{check="{check}",severity="high"}} 1' in lines) is counted


def test_findings_add_up_over_devices(tmp_path: Path) -> None:
    """The same check and severity on several devices is one sample with their number."""
    reports = [
        a_report(a_finding()),
        a_report(a_finding(state=State.NEW)),
        a_report(a_finding(severity=Severity.LOW)),
    ]
    lines = [line for line in samples(tmp_path, *reports) if line.startswith("fleetkeep_findings{")]
    assert lines == [
        'fleetkeep_findings{check="backup-stale",severity="high"} 2',
        'fleetkeep_findings{check="backup-stale",severity="low"} 1',
    ]


def test_label_values_are_escaped(tmp_path: Path) -> None:
    """A check of somebody else's with quotes, backslashes or line ends in its id cannot break the file."""
    lines = samples(tmp_path, a_report(a_finding(check='a"b\\c\nd')))
    assert r'fleetkeep_findings{check="a\"b\\c\nd",severity="high"} 1' in lines


def test_a_clock_set_back_gives_no_negative_duration(tmp_path: Path) -> None:
    """A run over which the clock was set back reads as taking no time."""
    lines = samples(tmp_path, finished_at=NOW, started_at=NOW.replace(hour=3))
    assert "fleetkeep_run_duration_seconds 0" in lines


def test_a_source_that_never_answered_has_no_age(tmp_path: Path) -> None:
    """No facts, no time of them: an alert on age does not take nothing for fresh."""
    silent = replace(a_source(outcome=Outcome.FAILED), facts_at=None)
    lines = samples(tmp_path, sources=(silent,), hold=True)
    assert not [line for line in lines if line.startswith("fleetkeep_source_facts_timestamp_seconds{")]
    assert "fleetkeep_run_held 1" in lines


AWKWARD = st.text(min_size=1, alphabet=st.characters(exclude_categories=["Cs"]))


@given(checks=st.lists(AWKWARD, max_size=4, unique=True), source=AWKWARD)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_another_parser_reads_every_sample(tmp_path: Path, checks: list[str], source: str) -> None:
    """Prometheus' own client reads the file back: names, help, type, labels and values, whatever the labels hold."""
    samples(tmp_path, a_report(*(a_finding(check=check) for check in checks)), sources=(a_source(source),))
    text = (tmp_path / "metrics.prom").read_bytes().decode("utf-8")
    families = {family.name: family for family in text_string_to_metric_families(text)}
    assert {family.type for family in families.values()} == {"gauge"}
    assert all(family.documentation.endswith(".") for family in families.values())
    found = {sample.labels["check"]: sample.value for sample in families["fleetkeep_findings"].samples}
    assert found == dict.fromkeys(checks, 1.0)
    assert [sample.labels for sample in families["fleetkeep_source_devices"].samples] == [{"source": source}]
    assert set(families) >= {
        *("fleetkeep_devices", "fleetkeep_findings", "fleetkeep_source_complete", "fleetkeep_source_devices"),
        *("fleetkeep_run_duration_seconds", "fleetkeep_run_finished_timestamp_seconds"),
    }
