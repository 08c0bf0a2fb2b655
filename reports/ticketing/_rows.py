"""Which tickets a night amounts to: one per finding, one per device, or one per check."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from reports.tables import evidence_text
from reports.ticketing._by_check import ByCheck
from reports.ticketing._grouping import Grouping
from reports.ticketing._kind import flat
from reports.ticketing._night import Night, ticket_of
from reports.ticketing._text import ending
from reports.ticketing._together import action_of, state_of, weight

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

    from fleet.model.device_report import DeviceReport
    from fleet.model.finding import Action, Finding
    from reports.ticketing._ticket import Ticket


class Rows(Protocol):
    """One way to make tickets of findings."""

    def of_device(self, report: DeviceReport) -> Iterable[Ticket]:
        """The tickets that are complete once this device is known."""
        ...

    def at_end(self) -> Iterable[Ticket]:
        """The tickets that had to wait for the last device."""
        ...


@dataclass(frozen=True, slots=True)
class ByFinding:
    """One ticket per problem of a device."""

    night: Night
    wanted: Collection[Action]

    def of_device(self, report: DeviceReport) -> Iterator[Ticket]:
        """One ticket per finding."""
        for finding in report.findings:
            if finding.action in self.wanted:
                yield self._ticket(report, finding)

    def at_end(self) -> Iterable[Ticket]:
        """None."""
        return ()

    def _ticket(self, report: DeviceReport, finding: Finding) -> Ticket:
        night, device = self.night, report.device
        backup = finding.problem == "backup"
        plan = [step for step in report.plan if backup or step.fix in finding.fixes]
        cause = report.cause if backup else None
        url = night.url(finding.external_id)
        ticket = ticket_of(night, finding)
        return replace(
            ticket,
            remediation=night.texts.remediation(step.fix for step in plan) or ticket.remediation,
            cause=cause,
            user_text=night.texts.for_user([finding], report, plan),
            admin_text=night.with_link(night.texts.for_admin([finding], report, plan, cause), url),
            device=device,
        )


@dataclass(frozen=True, slots=True)
class ByDevice:
    """One ticket per device, whatever is wrong with it."""

    night: Night
    wanted: Collection[Action]

    def of_device(self, report: DeviceReport) -> Iterator[Ticket]:
        """One ticket for a device with findings, under the device's own key."""
        if report.findings and action_of(report.findings) in self.wanted:
            yield self._ticket(report, sorted(report.findings, key=weight))

    def at_end(self) -> Iterable[Ticket]:
        """None."""
        return ()

    def _ticket(self, report: DeviceReport, findings: Sequence[Finding]) -> Ticket:
        night, device = self.night, report.device
        url = night.url(device.key)
        action = action_of(findings)
        told = [finding for finding in findings if finding.state.standing] or findings[:1]
        evidence = "; ".join(evidence_text(finding.evidence) for finding in told)
        return replace(
            ticket_of(night, findings[0]),
            external_id=device.key,
            action=action,
            state=state_of(action, findings),
            title="; ".join(dict.fromkeys(night.texts.title(finding.check) for finding in told)),
            summary=" ".join(finding.summary for finding in told),
            evidence=flat(evidence),
            remediation=night.texts.remediation(step.fix for step in report.plan),
            cause=report.cause,
            closing=None if findings[0].state.standing else ending(findings[0]),
            user_text=night.texts.for_user(findings, report, report.plan),
            admin_text=night.with_link(
                night.texts.for_admin(findings, report, report.plan, report.cause), url
            ),
            sources=tuple(dict.fromkeys(source for finding in told for source in finding.sources)),
            first_seen=min(finding.first_seen for finding in told),
            last_seen=max(finding.last_seen for finding in told),
            opened_at=min(finding.opened_at for finding in told),
            observed_at=max(finding.observed_at for finding in told),
            device=device,
            url=url,
        )


ROWS: dict[Grouping, Callable[[Night, Collection[Action]], Rows]] = {
    Grouping.FINDING: ByFinding,
    Grouping.DEVICE: ByDevice,
    Grouping.CHECK: ByCheck,
}
