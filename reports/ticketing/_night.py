"""One night's tickets: what all of them share, and how one finding becomes one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from fleet.model.device_report import ANY_DEVICE, PlanStep
from reports.tables import evidence_text
from reports.ticketing._kind import flat
from reports.ticketing._text import Texts, ending
from reports.ticketing._ticket import Ticket

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fleet.model.finding import Finding
    from fleet.model.run import Incident, RunReport


@dataclass(frozen=True, slots=True, kw_only=True)
class Night:
    """What all tickets of one night share.

    Attributes:
        base_url: what addresses in the report start with.
    """

    run: RunReport
    texts: Texts
    base_url: str

    def url(self, anchor: str) -> str:
        """The place in the report that shows `anchor`, a device's key or a finding's id."""
        return f"{self.base_url}index.html#d={anchor}"

    def with_link(self, text: str, url: str) -> str:
        """`text` and where to read on, if the report has an address that a reader can follow."""
        return f"{text}\nReport: {url}" if self.base_url else text


def of_incident(night: Night, incident: Incident) -> Ticket:
    """The ticket of a fleet-wide finding."""
    ticket = ticket_of(night, incident.finding)
    plan = plan_of(night, incident.finding.fixes)
    steps = night.texts.for_you(plan, ANY_DEVICE)
    lines = [
        incident.summary,
        f"Devices: {incident.devices:,}, since {incident.since:%Y-%m-%d %H:%M} UTC.",
        *([f"Evidence: {ticket.evidence}"] if ticket.evidence else []),
        *night.texts.steps(plan, ANY_DEVICE, "admin"),
    ]
    return replace(
        ticket,
        summary=incident.summary,
        user_text="\n".join(
            [incident.summary, ticket.closing] if ticket.closing else [incident.summary, *steps]
        ),
        admin_text=night.with_link("\n".join(lines), ticket.url),
        devices=incident.devices,
    )


def ticket_of(night: Night, finding: Finding) -> Ticket:
    """A ticket with all that the finding itself says; the texts are still to come."""
    return Ticket(
        external_id=finding.external_id,
        action=finding.action,
        state=finding.state,
        severity=finding.severity,
        basis=finding.basis,
        problem=finding.problem,
        check=finding.check,
        title=night.texts.title(finding.check),
        summary=finding.summary,
        evidence=flat(evidence_text(finding.evidence)),
        remediation=night.texts.remediation(finding.fixes),
        cause=None,
        reason=finding.reason,
        closing=None if finding.state.standing else ending(finding),
        user_text="",
        admin_text="",
        sources=finding.sources,
        first_seen=finding.first_seen,
        last_seen=finding.last_seen,
        opened_at=finding.opened_at,
        observed_at=finding.observed_at,
        waiver_until=finding.waiver_until,
        device=None,
        devices=1,
        url=night.url(finding.external_id),
        run=night.run,
    )


def plan_of(night: Night, fixes: Iterable[str]) -> list[PlanStep]:
    """A plan for more than one device: the fixes as the guide has them."""
    known = night.texts.guide.fixes
    return [PlanStep(fix=fix, audience=known[fix].audience, why="") for fix in fixes if fix in known]
