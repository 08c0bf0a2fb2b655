from __future__ import annotations

from dataclasses import replace

from fleet.cli.night import summary
from fleet.model.finding import State
from tests.reports.a_run import a_report, a_run, an_incident


def test_incidents_are_told_in_the_summary() -> None:
    """Whoever reads a terminal or a mail from cron is told first what concerns the whole fleet; what ended, no more."""
    going = an_incident()
    over = replace(going, summary="It is over.", finding=replace(going.finding, state=State.RESOLVED))
    lines = summary(a_run(a_report(), incidents=(going, over))).splitlines()
    assert lines[1].startswith("findings: 0 new · ")
    assert lines[2:] == ["fleet-wide, high: Apple reports trouble."]
