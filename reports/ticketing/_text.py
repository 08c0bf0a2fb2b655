"""What a ticket says: the person at the device reads plain steps, the administrator values, sources and the rule."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fleet.model.fact import known
from fleet.model.finding import State
from reports._guide import Handling
from reports._plain import model_of
from reports.html import words
from reports.tables import evidence_text
from reports.ticketing._kind import flat
from reports.ticketing._ticket import label

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from fleet.guide import Fix
    from fleet.model.device import Device
    from fleet.model.device_report import DeviceReport, PlanStep
    from fleet.model.finding import Finding
    from reports._format import CheckText
    from reports._guide import Guide

_ENDINGS = {
    "device_gone": "Closed: the device is in no source any more.",
    "superseded": "Closed: the device turned out to be one that has a ticket of its own already.",
    "waived": "Not pursued: the problem is waived{until}.",
    "user_enrollment": "Closed: the device is now enrolled by its owner, and is not judged.",
    "shared_ipad": "Closed: the device is now a Shared iPad, and is not judged.",
    "platform": "Closed: the device is neither an iPhone nor an iPad.",
    "not_managed": "Closed: the device is no longer managed.",
    "rule_changed": "Closed: thresholds or the catalogue changed, and by them it is no problem any more.",
}
_GONE = "No source lists the device any more; the ticket waits for it a while before it is closed."
SOLVED = "Closed: the newest facts show that the problem is gone. Nothing is left to do."
_RISKY = 2  # the guide: settings or data may be lost, so that a copy has to come first
_STANDING = {
    "waiver_expired": "Its waiver has ended while the problem stands.",
    "no_longer_waived": "Its waiver was taken back or no longer covers it, while the problem stands.",
    "rule_changed": "Thresholds or the catalogue changed since the night before, not the device.",
}
_LOSS = "If the device were lost or broken today, what is on it and in no backup would be lost."


@dataclass(frozen=True, slots=True)
class Texts:
    """Builds the texts; each fix is worded once per kind of device.

    Attributes:
        checks: the catalogue's titles and rules.
    """

    guide: Guide
    checks: Mapping[str, CheckText]
    _worded: dict[tuple[str, Handling, str], str] = field(
        default_factory=dict[tuple[str, Handling, str], str]
    )

    def title(self, check: str) -> str:
        """What the catalogue calls a check; one that it does not know goes by its id."""
        known_check = self.checks.get(check)
        return known_check.title if known_check else check

    def remediation(self, fixes: Iterable[str]) -> str:
        """The fixes on one line, numbered."""
        titles = (self.guide.fixes[fix].title if fix in self.guide.fixes else fix for fix in fixes)
        return " ".join(f"{number}. {title}" for number, title in enumerate(titles, 1))

    def for_user(self, findings: Sequence[Finding], report: DeviceReport, plan: Sequence[PlanStep]) -> str:
        """What the person at the device reads."""
        device = report.device
        standing = [finding for finding in findings if finding.state.standing]
        about = f"This is about the device “{label(device)}”{_which(device)}."
        if not standing:
            return f"{about}\n\n{ending(findings[0])}"
        said = " ".join(finding.summary for finding in standing)
        loss = f" {_LOSS}" if any(finding.problem == "backup" for finding in standing) else ""
        return "\n".join([about, "", f"{said}{loss}", "", *self.for_you(plan, report.handling)])

    def for_you(self, plan: Sequence[PlanStep], handling: Handling) -> Iterator[str]:
        """The harmless steps; nobody is told by a ticket alone to do what can lose data."""
        fixes = self.guide.fixes
        safe = [step for step in plan if step.fix in fixes and fixes[step.fix].risk < _RISKY]
        steps = self.steps(safe, handling, "user")
        if not steps:
            yield "There is nothing for you to do: your IT department looks after it."
            return
        yield "Go through this in order, and stop as soon as it has helped."
        yield from steps
        if len(safe) < len(plan):
            yield "If nothing of this helps, tell your IT department: they go on from here."

    def for_admin(
        self,
        findings: Sequence[Finding],
        report: DeviceReport,
        plan: Sequence[PlanStep],
        cause: str | None,
    ) -> str:
        """What an administrator reads."""
        lines = [f"Device: {_described(report.device)}"]
        for finding in findings:
            lines += self._told(finding)
        if cause:
            lines.append(f"Most probable cause: {self._cause(cause)}")
        if any(finding.state.standing for finding in findings):
            lines += self._todo(plan, report.handling)
        return "\n".join(lines)

    def steps(self, plan: Iterable[PlanStep], handling: Handling, audience: str) -> list[str]:
        """The numbered steps of those fixes that `audience` has to carry out."""
        fixes = [step.fix for step in plan if step.audience == audience and step.fix in self.guide.fixes]
        return [
            line
            for number, fix in enumerate(dict.fromkeys(fixes), 1)
            for line in f"{number}. {self._wording(fix, handling, audience)}".split("\n")
        ]

    def _wording(self, fix: str, handling: Handling, audience: str) -> str:
        key = (fix, handling, audience)
        if key not in self._worded:
            lines = self.guide.steps(fix, handling)
            self._worded[key] = "\n".join(_worded(self.guide.fixes[fix], lines, audience))
        return self._worded[key]

    def _told(self, finding: Finding) -> Iterator[str]:
        yield ""
        yield f"{self.title(finding.check)} ({finding.check}, {finding.severity}, {finding.basis})"
        if not finding.state.standing:
            yield ending(finding)
        ended = not finding.state.standing and finding.state is not State.WAIVED
        yield f"What had been found: {finding.summary}" if ended else finding.summary
        if finding.evidence:
            named = {
                words.evidence(name): words.evidence_value(name, value)
                for name, value in finding.evidence.items()
            }
            yield f"Evidence: {flat(evidence_text(named))}"
        yield f"Reported {_minute(finding.observed_at)}, told by {', '.join(finding.sources) or 'no source'}."
        yield f"First seen {_minute(finding.first_seen)}."
        rule = self.checks.get(finding.check)
        if rule:
            yield f"Rule: {rule.rule}"
        if finding.state.standing and finding.reason in _STANDING:
            yield _STANDING[finding.reason]

    def _cause(self, cause: str) -> str:
        return "nothing that can be observed explains it" if cause == "unexplained" else self.title(cause)

    def _todo(self, plan: Sequence[PlanStep], handling: Handling) -> Iterator[str]:
        own = self.steps(plan, handling, "admin")
        if own:
            yield from ("", "For an administrator:", *own)
        theirs = [step.fix for step in plan if step.audience == "user"]
        if theirs:
            yield from ("", f"For the person at the device: {self.remediation(theirs)}")


def ending(finding: Finding) -> str:
    """Why nothing of it stands any more."""
    if finding.state is State.GONE:
        return _GONE
    until = f" until {finding.waiver_until:%Y-%m-%d}" if finding.waiver_until else ""
    return _ENDINGS.get(finding.reason or "", SOLVED).format(until=until)


def _worded(fix: Fix, lines: Sequence[str], audience: str) -> Iterator[str]:
    minutes = fix.cost.minutes
    yield f"{fix.title} (about {minutes} minute{'s' if minutes > 1 else ''})"
    if fix.cost.passwords:
        yield f"   You need {fix.cost.asks_for}."
    yield from (f"   - {line}" for line in lines)
    if fix.cost.data_at_risk:
        yield f"   Data at risk: {fix.cost.data_at_risk}"
    if audience == "admin":
        yield from (f"   By management: {way}" for way in (fix.mdm.note, *map(str, fix.mdm.ways)) if way)
    yield f"   Done when: {fix.verify}"


def _which(device: Device) -> str:
    parts = [part for part in (model_of(device), _serial(device)) if part]
    return f" ({flat(', '.join(parts))})" if parts else ""


def _serial(device: Device) -> str | None:
    serial = known(device.serial)
    return f"serial number {serial}" if serial else None


def _described(device: Device) -> str:
    facts = {
        "serial number": known(device.serial),
        "asset tag": known(device.asset_tag),
        "model": model_of(device),
        "system": known(device.os_version),
        "user": known(device.user_name) or known(device.user_email),
        "department": known(device.department),
        "site": known(device.site),
    }
    return "; ".join([label(device), *(f"{name} {flat(text)}" for name, text in facts.items() if text)])


def _minute(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
